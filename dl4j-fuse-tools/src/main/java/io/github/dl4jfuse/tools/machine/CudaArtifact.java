package io.github.dl4jfuse.tools.machine;

import io.github.dl4jfuse.tools.machine.Gpu.ComputeCapability;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The released CUDA backends of ND4J, and which chips each of them runs on: read off the machine code and PTX in their
 * native libraries, not tried on every chip.
 *
 * <p>Machine code of capability X.Y runs on X.Z with Z ≥ Y. Any newer chip needs PTX, which the driver compiles.
 */
public enum CudaArtifact {
    /** DL4J M2.1 with CUDA 11.6. */
    M2_1_CUDA_11_6("1.0.0-M2.1", "11.6", 37, 86, false),
    /** DL4J M2.1 with CUDA 11.4. */
    M2_1_CUDA_11_4("1.0.0-M2.1", "11.4", 37, 86, false),
    /** DL4J M1.1 with CUDA 11.0. */
    M1_1_CUDA_11_0("1.0.0-M1.1", "11.0", 35, 80, true),
    /** DL4J M1.1 with CUDA 11.2. */
    M1_1_CUDA_11_2("1.0.0-M1.1", "11.2", 35, 86, true);

    /** How an artifact and a chip go together. */
    public enum Fit {
        /** There is machine code for it. */
        RUNS,
        /** The driver compiles for it, once. */
        RUNS_AFTER_COMPILING,
        /** The driver's compiler is expected to crash. */
        COMPILER_CRASHES,
        /** There is neither. */
        DOES_NOT_RUN
    }

    private static final Pattern JAR = Pattern.compile(
            "nd4j-cuda-(\\d+\\.\\d+)-(1\\.0\\.0-[A-Za-z0-9.]+?)(-(?:linux|windows)-[a-z0-9_-]+)?\\.jar");

    private static final int FIRST_WITHOUT_MACHINE_CODE = 9;

    private final String version;
    private final String cuda;
    private final int oldest; // ten times the compute capability
    private final int newest;
    private final boolean ptx;

    CudaArtifact(String version, String cuda, int oldest, int newest, boolean ptx) {
        this.version = version;
        this.cuda = cuda;
        this.oldest = oldest;
        this.newest = newest;
        this.ptx = ptx;
    }

    /** What a jar on the class path is. */
    public record Jar(String cuda, String version, boolean isNative) {

        /** Reads a jar's name; empty for any other file. */
        public static Optional<Jar> parse(Path path) {
            Matcher matcher = JAR.matcher(path.getFileName().toString());
            return matcher.matches()
                    ? Optional.of(new Jar(matcher.group(1), matcher.group(2), matcher.group(3) != null))
                    : Optional.empty();
        }

        /** Returns all such jars of a class path. */
        public static List<Jar> on(List<Path> classPath) {
            return classPath.stream().flatMap(path -> parse(path).stream()).toList();
        }

        /** Returns the release this is, empty for one that the table does not have. */
        public Optional<CudaArtifact> artifact() {
            return Arrays.stream(values())
                    .filter(artifact -> artifact.version.equals(version) && artifact.cuda.equals(cuda))
                    .findFirst();
        }

        /** Returns how this jar's release and a chip go together, empty for a release that the table does not have. */
        Optional<Fit> fit(ComputeCapability chip) {
            return artifact().map(artifact -> artifact.fit(chip));
        }

        @Override
        public String toString() {
            return "nd4j-cuda-" + cuda + " " + version;
        }
    }

    /** Returns how this artifact and a chip go together. */
    public Fit fit(ComputeCapability chip) {
        int number = 10 * chip.major() + chip.minor();
        if (number < oldest) {
            return Fit.DOES_NOT_RUN;
        }
        if (chip.major() < FIRST_WITHOUT_MACHINE_CODE) {
            return Fit.RUNS;
        }
        if (!ptx) {
            return Fit.DOES_NOT_RUN;
        }
        // ptxas 11.8 and 13.0 crash on four kernels of the PTX for 8.6, none of which is in that for 8.0.
        return newest > 80 ? Fit.COMPILER_CRASHES : Fit.RUNS_AFTER_COMPILING;
    }

    /** Returns the artifact to take for a chip, empty where none runs. */
    public static Optional<CudaArtifact> bestFor(ComputeCapability chip) {
        return Arrays.stream(Fit.values())
                .limit(2)
                .flatMap(fit -> Arrays.stream(values()).filter(artifact -> artifact.fit(chip) == fit))
                .findFirst();
    }

    /** Returns what to write, in a sentence. */
    public static String advice(ComputeCapability chip) {
        return bestFor(chip)
                .map(best -> "For compute capability " + chip + " take " + best + "."
                        + (best.fit(chip) == Fit.RUNS ? "" : " " + compilation(chip)))
                .orElse("No released CUDA backend of ND4J runs on compute capability " + chip + ".");
    }

    private static String compilation(ComputeCapability chip) {
        return "Its first start compiles for a quarter to half an hour: set CUDA_CACHE_MAXSIZE=4294967296 before, or the"
                + " result is thrown away; and put CUDA's maths libraries "
                + (chip.major() == FIRST_WITHOUT_MACHINE_CODE ? "11.8" : "12.8 or later")
                + " on the library path. See docs/gpu.md.";
    }

    @Override
    public String toString() {
        return "nd4j-cuda-" + cuda + " of ND4J and DL4J " + version;
    }
}
