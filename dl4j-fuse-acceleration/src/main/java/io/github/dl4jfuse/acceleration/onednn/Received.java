package io.github.dl4jfuse.acceleration.onednn;

import java.util.EnumMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** An array that primitives read in one order, wherever it comes from: as it lies if it lies so, else as a copy. */
final class Received {

    private final long[] shape;
    private final Layout wanted;
    private final Buffer inUse; // what the primitives were made with; its address moves
    private final Map<Layout, Buffer> sources = new EnumMap<>(Layout.class);
    private final Map<Layout, Pass> copies = new EnumMap<>(Layout.class);
    private Buffer copy;

    Received(long[] shape, Layout wanted) {
        this.shape = shape;
        this.wanted = wanted;
        inUse = Buffer.named(OneDnn.desc(shape, wanted.strides(shape)));
    }

    /** Returns the argument of primitives. */
    Buffer inUse() {
        return inUse;
    }

    /** Makes an array what the primitives read. */
    void take(INDArray array) {
        Layout layout = Layout.of(array);
        if (layout == wanted) {
            inUse.at(array);
            return;
        }
        INDArray known = Layout.known(array);
        Layout from = layout == Layout.OTHER ? Layout.PLAIN : layout;
        if (from == wanted) {
            inUse.at(known);
            return;
        }
        if (copy == null) {
            copy = Buffer.own(inUse.desc());
        }
        Pass pass = copies.computeIfAbsent(from, key -> {
            sources.put(key, Buffer.named(OneDnn.desc(shape, key.strides(shape))));
            return new Pass().copy(sources.get(key), copy);
        });
        sources.get(from).at(known);
        pass.run();
        inUse.at(copy);
    }
}
