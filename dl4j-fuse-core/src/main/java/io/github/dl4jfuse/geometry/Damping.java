package io.github.dl4jfuse.geometry;

/**
 * Levenberg and Marquardt's control of the damping μ by what the loss really did: with ρ the actual over the predicted
 * reduction, λ ← λ / 4 where ρ > 3/4, λ ← 3 λ where ρ < 1/4, and λ ← 4 λ after a step that was not taken. μ is λ in
 * units of the mean eigenvalue of B B'.
 */
public final class Damping {

    /** λ at the start. */
    public static final double DEFAULT_START = 1e-3;

    /** Largest λ; a step that long fails at it is no matter of damping. */
    public static final double LARGEST = 1e8;

    private static final double GOOD = 0.75;
    private static final double POOR = 0.25;
    private static final double SHRINK = 0.25;
    private static final double GROW = 3;
    private static final double GROW_AFTER_FAILURE = 4;

    private final double smallest;
    private double lambda;

    /**
     * Begins.
     *
     * @param start λ at the start, from {@code smallest} to {@link #LARGEST}
     * @param smallest λ never falls below it: about the rounding of the type that the Gram matrix is computed in
     */
    public Damping(double start, double smallest) {
        if (!(smallest > 0 && start >= smallest && start <= LARGEST)) {
            throw new IllegalArgumentException("The damping starts between its smallest value, " + smallest + ", and "
                    + LARGEST + ", not at " + start + ".");
        }
        this.smallest = smallest;
        lambda = start;
    }

    /** Returns λ. */
    public double lambda() {
        return lambda;
    }

    /** Returns whether it cannot grow any more. */
    public boolean isLargest() {
        return lambda >= LARGEST;
    }

    /** Takes in a step that was taken. */
    public void taken(double actualReduction, double predictedReduction) {
        double ratio = actualReduction / predictedReduction;
        if (ratio > GOOD) {
            set(lambda * SHRINK);
        } else if (!(ratio >= POOR)) {
            set(lambda * GROW);
        }
    }

    /** Takes in a step that was not taken. */
    public void rejected() {
        set(lambda * GROW_AFTER_FAILURE);
    }

    private void set(double value) {
        lambda = Math.min(LARGEST, Math.max(smallest, value));
    }
}
