package io.github.dl4jfuse.acceleration.onednn;

import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What dense layers and convolutions have in common: y = f(w x + b), for inputs of one shape. The passes are filled by whoever knows
 * which product it is.
 */
abstract class ProductKernels {

    final boolean bias;
    final Received input;
    final Delta delta;
    final Buffer weights;
    final Buffer biases; // null without
    final Buffer output;
    final Buffer weightGradient;
    final Buffer biasGradient; // null without
    final Buffer inputGradient;
    final Pass forward = new Pass();
    final Pass backward = new Pass();
    final Pass backwardData = new Pass();

    /**
     * Makes the arguments of all passes.
     *
     * @param layout of x and y
     * @param w shape of the weights, whose first dimension is that of the outputs, in c order
     */
    ProductKernels(long[] x, long[] y, long[] w, Layout layout, boolean bias, FusedActivation activation) {
        this(x, y, OneDnn.ordered(w), OneDnn.ordered(w), layout, bias ? w[0] : 0, activation);
    }

    /** With descriptions of the weights and of their gradient, which lie alike, and the number of biases. */
    ProductKernels(
            long[] x,
            long[] y,
            memory.desc w,
            memory.desc gw,
            Layout layout,
            long biasCount,
            FusedActivation activation) {
        boolean bias = biasCount > 0;
        this.bias = bias;
        input = new Received(x, layout);
        output = Buffer.named(OneDnn.desc(y, layout.strides(y)));
        delta = new Delta(y, layout, activation, output);
        weights = Buffer.named(w);
        weightGradient = Buffer.named(gw);
        biases = bias ? Buffer.named(OneDnn.ordered(biasCount)) : null;
        biasGradient = bias ? Buffer.named(OneDnn.ordered(biasCount)) : null;
        inputGradient = Buffer.named(input.inUse().desc());
    }

    /** Computes y. */
    final void forward(INDArray x, INDArray w, INDArray b, INDArray y) {
        input.take(x);
        weights.at(w);
        if (bias) {
            biases.at(b);
        }
        output.at(y);
        forward.run();
    }

    /**
     * Computes the gradients.
     *
     * @param y of the forward pass
     * @param eps with respect to y; not changed
     * @param gw receives that with respect to the weights, and gb to the biases; null where nobody needs them
     * @param gx receives that with respect to x; null where nobody needs it
     */
    final void backward(INDArray x, INDArray y, INDArray eps, INDArray w, INDArray gw, INDArray gb, INDArray gx) {
        input.take(x);
        output.at(y);
        delta.take(eps);
        if (gw != null) {
            weightGradient.at(gw);
            if (bias) {
                biasGradient.at(gb);
            }
            backward.run();
        }
        if (gx != null) {
            weights.at(w);
            inputGradient.at(gx);
            backwardData.run();
        }
    }
}
