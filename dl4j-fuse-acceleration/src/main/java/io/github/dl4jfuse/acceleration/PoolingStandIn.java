package io.github.dl4jfuse.acceleration;

import java.util.Map;
import org.deeplearning4j.nn.layers.LayerHelper;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What DL4J gets when it asks for its pooling helper; see {@link EnvironmentAdapter}. It says no, which sends the layer
 * to DL4J's own code. That calls the same operations, and so oneDNN too, but with all settings: the helper forgets
 * {@code avgPoolIncludePadInDivisor}. Must not name itself.
 */
public final class PoolingStandIn implements LayerHelper {

    /** Called by DL4J through reflection. */
    public PoolingStandIn(DataType dataType) {}

    @Override
    public boolean checkSupported() {
        return false;
    }

    @Override
    public Map<String, Long> helperMemoryUse() {
        return Map.of();
    }
}
