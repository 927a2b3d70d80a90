package io.github.dl4jfuse.tools.rivals;

public record Rival(LayerUpdaters updaters, EvaluationWeights evaluation) {}
