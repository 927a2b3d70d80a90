package io.github.dl4jfuse.tools.machine;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * An NVIDIA GPU, as the driver tells without ND4J.
 *
 * @param name such as "NVIDIA A10"
 * @param capability its compute capability, empty where the driver does not tell
 * @param driver version of the driver
 * @param memory in words, such as "23028 MiB"
 */
public record Gpu(String name, Optional<ComputeCapability> capability, String driver, String memory) {

    private static final String UNKNOWN = "unknown";
    private static final Path DRIVER = Path.of("/proc/driver/nvidia");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final List<String> QUERY =
            List.of("nvidia-smi", "--query-gpu=name,compute_cap,driver_version,memory.total", "--format=csv,noheader");

    /**
     * How new a GPU's instructions are: 8.6 is ten times 8 plus 6.
     *
     * @param major generation
     * @param minor variant
     */
    public record ComputeCapability(int major, int minor) implements Comparable<ComputeCapability> {

        /** Reads "8.6"; empty for anything else. */
        public static Optional<ComputeCapability> parse(String text) {
            if (!text.matches("\\d{1,2}\\.\\d")) {
                return Optional.empty();
            }
            int point = text.indexOf('.');
            return Optional.of(new ComputeCapability(
                    Integer.parseInt(text.substring(0, point)), Integer.parseInt(text.substring(point + 1))));
        }

        @Override
        public int compareTo(ComputeCapability other) {
            return Integer.compare(10 * major + minor, 10 * other.major + other.minor);
        }

        @Override
        public String toString() {
            return major + "." + minor;
        }
    }

    /** Returns the GPUs of this machine, from nvidia-smi or else from the driver's files; none where there is no driver. */
    public static List<Gpu> detect() {
        return detect(run(), DRIVER);
    }

    static List<Gpu> detect(String nvidiaSmi, Path driver) {
        List<Gpu> told = parse(nvidiaSmi);
        return told.isEmpty() ? fromDriver(driver) : told;
    }

    /** Reads what nvidia-smi prints; lines that are no GPU, such as an error, are left out. */
    static List<Gpu> parse(String output) {
        List<Gpu> gpus = new ArrayList<>();
        for (String line : output.lines().toList()) {
            String[] fields = line.split("\\s*,\\s*", -1);
            if (fields.length == 4 && !fields[0].isBlank()) {
                gpus.add(new Gpu(fields[0].trim(), ComputeCapability.parse(fields[1]), fields[2], fields[3].trim()));
            }
        }
        return gpus;
    }

    /** Reads the folder of the Linux driver, which knows no compute capability. */
    static List<Gpu> fromDriver(Path folder) {
        List<Gpu> gpus = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.resolve("gpus"), "*")) {
            String driver = driverVersion(folder);
            for (Path file : files) {
                String name = Files.readString(file.resolve("information"))
                        .lines()
                        .filter(line -> line.startsWith("Model:"))
                        .map(line -> line.substring("Model:".length()).trim())
                        .findFirst()
                        .orElse(UNKNOWN);
                gpus.add(new Gpu(name, Optional.empty(), driver, UNKNOWN));
            }
        } catch (IOException e) {
            return List.of();
        }
        return gpus;
    }

    private static String driverVersion(Path folder) throws IOException {
        return Arrays.stream(Files.readString(folder.resolve("version")).split("\\s+"))
                .filter(word -> word.matches("\\d+\\.\\d+(\\.\\d+)?"))
                .findFirst()
                .orElse(UNKNOWN);
    }

    private static String run() {
        try {
            return Launcher.output(new ProcessBuilder(QUERY), PATIENCE).orElse("");
        } catch (IOException e) {
            return ""; // there is no such program
        }
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s, compute capability %s, driver %s, %s",
                name,
                capability.map(ComputeCapability::toString).orElse(UNKNOWN),
                driver,
                memory.equals(UNKNOWN) ? "memory unknown" : memory);
    }
}
