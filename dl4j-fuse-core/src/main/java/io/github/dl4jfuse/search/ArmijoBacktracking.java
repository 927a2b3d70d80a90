package io.github.dl4jfuse.search;

import java.util.function.DoubleUnaryOperator;

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
public record ArmijoBacktracking(double sufficientDecrease, int maxEvaluations, double valueRounding) {

    /** Default of c₁. */
    public static final double DEFAULT_SUFFICIENT_DECREASE = 1e-4;

    private static final double MIN_CUT = 0.1;
    private static final double MAX_CUT = 0.5;

    /**
     * The end of a search.
     *
     * @param accepted whether the condition was met
     * @param step the accepted t, or 0
     * @param value φ at {@code step}: the last value that was computed when accepted, φ(0) when not
     * @param evaluations how often φ was computed
     * @param reason empty when accepted, else a sentence that says why not
     */
    public record Result(boolean accepted, double step, double value, int evaluations, String reason) {}

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

    /**
     * Searches from {@code firstStep} downwards. The last call of {@code phi} is at the accepted step, so whatever
     * {@code phi} computed on the way (a gradient, say) belongs to it.
     *
     * @param phi φ, called at positive t only; may return anything, NaN and infinity included
     * @param phi0 φ(0), finite
     * @param slope φ'(0), negative
     * @param firstStep first t, positive
     */
    public Result search(DoubleUnaryOperator phi, double phi0, double slope, double firstStep) {
        if (!Double.isFinite(phi0)) {
            return failed(phi0, 0, "The value at the start is " + phi0 + ".");
        }
        if (!(slope < 0) || Double.isInfinite(slope)) {
            return failed(phi0, 0, "The slope along the direction is " + slope + ", which is no descent.");
        }
        double slack = valueRounding * Math.abs(phi0);
        double t = firstStep;
        double value = Double.NaN;
        for (int evaluation = 1; evaluation <= maxEvaluations; evaluation++) {
            value = phi.applyAsDouble(t);
            if (Double.isFinite(value) && value <= phi0 + sufficientDecrease * t * slope + slack) {
                return new Result(true, t, value, evaluation, "");
            }
            t = cut(t, value, phi0, slope);
        }
        return failed(
                phi0,
                maxEvaluations,
                "After " + maxEvaluations + " trial steps the value was still " + value + " against " + phi0
                        + " at the start.");
    }

    private static double cut(double t, double value, double phi0, double slope) {
        if (!Double.isFinite(value)) {
            return MIN_CUT * t;
        }
        double minimiser = -slope * t * t / (2 * (value - phi0 - slope * t));
        return Math.max(MIN_CUT * t, Math.min(MAX_CUT * t, minimiser));
    }

    private static Result failed(double phi0, int evaluations, String reason) {
        return new Result(false, 0, phi0, evaluations, reason);
    }
}
