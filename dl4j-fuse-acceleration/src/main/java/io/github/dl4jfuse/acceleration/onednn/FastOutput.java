package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.OutputLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's output layer on {@link DenseKernels}; the loss of a step is computed once, with its gradient. */
final class FastOutput extends OutputLayer implements FastLayer {

    private final transient Exchanged<Long, DenseKernels> exchanged;
    private final transient KeptLoss loss = new KeptLoss();

    FastOutput(OutputLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(OutputLayer layer) {
        var conf = (org.deeplearning4j.nn.conf.layers.OutputLayer) layer.conf().getLayer();
        return KeptLoss.obstacle(conf.getLossFn());
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    private DenseKernels make(long examples) {
        return new DenseKernels(
                examples, layerConf().getNIn(), layerConf().getNOut(), hasBias(), FusedActivation.IDENTITY);
    }

    /** What DL4J has a sentence for is DL4J's. */
    private boolean isOurs() {
        return input.rank() == 2 && input.size(1) == layerConf().getNIn();
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        loss.forget();
        super.setInput(newInput, workspaces);
    }

    @Override
    public void setLabels(INDArray newLabels) {
        loss.forget();
        super.setLabels(newLabels);
    }

    @Override
    public void setMaskArray(INDArray newMask) {
        loss.forget();
        super.setMaskArray(newMask);
    }

    @Override
    public void clear() {
        loss.forget();
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
        INDArray z = preOutput(true, ArrayType.BP_WORKING_MEM, workspaces);
        INDArray delta = loss.gradient(layerConf().getLossFn(), layerConf().getActivationFn(), labels, z, maskArray, z);
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

    @Override
    public double computeScore(double fullNetRegTerm, boolean training, LayerWorkspaceMgr workspaces) {
        if (!loss.isKnown() || !training || input == null || labels == null) {
            return super.computeScore(fullNetRegTerm, training, workspaces);
        }
        double sum = loss.take();
        score = (conf().isMiniBatch() ? sum / getInputMiniBatchSize() : sum) + fullNetRegTerm;
        return score;
    }
}
