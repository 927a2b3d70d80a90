package io.github.dl4jfuse.lbfgs;

import io.github.dl4jfuse.lbfgs.Minimum.Status;
import io.github.dl4jfuse.objective.Objective;
import io.github.dl4jfuse.search.ArmijoBacktracking;
import io.github.dl4jfuse.search.StrongWolfe;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Minimises an {@link Objective} by L-BFGS (Nocedal, Wright, <i>Numerical Optimization</i>, algorithm 7.5): directions of
 * {@link LbfgsHistory}, steps of {@link StrongWolfe} or {@link ArmijoBacktracking}.
 *
 * <pre>
 *   Minimum minimum = LbfgsSolver.minimize(new NetworkObjective(net, data));   // finishes the training of net
 *   Minimum minimum = LbfgsSolver.builder().memory(20).maxIterations(500).build().run(objective, start);
 * </pre>
 *
 * <p>The first trial step is 1, except along -∇f, where it has length {@value #DEFAULT_FIRST_STEP_LENGTH}, t = 1 / |∇f|,
 * whatever the scale of f (Liu, Nocedal 1989; SciPy's L-BFGS-B does the same). A pair after a Wolfe step is stored as it is; after an Armijo step, whose
 * curvature may be anything, it is damped. A direction that does not descend, or along which the search fails, drops the
 * history and makes room for -∇f once.
 *
 * <p>The value never rises from one accepted point to the next, so the last one is the best. NaN and infinity in a trial
 * step shorten it; where every step leads there, or the objective throws, the best point comes back with a status that says
 * so.
 *
 * <p>Memory: 2 m n elements for the history and 5 n for point, gradient, direction, trial point and trial gradient; the
 * estimate is logged when it exceeds a tenth of what is free. Immutable; one solver may run many objectives.
 */
public final class LbfgsSolver {

    /** Default of m, the number of curvature pairs kept. */
    public static final int DEFAULT_MEMORY = 10;

    /** Default of the most steps. */
    public static final int DEFAULT_MAX_ITERATIONS = 1_000;

    /** Default of the relative decrease tolerance, in rounding units of the objective's type. */
    public static final double DEFAULT_DECREASE_UNITS = 10;

    /** Default of the length of the first trial step along -∇f. */
    public static final double DEFAULT_FIRST_STEP_LENGTH = 1;

    /** A value below minus this, times 1 + |f(start)|, counts as falling without end. */
    public static final double UNBOUNDED_BELOW = 1e20;

    private static final double UNBOUNDED_GROWTH = 1e10;
    private static final double NOTE_FROM = 0.1;
    private static final Logger log = LoggerFactory.getLogger(LbfgsSolver.class);

    /** The line search. */
    public enum Search {
        /** {@link StrongWolfe}. */
        STRONG_WOLFE,
        /** {@link ArmijoBacktracking}, with damped pairs. */
        ARMIJO
    }

    /**
     * Where a minimisation stands after a step.
     *
     * @param iteration steps taken, 1 after the first
     * @param value f
     * @param gradientNorm |∇f|
     * @param step t, in units of the direction
     * @param previousValue f before the step
     * @param previousSlope slope of f along the direction before the step
     * @param slope slope along the same direction after it
     * @param functionEvaluations so far
     * @param wolfe whether the step meets the strong Wolfe conditions, or the approximate ones within rounding
     */
    public record Progress(
            int iteration,
            double value,
            double gradientNorm,
            double step,
            double previousValue,
            double previousSlope,
            double slope,
            long functionEvaluations,
            boolean wolfe) {}

    private final Builder settings;

    private LbfgsSolver(Builder settings) {
        this.settings = settings;
    }

    /** Minimises with all defaults from the objective's own start, and tells it the best point. */
    public static Minimum minimize(Objective objective) {
        return builder().build().run(objective);
    }

    /** Minimises with all defaults from the given start, and tells the objective the best point. */
    public static Minimum minimize(Objective objective, INDArray start) {
        return builder().build().run(objective, start);
    }

    /** Returns a builder that starts at the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Minimises from the objective's own start. */
    public Minimum run(Objective objective) {
        return run(objective, objective.start());
    }

    /**
     * Minimises.
     *
     * @param objective f; told the best point at the end, also when a callback throws
     * @param start a point of f, not changed
     * @throws IllegalArgumentException if the start has another length or type, or a tolerance is below what the type
     *     resolves
     */
    public Minimum run(Objective objective, INDArray start) {
        objective.requireVector(start, "The start");
        requireResolvable("relativeGradientTolerance", settings.relativeGradientTolerance, objective);
        requireResolvable("relativeDecreaseTolerance", settings.relativeDecreaseTolerance, objective);
        return new Run(objective, start).minimise();
    }

    private static void requireResolvable(String name, double tolerance, Objective objective) {
        if (tolerance > 0 && tolerance < objective.roundingUnit()) {
            throw new IllegalArgumentException("LbfgsSolver: " + name + " " + tolerance + " is below the rounding unit "
                    + objective.roundingUnit() + " of " + objective.dataType()
                    + ", so it could never be met: take a larger one, or 0 to switch the test off.");
        }
    }

    /** One minimisation. */
    private final class Run {

        private final Objective objective;
        private final long begin = System.nanoTime();
        private final long functionsBefore;
        private final long gradientsBefore;
        private final double gradientTolerance;
        private final double decreaseTolerance;
        private final double valueRounding;
        private LbfgsHistory history;
        private INDArray[] x;
        private INDArray[] gradient;
        private INDArray[] direction;
        private INDArray[] trial;
        private INDArray[] trialGradient;
        private double value;
        private double gradientNorm;
        private double trialNorm;
        private boolean trialFinite = true;
        private int iterations;
        private long bytes;
        private RuntimeException cause;

        Run(Objective objective, INDArray start) {
            this.objective = objective;
            functionsBefore = objective.functionEvaluations();
            gradientsBefore = objective.gradientEvaluations();
            double unit = objective.roundingUnit();
            gradientTolerance = Double.isNaN(settings.gradientTolerance) ? Math.sqrt(unit) : settings.gradientTolerance;
            decreaseTolerance = Double.isNaN(settings.relativeDecreaseTolerance)
                    ? DEFAULT_DECREASE_UNITS * unit
                    : settings.relativeDecreaseTolerance;
            valueRounding = DEFAULT_DECREASE_UNITS * unit;
            x = new INDArray[] {start.dup()};
        }

        Minimum minimise() {
            try {
                allocate();
                return descend();
            } finally {
                objective.accept(x[0]);
            }
        }

        private void allocate() {
            long n = objective.dimension();
            int m = settings.memory;
            bytes = Math.multiplyExact(2L * m + 5, n) * objective.dataType().width() + 3L * m * m * Double.BYTES;
            noteMemory();
            gradient = Segments.zerosLike(x);
            direction = Segments.zerosLike(x);
            trial = Segments.zerosLike(x);
            trialGradient = Segments.zerosLike(x);
            history = new LbfgsHistory(m, rows(m * n), rows(m * n));
        }

        private INDArray[] rows(long length) {
            return new INDArray[] {Nd4j.zeros(objective.dataType(), length)};
        }

        private void noteMemory() {
            long limit = Pointer.maxBytes() > 0 ? Pointer.maxBytes() - Pointer.totalBytes() : Long.MAX_VALUE;
            long free = Math.min(limit, Pointer.availablePhysicalBytes());
            if (bytes > NOTE_FROM * free) {
                log.info(String.format(
                        Locale.ROOT,
                        "L-BFGS with %d pairs of %,d numbers takes %,d MB; %,d MB are free.",
                        settings.memory,
                        objective.dimension(),
                        bytes >> 20,
                        free >> 20));
            }
        }

        private Minimum descend() {
            value = Double.NaN;
            gradientNorm = Double.NaN;
            double first = evaluate(x, gradient);
            if (cause != null) {
                return end(Status.OBJECTIVE_FAILED, "The objective threw an exception at the start: " + cause);
            }
            if (!Double.isFinite(first) || !Double.isFinite(trialNorm)) {
                return end(
                        Status.NON_FINITE,
                        "At the start the value is " + first + " and the gradient's norm " + trialNorm
                                + ": start elsewhere, or look for bad values in the data.");
            }
            value = first;
            gradientNorm = trialNorm;
            double target = Math.max(gradientTolerance, settings.relativeGradientTolerance * gradientNorm);
            double floor = -UNBOUNDED_BELOW * (1 + Math.abs(first));
            while (true) {
                if (gradientNorm <= target) {
                    return end(Status.CONVERGED_GRADIENT, "The gradient's norm is at most " + target + ".");
                }
                if (value < floor) {
                    return end(Status.UNBOUNDED, "The value fell below " + floor + " and goes on falling.");
                }
                Minimum limited = limit();
                if (limited != null) {
                    return limited;
                }
                double before = value;
                Minimum failed = step();
                if (failed != null) {
                    return failed;
                }
                double decrease = before - value;
                if (decrease <= decreaseTolerance * Math.max(Math.abs(before), Math.abs(value))
                        || decrease <= settings.decreaseTolerance) {
                    if (gradientNorm <= target) {
                        continue;
                    }
                    return end(Status.CONVERGED_DECREASE, "The last step lowered the value by " + decrease + " only.");
                }
            }
        }

        private Minimum limit() {
            if (settings.cancelWhen.getAsBoolean()) {
                return end(Status.CANCELLED, "Somebody asked to stop.");
            }
            if (iterations >= settings.maxIterations) {
                return end(Status.ITERATION_LIMIT, "As many steps as maxIterations allows.");
            }
            if (evaluationsLeft() <= 0) {
                return end(Status.EVALUATION_LIMIT, "As many evaluations as maxEvaluations allows.");
            }
            if (seconds() >= settings.maxSeconds) {
                return end(Status.TIME_LIMIT, "As much time as maxSeconds allows.");
            }
            return null;
        }

        private long evaluationsLeft() {
            return settings.maxEvaluations - (objective.functionEvaluations() - functionsBefore);
        }

        /** Takes a step, or returns how the minimisation ends because there is none. */
        private Minimum step() {
            history.direction(gradient, direction);
            double slope = Segments.dot(gradient, direction);
            if (history.size() > 0 && !(slope < 0 && Double.isFinite(slope))) {
                slope = toSteepestDescent();
            }
            StrongWolfe.Result result = search(slope);
            if (!result.accepted()
                    && cause == null
                    && history.size() > 0
                    && evaluationsLeft() > 0
                    && !isWithinRounding(slope)) {
                slope = toSteepestDescent();
                result = search(slope);
            }
            if (cause != null) {
                return end(Status.OBJECTIVE_FAILED, "The objective threw an exception at a trial step: " + cause);
            }
            if (!result.accepted()) {
                return noStep(result, slope);
            }
            double first = firstStep();
            move(result, slope);
            if (!result.wolfe() && result.point().t() >= UNBOUNDED_GROWTH * first) {
                return end(
                        Status.UNBOUNDED,
                        "The value still falls at a step " + result.point().t() / first + " times the first one.");
            }
            return null;
        }

        private double toSteepestDescent() {
            history.clear();
            history.direction(gradient, direction);
            return -gradientNorm * gradientNorm;
        }

        private Minimum noStep(StrongWolfe.Result result, double slope) {
            if (evaluationsLeft() <= 0) {
                return end(Status.EVALUATION_LIMIT, "As many evaluations as maxEvaluations allows, within a search.");
            }
            if (!trialFinite) {
                return end(
                        Status.NON_FINITE,
                        "Every trial step led to a value or gradient that is not finite. " + result.reason());
            }
            if (isWithinRounding(slope)) {
                return end(
                        Status.CONVERGED_DECREASE,
                        "Any further decrease is smaller than the rounding of the value. " + result.reason());
            }
            return end(
                    Status.SEARCH_FAILED,
                    "No step along the steepest descent lowers the value enough: the gradient may not be that of the"
                            + " value, or the value be too coarse. " + result.reason());
        }

        /** Whether a first trial step promises no decrease beyond rounding. */
        private boolean isWithinRounding(double slope) {
            double promised = history.size() > 0 ? -slope : settings.firstStepLength * gradientNorm;
            return promised <= valueRounding * Math.abs(value);
        }

        private double firstStep() {
            return history.size() > 0 ? 1 : settings.firstStepLength / gradientNorm;
        }

        private StrongWolfe.Result search(double slope) {
            double firstStep = firstStep();
            int evaluations = (int) Math.min(settings.maxSearchEvaluations, Math.max(1, evaluationsLeft()));
            if (settings.search == Search.ARMIJO) {
                ArmijoBacktracking.Result result = new ArmijoBacktracking(settings.sufficientDecrease, evaluations, 0)
                        .search(t -> at(t).value(), value, slope, firstStep);
                return new StrongWolfe.Result(
                        result.accepted(),
                        false,
                        new StrongWolfe.Point(result.step(), result.value(), Segments.dot(trialGradient, direction)),
                        result.evaluations(),
                        result.reason());
            }
            return new StrongWolfe(
                            settings.sufficientDecrease,
                            settings.curvature,
                            evaluations,
                            valueRounding,
                            StrongWolfe.DEFAULT_INTERVAL_TOLERANCE)
                    .search(this::at, value, slope, firstStep);
        }

        private StrongWolfe.Point at(double t) {
            Segments.assign(trial, x);
            Segments.axpy(t, direction, trial);
            double trialValue = evaluate(trial, trialGradient);
            boolean usable = Double.isFinite(trialValue) && Double.isFinite(trialNorm);
            trialFinite = usable;
            return usable
                    ? new StrongWolfe.Point(t, trialValue, Segments.dot(trialGradient, direction))
                    : new StrongWolfe.Point(t, Double.NaN, Double.NaN);
        }

        /** Evaluates, and leaves the gradient's norm in {@link #trialNorm}; an exception counts as NaN and is kept. */
        private double evaluate(INDArray[] point, INDArray[] target) {
            if (cause != null) {
                return Double.NaN;
            }
            try {
                double result = objective.valueAndGradient(point[0], target[0]);
                trialNorm = Math.sqrt(Segments.dot(target, target));
                return result;
            } catch (RuntimeException e) {
                cause = e;
                return Double.NaN;
            }
        }

        private void move(StrongWolfe.Result result, double slope) {
            double previous = value;
            value = result.point().value();
            gradientNorm = trialNorm;
            iterations++;
            INDArray[] old = x;
            x = trial;
            trial = old;
            // The displacement as it happened, rounding included.
            INDArray[] displacement = direction;
            Segments.assign(displacement, x);
            Segments.axpy(-1, old, displacement);
            boolean damped = settings.search == Search.ARMIJO;
            if (damped) {
                Segments.assign(old, gradient);
                Segments.scale(-result.point().t(), old); // B s, because s = -t H g
            }
            INDArray[] change = gradient;
            Segments.scale(-1, change);
            Segments.axpy(1, trialGradient, change);
            if (damped) {
                history.update(displacement, change, old);
            } else {
                history.update(displacement, change);
            }
            gradient = trialGradient;
            trialGradient = change;
            settings.progress.accept(new Progress(
                    iterations,
                    value,
                    gradientNorm,
                    result.point().t(),
                    previous,
                    slope,
                    result.point().slope(),
                    objective.functionEvaluations() - functionsBefore,
                    result.wolfe()));
        }

        private double seconds() {
            return (System.nanoTime() - begin) / 1e9;
        }

        private Minimum end(Status status, String message) {
            return new Minimum(
                    x[0],
                    value,
                    gradientNorm,
                    status,
                    message,
                    iterations,
                    objective.functionEvaluations() - functionsBefore,
                    objective.gradientEvaluations() - gradientsBefore,
                    seconds(),
                    bytes,
                    cause);
        }
    }

    /** Builds a {@link LbfgsSolver}; what isn't set keeps its default. */
    public static final class Builder {

        private int memory = DEFAULT_MEMORY;
        private Search search = Search.STRONG_WOLFE;
        private double sufficientDecrease = StrongWolfe.DEFAULT_SUFFICIENT_DECREASE;
        private double curvature = StrongWolfe.DEFAULT_CURVATURE;
        private double firstStepLength = DEFAULT_FIRST_STEP_LENGTH;
        private int maxSearchEvaluations = StrongWolfe.DEFAULT_MAX_EVALUATIONS;
        private int maxIterations = DEFAULT_MAX_ITERATIONS;
        private long maxEvaluations = Long.MAX_VALUE;
        private double maxSeconds = Double.POSITIVE_INFINITY;
        private double gradientTolerance = Double.NaN;
        private double relativeGradientTolerance;
        private double decreaseTolerance;
        private double relativeDecreaseTolerance = Double.NaN;
        private Consumer<Progress> progress = each -> {};
        private BooleanSupplier cancelWhen = () -> false;

        private Builder() {}

        private Builder(Builder other) {
            memory = other.memory;
            search = other.search;
            sufficientDecrease = other.sufficientDecrease;
            curvature = other.curvature;
            firstStepLength = other.firstStepLength;
            maxSearchEvaluations = other.maxSearchEvaluations;
            maxIterations = other.maxIterations;
            maxEvaluations = other.maxEvaluations;
            maxSeconds = other.maxSeconds;
            gradientTolerance = other.gradientTolerance;
            relativeGradientTolerance = other.relativeGradientTolerance;
            decreaseTolerance = other.decreaseTolerance;
            relativeDecreaseTolerance = other.relativeDecreaseTolerance;
            progress = other.progress;
            cancelWhen = other.cancelWhen;
        }

        /** Number m of curvature pairs kept; default {@value #DEFAULT_MEMORY}, 1 or more. */
        public Builder memory(int value) {
            memory = value;
            return this;
        }

        /** The line search; default {@link Search#STRONG_WOLFE}. */
        public Builder search(Search value) {
            search = value;
            return this;
        }

        /** c₁; default {@value StrongWolfe#DEFAULT_SUFFICIENT_DECREASE}, in (0, c₂). */
        public Builder sufficientDecrease(double value) {
            sufficientDecrease = value;
            return this;
        }

        /** c₂; default {@value StrongWolfe#DEFAULT_CURVATURE}, in (c₁, 1). Armijo's search has none. */
        public Builder curvature(double value) {
            curvature = value;
            return this;
        }

        /**
         * Length of the first trial step along -∇f, in units of x; default {@value #DEFAULT_FIRST_STEP_LENGTH}, more than 0.
         * The one number that knows the scale of x; the search makes it longer or shorter.
         */
        public Builder firstStepLength(double value) {
            firstStepLength = value;
            return this;
        }

        /** Most evaluations in one search; default {@value StrongWolfe#DEFAULT_MAX_EVALUATIONS}, 1 or more. */
        public Builder maxSearchEvaluations(int value) {
            maxSearchEvaluations = value;
            return this;
        }

        /** Most steps; default {@value #DEFAULT_MAX_ITERATIONS}, 0 or more. */
        public Builder maxIterations(int value) {
            maxIterations = value;
            return this;
        }

        /** Most evaluations of f, which come with ∇f; default none, 1 or more. */
        public Builder maxEvaluations(long value) {
            maxEvaluations = value;
            return this;
        }

        /** Time after which no new step begins; default none, more than 0. */
        public Builder maxSeconds(double value) {
            maxSeconds = value;
            return this;
        }

        /** Ends at |∇f| ≤ this; default the root of the type's rounding unit (1e-8 in double, 2e-4 in float), 0 or more. */
        public Builder gradientTolerance(double value) {
            gradientTolerance = value;
            return this;
        }

        /** Ends at |∇f| ≤ this times |∇f| at the start; default 0, at least the type's rounding unit or 0. */
        public Builder relativeGradientTolerance(double value) {
            relativeGradientTolerance = value;
            return this;
        }

        /** Ends when a step lowers f by no more than this; default 0, 0 or more. */
        public Builder decreaseTolerance(double value) {
            decreaseTolerance = value;
            return this;
        }

        /**
         * Ends when a step lowers f by no more than this times |f|; default {@value #DEFAULT_DECREASE_UNITS} rounding units
         * of the type, at least one of them or 0.
         */
        public Builder relativeDecreaseTolerance(double value) {
            relativeDecreaseTolerance = value;
            return this;
        }

        /** Is told of every step; default nobody. */
        public Builder progress(Consumer<Progress> value) {
            progress = value;
            return this;
        }

        /** Is asked before every step whether to stop; default never. */
        public Builder cancelWhen(BooleanSupplier value) {
            cancelWhen = value;
            return this;
        }

        /** Returns the solver, or throws an IllegalArgumentException that names the value out of range. */
        public LbfgsSolver build() {
            require(memory >= 1, "memory", memory, ">= 1");
            require(search != null, "search", null, "one of the searches");
            require(
                    firstStepLength > 0 && firstStepLength < Double.POSITIVE_INFINITY,
                    "firstStepLength",
                    firstStepLength,
                    "> 0");
            require(maxSearchEvaluations >= 1, "maxSearchEvaluations", maxSearchEvaluations, ">= 1");
            require(maxIterations >= 0, "maxIterations", maxIterations, ">= 0");
            require(maxEvaluations >= 1, "maxEvaluations", maxEvaluations, ">= 1");
            require(maxSeconds > 0, "maxSeconds", maxSeconds, "> 0");
            require(!(gradientTolerance < 0), "gradientTolerance", gradientTolerance, ">= 0");
            require(relativeGradientTolerance >= 0, "relativeGradientTolerance", relativeGradientTolerance, ">= 0");
            require(decreaseTolerance >= 0, "decreaseTolerance", decreaseTolerance, ">= 0");
            require(!(relativeDecreaseTolerance < 0), "relativeDecreaseTolerance", relativeDecreaseTolerance, ">= 0");
            require(progress != null, "progress", null, "a consumer");
            require(cancelWhen != null, "cancelWhen", null, "a supplier");
            new StrongWolfe(
                    sufficientDecrease,
                    curvature,
                    maxSearchEvaluations,
                    0,
                    StrongWolfe.DEFAULT_INTERVAL_TOLERANCE); // checks the constants
            return new LbfgsSolver(new Builder(this));
        }

        private static void require(boolean holds, String name, Object value, String range) {
            if (!holds) {
                throw new IllegalArgumentException(
                        "LbfgsSolver: " + name + " must be " + range + ", not " + value + ".");
            }
        }
    }
}
