package io.github.dl4jfuse.smoothness;

import java.util.function.DoubleUnaryOperator;

/**
 * The step length that an oracle allows along a direction of unit length with slope -G:
 *
 * <pre>
 *   the smallest R with R L(R) ≥ G;   t = min(G / L(R), R)
 * </pre>
 *
 * <p>R L(R) does not fall, so there is a smallest R, and t is the longest step that stays in the ball whose L it uses. Any R is
 * safe: f falls by at least ½ t G. With G = |∇f| this is the step ∇f / L of gradient descent.
 *
 * @param radius R, in units of x
 * @param smoothness L(R)
 * @param length t, in units of x
 */
public record SafeStep(double radius, double smoothness, double length) {

    /** Relative accuracy of R; a coarser one shortens the step by as much and stays safe. */
    public static final double RADIUS_TOLERANCE = 1e-10;

    private static final double LARGEST = 1e150;
    private static final double SMALLEST = 1e-150;

    /**
     * Finds the step by doubling and halving R, then bisection.
     *
     * @param bound R ↦ L(R), non-decreasing, at least 0
     * @param slope G, positive and finite
     * @param guess where the search for R begins, positive; 1 where nothing is known
     * @return the step; its length is infinite if R L(R) stays below G for R up to 1e150, so that f falls without end, and 0 if
     *     L is infinite for R down to 1e-150
     * @throws IllegalArgumentException if L is NaN or negative
     */
    public static SafeStep longest(DoubleUnaryOperator bound, double slope, double guess) {
        if (!(slope > 0) || Double.isInfinite(slope) || !(guess > 0) || Double.isInfinite(guess)) {
            throw new IllegalArgumentException(
                    "SafeStep: slope and first radius are positive and finite, not " + slope + " and " + guess + ".");
        }
        double high = guess;
        double low = guess;
        if (feasible(bound, guess, slope)) {
            do {
                high = low;
                low /= 2;
                if (low < SMALLEST) {
                    return new SafeStep(high, evaluate(bound, high), 0);
                }
            } while (feasible(bound, low, slope));
        } else {
            do {
                low = high;
                high *= 2;
                if (high > LARGEST) {
                    return new SafeStep(low, evaluate(bound, low), Double.POSITIVE_INFINITY);
                }
            } while (!feasible(bound, high, slope));
        }
        while (high - low > RADIUS_TOLERANCE * high) {
            double middle = low + (high - low) / 2;
            if (feasible(bound, middle, slope)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        // Where L jumps, the ball just before the jump may allow more.
        double smoothness = evaluate(bound, high);
        double length = Math.min(slope / smoothness, high);
        return length >= low ? new SafeStep(high, smoothness, length) : new SafeStep(low, evaluate(bound, low), low);
    }

    private static boolean feasible(DoubleUnaryOperator bound, double radius, double slope) {
        return radius * evaluate(bound, radius) >= slope;
    }

    private static double evaluate(DoubleUnaryOperator bound, double radius) {
        double smoothness = bound.applyAsDouble(radius);
        if (!(smoothness >= 0)) {
            throw new IllegalArgumentException("The smoothness oracle gave " + smoothness + " for the radius " + radius
                    + ": it must give a number of at least 0, or infinity.");
        }
        return smoothness;
    }
}
