package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.Floats;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.OutputLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * DL4J's output layer on {@link DenseKernels}. A step of fit asks for the gradient and then for the loss at the same point, so the loss is
 * computed with the gradient and kept for that one question.
 */
final class FastOutput extends OutputLayer implements FastLayer {

    private final transient Exchanged<Long, DenseKernels> exchanged;
    private transient double loss; // summed over the examples, of the last backward pass
    private transient boolean known; // whether nothing has changed since

    FastOutput(OutputLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
    }

    /** Returns why a layer cannot be computed here, or null: what a loss function of the user's does to its arguments is not known. */
    static String obstacle(OutputLayer layer) {
        var conf = (org.deeplearning4j.nn.conf.layers.OutputLayer) layer.conf().getLayer();
        Class<?> type = conf.getLossFn().getClass();
        return type.getPackage() == LossMCXENT.class.getPackage()
                ? null
                : "its loss function is a class of its own, " + type.getName();
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    private DenseKernels make(long examples) {
        return new DenseKernels(
                examples, layerConf().getNIn(), layerConf().getNOut(), hasBias(), FusedActivation.IDENTITY);
    }

    /** Masks, and what DL4J has a sentence for, are DL4J's. */
    private boolean isOurs() {
        return input.rank() == 2 && input.size(1) == layerConf().getNIn() && maskArray == null;
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        known = false;
        super.setInput(newInput, workspaces);
    }

    @Override
    public void setLabels(INDArray newLabels) {
        known = false;
        super.setLabels(newLabels);
    }

    @Override
    public void clear() {
        known = false;
        super.clear();
    }

    @Override
    protected INDArray preOutput(boolean training, LayerWorkspaceMgr workspaces) {
        return preOutput(training, ArrayType.ACTIVATIONS, workspaces);
    }

    private INDArray preOutput(boolean training, ArrayType type, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs()) {
            return super.preOutput(training, workspaces);
        }
        applyDropOutIfNecessary(training, workspaces);
        INDArray z = workspaces.createUninitialized(
                type, DataType.FLOAT, new long[] {input.size(0), layerConf().getNOut()}, 'c');
        exchanged
                .kernels(input.size(0))
                .forward(
                        input.castTo(DataType.FLOAT),
                        weights(training, workspaces),
                        getParamWithNoise(DefaultParamInitializer.BIAS_KEY, training, workspaces),
                        z);
        return z;
    }

    private INDArray weights(boolean training, LayerWorkspaceMgr workspaces) {
        return FastLayer.denseWeights(getParamWithNoise(DefaultParamInitializer.WEIGHT_KEY, training, workspaces));
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!isOurs()) {
            return super.backpropGradient(epsilon, workspaces);
        }
        INDArray delta = lossAndGradient(preOutput(true, ArrayType.BP_WORKING_MEM, workspaces));
        INDArray weightGradient = gradientViews.get(DefaultParamInitializer.WEIGHT_KEY);
        INDArray biasGradient = gradientViews.get(DefaultParamInitializer.BIAS_KEY);
        boolean unused = exchanged.neighbours().dropInputGradient();
        INDArray next = workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, input.shape(), 'c');
        exchanged
                .kernels(input.size(0))
                .backward(
                        input.castTo(DataType.FLOAT),
                        delta,
                        delta,
                        weights(true, workspaces),
                        weightGradient,
                        biasGradient,
                        unused ? null : next);
        if (unused) {
            FastLayer.clear(next);
        }
        Gradient gradient = new DefaultGradient();
        gradient.gradientForVariable().put(DefaultParamInitializer.WEIGHT_KEY, weightGradient);
        if (hasBias()) {
            gradient.gradientForVariable().put(DefaultParamInitializer.BIAS_KEY, biasGradient);
        }
        return new Pair<>(
                gradient, backpropDropOutIfPresent(next)); // noise on weights is kept for the loss, as DL4J does
    }

    /** Sets the loss; returns its gradient with respect to z, which may lie where z did. */
    private INDArray lossAndGradient(INDArray z) {
        ILossFunction function = layerConf().getLossFn();
        if (function instanceof LossMCXENT entropy
                && entropy.getWeights() == null
                && layerConf().getActivationFn() instanceof ActivationSoftmax
                && Arrays.equals(labels.shape(), z.shape())
                && z.length() <= Floats.LIMIT) {
            float[] numbers = new float[(int) z.length()];
            float[] targets = new float[numbers.length];
            INDArray t = labels.castTo(DataType.FLOAT);
            Floats.view(Layout.of(t) == Layout.PLAIN ? t : t.dup('c')).get(targets);
            FloatBuffer memory = Floats.view(z);
            memory.get(0, numbers);
            loss = SoftmaxCrossEntropy.lossAndGradient(numbers, targets, (int) z.size(1), entropy.getSoftmaxClipEps());
            memory.put(0, numbers);
        } else {
            loss = function.computeScore(labels, z, layerConf().getActivationFn(), null, false);
            z = function.computeGradient(labels, z, layerConf().getActivationFn(), null);
        }
        known = true;
        return z;
    }

    @Override
    public double computeScore(double fullNetRegTerm, boolean training, LayerWorkspaceMgr workspaces) {
        if (!known || !training || input == null || labels == null) {
            return super.computeScore(fullNetRegTerm, training, workspaces);
        }
        known = false;
        score = (conf().isMiniBatch() ? loss / getInputMiniBatchSize() : loss) + fullNetRegTerm;
        return score;
    }
}
