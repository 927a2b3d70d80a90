package io.github.dl4jfuse.tools.rivals;

/**
 * A published method as a network needs it; a new one for each network.
 *
 * @param updaters sets its rules in the layers' configurations
 * @param evaluation the listener that the network needs besides, or null
 */
public record Rival(LayerUpdaters updaters, EvaluationWeights evaluation) {}
