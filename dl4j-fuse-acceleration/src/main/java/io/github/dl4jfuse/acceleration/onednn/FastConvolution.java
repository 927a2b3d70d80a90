package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's convolution layer on {@link ConvolutionKernels}. */
final class FastConvolution extends ConvolutionLayer implements FastLayer {

    private final transient FusedActivation activation;
    private final transient Exchanged<List<Long>, ConvolutionKernels> exchanged;
    private transient INDArray output; // of the last forward pass, with channels last; null where none counts

    FastConvolution(ConvolutionLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, layerConf().getCnn2dDataFormat(), this::make);
        activation = FusedActivation.of(layerConf().getActivationFn());
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(ConvolutionLayer layer) {
        var conf = (org.deeplearning4j.nn.conf.layers.ConvolutionLayer)
                layer.conf().getLayer();
        return FusedActivation.obstacle(conf.getActivationFn());
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public boolean takesImages() {
        return exchanged.isNchw();
    }

    private ConvolutionKernels make(List<Long> inputShape) {
        return make(activation);
    }

    private ConvolutionKernels make(FusedActivation function) {
        INDArray images = exchanged.images(input);
        Window window = Window.of(
                images,
                layerConf().getKernelSize(),
                layerConf().getStride(),
                layerConf().getDilation(),
                layerConf().getPadding(),
                convolutionMode);
        return new ConvolutionKernels(
                images.shape(),
                layerConf().getNOut(),
                window,
                ConvolutionKernels.Weights.OUTPUTS_FIRST,
                hasBias(),
                function);
    }

    private ConvolutionKernels kernels(INDArray images) {
        return exchanged.kernels(Arrays.stream(images.shape()).boxed().toList());
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
        validateInputRank();
        validateInputDepth(layerConf().getNIn());
        applyDropOutIfNecessary(training, workspaces);
        INDArray y = compute(training, ArrayType.ACTIVATIONS, workspaces);
        output = training || exchanged.neighbours().areAroundAFrozenLayer() ? y : null;
        return exchanged.forNext(y, workspaces);
    }

    private INDArray compute(boolean training, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray x = exchanged.images(input);
        ConvolutionKernels now = kernels(x);
        INDArray b =
                getParamWithNoise(ConvolutionParamInitializer.BIAS_KEY, training, workspaces); // first, as DL4J draws
        INDArray w = weights(training, workspaces);
        INDArray y = Layout.images(type, now.outputShape(), workspaces);
        if (activation == FusedActivation.IDENTITY || Finite.areAll(x, w, b)) {
            now.forward(x, w, b, y);
        } else {
            make(FusedActivation.IDENTITY).forward(x, w, b, y);
            FastLayer.activate(y, layerConf().getActivationFn(), training);
        }
        return y;
    }

    /** With noise they need not lie as the parameters do. */
    private INDArray weights(boolean training, LayerWorkspaceMgr workspaces) {
        INDArray weights = getParamWithNoise(ConvolutionParamInitializer.WEIGHT_KEY, training, workspaces);
        return Layout.of(weights) == Layout.PLAIN ? weights : weights.dup('c');
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        INDArray y = output == null ? compute(true, ArrayType.BP_WORKING_MEM, workspaces) : output;
        output = null;
        INDArray weightGradient = gradientViews.get(ConvolutionParamInitializer.WEIGHT_KEY);
        INDArray biasGradient = gradientViews.get(ConvolutionParamInitializer.BIAS_KEY);
        boolean unused = exchanged.neighbours().dropInputGradient();
        boolean frozen = exchanged.neighbours().areAroundAFrozenLayer();
        INDArray x = exchanged.images(input);
        INDArray next = unused ? null : Layout.images(ArrayType.ACTIVATION_GRAD, x.shape(), workspaces);
        kernels(x)
                .backward(
                        x,
                        y,
                        exchanged.images(epsilon),
                        weights(true, workspaces),
                        frozen ? null : weightGradient,
                        biasGradient,
                        next);
        INDArray passed = unused
                ? workspaces.create(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, input.shape(), 'c')
                : exchanged.forPrevious(next, workspaces);
        Gradient gradient = new DefaultGradient();
        if (hasBias()) {
            gradient.setGradientFor(ConvolutionParamInitializer.BIAS_KEY, biasGradient);
        }
        gradient.setGradientFor(ConvolutionParamInitializer.WEIGHT_KEY, weightGradient, 'c');
        weightNoiseParams.clear();
        return new Pair<>(gradient, backpropDropOutIfPresent(passed));
    }
}
