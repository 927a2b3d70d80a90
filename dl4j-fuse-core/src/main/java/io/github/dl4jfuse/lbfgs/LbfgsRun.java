package io.github.dl4jfuse.lbfgs;

import io.github.dl4jfuse.lbfgs.Minimum.Status;
import io.github.dl4jfuse.objective.Objective;
import io.github.dl4jfuse.search.ArmijoBacktracking;
import io.github.dl4jfuse.search.StrongWolfe;
import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One minimisation by {@link LbfgsSolver}: the loop, its limits, and how it ends. */
final class LbfgsRun {

    private static final double UNBOUNDED_GROWTH = 1e10;
    private static final double NOTE_FROM = 0.1;
    private static final Logger log = LoggerFactory.getLogger(LbfgsSolver.class);

    private final LbfgsSolver.Builder settings;

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

    LbfgsRun(LbfgsSolver.Builder settings, Objective objective, INDArray start) {
        this.settings = settings;
        this.objective = objective;
        functionsBefore = objective.functionEvaluations();
        gradientsBefore = objective.gradientEvaluations();
        double unit = objective.roundingUnit();
        gradientTolerance = Double.isNaN(settings.gradientTolerance) ? Math.sqrt(unit) : settings.gradientTolerance;
        decreaseTolerance = Double.isNaN(settings.relativeDecreaseTolerance)
                ? LbfgsSolver.DEFAULT_DECREASE_UNITS * unit
                : settings.relativeDecreaseTolerance;
        valueRounding = LbfgsSolver.DEFAULT_DECREASE_UNITS * unit;
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
        double floor = -LbfgsSolver.UNBOUNDED_BELOW * (1 + Math.abs(first));
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
        if (settings.search == LbfgsSolver.Search.ARMIJO) {
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
        boolean damped = settings.search == LbfgsSolver.Search.ARMIJO;
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
        settings.progress.accept(new LbfgsSolver.Progress(
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
