package io.github.dl4jfuse.optim.lbfgs;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.DeviceSums;
import io.github.dl4jfuse.linalg.MemoryEstimate;
import io.github.dl4jfuse.linalg.Reduction;
import io.github.dl4jfuse.optim.ConvergenceTest;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.Solution.Status;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** One minimisation by {@link LbfgsSolver}: the loop, its limits, and how it ends. */
final class LbfgsRun {

    private static final double UNBOUNDED_GROWTH = 1e10;

    /** The gradient is that of the value if of late, in the median, this share of what it promised came true, or the reverse. */
    private static final double HONEST = 0.8;

    private static final int FEW = 3;
    private static final int MANY = 9;
    private static final double RESOLVED = 100;

    private final LbfgsSettings settings;
    private final Objective objective;
    private final long begin = System.nanoTime();
    private final long functionsBefore;
    private final long gradientsBefore;
    private final double gradientTolerance;
    private final double decreaseTolerance;
    private final double valueRounding;
    private final Reduction kernel = Reduction.ofBackend();
    private Direction rule;
    private LbfgsHistory history; // the same, or null where somebody else gives the direction
    private INDArray[] x;
    private INDArray[] gradient;
    private INDArray[] direction;
    private INDArray[] trial;
    private INDArray[] trialGradient;
    private double value;
    private double gradientNorm;
    private double trialStep;
    private double trialNorm;
    private double trialSlope;
    private boolean trialFinite = true;
    private boolean steepest; // whether the direction is -g
    private final Deque<Double> honesties = new ArrayDeque<>();
    private int iterations;
    private long bytes;
    private RuntimeException cause;

    LbfgsRun(LbfgsSettings settings, Objective objective, INDArray start) {
        this.settings = settings;
        this.objective = objective;
        functionsBefore = objective.functionEvaluations();
        gradientsBefore = objective.gradientEvaluations();
        double unit = objective.roundingUnit();
        gradientTolerance = Double.isNaN(settings.gradientTolerance) ? Math.sqrt(unit) : settings.gradientTolerance;
        decreaseTolerance = Double.isNaN(settings.relativeDecreaseTolerance)
                ? LbfgsSettings.DEFAULT_DECREASE_UNITS * unit
                : settings.relativeDecreaseTolerance;
        valueRounding = LbfgsSettings.DEFAULT_DECREASE_UNITS * unit;
        x = new INDArray[] {start.dup()};
    }

    Solution minimise() {
        try {
            allocate();
            return descend();
        } finally {
            objective.accept(x[0]);
        }
    }

    private void allocate() {
        int m = settings.memory;
        long n = objective.dimension();
        DataType type = objective.dataType();
        DataType stored = settings.bfloat16History ? DataType.BFLOAT16 : type;
        boolean own = settings.direction != null;
        boolean trialApart = own || settings.bfloat16History;
        long vectors = Math.multiplyExact(trialApart ? 5L : 3L, n) * type.width();
        bytes = (own ? 0 : LbfgsHistory.bytes(m, n, stored, type)) + vectors;
        String what = own ? "A minimisation over %2$,d numbers" : "L-BFGS with %d pairs of %,d numbers";
        MemoryEstimate.logIfLarge(String.format(Locale.ROOT, what, m, n), bytes, 0);
        gradient = BlockVectors.zerosLike(x);
        direction = BlockVectors.zerosLike(x);
        if (trialApart) {
            trial = BlockVectors.zerosLike(x);
            trialGradient = BlockVectors.zerosLike(x);
        }
        history = own ? null : new LbfgsHistory(m, rows(stored, m * n), rows(stored, m * n), type);
        rule = own ? Objects.requireNonNull(settings.direction.get(), "The supplier gave no direction.") : history;
    }

    private static INDArray[] rows(DataType type, long length) {
        return new INDArray[] {Nd4j.zeros(type, length)};
    }

