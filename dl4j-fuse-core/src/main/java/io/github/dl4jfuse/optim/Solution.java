package io.github.dl4jfuse.optim;

import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How a minimisation ended.
 *
 * @param point the best point accepted, the start if there is none better; memory of its own
 * @param value f there; NaN only if f is not finite at the start
 * @param gradientNorm |∇f| there, Euclidean
 * @param status why it ended
 * @param message the same in a sentence, with numbers
 * @param iterations steps taken
 * @param functionEvaluations how often f was computed, every trial step included
 * @param gradientEvaluations how often ∇f was computed
 * @param seconds wall-clock time
 * @param bytes largest memory held: history and vectors, without what the objective needs
 * @param cause what the objective threw, or null
 */
public record Solution(
        INDArray point,
        double value,
        double gradientNorm,
        Status status,
        String message,
        int iterations,
        long functionEvaluations,
        long gradientEvaluations,
        double seconds,
        long bytes,
        RuntimeException cause)
        implements SolverResult {

    /** Why a minimisation ended. */
    public enum Status {
        /** The gradient is small enough. */
        CONVERGED_GRADIENT,
        /** The value hardly falls any more, or cannot within its rounding. */
        CONVERGED_DECREASE,
        /** The {@link ConvergenceTest} that was given is met. */
        CONVERGED_TEST,
        /** The value hardly falls any more, but it did not fall as the gradient said, so this may be no minimum. */
        GRADIENT_MISMATCH,
        /** As many steps as allowed. */
        ITERATION_LIMIT,
        /** As many evaluations as allowed. */
        EVALUATION_LIMIT,
        /** As much time as allowed. */
        TIME_LIMIT,
        /** Somebody asked to stop. */
        CANCELLED,
        /** No step lowers the value enough, though the gradient is not small. */
        SEARCH_FAILED,
        /** The value falls without end. */
        UNBOUNDED,
        /** Value or gradient is NaN or infinite, at the start or wherever a step could lead. */
        NON_FINITE,
        /** The objective threw an exception. */
        OBJECTIVE_FAILED
    }

    /** Returns whether the point satisfies a tolerance, or the test that was given. */
    @Override
    public boolean converged() {
        return status == Status.CONVERGED_GRADIENT
                || status == Status.CONVERGED_DECREASE
                || status == Status.CONVERGED_TEST;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s: value %.9g, |gradient| %.3g after %,d steps and %,d evaluations in %.2f s. %s",
                status,
                value,
                gradientNorm,
                iterations,
                functionEvaluations,
                seconds,
                message);
    }
}
