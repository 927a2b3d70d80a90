package io.github.dl4jfuse.optim.linesearch;

/**
 * Line search for the strong Wolfe conditions
 *
 * <pre>
 *   φ(t) ≤ φ(0) + c₁ t φ'(0)   and   |φ'(t)| ≤ c₂ |φ'(0)|
 * </pre>
 *
 * where φ(t) = f(x + t p) and φ'(0) &lt; 0: the method of Moré and Thuente (<i>Line search algorithms with guaranteed
 * sufficient decrease</i>, ACM TOMS 20, 1994). It keeps an interval that contains such a step, whose one end is the best
 * step so far, and takes trial steps from cubics and parabolas through values and slopes; until it has seen a step that
 * is low enough and not falling any more, it works on φ(t) - φ(0) - c₁ t φ'(0) instead of φ.
 *
 * <p>Two things are ours. A trial step whose value or slope is not finite becomes an upper limit, and the next one lies
 * {@value #RETREAT} of the way from the best step to it. And near a minimum, where the decrease drowns in the rounding of
 * φ, the approximate conditions of Hager and Zhang (SIAM J. Optim. 16, 2005) say that a step is as good as it
 * gets, |φ(t) - φ(0)| ≤ δ |φ(0)| and (2 c₁ - 1) φ'(0) ≥ φ'(t) ≥ c₂ φ'(0): it is accepted if the value does not rise, and
 * otherwise ends the search.
 *
 * @param sufficientDecrease c₁, in (0, c₂)
 * @param curvature c₂, in (c₁, 1)
 * @param maxEvaluations most evaluations of φ in one search, at least 1
 * @param valueRounding δ, relative rounding error of φ, at least 0
 * @param intervalTolerance an interval of this width, relative to its upper end, ends the search; in (0, 1)
 */
