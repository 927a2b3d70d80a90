package io.github.dl4jfuse.network.jacobian;

import java.util.Locale;
import org.bytedeco.javacpp.Pointer;

/**
 * Bytes that the geometry of a batch needs.
 *
 * @param examples of the batch
 * @param outputs of each
 * @param heap of the Java heap
 * @param offHeap of native memory
 */
record MemoryNeed(int examples, int outputs, long heap, long offHeap) {

    boolean fits(long freeHeap, long freeOffHeap) {
        return heap <= freeHeap && offHeap <= freeOffHeap;
    }

    /** Returns the sum, or throws an IllegalStateException if the process does not have that. */
    long require() {
        if (!fits(freeHeap(), freeOffHeap())) {
            System.gc(); // what is counted as used may be garbage
        }
        return require(freeHeap(), freeOffHeap());
    }

    private static long freeHeap() {
        Runtime runtime = Runtime.getRuntime();
        return runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory();
    }

    private static long freeOffHeap() {
        long limit = Pointer.maxBytes();
        return limit <= 0 ? Long.MAX_VALUE : limit - Pointer.totalBytes();
    }

    /** Returns the sum, or throws if that is not there. */
    long require(long freeHeap, long freeOffHeap) {
        if (!fits(freeHeap, freeOffHeap)) {
            throw new IllegalStateException(String.format(
                    Locale.ROOT,
                    "A batch of %,d examples with %,d outputs needs about %,d MB of Java heap and %,d MB of native"
                            + " memory for the geometry of its outputs, and %,d MB and %s are left: use smaller batches,"
                            + " or more memory (-Xmx, -Dorg.bytedeco.javacpp.maxbytes).",
                    examples,
                    outputs,
                    heap >> 20,
                    offHeap >> 20,
                    freeHeap >> 20,
                    freeOffHeap == Long.MAX_VALUE
                            ? "enough"
                            : String.format(Locale.ROOT, "%,d MB", freeOffHeap >> 20)));
        }
        return heap + offHeap;
    }
}
