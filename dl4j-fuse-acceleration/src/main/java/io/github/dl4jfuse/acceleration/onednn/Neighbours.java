package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the layers next to one of ours take; set when layers are exchanged. */
final class Neighbours {

    private static final StackWalker STACK = StackWalker.getInstance();

    private boolean nextTakesChannelsLast;
    private boolean previousTakesChannelsLast;
    private boolean first;

    /**
     * Says what they are.
     *
     * @param next whether the next layer takes images with their channels last
     * @param previous whether the previous one takes gradients so
     * @param isFirst whether nothing but the network's input comes before
     */
    void set(boolean next, boolean previous, boolean isFirst) {
        nextTakesChannelsLast = next;
        previousTakesChannelsLast = previous;
        first = isFirst;
    }

    /**
     * Returns whether the gradient with respect to the input will be thrown away: that of a first layer in a step of fit, which a
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

    private static INDArray plain(INDArray images, ArrayType type, LayerWorkspaceMgr workspaces) {
        if (Layout.of(images) == Layout.PLAIN) {
            return images;
        }
        INDArray plain = workspaces.createUninitialized(type, DataType.FLOAT, images.shape(), 'c');
        try (Buffer from = Buffer.named(OneDnn.desc(images.shape(), Layout.CHANNELS_LAST.strides(images.shape())));
                Buffer to = Buffer.named(OneDnn.ordered(images.shape()));
                Pass pass = new Pass()) {
            pass.copy(from, to);
            from.at(images);
            to.at(plain);
            pass.run();
        }
        return plain;
    }
}
