package io.github.dl4jfuse.optim.lbfgs;

/**
 * Where a minimisation stands after a step.
 *
 * @param iteration steps taken, 1 after the first
 * @param value f
 * @param gradientNorm |∇f|
 * @param step t, in units of the direction
 * @param previousValue f before the step
 * @param previousSlope slope of f along the direction before the step
 * @param slope slope along the same direction after it
 * @param functionEvaluations so far
 * @param wolfe whether the step meets the strong Wolfe conditions, or the approximate ones within rounding
 */
public record LbfgsProgress(
        int iteration,
        double value,
        double gradientNorm,
        double step,
        double previousValue,
        double previousSlope,
        double slope,
        long functionEvaluations,
        boolean wolfe) {}
