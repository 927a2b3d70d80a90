package io.github.dl4jfuse.examples.geometry;

import java.lang.management.ManagementFactory;
import java.util.Locale;

/**
 * What a method reached.
 *
 * @param loss training loss at the end of the run
 * @param steps until the loss was down to the target, or all of them
 * @param seconds of the processor, until then
 * @param arrived whether the loss was down to the target
 */
record Run(String name, double loss, int steps, double seconds, boolean arrived) {

    static final String HEAD = "| | method | training loss at the end | steps to the target | seconds to the target |\n"
            + "| --- | --- | ---: | ---: | ---: |";

    /** Returns the processor time of this thread in seconds. */
    static double now() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    }

    /** Returns a row of a table. */
    String row(String first) {
        String reached = arrived ? "" : "not reached: ";
        return String.format(
                Locale.ROOT,
                "| %s | %s | %.2e | %s%,d | %s%.2f |",
                first,
                name,
                loss,
                reached,
                steps,
                reached,
                seconds);
    }
}
