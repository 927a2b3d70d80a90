package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.NativeJar;
import io.github.dl4jfuse.tools.machine.Setting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A setting and a native library to try it with.
 *
 * @param name what the table calls it
 * @param setting environment, JVM options and helpers
 * @param jar the native library, or empty for the one of this process
 */
record Candidate(String name, Setting setting, Optional<NativeJar> jar) {

    /** Whatever of the environment decides about speed; a trial starts without it. */
    static final List<String> DECISIVE = List.of(
            Setting.OPENMP_THREADS,
            Setting.BLAS_THREADS,
            Setting.BLAS_CORE,
            Setting.ONEDNN_INSTRUCTIONS,
            "OPENBLAS_L2_SIZE");

    /** Seconds until a process has begun and has checked itself. */
    private static final int START = 5;

    private static final Pattern CORE = Pattern.compile("^Core: (\\S+)", Pattern.MULTILINE);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** Returns about how many seconds a measurement takes, where each of the three benchmarks has so many. */
    static double usualSeconds(double seconds) {
        return START + 3 * seconds;
    }

    /** Measures with the usual patience. */
    Optional<Measurement> measure(double seconds) {
        return measure(seconds, PATIENCE);
    }

    /**
     * Measures in a process of its own.
     *
     * @param seconds for each of the three benchmarks
     * @param start how long the process may take beyond them
     * @return empty if the process failed or hung
     */
    Optional<Measurement> measure(double seconds, Duration start) {
        List<Path> classPath = new ArrayList<>(Launcher.classPath());
        List<String> options = new ArrayList<>(setting.flags());
        if (jar.isPresent()) {
            classPath.add(jar.get().path());
            options.add(jar.get().selection());
        }
        ProcessBuilder builder = new ProcessBuilder(Launcher.command(
                options, classPath, Probe.class, String.valueOf(seconds), setting.acceleration() ? "on" : "off"));
        builder.environment().keySet().removeAll(DECISIVE);
        builder.environment().putAll(setting.environment());
        builder.environment().put("OPENBLAS_VERBOSE", "2"); // makes OpenBLAS name the kernels it chose
        try {
            return Launcher.output(builder, start.plusMillis((long) (3e3 * seconds)))
                    .map(Candidate::parse);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Measurement parse(String output) {
        Map<String, String> facts = new TreeMap<>();
        output.lines()
                .filter(line -> line.startsWith(Probe.PREFIX))
                .map(line -> line.substring(Probe.PREFIX.length()).split("=", 2))
                .forEach(pair -> facts.put(pair[0], pair[1]));
        Matcher core = CORE.matcher(output);
        facts.put("core", core.find() ? core.group(1) : "unknown");
        return new Measurement(
                facts,
                Double.parseDouble(facts.get("gflops")),
                Double.parseDouble(facts.get("mlp")),
                Double.parseDouble(facts.get("cnn")));
    }
}
