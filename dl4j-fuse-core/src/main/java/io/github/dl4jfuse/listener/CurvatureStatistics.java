package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.step.CurvatureCounters;

/**
 * What a {@link CurvatureListener} has counted since it was made.
 *
 * @param adamSteps steps taken by Adam alone
 * @param curvatureSteps L-BFGS steps, accepted or not, blended with Adam's or not
 * @param gaussNewtonSteps Gauss-Newton steps, taken back or not; each costs about as much as a few gradient evaluations on the
 *     examples that it is made on
 * @param gradientEvaluations evaluations of loss and gradient together, DL4J's own included: one for each step, and one
 *     for each trial point of the L-BFGS phase
 * @param functionEvaluations evaluations of the loss: the same number, since every evaluation gives both
 * @param cutBacks how often a trial step was cut back
 * @param rejectedSteps L-BFGS steps for which no trial point was good enough; the parameters stayed
 * @param pairsKept curvature pairs stored as they were
 * @param pairsDamped curvature pairs stored after Powell damping
 * @param pairsSkipped curvature pairs not stored
 * @param historiesCleared how often a non-empty history was dropped
 * @param skippedBatches steps left out because loss or gradient of the batch was not finite
 * @param smallBatches L-BFGS steps left out because the batch was less than half as large as the largest one
 * @param outliers L-BFGS steps left out because loss or gradient of the batch was {@value CurvatureListener#OUTLIER} times the average
 * @param rollBacks returns to the last good parameters
 * @param looks steps in which the metric of {@code Preconditioned} looked at the layers' inputs
 * @param extraBytes bytes held now beyond the updater state
 */
public record CurvatureStatistics(
        long adamSteps,
        long curvatureSteps,
        long gaussNewtonSteps,
        long gradientEvaluations,
        long functionEvaluations,
        long cutBacks,
        long rejectedSteps,
        long pairsKept,
        long pairsDamped,
        long pairsSkipped,
        long historiesCleared,
        long skippedBatches,
        long smallBatches,
        long outliers,
        long rollBacks,
        long looks,
        long extraBytes)
        implements OptimizerReport {

    static CurvatureStatistics of(CurvatureCounters counters, long extraBytes) {
        return new CurvatureStatistics(
                counters.adamSteps,
                counters.curvatureSteps,
                counters.gaussNewtonSteps,
                counters.evaluations,
                counters.evaluations,
                counters.cutBacks,
                counters.rejectedSteps,
                counters.pairsKept,
                counters.pairsDamped,
                counters.pairsSkipped,
                counters.historiesCleared,
                counters.skippedBatches,
                counters.smallBatches,
                counters.outliers,
                counters.rollBacks,
                counters.looks,
                extraBytes);
    }
}
