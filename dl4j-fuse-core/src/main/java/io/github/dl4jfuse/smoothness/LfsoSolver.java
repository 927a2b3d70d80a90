package io.github.dl4jfuse.smoothness;

import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.Solution.Status;
import java.util.Objects;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Gradient descent without a learning rate: minimises an {@link Objective} whose {@link SmoothnessOracle} is known, by
 *
 * <pre>
 *   g = ∇f(x);   the smallest R with R L(x, R) ≥ |g|;   x ← x - g min(1 / L(x, R), R / |g|)
 *
 *   Solution solution = new LfsoSolver(SmoothnessOracles.normPower(5)).run(objective, start);
 * </pre>
 *
 * <p>L is the oracle's along -g, which is the one on the ball unless the oracle knows better. Every step lowers f by at
 * least ½ t |g|, t its length: |g|² / (2 L) where L is continuous. Each step is checked, within the rounding of f; a step that falls
 * short ends the run at the point before it with {@link Status#SEARCH_FAILED} and a sentence, because then the oracle is not one
 * of this function. Nothing non-finite is accepted.
 *
 * <p>One evaluation of value and gradient each step. Below 1e-162 (float: 1e-23) the square of |g| is 0 in the objective's type, and so
 * is |g|. Memory: 4 vectors. Immutable; one solver may run again and again.
 *
 * <p>Source: Berahas, Roberts, Roosta, <i>Non-Uniform Smoothness for Gradient Descent</i> (TMLR 2024), reconstructed from its
 * principle; its wording of the algorithm was not at hand. Stopping rules are ours.
 */
public final class LfsoSolver {

    /** Default of the most steps. */
    public static final int DEFAULT_MAX_ITERATIONS = 10_000;

    /** Rounding errors, in units of |f|, by which a guaranteed decrease may be missed. */
    private static final double ROUNDING_UNITS = 64;

    /**
     * Where a minimisation stands after a step.
     *
     * @param iteration steps taken, 1 after the first
     * @param value f after the step
     * @param gradientNorm |g| before it
     * @param step R, L and the length
     */
    public record Progress(int iteration, double value, double gradientNorm, SafeStep step) {}

    private final SmoothnessOracle oracle;
    private final int maxIterations;
    private final double gradientTolerance;
    private final Consumer<Progress> progress;

    /** Runs until the gradient is zero or {@value #DEFAULT_MAX_ITERATIONS} steps are taken. */
    public LfsoSolver(SmoothnessOracle oracle) {
        this(oracle, DEFAULT_MAX_ITERATIONS, 0, each -> {});
    }

    /**
     * A solver with limits.
     *
     * @param oracle of the function that will be minimised
     * @param maxIterations most steps, at least 0
     * @param gradientTolerance ends at |g| ≤ this, at least 0
     * @param progress hears of each step
     */
    public LfsoSolver(
            SmoothnessOracle oracle, int maxIterations, double gradientTolerance, Consumer<Progress> progress) {
        if (maxIterations < 0 || !(gradientTolerance >= 0)) {
            throw new IllegalArgumentException(
                    "LfsoSolver: the most steps and the gradient tolerance are at least 0, not " + maxIterations
                            + " and " + gradientTolerance + ".");
        }
        this.oracle = Objects.requireNonNull(oracle, "The oracle must not be null.");
        this.maxIterations = maxIterations;
        this.gradientTolerance = gradientTolerance;
        this.progress = Objects.requireNonNull(progress, "The callback must not be null.");
    }

    /** Minimises from the objective's own start, and tells it the best point. */
    public Solution run(Objective objective) {
        return run(objective, objective.start());
    }

    /**
     * Minimises, and tells the objective the best point.
     *
     * @param start not changed
     * @throws IllegalArgumentException if the start has another length or type, or the oracle gives NaN
     */
    public Solution run(Objective objective, INDArray start) {
        objective.requireVector(start, "The start");
        objective.requireMinimisable();
        Run run = new Run(objective, start);
        Solution minimum = run.minimise();
        objective.accept(minimum.point());
        return minimum;
    }

    private final class Run {

        private final Objective objective;
        private final long functionsBefore;
        private final long gradientsBefore;
        private final long begin = System.nanoTime();
        private final INDArray x;
        private final INDArray trial;
        private final INDArray gradient;
        private final INDArray direction;
        private double value;
        private double norm;
        private double radius = 1;
        private int iterations;

        Run(Objective objective, INDArray start) {
            this.objective = objective;
            functionsBefore = objective.functionEvaluations();
            gradientsBefore = objective.gradientEvaluations();
            x = start.dup();
            trial = start.dup();
            gradient = Nd4j.zeros(start.dataType(), start.length());
            direction = Nd4j.zeros(start.dataType(), start.length());
        }

        Solution minimise() {
            value = objective.valueAndGradient(x, gradient);
            norm = SmoothnessOracles.norm(gradient);
            if (!Double.isFinite(value) || !Double.isFinite(norm)) {
                return end(Status.NON_FINITE, "Value or gradient is not finite at the start.");
            }
            while (true) {
                if (norm <= gradientTolerance) {
                    return end(
                            Status.CONVERGED_GRADIENT,
                            "The gradient's norm " + norm + " is at most " + gradientTolerance + ".");
                }
                if (iterations == maxIterations) {
                    return end(Status.ITERATION_LIMIT, "All " + maxIterations + " steps are taken.");
                }
                Solution ended = step();
                if (ended != null) {
                    return ended;
                }
            }
        }

        private Solution step() {
            direction.assign(gradient).divi(-norm);
            SafeStep step = SafeStep.longest(oracle.along(x, direction), norm, radius);
            if (step.length() == 0) {
                return end(Status.SEARCH_FAILED, "The oracle is infinite on every ball, so no step is safe.");
            }
            if (Double.isInfinite(step.length())) {
                return end(Status.UNBOUNDED, "By the oracle the function falls without end along -g.");
            }
            trial.assign(x);
            Nd4j.getBlasWrapper().level1().axpy(x.length(), step.length(), direction, trial);
            double before = norm;
            double trialValue = objective.valueAndGradient(trial, gradient);
            double trialNorm = SmoothnessOracles.norm(gradient);
            if (!Double.isFinite(trialValue) || !Double.isFinite(trialNorm)) {
                return end(
                        Status.NON_FINITE,
                        "Value or gradient is not finite after a step of length " + step.length()
                                + " that the oracle calls safe.");
            }
            double promised = step.length() * norm / 2;
            double rounding =
                    ROUNDING_UNITS * objective.roundingUnit() * Math.max(Math.abs(value), Math.abs(trialValue));
            if (trialValue > value - promised + rounding) {
                return end(
                        Status.SEARCH_FAILED,
                        "The oracle is not one of this function: L = " + step.smoothness()
                                + " within R = " + step.radius() + " promises a decrease of " + promised
                                + ", but the value went from "
                                + value + " to " + trialValue + ".");
            }
            x.assign(trial);
            value = trialValue;
            norm = trialNorm;
            radius = step.radius();
            iterations++;
            progress.accept(new Progress(iterations, value, before, step));
            return null;
        }

        private Solution end(Status status, String message) {
            return new Solution(
                    x,
                    value,
                    norm,
                    status,
                    message,
                    iterations,
                    objective.functionEvaluations() - functionsBefore,
                    objective.gradientEvaluations() - gradientsBefore,
                    (System.nanoTime() - begin) / 1e9,
                    4 * x.length() * x.dataType().width(),
                    null);
        }
    }
}
