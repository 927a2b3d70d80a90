package io.github.dl4jfuse.updater;

/**
 * What a {@link SwitchRule} looks at, before an iteration's step is taken.
 *
 * @param iteration number of steps taken so far (DL4J's iteration count)
 * @param epoch number of epochs completed so far (DL4J's epoch count)
 * @param gradientNorm moving average of the Euclidean norm of the batch gradient, NaN as long as none was seen
 * @param loss moving average of the batch loss, NaN as long as none was seen
 * @param sameBatchSteps number of steps in a row before this one whose batch was the present one; 0 where nobody looks
 */
public record TrainingProgress(int iteration, int epoch, double gradientNorm, double loss, int sameBatchSteps) {}
