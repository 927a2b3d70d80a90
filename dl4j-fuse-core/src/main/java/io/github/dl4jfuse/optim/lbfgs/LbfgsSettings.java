package io.github.dl4jfuse.optim.lbfgs;

import io.github.dl4jfuse.optim.ConvergenceTest;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What {@link LbfgsSolver.Builder} sets, documented there. */
final class LbfgsSettings {

    static final int DEFAULT_MEMORY = 10;
    static final int DEFAULT_MAX_ITERATIONS = 1_000;
    static final double DEFAULT_DECREASE_UNITS = 10;
    static final double DEFAULT_FIRST_STEP_LENGTH = 1;
    static final double UNBOUNDED_BELOW = 1e20;

    int memory = DEFAULT_MEMORY;
    boolean bfloat16History;
    Supplier<? extends Direction> direction;
    ConvergenceTest convergenceTest = now -> false;
    LineSearch lineSearch = new MoreThuente();
    double firstStepLength = DEFAULT_FIRST_STEP_LENGTH;
    int maxSearchEvaluations = LineSearch.DEFAULT_MAX_EVALUATIONS;
    int maxIterations = DEFAULT_MAX_ITERATIONS;
    long maxEvaluations = Long.MAX_VALUE;
    double maxSeconds = Double.POSITIVE_INFINITY;
    double gradientTolerance = Double.NaN;
    double relativeGradientTolerance;
    double decreaseTolerance;
    double relativeDecreaseTolerance = Double.NaN;
    Consumer<LbfgsProgress> progress = each -> {};
    BooleanSupplier cancelWhen = () -> false;

    LbfgsSettings() {}

    LbfgsSettings(LbfgsSettings other) {
        memory = other.memory;
        bfloat16History = other.bfloat16History;
        direction = other.direction;
        convergenceTest = other.convergenceTest;
        lineSearch = other.lineSearch;
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

    /** Returns this, or throws an IllegalArgumentException that names the value out of range. */
    LbfgsSettings checked() {
        require(memory >= 1, "memory", memory, ">= 1");
        require(
                direction == null || !bfloat16History,
                "bfloat16History",
                true,
                "false where the direction is not that of an L-BFGS history");
        require(convergenceTest != null, "convergenceTest", null, "a test");
        require(lineSearch != null, "lineSearch", null, "a line search");
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
        return this;
    }

    private static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new IllegalArgumentException("LbfgsSolver: " + name + " must be " + range + ", not " + value + ".");
        }
    }
}
