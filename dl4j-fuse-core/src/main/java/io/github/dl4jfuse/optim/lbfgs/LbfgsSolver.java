package io.github.dl4jfuse.optim.lbfgs;

import io.github.dl4jfuse.optim.ConvergenceTest;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Minimises an {@link Objective} by L-BFGS (Nocedal, Wright, <i>Numerical Optimization</i>, algorithm 7.5): directions of
 * {@link LbfgsHistory} or another {@link Direction}, steps of {@link MoreThuente}, {@link ArmijoBacktracking} or another {@link
 * LineSearch}.
 *
 * <pre>
 *   Solution solution = LbfgsSolver.minimize(new NetworkObjective(net, data));   // finishes the training of net
 *   Solution solution = LbfgsSolver.builder().memory(20).maxIterations(500).build().run(objective, start);
 * </pre>
 *
 * <p>The first trial step is 1, except along -∇f, where it has length {@value #DEFAULT_FIRST_STEP_LENGTH}, t = 1 / |∇f|,
 * whatever the scale of f (Liu, Nocedal 1989; SciPy's L-BFGS-B does the same). A pair after a Wolfe step is stored as it
 * is; after an Armijo step, whose curvature may be anything, it is damped. A direction that does not descend, or along
 * which the search fails, drops the history and makes room for -∇f once.
 *
 * <p>The value never rises from one accepted point to the next, so the last one is the best. NaN and infinity in a trial
 * step, in the point (its norm must not overflow either), the value or the gradient, shorten it; where every step leads there, or the objective throws, the best point comes back with a status that says
 * so.
 *
 * <p>Where the value hardly falls any more but in the last steps did not fall as the gradient said either, the status is {@code
 * GRADIENT_MISMATCH}: some of DL4J's gradients are not those of its loss (docs/upstream.md).
 *
 * <p>It is also the end phase after {@code FusePv} or any other updater of DL4J: train with mini-batches as long as that
 * pays, then call the first line above on a data set that fits into one evaluation. It sees the network's loss alone, not its
 * updater, whose state stays as it was.
 *
 * <p>Memory: 2 m n elements for the history and 3 n for point, gradient and direction. A trial point and its gradient lie in
 * the slot of the history that the next pair will take, whose pair, the oldest, has served once the direction is there; so a
 * pair that is refused, which is rare, leaves one pair less. With {@link Builder#bfloat16History} the history takes 2 bytes
 * for each of its elements, and trial point and gradient memory of their own. The estimate is logged when it exceeds a tenth
 * of what is free. Immutable; one solver may run many objectives.
 */
public final class LbfgsSolver {

    /** Default of m, the number of curvature pairs kept. */
    public static final int DEFAULT_MEMORY = LbfgsSettings.DEFAULT_MEMORY;

    /** Default of the most steps. */
    public static final int DEFAULT_MAX_ITERATIONS = LbfgsSettings.DEFAULT_MAX_ITERATIONS;

    /** Default of the relative decrease tolerance, in rounding units of the objective's type. */
    public static final double DEFAULT_DECREASE_UNITS = LbfgsSettings.DEFAULT_DECREASE_UNITS;

    /** Default of the length of the first trial step along -∇f. */
    public static final double DEFAULT_FIRST_STEP_LENGTH = LbfgsSettings.DEFAULT_FIRST_STEP_LENGTH;

    /** A value below minus this, times 1 + |f(start)|, counts as falling without end. */
    public static final double UNBOUNDED_BELOW = LbfgsSettings.UNBOUNDED_BELOW;

    private final LbfgsSettings settings;

    private LbfgsSolver(LbfgsSettings settings) {
        this.settings = settings;
    }

    /** Minimises with all defaults from the objective's own start, and tells it the best point. */
    public static Solution minimize(Objective objective) {
        return builder().build().run(objective);
    }

    /** Minimises with all defaults from the given start, and tells the objective the best point. */
    public static Solution minimize(Objective objective, INDArray start) {
        return builder().build().run(objective, start);
    }

    /** Returns a builder that starts at the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Minimises from the objective's own start. */
    public Solution run(Objective objective) {
        return run(objective, objective.start());
    }

    /**
     * Minimises.
     *
     * @param objective f; told the best point at the end, also when a callback throws
     * @param start a point of f, not changed
     * @throws IllegalArgumentException if the start has another length or type, or a tolerance is below what the type
     *     resolves
     * @throws IllegalStateException if the objective is not for solvers, see {@link Objective#requireMinimisable}
     */
    public Solution run(Objective objective, INDArray start) {
        objective.requireVector(start, "The start");
        objective.requireMinimisable();
        requireResolvable("relativeGradientTolerance", settings.relativeGradientTolerance, objective);
        requireResolvable("relativeDecreaseTolerance", settings.relativeDecreaseTolerance, objective);
        return new LbfgsRun(settings, objective, start).minimise();
    }

    private static void requireResolvable(String name, double tolerance, Objective objective) {
        if (tolerance > 0 && tolerance < objective.roundingUnit()) {
            throw new IllegalArgumentException("LbfgsSolver: " + name + " " + tolerance + " is below the rounding unit "
                    + objective.roundingUnit() + " of " + objective.dataType()
                    + ", so it could never be met: take a larger one, or 0 to switch the test off.");
        }
    }

    /** Builds a {@link LbfgsSolver}; what isn't set keeps its default. */
    public static final class Builder {

        private final LbfgsSettings settings = new LbfgsSettings();

        private Builder() {}

        /** Number m of curvature pairs kept; default {@value #DEFAULT_MEMORY}, 1 or more. */
        public Builder memory(int value) {
            settings.memory = value;
            return this;
        }

        /**
         * Whether the history is kept in bfloat16, 2 bytes for an element with 8 significant bits; default false. Inner
         * products and coefficients stay in double precision, and everything else in the objective's type. It takes more
         * evaluations on most problems; docs/performance.md shows how many.
         */
        public Builder bfloat16History(boolean value) {
            settings.bfloat16History = value;
            return this;
        }

        /**
         * Another direction than that of an L-BFGS history, a new one for each run; default (null) {@link LbfgsHistory}. The number of
         * pairs is then without meaning, and a trial point and its gradient take 2 n elements more.
         */
        public Builder direction(Supplier<? extends Direction> value) {
            settings.direction = value;
            return this;
        }

        /** Ends also where this is met; asked after each step, before the tolerances; default never. */
        public Builder convergenceTest(ConvergenceTest value) {
            settings.convergenceTest = value;
            return this;
        }

        /** The line search; default {@link MoreThuente} with its defaults. {@link #maxSearchEvaluations} is said here. */
        public Builder lineSearch(LineSearch value) {
            settings.lineSearch = value;
            return this;
        }

        /**
         * Length of the first trial step along -∇f, in units of x; default {@value #DEFAULT_FIRST_STEP_LENGTH}, more than 0.
         * The one number that knows the scale of x; the search makes it longer or shorter.
         */
        public Builder firstStepLength(double value) {
            settings.firstStepLength = value;
            return this;
        }

        /** Most evaluations in one search; default {@value LineSearch#DEFAULT_MAX_EVALUATIONS}, 1 or more. */
        public Builder maxSearchEvaluations(int value) {
            settings.maxSearchEvaluations = value;
            return this;
        }

        /** Most steps; default {@value #DEFAULT_MAX_ITERATIONS}, 0 or more. */
        public Builder maxIterations(int value) {
            settings.maxIterations = value;
            return this;
        }

        /**
         * Most evaluations of f, which come with ∇f; default none, 1 or more. One more is spent where the last search has to
         * go back to the best of its trial steps.
         */
        public Builder maxEvaluations(long value) {
            settings.maxEvaluations = value;
            return this;
        }

        /** Time after which no new step begins; default none, more than 0. */
        public Builder maxSeconds(double value) {
            settings.maxSeconds = value;
            return this;
        }

        /** Ends at |∇f| ≤ this; default the root of the type's rounding unit (1e-8 in double, 2e-4 in float), 0 or more. */
        public Builder gradientTolerance(double value) {
            settings.gradientTolerance = value;
            return this;
        }

        /** Ends at |∇f| ≤ this times |∇f| at the start; default 0, at least the type's rounding unit or 0. */
        public Builder relativeGradientTolerance(double value) {
            settings.relativeGradientTolerance = value;
            return this;
        }

        /** Ends when a step lowers f by no more than this; default 0, 0 or more. */
        public Builder decreaseTolerance(double value) {
            settings.decreaseTolerance = value;
            return this;
        }

        /**
         * Ends when a step lowers f by no more than this times |f|; default {@value #DEFAULT_DECREASE_UNITS} rounding units
         * of the type, at least one of them or 0.
         */
        public Builder relativeDecreaseTolerance(double value) {
            settings.relativeDecreaseTolerance = value;
            return this;
        }

        /** Is told of every step; default nobody. */
        public Builder progress(Consumer<LbfgsProgress> value) {
            settings.progress = value;
            return this;
        }

        /** Is asked before every step whether to stop; default never. */
        public Builder cancelWhen(BooleanSupplier value) {
            settings.cancelWhen = value;
            return this;
        }

        /** Returns the solver, or throws an IllegalArgumentException that names the value out of range. */
        public LbfgsSolver build() {
            return new LbfgsSolver(new LbfgsSettings(settings).checked());
        }
    }
}
