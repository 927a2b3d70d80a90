package io.github.dl4jfuse.tools.rivals;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;

/**
 * A rule's listener that knows other weights than those that are trained, for evaluation. One for each network. What BatchNorm has
 * gathered stays what it was under the trained weights, or its average where the weights are averages.
 */
public interface EvaluationWeights extends TrainingListener {

    /**
     * Puts the weights for evaluation into the network's parameters.
     *
     * @throws IllegalStateException if they are there already
     */
    void enter(Model net);

    /**
     * Puts the trained weights back, bit for bit.
     *
     * @throws IllegalStateException without an {@link #enter} before
     */
    void leave(Model net);
}
