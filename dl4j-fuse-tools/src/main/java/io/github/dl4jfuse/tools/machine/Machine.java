package io.github.dl4jfuse.tools.machine;

import io.github.dl4jfuse.acceleration.Acceleration;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.factory.Nd4j;

/** What ND4J really runs on in this process. Asking loads the native libraries. */
public final class Machine {

    private static final Pattern NATIVE_FOLDER = Pattern.compile("bindings[/\\\\]([^/\\\\]+)[/\\\\][^/\\\\]*nd4j");

    private static final String UNKNOWN = "unknown";

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Machine() {}

    /** Returns backend, device, threads and setting in one line, for the head of a report. */
    public static String describe() {
        return "ND4J " + version() + " " + backend() + " (" + classifier() + ") on " + device() + "; "
                + System.getProperty("os.name")
                + " "
                + System.getProperty("os.arch") + ", Java " + System.getProperty("java.version") + "; OpenBLAS kernels "
                + openBlasCoreAsked() + ", oneDNN helpers " + helpers();
    }

    /**
     * Returns the commit that this program was built from, short, with "-dirty" where files had been changed since; where the
     * build did not note it, the commit of the working folder, or "unknown".
     */
    public static String commit() {
        Properties noted = new Properties();
        try (InputStream stream = Machine.class.getResourceAsStream("commit.properties")) {
            if (stream != null) {
                noted.load(stream);
            }
        } catch (IOException e) {
            return UNKNOWN;
        }
        String commit = noted.getProperty("git.commit.id.abbrev", "");
        if (!commit.isEmpty()) {
            return commit + (Boolean.parseBoolean(noted.getProperty("git.dirty")) ? "-dirty" : "");
        }
        return commitOfFolder();
    }

    private static String commitOfFolder() {
        try {
            return Launcher.output(new ProcessBuilder("git", "rev-parse", "--short", "HEAD"), PATIENCE)
                    .map(String::trim)
                    .filter(answer -> !answer.isEmpty())
                    .orElse(UNKNOWN);
        } catch (IOException e) {
            return UNKNOWN;
        }
    }

    /** Returns the version of ND4J, such as 1.0.0-M2.1. */
    public static String version() {
        Properties properties = new Properties();
        try (InputStream stream = Nd4j.class.getResourceAsStream("/META-INF/maven/org.nd4j/nd4j-api/pom.properties")) {
            if (stream != null) {
                properties.load(stream);
            }
        } catch (IOException e) {
            return UNKNOWN;
        }
        return properties.getProperty("version", UNKNOWN);
    }

    /** Returns the class of ND4J's backend, such as CpuBackend. */
    public static String backend() {
        return Nd4j.getBackend().getClass().getSimpleName();
    }

    /** Returns the classifier of the native library that was loaded, such as linux-x86_64-onednn, or "unknown". */
    public static String classifier() {
        Nd4j.getBackend();
        return Loader.getLoadedLibraries().values().stream()
                .filter(Objects::nonNull)
                .map(NATIVE_FOLDER::matcher)
                .filter(Matcher::find)
                .map(matcher -> matcher.group(1))
                .findFirst()
                .orElse(UNKNOWN);
    }

    /** Returns the device in words: processor cores and threads, or the names of the GPUs. */
    public static String device() {
        Properties information = Nd4j.getExecutioner().getEnvironmentInformation();
        Object devices = information.get("cuda.devicesInformation");
        if (devices instanceof List<?> list && !list.isEmpty()) {
            return list.stream().map(Machine::deviceName).collect(Collectors.joining(", "));
        }
        return String.format(
                Locale.ROOT,
                "CPU, %s cores, %s",
                information.get("cores"),
                threads(Integer.parseInt(String.valueOf(information.get("omp.threads")))));
    }

    private static String threads(int count) {
        return count == 1 ? "1 OpenMP thread" : count + " OpenMP threads";
    }

    private static String deviceName(Object device) {
        return device instanceof Map<?, ?> map ? String.valueOf(map.get("cuda.deviceName")) : String.valueOf(device);
    }

    private static String openBlasCoreAsked() {
        return System.getenv().getOrDefault(Setting.BLAS_CORE, "as OpenBLAS chooses");
    }

    /** Returns what {@link Acceleration} did, in words. */
    public static String helpers() {
        Acceleration.Outcome outcome = Acceleration.outcome();
        return outcome == null
                ? "not switched on"
                : outcome.state() == Acceleration.State.ON ? "on" : "off (" + outcome.reason() + ")";
    }

    /** Returns the limits of heap and off-heap memory in words. */
    public static String memory() {
        return String.format(
                Locale.ROOT,
                "heap at most %.1f GiB, off-heap at most %.1f GiB (-Dorg.bytedeco.javacpp.maxbytes)",
                Runtime.getRuntime().maxMemory() / (double) (1L << 30),
                Pointer.maxBytes() / (double) (1L << 30));
    }
}
