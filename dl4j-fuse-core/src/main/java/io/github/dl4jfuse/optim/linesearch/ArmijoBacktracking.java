package io.github.dl4jfuse.optim.linesearch;

/**
 * Backtracking line search for the sufficient decrease (Armijo) condition
 *
 * <pre>
 *   φ(t) ≤ φ(0) + c₁ t φ'(0) + δ |φ(0)|
 * </pre>
 *
 * where φ(t) = f(x + t p) and φ'(0) = g·p &lt; 0. A rejected step is cut to the minimiser of the parabola through φ(0),
 * φ'(0) and φ(t), kept between {@value #MIN_CUT} and {@value #MAX_CUT} of t; a step with a non-finite value is cut to
 * {@value #MIN_CUT} of t. (Nocedal, Wright, <i>Numerical Optimization</i>, algorithm 3.1 and section 3.5.)
 *
 * <p>The term δ |φ(0)| is ours: near a minimum the decrease is smaller than the rounding of φ, and a search without it
 * would fail there although the step is good. Take a few units of the last place of the type in which φ is computed.
 *
 * @param sufficientDecrease c₁, in (0, 1)
 * @param maxEvaluations most evaluations of φ in one search, at least 1
 * @param valueRounding δ, relative rounding error of φ, at least 0
 */
public record ArmijoBacktracking(double sufficientDecrease, int maxEvaluations, double valueRounding)
        implements LineSearch {

    /** Default of c₁. */
    public static final double DEFAULT_SUFFICIENT_DECREASE = 1e-4;

    private static final double MIN_CUT = 0.1;
    private static final double MAX_CUT = 0.5;

    /** Checks the ranges. */
    public ArmijoBacktracking {
        if (!(sufficientDecrease > 0 && sufficientDecrease < 1)) {
            throw new IllegalArgumentException(
                    "The sufficient decrease constant lies in (0, 1), not at " + sufficientDecrease + ".");
        }
        if (maxEvaluations < 1) {
            throw new IllegalArgumentException("A search needs at least one evaluation, not " + maxEvaluations + ".");
        }
        if (!(valueRounding >= 0)) {
            throw new IllegalArgumentException("The rounding of the value is at least 0, not " + valueRounding + ".");
        }
    }

    /** All defaults, and values without rounding. */
    public ArmijoBacktracking() {
        this(DEFAULT_SUFFICIENT_DECREASE, DEFAULT_MAX_EVALUATIONS, 0);
    }

    /** The term for rounding stays as it is. */
    @Override
    public ArmijoBacktracking within(int evaluations, double rounding) {
        return new ArmijoBacktracking(sufficientDecrease, evaluations, valueRounding);
    }

    /** Searches downwards; slopes are not looked at. */
    @Override
    public Result search(Line line, double phi0, double slope, double firstStep) {
        if (!Double.isFinite(phi0)) {
            return failed(phi0, slope, 0, "The value at the start is " + phi0 + ".");
        }
        if (!(slope < 0) || Double.isInfinite(slope)) {
            return failed(phi0, slope, 0, "The slope along the direction is " + slope + ", which is no descent.");
        }
        double slack = valueRounding * Math.abs(phi0);
        double t = firstStep;
        Point point = new Point(0, Double.NaN, Double.NaN);
        for (int evaluation = 1; evaluation <= maxEvaluations; evaluation++) {
            point = line.at(t);
            if (Double.isFinite(point.value()) && point.value() <= phi0 + sufficientDecrease * t * slope + slack) {
                return new Result(true, false, point, evaluation, "");
            }
            t = cut(t, point.value(), phi0, slope);
        }
        return failed(
                phi0,
                slope,
                maxEvaluations,
                "After " + maxEvaluations + " trial steps the value was still " + point.value() + " against " + phi0
                        + " at the start.");
    }

    private static double cut(double t, double value, double phi0, double slope) {
        if (!Double.isFinite(value)) {
            return MIN_CUT * t;
        }
        double minimiser = -slope * t * t / (2 * (value - phi0 - slope * t));
        return Math.max(MIN_CUT * t, Math.min(MAX_CUT * t, minimiser));
    }

    private static Result failed(double phi0, double slope, int evaluations, String reason) {
        return new Result(false, false, new Point(0, phi0, slope), evaluations, reason);
    }
}
