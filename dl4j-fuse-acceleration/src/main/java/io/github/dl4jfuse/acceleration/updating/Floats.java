package io.github.dl4jfuse.acceleration.updating;

import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Numbers of arrays in float that lie one after the other in memory, read and written by Java. */
public final class Floats {

    /** As many numbers as one buffer can show: its length in bytes is an int. */
    public static final long LIMIT = 1L << 28;

    private Floats() {}

    /**
     * Returns a view that ends with the array's memory.
     *
     * @param from the first number, in the order of memory
     * @param count how many, at most {@link #LIMIT}
     */
    public static FloatBuffer view(INDArray array, long from, int count) {
        FloatPointer pointer = new FloatPointer(array.data().pointer());
        long start = array.offset() + from;
        return pointer.position(start).limit(start + count).asBuffer();
    }

    /** Returns a view of all numbers of an array of at most {@link #LIMIT}. */
    public static FloatBuffer view(INDArray array) {
        return view(array, 0, (int) array.length());
    }
}
