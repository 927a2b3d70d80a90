package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A copy between arrays of equal shape, each in an order of its own and perhaps a part of a larger one; ND4J's is slow there. */
final class Copy {

    /** What it is made for: a shape, and the strides of both arrays. */
    record Way(List<Long> shape, List<Long> from, List<Long> to) {

        static Way of(INDArray from, INDArray to) {
            return new Way(list(to.shape()), list(from.stride()), list(to.stride()));
        }
    }

    private final Buffer from;
    private final Buffer to;
    private final Pass pass;

    Copy(Way way) {
        long[] shape = longs(way.shape());
        from = Buffer.named(OneDnn.desc(shape, longs(way.from())));
        to = Buffer.named(OneDnn.desc(shape, longs(way.to())));
        pass = new Pass().copy(from, to);
    }

    private static long[] longs(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    private static List<Long> list(long[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    /** Copies all numbers between arrays that it was made for. */
    void run(INDArray source, INDArray target) {
        from.at(source);
        to.at(target);
        pass.run();
    }
}
