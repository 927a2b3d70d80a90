package io.github.dl4jfuse.acceleration.onednn;

import java.util.function.Function;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What every layer of ours has besides DL4J's: the one that it stands for, its neighbours, the format of its images, and its kernels by what
 * they are made for. Kernels know images [n, c, h, w] with their channels last, which is c order where the format is NHWC.
 */
final class Exchanged<K, V> {

    private final Layer original;
    private final CNN2DFormat format;
    private final Neighbours neighbours = new Neighbours();
    private final KernelCache<K, V> kernels;
    private Runnable beforeBackward = () -> {};

    Exchanged(Layer original, Function<K, V> maker) {
        this(original, CNN2DFormat.NCHW, maker);
    }

    Exchanged(Layer original, CNN2DFormat format, Function<K, V> maker) {
        this.original = original;
        this.format = format;
        kernels = new KernelCache<>(maker);
    }

    Layer original() {
        return original;
    }

    Neighbours neighbours() {
        return neighbours;
    }

    V kernels(K key) {
        return kernels.of(key);
    }

    /** Sets what is done at the beginning of each backward pass. */
    void setBeforeBackward(Runnable action) {
        beforeBackward = action;
    }

    /** A backward pass begins. */
    void backward() {
        beforeBackward.run();
    }

    boolean isNchw() {
        return format == CNN2DFormat.NCHW;
    }

    /** Returns what a neighbour gave as images [n, c, h, w] in FLOAT. */
    INDArray images(INDArray given) {
        INDArray floats = given.castTo(DataType.FLOAT);
        return isNchw() ? floats : floats.permute(0, 3, 1, 2);
    }

    /** Returns images with their channels last as the next layer takes them. */
    INDArray forNext(INDArray images, LayerWorkspaceMgr workspaces) {
        return isNchw() ? neighbours.forNext(images, workspaces) : images.permute(0, 2, 3, 1);
    }

    /** Returns gradients with respect to images, with their channels last, as the previous layer takes them. */
    INDArray forPrevious(INDArray images, LayerWorkspaceMgr workspaces) {
        return isNchw() ? neighbours.forPrevious(images, workspaces) : images.permute(0, 2, 3, 1);
    }

    /** Frees the kernels. */
    void free() {
        kernels.clear();
        neighbours.free();
    }
}