public record MoreThuente(
        double sufficientDecrease, double curvature, int maxEvaluations, double valueRounding, double intervalTolerance)
        implements LineSearch {

    /** Default of c₁. */
    public static final double DEFAULT_SUFFICIENT_DECREASE = 1e-4;

    /** Default of c₂, loose because an L-BFGS step is mostly right as it is. */
    public static final double DEFAULT_CURVATURE = 0.9;

    /** Default of the interval's tolerance, loose like c₂. */
    public static final double DEFAULT_INTERVAL_TOLERANCE = 0.1;

    private static final double RETREAT = 0.1;

    private static final double LEAST_EXTRAPOLATION = 1.1;
    private static final double MOST_EXTRAPOLATION = 4;
    private static final double SHRINK = 0.66;
    private static final double MIN_STEP = 1e-20;
    private static final double MAX_STEP = 1e20;

    /** Checks the ranges. */
    public MoreThuente {
        if (!(sufficientDecrease > 0 && sufficientDecrease < curvature && curvature < 1)) {
            throw new IllegalArgumentException("The constants of the Wolfe conditions satisfy 0 < c1 < c2 < 1; "
                    + sufficientDecrease + " and " + curvature + " don't.");
        }
        if (maxEvaluations < 1) {
            throw new IllegalArgumentException("A search needs at least one evaluation, not " + maxEvaluations + ".");
        }
        if (!(valueRounding >= 0)) {
            throw new IllegalArgumentException("The rounding of the value is at least 0, not " + valueRounding + ".");
        }
        if (!(intervalTolerance > 0 && intervalTolerance < 1)) {
            throw new IllegalArgumentException(
                    "The interval's tolerance lies in (0, 1), not at " + intervalTolerance + ".");
        }
    }

    /** All defaults. */
    public MoreThuente() {
        this(DEFAULT_SUFFICIENT_DECREASE, DEFAULT_CURVATURE);
    }

    /** Other conditions, 0 &lt; c₁ &lt; c₂ &lt; 1. */
    public MoreThuente(double sufficientDecrease, double curvature) {
        this(sufficientDecrease, curvature, DEFAULT_MAX_EVALUATIONS, 0, DEFAULT_INTERVAL_TOLERANCE);
    }

    @Override
    public MoreThuente within(int evaluations, double rounding) {
        return new MoreThuente(sufficientDecrease, curvature, evaluations, rounding, intervalTolerance);
    }

    @Override
    public boolean ensuresCurvature() {
        return true;
    }

    @Override
    public Result search(Line line, double value, double slope, double firstStep) {
        Point start = new Point(0, value, slope);
        if (!start.isFinite()) {
            return new Result(
                    false, false, start, 0, "Value and slope at the start are " + value + " and " + slope + ".");
        }
        if (!(slope < 0)) {
            return new Result(
                    false, false, start, 0, "The slope along the direction is " + slope + ", which is no descent.");
        }
        return new Search(line, start).run(firstStep);
    }

    /** One search. */
    private final class Search {

        private final Line line;
        private final Point start;
        private final double decreaseSlope;
        private Point best; // the end of the interval with the lowest value
        private Point other;
        private boolean bracketed;
        private double limit = MAX_STEP;

        Search(Line line, Point start) {
            this.line = line;
            this.start = start;
            decreaseSlope = sufficientDecrease * start.slope();
            best = start;
            other = start;
        }

        Result run(double firstStep) {
            double t = Math.min(Math.max(firstStep, MIN_STEP), MAX_STEP);
            double low = 0;
            double high = t + MOST_EXTRAPOLATION * t;
            double width = MAX_STEP;
            double widthBefore = 2 * width;
            boolean auxiliary = true;
            Point trial = start;
            for (int evaluation = 1; evaluation <= maxEvaluations; evaluation++) {
                trial = line.at(t);
                if (!trial.isFinite()) {
                    limit = t;
                    t = best.t() + RETREAT * (t - best.t());
                    high = Math.min(high, limit);
                    continue;
                }
                if (isWolfe(trial)) {
                    return new Result(true, true, trial, evaluation, "");
                }
                if (isWithinRounding(trial)) {
                    return new Result(
                            false,
                            false,
                            start,
                            evaluation,
                            "The value changed by " + (trial.value() - start.value())
                                    + ", which is within its rounding.");
                }
                if (t >= MAX_STEP && isLowEnough(trial)) {
                    return new Result(true, false, trial, evaluation, "The value still falls at a step of " + t + ".");
                }
                if (bracketed && isExhausted(t, low, high)) {
                    return exhausted(trial, evaluation);
                }
                if (auxiliary && isLowEnough(trial) && trial.slope() >= 0) {
                    auxiliary = false;
                }
                t = auxiliary && trial.value() <= best.value() && !isLowEnough(trial)
                        ? nextOfAuxiliary(trial, low, high)
                        : next(trial, low, high);
                if (bracketed) {
                    if (Math.abs(other.t() - best.t()) >= SHRINK * widthBefore) {
                        t = best.t() + (other.t() - best.t()) / 2;
                    }
                    widthBefore = width;
                    width = Math.abs(other.t() - best.t());
                    low = Math.min(best.t(), other.t());
                    high = Math.max(best.t(), other.t());
                } else {
                    low = t + LEAST_EXTRAPOLATION * (t - best.t());
                    high = t + MOST_EXTRAPOLATION * (t - best.t());
                }
                t = Math.min(Math.max(t, MIN_STEP), limit);
                if (bracketed && isExhausted(t, low, high) && best.t() > 0) {
                    t = best.t();
                }
            }
            return leftOver(trial, maxEvaluations, "After " + maxEvaluations + " evaluations");
        }

        private boolean isLowEnough(Point point) {
            return point.value() <= start.value() + point.t() * decreaseSlope;
        }

        private boolean isWolfe(Point point) {
            boolean strong = isLowEnough(point) && Math.abs(point.slope()) <= -curvature * start.slope();
            return strong || (point.value() <= start.value() && isWithinRounding(point));
        }

        private boolean isWithinRounding(Point point) {
            return Math.abs(point.value() - start.value()) <= valueRounding * Math.abs(start.value())
                    && point.slope() <= (2 * sufficientDecrease - 1) * start.slope()
                    && point.slope() >= curvature * start.slope();
        }

        private boolean isExhausted(double t, double low, double high) {
            return t <= low || t >= high || high - low <= intervalTolerance * high;
        }

        private Result exhausted(Point trial, int evaluations) {
            return leftOver(trial, evaluations, "In an interval around " + best.t());
        }

        /** Takes the last step if it is low enough, even though its slope is too steep. */
        private Result leftOver(Point trial, int evaluations, String where) {
            if (trial.isFinite() && trial.value() < start.value() && isLowEnough(trial)) {
                return new Result(true, false, trial, evaluations, where + " no step met the condition on the slope.");
            }
            if (best.t() > 0 && best.value() < start.value() && isLowEnough(best) && !trial.equals(best)) {
                Point again = line.at(best.t());
                if (again.equals(best)) {
                    return new Result(
                            true, false, again, evaluations + 1, where + " no step met the condition on the slope.");
                }
            }
            return new Result(
                    false,
                    false,
                    start,
                    evaluations,
                    where + " no step was low enough; the last one, " + trial.t() + ", gave " + trial.value()
                            + " against " + start.value() + " at the start.");
        }

        private double nextOfAuxiliary(Point trial, double low, double high) {
            Point realBest = best;
            Point realOther = other;
            best = tilted(best);
            other = tilted(other);
            Point tiltedTrial = tilted(trial);
            double t = next(tiltedTrial, low, high);
            best = best.t() == trial.t() ? trial : best.t() == realBest.t() ? realBest : realOther;
            other = other.t() == trial.t() ? trial : other.t() == realBest.t() ? realBest : realOther;
            return t;
        }

        private Point tilted(Point point) {
            return new Point(point.t(), point.value() - point.t() * decreaseSlope, point.slope() - decreaseSlope);
        }

        /** Chooses the next trial step by where the minimum must lie, and updates the interval. */
        private double next(Point trial, double low, double high) {
            double t = trial.t();
            double chosen;
            boolean opposite = trial.slope() * Math.signum(best.slope()) < 0;
            if (trial.value() > best.value()) { // the minimum lies between
                double cubic = cubicMinimiser(best, trial);
                double quadratic = quadraticByValue(best, trial);
                chosen = Math.abs(cubic - best.t()) < Math.abs(quadratic - best.t())
                        ? cubic
                        : cubic + (quadratic - cubic) / 2;
                bracketed = true;
            } else if (opposite) { // it lies between, and the trial is better
                double cubic = cubicMinimiser(trial, best);
                double secant = quadraticBySlope(best, trial);
                chosen = Math.abs(cubic - t) > Math.abs(secant - t) ? cubic : secant;
                bracketed = true;
            } else if (Math.abs(trial.slope()) < Math.abs(best.slope())) { // it lies beyond, and the slope flattens
                double cubic = cubicBeyond(trial, low, high);
                double secant = quadraticBySlope(best, trial);
                if (bracketed) {
                    chosen = Math.abs(cubic - t) < Math.abs(secant - t) ? cubic : secant;
                    double edge = t + SHRINK * (other.t() - t);
                    chosen = t > best.t() ? Math.min(edge, chosen) : Math.max(edge, chosen);
                } else {
                    chosen = Math.abs(cubic - t) > Math.abs(secant - t) ? cubic : secant;
                    chosen = Math.max(low, Math.min(high, chosen));
                }
            } else if (bracketed) { // it lies beyond, and the slope gets steeper
                chosen = cubicMinimiser(trial, other);
            } else {
                chosen = t > best.t() ? high : low;
            }
            if (trial.value() > best.value()) {
                other = trial;
            } else {
                if (opposite) {
                    other = best;
                }
                best = trial;
            }
            return chosen;
        }

        /** Minimiser of the cubic through values and slopes of both points. */
        private static double cubicMinimiser(Point from, Point to) {
            double theta = 3 * (from.value() - to.value()) / (to.t() - from.t()) + from.slope() + to.slope();
            double scale = Math.max(Math.abs(theta), Math.max(Math.abs(from.slope()), Math.abs(to.slope())));
            double root = theta / scale * (theta / scale) - from.slope() / scale * (to.slope() / scale);
            double gamma = scale * Math.sqrt(Math.max(0, root));
            if (to.t() < from.t()) {
                gamma = -gamma;
            }
            double r = (gamma - from.slope() + theta) / (gamma - from.slope() + gamma + to.slope());
            return from.t() + r * (to.t() - from.t());
        }

        /** The cubic's minimiser beyond the trial step, or the limit in that direction if it has none there. */
        private double cubicBeyond(Point trial, double low, double high) {
            double theta = 3 * (best.value() - trial.value()) / (trial.t() - best.t()) + best.slope() + trial.slope();
            double scale = Math.max(Math.abs(theta), Math.max(Math.abs(best.slope()), Math.abs(trial.slope())));
            double root = theta / scale * (theta / scale) - best.slope() / scale * (trial.slope() / scale);
            double gamma = scale * Math.sqrt(Math.max(0, root));
            if (trial.t() > best.t()) {
                gamma = -gamma;
            }
            double r = (gamma - trial.slope() + theta) / (gamma + (best.slope() - trial.slope()) + gamma);
            if (r < 0 && gamma != 0) {
                return trial.t() + r * (best.t() - trial.t());
            }
            return trial.t() > best.t() ? high : low;
        }

        private static double quadraticByValue(Point best, Point trial) {
            double distance = trial.t() - best.t();
            return best.t() + best.slope() / ((best.value() - trial.value()) / distance + best.slope()) / 2 * distance;
        }

        private static double quadraticBySlope(Point best, Point trial) {
            return trial.t() + trial.slope() / (trial.slope() - best.slope()) * (best.t() - trial.t());
        }
    }
}
