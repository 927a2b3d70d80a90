package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.subsampling.SubsamplingLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's pooling layer on {@link PoolingKernels}. */
final class FastPooling extends SubsamplingLayer implements FastLayer {

    private final transient Exchanged<List<Long>, PoolingKernels> exchanged;
    private transient boolean computed; // whether the last forward pass was of this input

    FastPooling(SubsamplingLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, layerConf().getCnn2dDataFormat(), this::make);
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(SubsamplingLayer layer) {
        var conf = (org.deeplearning4j.nn.conf.layers.SubsamplingLayer)
                layer.conf().getLayer();
        if (conf.getPoolingType() != PoolingType.MAX && conf.getPoolingType() != PoolingType.AVG) {
            return "its pooling is " + conf.getPoolingType();
        }
        return Arrays.stream(conf.getDilation()).allMatch(d -> d == 1) ? null : "its window is dilated";
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public boolean takesImages() {
        return exchanged.isNchw();
    }

    private PoolingKernels make(List<Long> inputShape) {
        INDArray images = exchanged.images(input);
        Window window = Window.of(
                images,
                layerConf().getKernelSize(),
                layerConf().getStride(),
                new int[] {1, 1},
                layerConf().getPadding(),
                convolutionMode);
        return new PoolingKernels(kind(layerConf()), images.shape(), window);
    }

    static PoolingKernels.Kind kind(org.deeplearning4j.nn.conf.layers.SubsamplingLayer conf) {
        if (conf.getPoolingType() == PoolingType.MAX) {
            return PoolingKernels.Kind.MAX;
        }
        return conf.isAvgPoolIncludePadInDivisor() ? PoolingKernels.Kind.MEAN_WITH_PADDING : PoolingKernels.Kind.MEAN;
    }

    private PoolingKernels kernels(INDArray images) {
        return exchanged.kernels(Arrays.stream(images.shape()).boxed().toList());
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        computed = false;
        super.setInput(newInput, workspaces);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (input.rank() != 4) {
            return super.activate(training, workspaces); // has a sentence for it
        }
        if (layerConf().getPoolingType() == PoolingType.MAX && !Finite.areAll(input.castTo(DataType.FLOAT))) {
            return byDl4j(training, workspaces);
        }
        INDArray y = compute(ArrayType.ACTIVATIONS, workspaces);
        computed = training;
        return exchanged.forNext(y, workspaces);
    }

    /** DL4J's largest number of NaN and others is NaN; its operations want c order. */
    private INDArray byDl4j(boolean training, LayerWorkspaceMgr workspaces) {
        INDArray before = input;
        try {
            input = before.dup('c');
            return super.activate(training, workspaces);
        } finally {
            input = before;
        }
    }

    private INDArray compute(ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray x = exchanged.images(input);
        PoolingKernels now = kernels(x);
        INDArray y = Layout.images(type, now.outputShape(), workspaces);
        now.forward(x, y);
        return y;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!computed) {
            compute(ArrayType.BP_WORKING_MEM, workspaces);
        }
        computed = false;
        INDArray x = exchanged.images(input);
        INDArray next = Layout.images(ArrayType.ACTIVATION_GRAD, x.shape(), workspaces);
        kernels(x).backward(exchanged.images(epsilon), next);
        return new Pair<>(new DefaultGradient(), exchanged.forPrevious(next, workspaces));
    }
}
