package io.github.dl4jfuse.saddle;

import java.util.Arrays;

/**
 * Says when training stands still: over a window of looks, the mean loss of the second half is not below that of the first half
 * by a given share, and the gradient norm has not grown (where it grows, training is about to leave by itself).
 */
public final class StagnationDetector {

    /** Looks in a window. */
    public static final int LOOKS = 20;

    private static final double GROWTH = 1.5;

    private final double smallestFall;
    private final double[] losses = new double[LOOKS];
    private final double[] gradientNorms = new double[LOOKS];
    private int looks;

    /** The loss stands still where it falls by less than this share over the two halves of a window. */
    public StagnationDetector(double smallestFall) {
        this.smallestFall = smallestFall;
    }

    /** Takes in a look; what is not finite begins a new window. Returns whether a full window shows no progress. */
    public boolean observe(double loss, double gradientNorm) {
        if (!Double.isFinite(loss) || !Double.isFinite(gradientNorm)) {
            clear();
            return false;
        }
        if (looks == LOOKS) {
            System.arraycopy(losses, 1, losses, 0, LOOKS - 1);
            System.arraycopy(gradientNorms, 1, gradientNorms, 0, LOOKS - 1);
            looks--;
        }
        losses[looks] = loss;
        gradientNorms[looks++] = gradientNorm;
        return looks == LOOKS
                && firstLoss() - secondLoss() < smallestFall * Math.abs(firstLoss())
                && second(gradientNorms) <= GROWTH * first(gradientNorms);
    }

    /** Forgets all losses. */
    public void clear() {
        looks = 0;
    }

    /** Returns the mean loss of the first half of the window. */
    public double firstLoss() {
        return first(losses);
    }

    /** Returns the mean loss of the second half of the window. */
    public double secondLoss() {
        return second(losses);
    }

    private static double first(double[] values) {
        return Arrays.stream(values, 0, LOOKS / 2).average().orElseThrow();
    }

    private static double second(double[] values) {
        return Arrays.stream(values, LOOKS / 2, LOOKS).average().orElseThrow();
    }
}
