package io.github.dl4jfuse.acceleration;

import org.nd4j.linalg.api.buffer.DataType;

/** What DL4J gets when it asks for its batch normalization helper; see {@link EnvironmentAdapter}. Must not name itself. */
public final class BatchNormStandIn extends ContiguousBatchNorm {

    /** Called by DL4J through reflection. */
    public BatchNormStandIn(DataType dataType) {
        super(dataType);
    }
}
