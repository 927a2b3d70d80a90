package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.Convolution1DLayer;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's convolution of sequences [n, c, t] on {@link ConvolutionKernels}, as images of one row; it takes and gives c order. */
final class FastConvolution1D extends Convolution1DLayer implements FastLayer {

    private final transient FusedActivation activation;
    private final transient Exchanged<List<Long>, ConvolutionKernels> exchanged;
    private transient INDArray output; // of the last forward pass, as images with channels last; null where none counts

    FastConvolution1D(Convolution1DLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
        activation = FusedActivation.of(layerConf().getActivationFn());
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(Convolution1DLayer layer) {
        var conf = layer.layerConf();
        if (conf.getRnnDataFormat() != RNNFormat.NCW) {
            return "its sequences are in " + conf.getRnnDataFormat();
        }
        return conf.getWeightNoise() != null
                ? "its weights have noise, which DL4J leaves out"
                : FusedActivation.obstacle(conf.getActivationFn());
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    private ConvolutionKernels make(List<Long> inputShape) {
        return make(activation);
    }

    private ConvolutionKernels make(FusedActivation function) {
        Window window = Window.ofSequences(
                input,
                layerConf().getKernelSize()[0],
                layerConf().getStride()[0],
                layerConf().getDilation()[0],
                layerConf().getPadding()[0],
                convolutionMode);
        return new ConvolutionKernels(
                FastLayer.row(input).shape(),
                layerConf().getNOut(),
                window,
                ConvolutionKernels.Weights.OUTPUTS_LAST,
                hasBias(),
                function);
    }

    private ConvolutionKernels kernels() {
        return exchanged.kernels(Arrays.stream(input.shape()).boxed().toList());
    }

    /** Masks, and what DL4J has a sentence for, are DL4J's. */
    private boolean isOurs() {
        return maskArray == null
                && input.rank() == 3
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
        return FastLayer.sequences(exchanged.forNext(y, workspaces));
    }

    private INDArray compute(boolean training, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray x = FastLayer.row(input);
        INDArray w = getParam(ConvolutionParamInitializer.WEIGHT_KEY);
        INDArray b = hasBias() ? getParam(ConvolutionParamInitializer.BIAS_KEY) : null;
        ConvolutionKernels now = kernels();
        INDArray y = Layout.images(type, now.outputShape(), workspaces);
        if (activation == FusedActivation.IDENTITY || Finite.areAll(x, w, b)) {
            now.forward(x, w, b, y);
        } else {
            make(FusedActivation.IDENTITY).forward(x, w, b, y);
            FastLayer.activate(y, layerConf().getActivationFn(), training);
        }
        return y;
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
        INDArray weightGradient = gradientViews.get(ConvolutionParamInitializer.WEIGHT_KEY);
        INDArray biasGradient = gradientViews.get(ConvolutionParamInitializer.BIAS_KEY);
        boolean unused = exchanged.neighbours().dropInputGradient();
        boolean frozen = exchanged.neighbours().areAroundAFrozenLayer();
        INDArray x = FastLayer.row(input);
        INDArray next = unused ? null : Layout.images(ArrayType.ACTIVATION_GRAD, x.shape(), workspaces);
        kernels()
                .backward(
                        x,
                        y,
                        FastLayer.row(epsilon),
                        getParam(ConvolutionParamInitializer.WEIGHT_KEY),
                        frozen ? null : weightGradient,
                        biasGradient,
                        next);
        INDArray passed = unused
                ? workspaces.create(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, input.shape(), 'c')
                : FastLayer.sequences(exchanged.forPrevious(next, workspaces));
        Gradient gradient = new DefaultGradient();
        if (hasBias()) {
            gradient.setGradientFor(ConvolutionParamInitializer.BIAS_KEY, biasGradient);
        }
        gradient.setGradientFor(ConvolutionParamInitializer.WEIGHT_KEY, weightGradient, 'c');
        return new Pair<>(gradient, backpropDropOutIfPresent(passed));
    }
}
