package io.github.dl4jfuse.examples.geometry;

import java.lang.management.ManagementFactory;
import java.util.Locale;

/**
 * What a method reached.
 *
 * @param seconds of the processor
 * @param arrived whether the loss is down to the target
 */
record Run(String name, double loss, int steps, double seconds, boolean arrived) {

    /** Returns the processor time of this thread in seconds. */
    static double now() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    }

    /** Returns a row of a table. */
    String row(String first) {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %.3e%s | %,d | %.2f |",
                first,
                name,
                loss,
                arrived ? "" : " (not reached)",
                steps,
                seconds);
    }
}
