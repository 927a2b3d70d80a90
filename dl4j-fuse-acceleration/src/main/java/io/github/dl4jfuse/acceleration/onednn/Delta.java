package io.github.dl4jfuse.acceleration.onednn;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The gradient with respect to what goes into an activation function, of that with respect to its value y. */
final class Delta {

    private final Received epsilon;
    private final Buffer delta; // null for the identity, where it is epsilon
    private final Pass derivative = new Pass();

    /** Where y is named by its buffer before {@link #take}. */
    Delta(long[] shape, Layout layout, FusedActivation activation, Buffer y) {
        epsilon = new Received(shape, layout);
        if (activation == FusedActivation.IDENTITY) {
            delta = null;
        } else {
            delta = Buffer.own(epsilon.inUse().desc());
            activation.differentiate(derivative, y, epsilon.inUse(), delta);
        }
    }

    /** Returns the argument of primitives. */
    Buffer inUse() {
        return delta == null ? epsilon.inUse() : delta;
    }

    /** Computes it; the array is not changed. */
    void take(INDArray eps) {
        epsilon.take(eps);
        derivative.run();
    }
}
