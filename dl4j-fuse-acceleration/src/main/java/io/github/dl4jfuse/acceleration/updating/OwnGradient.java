package io.github.dl4jfuse.acceleration.updating;

import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A gradient that lies in the network's own array, and says so. DL4J's {@link DefaultGradient} makes a new view at each question, so that
 * DL4J's updaters take it for that of another network: they then make views of every parameter in every step, and look for
 * regularization in them twice.
 */
final class OwnGradient extends DefaultGradient {

    private final INDArray array;

    private OwnGradient(Gradient gradient, INDArray array) {
        super(array);
        this.array = array;
        gradientForVariable().putAll(gradient.gradientForVariable());
    }

    /** Returns a gradient as one that lies in the network's array if it does, else itself. */
    static Gradient of(Gradient gradient, INDArray array) {
        INDArray given = gradient.gradient();
        return given != null && areSame(given, array) ? new OwnGradient(gradient, array) : gradient;
    }

    /** Returns whether two arrays are the same numbers in memory. */
    static boolean areSame(INDArray one, INDArray other) {
        return one == other
                || one.data().sameUnderlyingData(other.data())
                        && one.offset() == other.offset()
                        && one.length() == other.length();
    }

    @Override
    public INDArray gradient() {
        return array;
    }
}
