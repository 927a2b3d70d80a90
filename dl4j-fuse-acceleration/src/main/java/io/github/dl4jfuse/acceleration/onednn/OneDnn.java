package io.github.dl4jfuse.acceleration.onednn;

import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;

/** oneDNN's engine for the processor, and descriptions of float arrays. */
final class OneDnn {

    static final engine ENGINE = new engine(engine.kind.cpu, 0);

    private OneDnn() {}

    static stream newStream() {
        return new stream(ENGINE);
    }

    /** Describes an array by its shape and the distances of neighbours along each dimension, in numbers. */
    static memory.desc desc(long[] shape, long[] strides) {
        return new memory.desc(shape, memory.data_type.f32, strides);
    }

    /** Describes an array whose order is oneDNN's to choose. */
    static memory.desc any(long... shape) {
        return new memory.desc(shape, memory.data_type.f32, memory.format_tag.any);
    }

    /** Describes an array in c order. */
    static memory.desc ordered(long... shape) {
        return desc(shape, Layout.PLAIN.strides(shape));
    }
}
