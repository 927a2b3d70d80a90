package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.lbfgs.Segments;
import java.util.function.BooleanSupplier;
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

    /**
     * Puts the copy into the parameters if it is them that is broken and not the data: if they are not finite, or if all is well
     * with the copy in their place.
     *
     * @param isWell evaluates the batch in hand; null where that is impossible, so that finite parameters stay
     * @return whether the parameters are those of the copy now
     */
    boolean putBackIfBroken(INDArray[] parameters, BooleanSupplier isWell) {
        if (copy == null) {
            return false;
        }
        if (!Double.isFinite(Segments.dot(parameters, parameters))) {
            Segments.assign(parameters, copy);
            return true;
        }
        if (isWell == null) {
            return false;
        }
        INDArray[] present = Segments.zerosLike(parameters);
        Segments.assign(present, parameters);
        Segments.assign(parameters, copy);
        boolean cured = false;
        try {
            cured = isWell.getAsBoolean();
        } finally {
            if (!cured) {
                Segments.assign(parameters, present);
            }
        }
        return cured;
    }

    long bytes() {
        return copy == null ? 0 : Segments.length(copy) * copy[0].dataType().width();
    }
}
