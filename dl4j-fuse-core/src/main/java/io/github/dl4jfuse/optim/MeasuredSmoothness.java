package io.github.dl4jfuse.optim;

/**
 * A step length from measured smoothness, for functions without a known oracle and for batches that differ.
 *
 * <p>A trial step x - η d on one batch has the slope s = g·d and the curvature k = 2 (η s - decrease) / η², so that L = k /
 * |d|² is the least number with which the smoothness inequality holds for that trial, in the ball R = η |d|. Both are
 * divided by |g| |d|, the largest slope that is possible, and averaged over trials with the weights of one exponential
 * average, S and K; the next step length is
 *
 * <pre>
 *   η = 2 (1 - c) S / K,   at least half and at most twice the last one
 * </pre>
 *
 * with which steps achieve the share c of η S on average, as far as the function is a parabola: c = ½ is the step 1 / L, whose
 * decrease is |g|² / (2 L) for d = g. Slope and curvature are averaged apart, not their ratio, so a batch with almost no
 * slope and curvature has little weight. Divided they are because gradients may fall a hundredfold within ten steps from
 * random weights: undivided, those steps would outweigh the next hundred. Where K ≤ 0 the step grows, where S ≤ 0 it shrinks.
 *
 * <p>An immutable value; η, S and K are rounded to float, so that they can be saved in a float array without a change.
 *
 * @param rate η, positive; the units are those of d
 * @param slope S, a cosine, 0 before the first trial
 * @param curvature K, in units of 1 / η, 0 before the first trial
 */
public record MeasuredSmoothness(double rate, double slope, double curvature) {

    /** Default of c where the step length is all there is: batches are noise, which longer steps would amplify. */
    public static final double DEFAULT_DECREASE = 0.6;

    /** Default of c where a schedule anneals the steps, which takes the noise out again at the end. */
    public static final double DEFAULT_DECREASE_ANNEALED = 0.3;

    /** The c of the oracle's own step 1 / L. */
    public static final double ORACLE_DECREASE = 0.5;

    /** Weight of the past in the averages, for each trial. */
    public static final double DECAY = 0.8;

    /** Most by which one trial changes the step length. */
    public static final double MAX_CHANGE = 2;

    private static final double SMALLEST = 1e-30;
    private static final double LARGEST = 1e30;

    /** Rounds to float. */
    public MeasuredSmoothness {
        rate = toFloat(Math.max(SMALLEST, Math.min(LARGEST, rate)));
        slope = toFloat(slope);
        curvature = toFloat(curvature);
    }

    private static double toFloat(double x) {
        return (float) x;
    }

    /** A step length of which nothing is known yet. */
    public static MeasuredSmoothness guess(double rate) {
        return new MeasuredSmoothness(rate, 0, 0);
    }

    /** Returns k = 2 (η s - decrease) / η². */
    public static double curvatureOf(double rate, double slope, double decrease) {
        return 2 * (rate * slope - decrease) / (rate * rate);
    }

    /**
     * Takes a trial into account. One whose numbers are not finite halves η and leaves S and K.
     *
     * @param trialRate η of the trial
     * @param trialSlope s
     * @param decrease by how much the value fell; negative where it rose
     * @param scale |g| |d|, or any other positive number that s and k are divided by before they count
     * @param share c
     */
    public MeasuredSmoothness observe(
            double trialRate, double trialSlope, double decrease, double scale, double share) {
        double scaledSlope = trialSlope / scale;
        double scaledCurvature = curvatureOf(trialRate, trialSlope, decrease) / scale;
        if (!Float.isFinite((float) scaledSlope) || !Float.isFinite((float) scaledCurvature)) {
            return refuse();
        }
        double s = DECAY * slope + (1 - DECAY) * scaledSlope;
        double k = DECAY * curvature + (1 - DECAY) * scaledCurvature;
        return new MeasuredSmoothness(within(rate, target(s, k, share), MAX_CHANGE), s, k);
    }

    /** Returns this with half the step length. */
    public MeasuredSmoothness refuse() {
        return new MeasuredSmoothness(rate / MAX_CHANGE, slope, curvature);
    }

    /** Returns 2 (1 - c) s / k; infinite where there is no curvature, 0 where there is no descent. */
    static double target(double s, double k, double share) {
        if (s <= 0) {
            return 0;
        }
        return k <= 0 ? Double.POSITIVE_INFINITY : 2 * (1 - share) * s / k;
    }

    private static double within(double rate, double target, double factor) {
        return Math.max(rate / factor, Math.min(rate * factor, target));
    }

    /** The decrease of the value for a step length; may be anything. */
    @FunctionalInterface
    public interface Trial {
        /** Returns by how much a step of this rate lowers the value. */
        double decrease(double rate);
    }

    /** A first step length, and how many trials it took. */
    public record Calibration(double rate, int trials) {}

    private static final double MAX_FIRST_CHANGE = 1e3;
    /** A change of the value of so many rounding errors tells something. */
    public static final double RESOLVED = 100;

    /**
     * Finds the first step length by trials on one batch, from a guess that may be wrong by many powers of ten: the guess
     * moves to 2 (1 - c) s / k of the trial, by a factor of 1,000 at most, rounded to a power of two, until it stays; and
     * of neighbouring powers that all stay the smallest is taken. So training does not depend on the guess. A guess whose
     * promised decrease would drown in the rounding of the value is raised first.
     *
     * @param slope s, positive
     * @param rounding δ, absolute rounding error of the value, at least 0
     * @param maxTrials at least 1
     */
    public static Calibration calibrate(
            double guess, double slope, double share, double rounding, int maxTrials, Trial trial) {
        double rate = powerOfTwo(Math.max(guess, RESOLVED * rounding / slope));
        double previous = Double.NaN;
        boolean settled = false;
        for (int trials = 1; ; trials++) {
            double decrease = trial.decrease(rate);
            double next = Double.isFinite(decrease) ? target(slope, curvatureOf(rate, slope, decrease), share) : 0;
            next = powerOfTwo(within(rate, next, MAX_FIRST_CHANGE));
            if (settled && next != rate) {
                return new Calibration(2 * rate, trials);
            }
            if (trials == maxTrials || next == previous) {
                return new Calibration(Math.min(next, rate), trials); // two powers may point at each other
            }
            settled = next == rate;
            previous = settled ? Double.NaN : rate;
            rate = settled ? rate / 2 : next;
        }
    }

    private static double powerOfTwo(double x) {
        return Math.pow(2, Math.rint(Math.log(x) / Math.log(2)));
    }
}
