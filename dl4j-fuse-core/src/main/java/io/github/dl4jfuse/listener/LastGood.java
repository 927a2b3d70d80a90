package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.lbfgs.Segments;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A copy of the last parameters that were finite. */
final class LastGood {

    private INDArray[] copy;

    /**
     * Copies the parameters, unless they are no longer finite (a saturated activation can hide that in the loss).
     *
     * @return false if they are not and there is a copy to go back to
     */
    boolean keep(INDArray[] parameters) {
        if (!Double.isFinite(Segments.dot(parameters, parameters))) {
            return copy == null;
        }
        if (copy == null) {
            copy = Segments.zerosLike(parameters);
        }
        Segments.assign(copy, parameters);
        return true;
    }

    /** Puts the copy into the parameters; returns false if there is none. */
    boolean putBack(INDArray[] parameters) {
        if (copy == null) {
            return false;
        }
        Segments.assign(parameters, copy);
        return true;
    }

    long bytes() {
        return copy == null ? 0 : Segments.length(copy) * copy[0].dataType().width();
    }
}
