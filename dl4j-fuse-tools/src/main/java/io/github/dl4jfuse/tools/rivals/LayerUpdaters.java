package io.github.dl4jfuse.tools.rivals;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.Layer;

/** Gives the layers of a network their updaters. */
@FunctionalInterface
public interface LayerUpdaters {

    /**
     * Sets updaters, bias updaters and weight decay in the configurations of a network that is not made yet. L1 and L2 stay, a
     * {@code WeightDecay} that a layer has is replaced. Frozen layers are left alone, layers in wrappers are found.
     *
     * @param layers in the network's order with nIn set, output layers last
     * @throws IllegalArgumentException if the rule cannot be had for a layer
     */
    void apply(List<Layer> layers);
}
