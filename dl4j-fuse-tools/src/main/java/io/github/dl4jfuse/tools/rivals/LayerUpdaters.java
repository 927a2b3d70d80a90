package io.github.dl4jfuse.tools.rivals;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.Layer;

public interface LayerUpdaters {
    void apply(List<Layer> layers);
}