    private Solution descend() {
        value = Double.NaN;
        gradientNorm = Double.NaN;
        double first = evaluate(x, gradient, direction);
        if (cause != null) {
            return end(Status.OBJECTIVE_FAILED, "The objective threw an exception at the start: " + cause);
        }
        if (!isFinite(x)) {
            return end(
                    Status.NON_FINITE,
                    "The start has elements that are NaN, infinite, or so large that its norm overflows: start"
                            + " elsewhere.");
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
        double floor = -LbfgsSettings.UNBOUNDED_BELOW * (1 + Math.abs(first));
        while (true) {
            if (gradientNorm <= target) {
                return end(Status.CONVERGED_GRADIENT, "The gradient's norm is at most " + target + ".");
            }
            if (value < floor) {
                return end(Status.UNBOUNDED, "The value fell below " + floor + " and goes on falling.");
            }
            Solution limited = limit();
            if (limited != null) {
                return limited;
            }
            double before = value;
            Solution failed = step();
            if (failed != null) {
                return failed;
            }
            if (settings.convergenceTest.isMet(
                    new ConvergenceTest.Iterate(iterations, x[0], value, before, gradientNorm))) {
                return end(Status.CONVERGED_TEST, "The convergence test that was given is met.");
            }
            double decrease = before - value;
            if (decrease <= decreaseTolerance * Math.max(Math.abs(before), Math.abs(value))
                    || decrease <= settings.decreaseTolerance) {
                if (gradientNorm <= target) {
                    continue;
                }
                return endOfDecrease("The last step lowered the value by " + decrease + " only.");
            }
        }
    }

    private Solution endOfDecrease(String message) {
        double honesty = median(honesties);
        return honesty < HONEST || honesty > 1 / HONEST
                ? end(
                        Status.GRADIENT_MISMATCH,
                        message + " But of late it fell by " + honesty
                                + " of what the gradient promised: is it the gradient of"
                                + " this value? DL4J's is not for layers made with SameDiff, and for XENT with softmax.")
                : end(Status.CONVERGED_DECREASE, message);
    }

    /** NaN if there are too few to tell. */
    private static double median(Deque<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted.length < FEW ? Double.NaN : sorted[sorted.length / 2];
    }

    /** Compares a decrease with what the slopes at both ends promise, which is third order in the step, if rounding allows. */
    private void compare(double previous, double slope, LineSearch.Point point) {
        double promised = -point.t() * (slope + point.slope()) / 2;
        double decrease = previous - point.value();
        if (promised > RESOLVED * valueRounding * Math.abs(previous)) {
            honesties.addLast(decrease / promised);
            if (honesties.size() > MANY) {
                honesties.removeFirst();
            }
        }
    }

    private Solution limit() {
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
    private Solution step() {
        steepest = rule.isSteepest();
        double slope = rule.direction(gradient, direction);
        if (!steepest && !(slope < 0 && Double.isFinite(slope))) {
            slope = toSteepestDescent();
        }
        LineSearch.Result result = search(slope);
        if (!result.accepted() && cause == null && !steepest && evaluationsLeft() > 0 && !isWithinRounding(slope)) {
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
        steepest = true;
        rule.clear();
        BlockVectors.assign(direction, gradient);
        BlockVectors.scale(-1, direction);
        return -gradientNorm * gradientNorm;
    }

    private Solution noStep(LineSearch.Result result, double slope) {
        if (evaluationsLeft() <= 0) {
            return end(Status.EVALUATION_LIMIT, "As many evaluations as maxEvaluations allows, within a search.");
        }
        if (!trialFinite) {
            return end(
                    Status.NON_FINITE,
                    "Every trial step led to a value or gradient that is not finite. " + result.reason());
        }
        if (isWithinRounding(slope)) {
            return endOfDecrease("Any further decrease is smaller than the rounding of the value. " + result.reason());
        }
        return end(
                Status.SEARCH_FAILED,
                "No step along the steepest descent lowers the value enough: the gradient may not be that of the"
                        + " value, or the value be too coarse. " + result.reason());
    }

    /** Whether a first trial step promises no decrease beyond rounding. */
    private boolean isWithinRounding(double slope) {
        double promised = steepest ? settings.firstStepLength * gradientNorm : -slope;
        return promised <= valueRounding * Math.abs(value);
    }

    private double firstStep() {
        return steepest ? settings.firstStepLength / gradientNorm : 1;
    }

    private LineSearch.Result search(double slope) {
        if (history != null && !settings.bfloat16History) {
            // The direction is there, so the oldest pair has served: trial points lie where the next pair will.
            history.makeRoom();
            trial = history.nextStep();
            trialGradient = history.nextChange();
        }
        double firstStep = firstStep();
        int evaluations = (int) Math.min(settings.maxSearchEvaluations, Math.max(1, evaluationsLeft()));
        LineSearch.Result found =
                settings.lineSearch.within(evaluations, valueRounding).search(this::at, value, slope, firstStep);
        return found.accepted() ? verified(found) : found;
    }

    /** A search of somebody else's may accept what it did not evaluate last, or what nobody can use. */
    private LineSearch.Result verified(LineSearch.Result found) {
        LineSearch.Point point = found.step() == trialStep ? found.point() : at(found.step());
        boolean usable = found.step() > 0 && trialFinite;
        return new LineSearch.Result(
                usable,
                found.wolfe(),
                point,
                found.evaluations(),
                usable ? found.reason() : "The search accepted the step " + found.step() + ", which leads nowhere.");
    }

    private LineSearch.Point at(double t) {
        trialStep = t;
        BlockVectors.assign(trial, x);
        BlockVectors.axpy(t, direction, trial);
        double trialValue = evaluate(trial, trialGradient, direction);
        boolean usable = Double.isFinite(trialValue) && Double.isFinite(trialNorm);
        trialFinite = usable;
        return usable
                ? new LineSearch.Point(t, trialValue, trialSlope)
                : new LineSearch.Point(t, Double.NaN, Double.NaN);
    }

    /** An objective that saturates may be finite where the point isn't. */
    private static boolean isFinite(INDArray[] point) {
        return Double.isFinite(BlockVectors.dot(point, point));
    }

    /**
     * Evaluates, and leaves the gradient's norm in {@link #trialNorm} and its product with the direction in
     * {@link #trialSlope}; an exception counts as NaN and is kept. Where reading numbers back is dear, a point that is not
     * finite is found together with them, after the evaluation.
     */
    private double evaluate(INDArray[] point, INDArray[] target, INDArray[] along) {
        trialNorm = Double.NaN;
        trialSlope = Double.NaN;
        boolean checkFirst = kernel == Reduction.ROWS;
        if (cause != null || (checkFirst && !isFinite(point))) {
            return Double.NaN;
        }
        try {
            double result = objective.valueAndGradient(point[0], target[0]);
            double[] products = checkFirst
                    ? DeviceSums.dots(kernel, new INDArray[][] {target, target}, new INDArray[][] {target, along})
                    : DeviceSums.dots(
                            kernel, new INDArray[][] {target, target, point}, new INDArray[][] {target, along, point});
            if (!checkFirst && !Double.isFinite(products[2])) {
                return Double.NaN;
            }
            trialNorm = Math.sqrt(products[0]);
            trialSlope = products[1];
            return result;
        } catch (RuntimeException e) {
            cause = e;
            return Double.NaN;
        }
    }

    private void move(LineSearch.Result result, double slope) {
        double previous = value;
        compare(previous, slope, result.point());
        value = result.point().value();
        gradientNorm = trialNorm;
        iterations++;
        // The direction has served, so it takes the new point, and the old point's memory the new gradient.
        BlockVectors.assign(direction, trial);
        BlockVectors.axpy(-1, x, trial); // s: the displacement as it happened, rounding included
        INDArray[] free = x;
        x = direction;
        BlockVectors.assign(free, trialGradient);
        BlockVectors.axpy(-1, gradient, trialGradient); // y
        direction = gradient;
        gradient = free;
        if (history != null && !settings.lineSearch.ensuresCurvature()) {
            BlockVectors.scale(-result.point().t(), direction); // B s, because s = -t H g
            history.update(trial, trialGradient, direction);
        } else {
            rule.learn(trial, trialGradient);
        }
        settings.progress.accept(new LbfgsProgress(
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

    private Solution end(Status status, String message) {
        return new Solution(
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
