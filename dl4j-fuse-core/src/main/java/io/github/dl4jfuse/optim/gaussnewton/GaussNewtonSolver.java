package io.github.dl4jfuse.optim.gaussnewton;

import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolution.Status;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gradient descent adapted to the metric of the output layer (Chen, arXiv 2311.15487), on fixed data.
 *
 * <pre>
 *   GaussNewtonSolution end = GaussNewtonSolver.minimize(model, loss);                        // fastest
 *   GaussNewtonSolution end = GaussNewtonSolver.flow(0.01).targetLoss(1e-6).build().run(model, loss);   // the paper's flow
 * </pre>
 *
 * <p>Each step is θ ← θ - η φ with φ of {@link GaussNewtonStep}. By {@link #flow} these are Euler steps of the flow itself, with
 * the pseudo-inverse where rank is lost: at full rank the squared loss falls as e^(-2t), each step advancing t by
 * about η, whatever model and data. A step that would make the loss larger or not finite is halved.
 *
 * <p>By default η = 1 and the problem is damped, the damping controlled after Levenberg and Marquardt ({@link LevenbergMarquardt}): no
 * step is taken that does not lower the loss. That gives up the known rate for far fewer steps; near a solution that fits
 * all data it converges quadratically.
 *
 * <p>Immutable; may run many times.
 */
public final class GaussNewtonSolver {

    /** η unless set. */
    public static final double DEFAULT_ETA = 1;

    /** Most steps unless set. */
    public static final int DEFAULT_MAX_ITERATIONS = 1_000;

    /** A run ends after {@value #PATIENCE} steps in a row that lower the loss by less than this share each. */
    public static final double DEFAULT_TOLERANCE = 1e-12;

    private static final int PATIENCE = 3;
    private static final int HALVINGS = 20;

    /** Smallest relative damping, by the rounding of the Gram matrix. */
    public static double smallestDamping(DataType type) {
        return type == DataType.DOUBLE ? 1e-12 : 1e-6;
    }

    /**
     * Where a run stands.
     *
     * @param iteration steps taken
     * @param value the loss
     * @param time t, the sum of the -log(1 - η) of the steps (for η = 1 of the number of steps)
     * @param lambda the relative damping of the last step, 0 for the pseudo-inverse
     * @param rank numerical rank of B at the last step where it was found, otherwise -1
     * @param deviation see {@link OutputPath#relativeDeviation}
     * @param seconds wall-clock time so far
     */
    public record Progress(
            int iteration, double value, double time, double lambda, int rank, double deviation, double seconds) {}

    private final Builder settings;

    private GaussNewtonSolver(Builder settings) {
        this.settings = settings;
    }

    /** Minimises at the defaults: η = 1, controlled damping. */
    public static GaussNewtonSolution minimize(ResidualModel model, OutputLoss loss) {
        return builder().build().run(model, loss);
    }

    /** Returns a builder with the defaults: η = 1, controlled damping. */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns a builder for Euler steps of the flow itself, with the pseudo-inverse. */
    public static Builder flow(double eta) {
        return new Builder().eta(eta).pseudoInverse(GaussNewtonStep.DEFAULT_CUT);
    }

    /**
     * Runs from the model's own start, and leaves the model at the best point.
     *
     * @throws IllegalStateException if there is too little memory ({@link ResidualModel#requireMemory})
     */
    public GaussNewtonSolution run(ResidualModel model, OutputLoss loss) {
        return new Run(model, loss).run();
    }

    private final class Run {

        private final ResidualModel model;
        private final OutputLoss loss;
        private final LevenbergMarquardt damping;
        private final long begin = System.nanoTime();
        private INDArray point;
        private OutputLoss.Local local;
        private OutputPath path;
        private double time;
        private int iterations;
        private int evaluations;
        private int jacobians;
        private int fewest = Integer.MAX_VALUE;
        private int lastRank = -1;
        private double lambda;

        Run(ResidualModel model, OutputLoss loss) {
            if (model.examples() != loss.examples() || model.outputsPerExample() != loss.outputs()) {
                throw new IllegalArgumentException("The model has " + model.examples() + " examples with "
                        + model.outputsPerExample() + " outputs, the loss " + loss.examples() + " with "
                        + loss.outputs() + ": they must be made of the same data.");
            }
            this.model = model;
            this.loss = loss;
            double smallest = smallestDamping(model.dataType());
            damping = new LevenbergMarquardt(Math.max(smallest, settings.damping), smallest);
        }

        GaussNewtonSolution run() {
            model.requireMinimisable();
            model.requireMemory();
            point = model.start();
            local = evaluate(point);
            if (!Double.isFinite(local.value())) {
                return end(Status.NON_FINITE, "The loss is not finite at the start: look for bad values in the data.");
            }
            path = new OutputPath(local.coordinates(), loss.goal());
            int slow = 0;
            while (true) {
                if (local.value() <= settings.targetLoss) {
                    return end(Status.TARGET_REACHED, "The loss is down to the target.");
                }
                if (iterations >= settings.maxIterations) {
                    return end(Status.ITERATION_LIMIT, "As many steps as allowed.");
                }
                if (seconds() >= settings.maxSeconds) {
                    return end(Status.TIME_LIMIT, "As much time as allowed.");
                }
                if (settings.cancelWhen.getAsBoolean()) {
                    return end(Status.CANCELLED, "Somebody asked to stop.");
                }
                double before = local.value();
                GaussNewtonStep step = new GaussNewtonStep(
                        model.linearise(point), local, model.parameters(), null, settings.tolerance);
                jacobians++;
                boolean taken = settings.cut > 0 ? takePseudoInverse(step) : takeDamped(step);
                if (!taken) {
                    return end(
                            Status.NO_DECREASE,
                            "No step lowers the loss any more: a stationary point, or the rounding of "
                                    + model.dataType() + ".");
                }
                iterations++;
                path.add(local.coordinates());
                settings.progress.accept(new Progress(
                        iterations, local.value(), time, lambda, lastRank, path.relativeDeviation(), seconds()));
                slow = before - local.value() <= settings.decreaseTolerance * before ? slow + 1 : 0;
                if (slow >= PATIENCE) {
                    return end(Status.STATIONARY, "The loss hardly falls: what remains is out of the range of D.");
                }
            }
        }

        private OutputLoss.Local evaluate(INDArray at) {
            evaluations++;
            return loss.at(model.outputs(at));
        }

        private boolean takePseudoInverse(GaussNewtonStep step) {
            GaussNewtonStep.Solution solution = step.pseudoInverse(settings.cut);
            if (solution.rank() >= 0) {
                lastRank = solution.rank();
                fewest = Math.min(fewest, lastRank);
            }
            double eta = settings.eta;
            for (int i = 0; i <= HALVINGS; i++) {
                if (take(solution, eta)) {
                    return true;
                }
                eta /= 2;
            }
            return false;
        }

        private boolean takeDamped(GaussNewtonStep step) {
            double unit = step.meanEigenvalue();
            if (!(unit > 0) || Double.isInfinite(unit)) {
                return false; // D is zero (all units dead), or not finite
            }
            while (true) {
                lambda = damping.lambda();
                GaussNewtonStep.Solution solution = step.damped(lambda * unit, null);
                if (solution != null) {
                    double before = local.value();
                    if (take(solution, settings.eta)) {
                        damping.taken(
                                before - local.value(), step.predictedReduction(solution.image(), settings.eta, loss));
                        return true;
                    }
                }
                if (damping.isLargest()) {
                    return false;
                }
                damping.rejected();
            }
        }

        /** Goes to θ - η φ if the loss is lower there. */
        private boolean take(GaussNewtonStep.Solution solution, double eta) {
            INDArray trial = point.dup();
            GaussNewtonStep.axpy(-eta, solution.direction(), trial);
            OutputLoss.Local there = evaluate(trial);
            if (!(there.value() < local.value())) {
                return false;
            }
            point = trial;
            local = there;
            time += eta < 1 ? -Math.log1p(-eta) : 1;
            return true;
        }

        private double seconds() {
            return (System.nanoTime() - begin) / 1e9;
        }

        private GaussNewtonSolution end(Status status, String message) {
            model.accept(point);
            return new GaussNewtonSolution(
                    point,
                    local.value(),
                    status,
                    String.format(Locale.ROOT, "%s Loss %.6g after %,d steps.", message, local.value(), iterations),
                    iterations,
                    time,
                    evaluations,
                    jacobians,
                    fewest == Integer.MAX_VALUE ? -1 : fewest,
                    path == null ? 0 : path.relativeDeviation(),
                    seconds());
        }
    }

    /** Builds a {@link GaussNewtonSolver}; what isn't set keeps its default. */
    public static final class Builder {

        private double eta = DEFAULT_ETA;
        private double cut;
        private double damping = LevenbergMarquardt.DEFAULT_START;
        private double tolerance = GaussNewtonStep.CG_TOLERANCE;
        private double targetLoss = Double.NEGATIVE_INFINITY;
        private int maxIterations = DEFAULT_MAX_ITERATIONS;
        private double maxSeconds = Double.POSITIVE_INFINITY;
        private double decreaseTolerance = DEFAULT_TOLERANCE;
        private Consumer<Progress> progress = each -> {};
        private BooleanSupplier cancelWhen = () -> false;

        private Builder() {}

        /** Step size η; default {@value #DEFAULT_ETA}, in (0, 1]. */
        public Builder eta(double value) {
            require(value > 0 && value <= 1, "eta", value, "in (0, 1]");
            eta = value;
            return this;
        }

        /**
         * The pseudo-inverse in place of damping, eigenvalues of B B' below {@code value} times the largest dropped; in (0, 1).
         */
        public Builder pseudoInverse(double value) {
            require(value > 0 && value < 1, "pseudoInverse", value, "in (0, 1)");
            cut = value;
            return this;
        }

        /** Relative damping λ at the start; default {@value LevenbergMarquardt#DEFAULT_START}, in (0, {@value LevenbergMarquardt#LARGEST}]. */
        public Builder damping(double value) {
            require(
                    value > 0 && value <= LevenbergMarquardt.LARGEST,
                    "damping",
                    value,
                    "in (0, " + LevenbergMarquardt.LARGEST + "]");
            damping = value;
            return this;
        }

        /** Where conjugate gradients end; default {@value GaussNewtonStep#CG_TOLERANCE}, in (0, 1). */
        public Builder conjugateGradientTolerance(double value) {
            require(value > 0 && value < 1, "conjugateGradientTolerance", value, "in (0, 1)");
            tolerance = value;
            return this;
        }

        /** Ends at this loss; default none. */
        public Builder targetLoss(double value) {
            require(!Double.isNaN(value), "targetLoss", value, "a number");
            targetLoss = value;
            return this;
        }

        /** Most steps; default {@value #DEFAULT_MAX_ITERATIONS}, 0 or more. */
        public Builder maxIterations(int value) {
            require(value >= 0, "maxIterations", value, ">= 0");
            maxIterations = value;
            return this;
        }

        /** Time after which no new step begins; default none, more than 0. */
        public Builder maxSeconds(double value) {
            require(value > 0, "maxSeconds", value, "> 0");
            maxSeconds = value;
            return this;
        }

        /** See {@link #DEFAULT_TOLERANCE}, the default; 0 or more. */
        public Builder decreaseTolerance(double value) {
            require(value >= 0, "decreaseTolerance", value, ">= 0");
            decreaseTolerance = value;
            return this;
        }

        /** Is told of every step; default nobody. */
        public Builder progress(Consumer<Progress> value) {
            require(value != null, "progress", null, "a consumer");
            progress = value;
            return this;
        }

        /** Is asked before every step whether to stop; default never. */
        public Builder cancelWhen(BooleanSupplier value) {
            require(value != null, "cancelWhen", null, "a supplier");
            cancelWhen = value;
            return this;
        }

        /** Returns the solver. */
        public GaussNewtonSolver build() {
            Builder copy = new Builder();
            copy.eta = eta;
            copy.cut = cut;
            copy.damping = damping;
            copy.tolerance = tolerance;
            copy.targetLoss = targetLoss;
            copy.maxIterations = maxIterations;
            copy.maxSeconds = maxSeconds;
            copy.decreaseTolerance = decreaseTolerance;
            copy.progress = progress;
            copy.cancelWhen = cancelWhen;
            return new GaussNewtonSolver(copy);
        }

        private static void require(boolean holds, String name, Object value, String range) {
            if (!holds) {
                throw new IllegalArgumentException(
                        "GaussNewtonSolver: " + name + " must be " + range + ", not " + value + ".");
            }
        }
    }
}
