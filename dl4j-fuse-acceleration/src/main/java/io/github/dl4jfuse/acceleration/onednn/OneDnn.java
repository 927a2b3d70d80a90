package io.github.dl4jfuse.acceleration.onednn;

import java.io.IOException;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Loader;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** oneDNN's engine for the processor, and descriptions of float arrays. */
final class OneDnn {

    /** The JavaCPP that its bindings are made for, which is that of ND4J 1.0.0-M2.1. */
    private static final String JAVACPP = "1.5.7";

    /** Made when it is first needed, after {@link #obstacle} has said that it can be. */
    private static final class Holder {

        private static final engine ENGINE = new engine(engine.kind.cpu, 0);
    }

    private OneDnn() {}

    static engine engine() {
        return Holder.ENGINE;
    }

    /** Returns why it cannot be called here, a sentence without its beginning, or null. */
    static String obstacle() {
        if (Nd4j.getExecutioner().type() != ExecutionerType.NATIVE_CPU) {
            return "the backend is not that of a CPU.";
        }
        String version;
        try {
            version = Loader.getVersion();
        } catch (IOException e) {
            version = "of an unknown version";
        }
        if (!JAVACPP.equals(version)) {
            return "JavaCPP is " + version + ", and the layers need " + JAVACPP + ", that of ND4J 1.0.0-M2.1.";
        }
        try {
            return engine.get_count(engine.kind.cpu) > 0 ? null : "oneDNN knows no processor here.";
        } catch (LinkageError e) {
            return "oneDNN's library for this machine is missing (" + e
                    + "): add org.bytedeco:dnnl and org.bytedeco:opencl with this machine's classifier.";
        }
    }

    static stream newStream() {
        return new stream(engine());
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
