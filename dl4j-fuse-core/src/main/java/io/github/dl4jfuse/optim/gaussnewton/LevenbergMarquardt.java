package io.github.dl4jfuse.optim.gaussnewton;

/**
 * Levenberg and Marquardt's control of the damping μ by what the loss really did: with ρ the actual over the predicted
 * reduction, λ ← λ / 4 where ρ > 3/4, λ ← 3 λ where ρ &lt; 1/4, and λ ← 4 λ after a step that was not taken. μ is λ in
 * units of the mean eigenvalue of B B'.
 */
public final class LevenbergMarquardt {

    /** λ at the start. */
    public static final double DEFAULT_START = 1e-3;

    /** Largest λ; a step that long fails at it is no matter of damping. */
    public static final double LARGEST = 1e8;

    /** Weight of the past in the average of what steps do elsewhere. */
    public static final double AVERAGE_DECAY = 0.9;

    /** What steps do elsewhere makes λ no larger than this. */
    public static final double LARGEST_ON_BATCHES = 100;

    private static final double GOOD = 0.75;
    private static final double POOR = 0.25;
    private static final double SHRINK = 0.25;
    private static final double GROW = 3;
    private static final double GENTLE = 2;
    private static final double GROW_AFTER_FAILURE = 4;

    private final double smallest;
    private double lambda;
    private double average;

    /**
     * Begins.
     *
     * @param start λ at the start, from {@code smallest} to {@link #LARGEST}
     * @param smallest λ never falls below it: about the rounding of the type that the Gram matrix is computed in
     */
    public LevenbergMarquardt(double start, double smallest) {
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

    /**
     * Takes in a step also by what it did to data that it was not made for. One step says little about that, so it counts by a
     * running average of that reduction over the predicted one, each ratio cut to [-1, 1]. λ is halved if ρ > 3/4 and the
     * average is positive, and doubled, up to {@value #LARGEST_ON_BATCHES}, if ρ &lt; 1/4 or the average is negative.
     */
    public void taken(double actualReduction, double predictedReduction, double reductionElsewhere) {
        double ratio = predictedReduction > 0 ? actualReduction / predictedReduction : 0;
        double elsewhere = predictedReduction > 0 ? reductionElsewhere / predictedReduction : 0;
        elsewhere = Double.isNaN(elsewhere) ? -1 : Math.max(-1, Math.min(1, elsewhere));
        average = AVERAGE_DECAY * average + (1 - AVERAGE_DECAY) * elsewhere;
        if (ratio > GOOD && average > 0) {
            set(lambda / GENTLE);
        } else if (!(ratio >= POOR) || average < 0) {
            set(Math.max(lambda, Math.min(LARGEST_ON_BATCHES, lambda * GENTLE)));
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
