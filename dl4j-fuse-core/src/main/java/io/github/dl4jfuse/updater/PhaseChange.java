package io.github.dl4jfuse.updater;

/**
 * A change of phase.
 *
 * @param iteration the first step of the new phase
 * @param epoch the number of epochs complete by then
 * @param curvature true: from Adam to L-BFGS, false: back
 * @param reason the criterion in words
 */
public record PhaseChange(int iteration, int epoch, boolean curvature, String reason) {}
