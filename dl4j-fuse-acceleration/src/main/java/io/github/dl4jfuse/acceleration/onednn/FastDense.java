package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's dense layer on {@link DenseKernels}. */
final class FastDense extends DenseLayer implements FastLayer {

    private final transient FusedActivation activation;
    private final transient Exchanged<Long, DenseKernels> exchanged;
    private transient INDArray output; // of the last forward pass; null where none counts

    FastDense(DenseLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
        activation = FusedActivation.of(layerConf().getActivationFn());
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(DenseLayer layer) {
        var conf = (org.deeplearning4j.nn.conf.layers.DenseLayer) layer.conf().getLayer();
        return conf.hasLayerNorm() ? "it normalises its outputs" : FusedActivation.obstacle(conf.getActivationFn());
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    private DenseKernels make(long examples) {
        return make(examples, activation);
    }

    private DenseKernels make(long examples, FusedActivation function) {
        return new DenseKernels(examples, layerConf().getNIn(), layerConf().getNOut(), hasBias(), function);
    }

    /** Masks, and what DL4J has a sentence for, are DL4J's. */
    private boolean isOurs() {
        return maskArray == null
                && input.rank() == 2
                && input.size(1) == layerConf().getNIn();
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        output = null;
        super.setInput(newInput, workspaces);
    }

    @Override
    public void clear() {
        output = null;
        super.clear();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs()) {
            return super.activate(training, workspaces);
        }
        applyDropOutIfNecessary(training, workspaces);
        INDArray y = compute(training, ArrayType.ACTIVATIONS, workspaces);
        output = training ? y : null;
        return y;
    }

    private INDArray compute(boolean training, ArrayType type, LayerWorkspaceMgr workspaces) {
        long examples = input.size(0);
        INDArray y = workspaces.createUninitialized(
                type, DataType.FLOAT, new long[] {examples, layerConf().getNOut()}, 'c');
        INDArray x = input.castTo(DataType.FLOAT);
        INDArray w = weights(training, workspaces);
        INDArray b = getParamWithNoise(DefaultParamInitializer.BIAS_KEY, training, workspaces);
        if (activation == FusedActivation.IDENTITY || Finite.areAll(x, w, b)) {
            exchanged.kernels(examples).forward(x, w, b, y);
        } else {
            make(examples, FusedActivation.IDENTITY).forward(x, w, b, y);
            FastLayer.activate(y, layerConf().getActivationFn(), training);
        }
        return y;
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
        INDArray y = output == null ? compute(true, ArrayType.BP_WORKING_MEM, workspaces) : output;
        output = null;
        INDArray weightGradient = gradientViews.get(DefaultParamInitializer.WEIGHT_KEY);
        INDArray biasGradient = gradientViews.get(DefaultParamInitializer.BIAS_KEY);
        boolean unused = exchanged.neighbours().dropInputGradient();
        INDArray next = workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, input.shape(), 'c');
        exchanged
                .kernels(input.size(0))
                .backward(
                        input.castTo(DataType.FLOAT),
                        y,
                        epsilon.castTo(DataType.FLOAT),
                        weights(true, workspaces),
                        weightGradient,
                        biasGradient,
                        unused ? null : next);
        if (unused) {
            FastLayer.clear(next);
        }
        Gradient gradient = new DefaultGradient();
        if (hasBias()) {
            gradient.gradientForVariable().put(DefaultParamInitializer.BIAS_KEY, biasGradient);
        }
        gradient.gradientForVariable().put(DefaultParamInitializer.WEIGHT_KEY, weightGradient);
        weightNoiseParams.clear();
        return new Pair<>(gradient, backpropDropOutIfPresent(next));
    }
}
