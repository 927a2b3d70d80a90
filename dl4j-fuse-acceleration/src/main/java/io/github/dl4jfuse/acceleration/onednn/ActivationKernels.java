package io.github.dl4jfuse.acceleration.onednn;

import org.nd4j.linalg.api.ndarray.INDArray;

/** An activation function by itself, y = f(x), forward and backward, for arrays of one shape that lie in one order, or are copied so. */
final class ActivationKernels {

    private final Received input;
    private final Buffer output;
    private final Delta delta;
    private final Buffer inputGradient;
    private final Pass forward = new Pass();
    private final Pass gradient = new Pass();

    ActivationKernels(FusedActivation activation, long[] shape, Layout layout) {
        input = new Received(shape, layout);
        output = Buffer.named(input.inUse().desc());
        inputGradient = Buffer.named(input.inUse().desc());
        delta = new Delta(shape, layout, activation, output);
        activation.apply(forward, input.inUse(), output);
        gradient.copy(delta.inUse(), inputGradient);
    }

    /** Computes y, which lies as the kernels are made for. */
    void forward(INDArray x, INDArray y) {
        input.take(x);
        output.at(y);
        forward.run();
    }

    /** Computes the gradient with respect to x, which lies as y does. */
    void backward(INDArray y, INDArray eps, INDArray gx) {
        output.at(y);
        inputGradient.at(gx);
        delta.take(eps);
        gradient.run();
    }
}
