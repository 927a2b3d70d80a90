package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.SolverResult;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How {@link ThirdOrderMethod} ended.
 *
 * @param point the last point, which is the best
 * @param value f there
 * @param gradientNorm |∇f| there
 * @param smallestEigenvalue of the Hessian there
 * @param thirdOrderNorm norm of the third derivative on the (near) null space of the Hessian there; NaN where it was not
 *     computed
 * @param status why it ended
 * @param message the same in a sentence
 * @param steps what was done, in order
 * @param gradientEvaluations gradients used, those for Hessians and third derivatives included
 */
public record ThirdOrderResult(
        INDArray point,
        double value,
        double gradientNorm,
        double smallestEigenvalue,
        double thirdOrderNorm,
        Status status,
        String message,
        List<Step> steps,
        long gradientEvaluations)
        implements SolverResult {

    /** Why the method ended. */
    public enum Status {
        /** Zero gradient, positive definite Hessian: a strict local minimum. */
        MINIMUM,
        /**
         * Zero gradient, positive semidefinite Hessian, third derivative zero on its null space: the third-order test is
         * passed, and what lies beyond the third order is not known. It may be a saddle all the same.
         */
        THIRD_ORDER_STATIONARY,
        /** As many iterations as allowed. */
        ITERATION_LIMIT,
        /** A step gained less than its constants promise: R or L was given too small. */
        CONSTANTS_TOO_SMALL,
        /** No step lowers the value within rounding, though the test is not passed. */
        NO_DECREASE,
        /** Value or derivatives are not finite at the start, or f falls without end. */
        NON_FINITE
    }

    /** Kinds of steps. */
    public enum Kind {
        /** Cubic-regularised Newton. */
        CUBIC,
        /** The same, with a multiple of the lowest eigenvector, since the gradient has no component along it. */
        CUBIC_HARD_CASE,
        /** Along a direction of negative third derivative. */
        THIRD_ORDER
    }

    /**
     * A step.
     *
     * @param kind what it was
     * @param length its length
     * @param before f before
     * @param after f after
     * @param promised the least gain if R or L is an upper bound: (R/12)|s|³ or C⁴/(24 L³Q⁴)
     */
    public record Step(Kind kind, double length, double before, double after, double promised) {

        /** Returns f before less f after. */
        public double gain() {
            return before - after;
        }
    }

    /** Returns whether the third-order test is passed. */
    @Override
    public boolean converged() {
        return status == Status.MINIMUM || status == Status.THIRD_ORDER_STATIONARY;
    }

    @Override
    public int iterations() {
        return steps.size();
    }

    /** Returns how many steps of a kind there were. */
    public long count(Kind kind) {
        return steps.stream().filter(step -> step.kind() == kind).count();
    }
}
