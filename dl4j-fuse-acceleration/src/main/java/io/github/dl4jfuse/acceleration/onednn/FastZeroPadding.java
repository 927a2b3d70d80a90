package io.github.dl4jfuse.acceleration.onednn;

import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.ZeroPaddingLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's zero padding by copies of oneDNN's, which leave the channels of images last. */
final class FastZeroPadding extends ZeroPaddingLayer implements FastLayer {

    private final transient Exchanged<Copy.Way, Copy> exchanged;

    FastZeroPadding(ZeroPaddingLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, layerConf().getDataFormat(), Copy::new);
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public boolean takesImages() {
        return exchanged.isNchw();
    }

    private void copy(INDArray from, INDArray to) {
        exchanged.kernels(Copy.Way.of(from, to)).run(from, to);
    }

    /** Returns where images of the input's size lie within larger ones. */
    private INDArray within(INDArray padded, INDArray images) {
        int[] padding = layerConf().getPadding(); // top, bottom, left, right
        return padded.get(
                all(),
                all(),
                interval(padding[0], padding[0] + images.size(2)),
                interval(padding[2], padding[2] + images.size(3)));
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        INDArray x = Layout.known(exchanged.images(input));
        int[] padding = layerConf().getPadding();
        long[] shape = {x.size(0), x.size(1), x.size(2) + padding[0] + padding[1], x.size(3) + padding[2] + padding[3]};
        INDArray y = Layout.images(ArrayType.ACTIVATIONS, shape, workspaces);
        Finite.inMemoryOrder(y).assign(0);
        copy(x, within(y, x));
        return exchanged.forNext(y, workspaces);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        INDArray x = exchanged.images(input);
        INDArray next = Layout.images(ArrayType.ACTIVATION_GRAD, x.shape(), workspaces);
        copy(within(Layout.known(exchanged.images(epsilon)), x), next);
        return new Pair<>(new DefaultGradient(), exchanged.forPrevious(next, workspaces));
    }
}
