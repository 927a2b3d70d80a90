package io.github.dl4jfuse.acceleration.onednn;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;

/** Primitives that run one after the other, each with its arguments: a forward or backward pass of a layer. */
final class Pass implements AutoCloseable {

    private record Step(primitive primitive, IntMemoryMap arguments) {}

    private final stream stream = OneDnn.newStream();
    private final List<Step> steps = new ArrayList<>();

    /** An argument of a primitive, by oneDNN's number for its role. */
    record Argument(int role, Buffer buffer) {}

    static Argument arg(int role, Buffer buffer) {
        return new Argument(role, buffer);
    }

    /** Adds a primitive; arguments that are null are left out. */
    Pass add(primitive primitive, Argument... arguments) {
        IntMemoryMap map = new IntMemoryMap();
        for (Argument argument : arguments) {
            if (argument != null) {
                map.put(argument.role(), argument.buffer().memory());
            }
        }
        steps.add(new Step(primitive, map));
        return this;
    }

    /** Adds a copy from one order to another. */
    Pass copy(Buffer from, Buffer to) {
        return add(
                new reorder(from.memory(), to.memory()),
                arg(org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM, from),
                arg(org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO, to));
    }

    void run() {
        for (Step step : steps) {
            step.primitive().execute(stream, step.arguments());
        }
        stream._wait();
    }

    @Override
    public void close() {
        for (Step step : steps) {
            step.arguments().close();
            step.primitive().close();
        }
        stream.close();
    }
}
