package io.github.dl4jfuse.step;

/** What the trials of one listener count and measure, while it grows. */
public final class SmoothnessCounters {
    public long steps;
    public long evaluations;
    public long forwardPasses;
    public long trials;
    public long skipped;
    public long refused;
    public long rollBacks;
    public double smoothness = Double.NaN;
    public double radius = Double.NaN;
    private double epochSmoothness;
    private double epochRadius;
    private long epochTrials;
    private long epochRefused;

    /** Takes L and R of a trial. */
    void note(double l, double r) {
        smoothness = l;
        radius = r;
        epochSmoothness += l;
        epochRadius += r;
        epochTrials++;
    }

    /** Counts a step taken back, and returns how many there were. */
    long refuse() {
        epochRefused++;
        return ++refused;
    }

    /** Returns the mean of L over the trials of the epoch, NaN without any. */
    public double meanSmoothness() {
        return epochTrials == 0 ? Double.NaN : epochSmoothness / epochTrials;
    }

    /** Returns the mean of R over the trials of the epoch, NaN without any. */
    public double meanRadius() {
        return epochTrials == 0 ? Double.NaN : epochRadius / epochTrials;
    }

    /** Returns how many trials of the epoch were finite. */
    public long epochTrials() {
        return epochTrials;
    }

    /** Returns how many steps of the epoch were taken back. */
    public long epochRefused() {
        return epochRefused;
    }

    /** Begins another epoch. */
    public void beginEpoch() {
        epochSmoothness = 0;
        epochRadius = 0;
        epochTrials = 0;
        epochRefused = 0;
    }
}
