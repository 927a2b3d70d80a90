package io.github.dl4jfuse.optim.gaussnewton;

import io.github.dl4jfuse.optim.SolverResult;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How a run of the adapted flow ended.
 *
 * @param point the best point, memory of its own
 * @param value the loss there; NaN only if it is not finite at the start
 * @param status why it ended
 * @param message the same in a sentence
 * @param iterations steps taken
 * @param time t, see {@link GaussNewtonSolver.Progress}
 * @param evaluations how often the outputs were computed
 * @param jacobians how often D was
 * @param smallestRank the smallest numerical rank on the way, -1 if none was found
 * @param deviation how far the outputs were from a straight path, see {@link OutputPath#relativeDeviation}
 * @param seconds wall-clock time
 */
public record GaussNewtonSolution(
        INDArray point,
        double value,
        Status status,
        String message,
        int iterations,
        double time,
        int evaluations,
        int jacobians,
        int smallestRank,
        double deviation,
        double seconds)
        implements SolverResult {

    /** Why a run ended. */
    public enum Status {
        /** The loss is as small as asked for. */
        TARGET_REACHED,
        /** The loss hardly falls any more. */
        STATIONARY,
        /** No step lowers the loss. */
        NO_DECREASE,
        /** As many steps as allowed. */
        ITERATION_LIMIT,
        /** As much time as allowed. */
        TIME_LIMIT,
        /** Somebody asked to stop. */
        CANCELLED,
        /** The loss is NaN or infinite at the start. */
        NON_FINITE
    }

    /** Returns whether the loss is as small as asked for, or as it can be within the range of D. */
    @Override
    public boolean converged() {
        return status == Status.TARGET_REACHED || status == Status.STATIONARY;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s: %s %.2f s.", status, message, seconds);
    }
}
