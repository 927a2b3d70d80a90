package io.github.dl4jfuse.tools.doctor;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@link Probe} found under one setting.
 *
 * @param facts what it says of backend, classifier, device, threads, helpers and memory, and OpenBLAS of its kernels
 * @param gflops 10⁹ floating-point operations per second in a 1024 x 1024 product
 * @param mlp examples per second, MLP 784-256-10
 * @param cnn examples per second, small CNN
 */
record Measurement(Map<String, String> facts, double gflops, double mlp, double cnn) {

    /** Returns how many times faster this is than the other, geometric mean of MLP and CNN. */
    double over(Measurement other) {
        return Math.sqrt(mlp / other.mlp * (cnn / other.cnn));
    }

    /** Returns whether {@link SelfTest} ran and found nothing. */
    boolean passesSelfTest() {
        return !selfTestErrors().isEmpty() && selfTestFailures().isEmpty();
    }

    /** Returns the errors of {@link SelfTest} that are too large, or not numbers, by name. */
    Map<String, Double> selfTestFailures() {
        Map<String, Double> errors = selfTestErrors();
        errors.values().removeIf(error -> error <= SelfTest.TOLERANCE);
        return errors;
    }

    /** Returns the errors of {@link SelfTest} by name. */
    Map<String, Double> selfTestErrors() {
        Map<String, Double> errors = new TreeMap<>();
        facts.forEach((key, value) -> {
            if (key.startsWith(Probe.SELF_TEST)) {
                errors.put(key.substring(Probe.SELF_TEST.length()), Double.parseDouble(value));
            }
        });
        return errors;
    }

    /** Returns the medians of several measurements of one setting. */
    static Measurement median(List<Measurement> all) {
        return new Measurement(
                all.get(0).facts,
                median(all.stream().map(Measurement::gflops).toList(), all.size() / 2),
                median(all.stream().map(Measurement::mlp).toList(), all.size() / 2),
                median(all.stream().map(Measurement::cnn).toList(), all.size() / 2));
    }

    private static double median(List<Double> values, int middle) {
        return values.stream().sorted(Comparator.naturalOrder()).toList().get(middle);
    }
}
