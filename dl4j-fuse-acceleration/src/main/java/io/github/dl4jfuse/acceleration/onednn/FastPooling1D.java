package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.subsampling.Subsampling1DLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's pooling of sequences [n, c, t] on {@link PoolingKernels}, as images of one row; it takes and gives c order. */
final class FastPooling1D extends Subsampling1DLayer implements FastLayer {

    private final transient Exchanged<List<Long>, PoolingKernels> exchanged;
    private transient boolean computed; // whether the last forward pass was of this input

    FastPooling1D(Subsampling1DLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(Subsampling1DLayer layer) {
        var conf = layer.layerConf();
        if (conf.getCnn2dDataFormat() == CNN2DFormat.NHWC) {
            return "its sequences are in NWC";
        }
        if (conf.getConvolutionMode() == ConvolutionMode.Causal || conf.getPadding()[0] != 0) {
            return "it pads sequences, which DL4J's does otherwise than it says"; // fails, or pads at neither end
        }
        return FastPooling.obstacle(layer);
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    private PoolingKernels make(List<Long> inputShape) {
        Window window = Window.ofSequences(
                input,
                layerConf().getKernelSize()[0],
                layerConf().getStride()[0],
                1,
                layerConf().getPadding()[0],
                convolutionMode);
        return new PoolingKernels(
                FastPooling.kind(layerConf()), FastLayer.row(input).shape(), window);
    }

    private PoolingKernels kernels() {
        return exchanged.kernels(Arrays.stream(input.shape()).boxed().toList());
    }

    /** Masks, and what DL4J has a sentence for, are DL4J's. */
    private boolean isOurs() {
        return maskArray == null && input.rank() == 3;
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        computed = false;
        super.setInput(newInput, workspaces);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs()) {
            return super.activate(training, workspaces);
        }
        INDArray y = compute(ArrayType.ACTIVATIONS, workspaces);
        computed = training;
        return FastLayer.sequences(exchanged.forNext(y, workspaces));
    }

    private INDArray compute(ArrayType type, LayerWorkspaceMgr workspaces) {
        PoolingKernels now = kernels();
        INDArray y = Layout.images(type, now.outputShape(), workspaces);
        now.forward(FastLayer.row(input), y);
        return y;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!isOurs()) {
            return super.backpropGradient(epsilon, workspaces);
        }
        if (!computed) {
            compute(ArrayType.BP_WORKING_MEM, workspaces);
        }
        computed = false;
        INDArray next =
                Layout.images(ArrayType.ACTIVATION_GRAD, FastLayer.row(input).shape(), workspaces);
        kernels().backward(FastLayer.row(epsilon), next);
        return new Pair<>(new DefaultGradient(), FastLayer.sequences(exchanged.forPrevious(next, workspaces)));
    }
}
