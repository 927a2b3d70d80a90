package io.github.dl4jfuse.listener;

/**
 * What an {@link LfsoListener} has counted and measured since it was made.
 *
 * @param steps steps taken
 * @param gradientEvaluations evaluations of loss and gradient together, DL4J's own included
 * @param forwardPasses evaluations of the loss alone
 * @param trials step lengths tried, to measure the smoothness
 * @param refusedTrials steps that were taken back because the loss of their batch rose far or was not finite
 * @param skippedBatches steps left out because loss or gradient was not finite, or the loss had jumped
 * @param rollBacks returns to the last good parameters
 * @param rate η now
 * @param smoothness L of the last trial, 2 (slope - decrease) / |step|²; NaN before the first
 * @param radius R of the last trial, |step|; NaN before the first
 * @param extraBytes bytes held now beyond the updater state
 */
public record LfsoStatistics(
        long steps,
        long gradientEvaluations,
        long forwardPasses,
        long trials,
        long refusedTrials,
        long skippedBatches,
        long rollBacks,
        double rate,
        double smoothness,
        double radius,
        long extraBytes) {

    /**
     * The trials of one epoch.
     *
     * @param epoch its number, 0 the first
     * @param rate η at its end
     * @param meanSmoothness mean of L over its trials; NaN without any
     * @param meanRadius mean of R
     * @param trials how many were finite
     * @param refused how many steps were taken back
     */
    public record Epoch(int epoch, double rate, double meanSmoothness, double meanRadius, long trials, long refused) {}

    /** The numbers while they grow. */
    static final class Counter {
        long steps;
        long evaluations;
        long forwardPasses;
        long trials;
        long skipped;
        long rollBacks;
        private long refused;
        private double smoothness = Double.NaN;
        private double radius = Double.NaN;
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

        LfsoStatistics snapshot(double rate, long extraBytes) {
            return new LfsoStatistics(
                    steps,
                    evaluations,
                    forwardPasses,
                    trials,
                    refused,
                    skipped,
                    rollBacks,
                    rate,
                    smoothness,
                    radius,
                    extraBytes);
        }

        /** Returns the trials of the epoch that ends, and forgets them. */
        Epoch endEpoch(int epoch, double rate) {
            Epoch ended = new Epoch(
                    epoch,
                    rate,
                    epochTrials == 0 ? Double.NaN : epochSmoothness / epochTrials,
                    epochTrials == 0 ? Double.NaN : epochRadius / epochTrials,
                    epochTrials,
                    epochRefused);
            epochSmoothness = 0;
            epochRadius = 0;
            epochTrials = 0;
            epochRefused = 0;
            return ended;
        }
    }
}
