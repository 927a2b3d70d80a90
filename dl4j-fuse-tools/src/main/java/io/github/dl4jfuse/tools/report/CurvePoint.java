package io.github.dl4jfuse.tools.report;

/**
 * Where a training run stood at the end of an epoch.
 *
 * @param epoch number of complete epochs; 0 is the start
 * @param gradientEvaluations number of evaluations of loss and gradient on a batch so far
 * @param seconds wall-clock seconds spent in training so far, measurements excluded
 * @param trainingLoss mean loss over the whole training set, evaluation mode
 * @param testAccuracy share of the whole test set that is classified correctly, in [0, 1]
 */
public record CurvePoint(
        int epoch, long gradientEvaluations, double seconds, double trainingLoss, double testAccuracy) {}
