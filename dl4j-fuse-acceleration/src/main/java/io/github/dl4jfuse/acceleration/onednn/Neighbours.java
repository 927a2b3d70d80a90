package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the layers next to one of ours take; set when layers are exchanged. */
final class Neighbours {

    private static final StackWalker STACK = StackWalker.getInstance();

    private final KernelCache<Copy.Way, Copy> copies = new KernelCache<>(Copy::new);
    private boolean nextTakesChannelsLast;
    private boolean previousTakesChannelsLast;
    private boolean first;
    private boolean frozen;

    /**
     * Says what they are.
     *
     * @param next whether the next layer takes images with their channels last
     * @param previous whether the previous one takes gradients so
     * @param isFirst whether nothing that learns comes before
     */
    void set(boolean next, boolean previous, boolean isFirst) {
        nextTakesChannelsLast = next;
        previousTakesChannelsLast = previous;
        first = isFirst;
    }

    /** Says whether the layer is frozen: its own gradients are thrown away, and what its forward pass in training is DL4J calls inference. */
    void freeze(boolean isFrozen) {
        frozen = isFrozen;
    }

    boolean areAroundAFrozenLayer() {
        return frozen;
    }

    /**
     * Returns whether the gradient with respect to the input will be thrown away: that of the first layer that learns, in a step of fit, which a
     * layer can tell by its callers alone. Who asks for gradients in another way (external errors, a network within another) gets it.
     */
    boolean dropInputGradient() {
        return first
                && STACK.walk(frames -> frames.dropWhile(
                                frame -> !frame.getMethodName().equals("calcBackpropGradients"))
                        .skip(1)
                        .findFirst()
                        .map(frame -> frame.getMethodName().equals("computeGradientAndScore"))
                        .orElse(false));
    }

    /** Returns images for the next layer, given with their channels last. */
    INDArray forNext(INDArray images, LayerWorkspaceMgr workspaces) {
        return nextTakesChannelsLast ? images : plain(images, ArrayType.ACTIVATIONS, workspaces);
    }

    /** Returns gradients with respect to images for the previous layer, given with their channels last. */
    INDArray forPrevious(INDArray images, LayerWorkspaceMgr workspaces) {
        return previousTakesChannelsLast ? images : plain(images, ArrayType.ACTIVATION_GRAD, workspaces);
    }

    /** Makes an array for images as the next layer takes them. */
    INDArray activations(long[] shape, LayerWorkspaceMgr workspaces) {
        return images(nextTakesChannelsLast, ArrayType.ACTIVATIONS, shape, workspaces);
    }

    /** Makes an array for gradients with respect to images as the previous layer takes them. */
    INDArray gradients(long[] shape, LayerWorkspaceMgr workspaces) {
        return images(previousTakesChannelsLast, ArrayType.ACTIVATION_GRAD, shape, workspaces);
    }

    private static INDArray images(boolean channelsLast, ArrayType type, long[] shape, LayerWorkspaceMgr workspaces) {
        return channelsLast
                ? Layout.images(type, shape, workspaces)
                : workspaces.createUninitialized(type, DataType.FLOAT, shape, 'c');
    }

    private INDArray plain(INDArray images, ArrayType type, LayerWorkspaceMgr workspaces) {
        if (Layout.of(images) == Layout.PLAIN) {
            return images;
        }
        INDArray plain = workspaces.createUninitialized(type, DataType.FLOAT, images.shape(), 'c');
        copy(images, plain);
        return plain;
    }

    /** Copies between arrays in any two orders. */
    void copy(INDArray from, INDArray to) {
        copies.of(Copy.Way.of(from, to)).run(from, to);
    }

    /** Frees what copies are made with. */
    void free() {
        copies.clear();
    }
}
