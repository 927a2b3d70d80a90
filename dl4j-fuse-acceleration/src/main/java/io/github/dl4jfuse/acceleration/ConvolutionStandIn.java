package io.github.dl4jfuse.acceleration;

import org.nd4j.linalg.api.buffer.DataType;

/** What DL4J gets when it asks for its convolution helper; see {@link EnvironmentAdapter}. Must not name itself. */
public final class ConvolutionStandIn extends ContiguousConvolution {

    /** Called by DL4J through reflection. */
    public ConvolutionStandIn(DataType dataType) {
        super(dataType);
    }
}
