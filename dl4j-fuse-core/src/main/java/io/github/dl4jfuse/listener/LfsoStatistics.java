package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.step.SmoothnessCounters;

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
        long extraBytes)
        implements OptimizerReport {

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

    static LfsoStatistics of(SmoothnessCounters counters, double rate, long extraBytes) {
        return new LfsoStatistics(
                counters.steps,
                counters.evaluations,
                counters.forwardPasses,
                counters.trials,
                counters.refused,
                counters.skipped,
                counters.rollBacks,
                rate,
                counters.smoothness,
                counters.radius,
                extraBytes);
    }
}
