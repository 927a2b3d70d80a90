package io.github.dl4jfuse.linalg;

import java.util.Locale;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says before a computation how much memory it takes, where that is much of what is free. */
public final class MemoryEstimate {

    /** Share of the free memory from which on something is said. */
    public static final double FROM = 0.1;

    private static final Logger log = LoggerFactory.getLogger(MemoryEstimate.class);

    private MemoryEstimate() {}

    /**
     * Logs the estimate if it exceeds {@value #FROM} of what is free outside the Java heap.
     *
     * @param what what takes it, the subject of the sentence
     * @param bytes the estimate
     * @param held how much of it is taken already, and so no longer free
     */
    public static void logIfLarge(String what, long bytes, long held) {
        of(what, bytes, free() + held).ifPresent(log::info);
    }

    /** Returns the sentence, or nothing where the estimate is small. */
    public static Optional<String> of(String what, long bytes, long free) {
        return bytes <= FROM * free
                ? Optional.empty()
                : Optional.of(String.format(
                        Locale.ROOT, "%s takes %,d MB of the %,d MB that are free.", what, bytes >> 20, free >> 20));
    }

    /** Returns what the machine and JavaCPP's own limit leave outside the Java heap, in bytes. */
    public static long free() {
        long limit = Pointer.maxBytes() > 0 ? Pointer.maxBytes() - Pointer.totalBytes() : Long.MAX_VALUE;
        return Math.min(limit, Pointer.availablePhysicalBytes());
    }
}
