package io.github.dl4jfuse.tools.machine;

import io.github.dl4jfuse.tools.machine.CudaArtifact.Fit;
import io.github.dl4jfuse.tools.machine.Gpu.ComputeCapability;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whether ND4J uses the GPU that is there, and if not, why: ND4J itself takes its CPU backend in silence when its CUDA
 * backend does not load.
 *
 * @param fault whether something is off
 * @param sentence what, and what to do
 */
public record GpuDiagnosis(boolean fault, String sentence) {

    private static final String CPU_BACKEND = "CpuBackend";

    /**
     * Compares what is there with what runs.
     *
     * @param gpus found by the driver
     * @param jars CUDA jars on the class path
     * @param backend the backend on which a training has run, or empty if ND4J does not start
     * @param environment variables of the process
     */
    public static GpuDiagnosis of(
            List<Gpu> gpus, List<CudaArtifact.Jar> jars, Optional<String> backend, Map<String, String> environment) {
        Optional<ComputeCapability> chip = gpus.stream().findFirst().flatMap(Gpu::capability);
        String advice = chip.map(CudaArtifact::advice).orElse("Its compute capability is not known; see docs/gpu.md.");
        boolean onCpu = backend.isPresent() && backend.get().equals(CPU_BACKEND);
        if (jars.isEmpty()) {
            return gpus.isEmpty()
                    ? new GpuDiagnosis(false, "no NVIDIA GPU found, and no CUDA backend on the class path.")
                    : new GpuDiagnosis(
                            true,
                            "The GPU is not used: there is no CUDA backend on the class path (mvn -Pcuda in this project). "
                                    + advice);
        }
        if (backend.isPresent() && !onCpu) {
            return onGpu(jars.get(0), chip);
        }
        String what = onCpu ? "ND4J fell back to the CPU: " : "ND4J does not start: ";
        if (prefersCpu(environment) && onCpu) {
            return new GpuDiagnosis(
                    false, "the CPU runs because BACKEND_PRIORITY_CPU is not below BACKEND_PRIORITY_GPU.");
        }
        return new GpuDiagnosis(
                true, what + reason(gpus, jars, chip, environment) + (gpus.isEmpty() ? "" : " " + advice));
    }

    /** Returns whether the driver may have to compile at the first start, for up to half an hour. */
    public static boolean mayCompileFirst(List<Gpu> gpus, List<CudaArtifact.Jar> jars) {
        return gpus.stream()
                .findFirst()
                .flatMap(Gpu::capability)
                .flatMap(chip -> jars.stream().findFirst().flatMap(jar -> jar.fit(chip)))
                .filter(fit -> fit == Fit.RUNS_AFTER_COMPILING)
                .isPresent();
    }

    private static GpuDiagnosis onGpu(CudaArtifact.Jar jar, Optional<ComputeCapability> chip) {
        Optional<Fit> fit = chip.flatMap(jar::fit);
        if (fit.isPresent() && fit.get().compareTo(Fit.RUNS_AFTER_COMPILING) > 0) {
            return new GpuDiagnosis(
                    false,
                    "the CUDA backend runs, with native libraries that were built for this chip: those released as "
                            + jar + " carry no code for it.");
        }
        return new GpuDiagnosis(
                false,
                "the CUDA backend runs" + fit.map(f -> " (" + words(f) + ")").orElse("") + ".");
    }

    private static String words(Fit fit) {
        return fit == Fit.RUNS ? "machine code for this chip" : "compiled by the driver at the first start";
    }

    private static boolean prefersCpu(Map<String, String> environment) {
        return number(environment.getOrDefault("BACKEND_PRIORITY_CPU", "0"))
                >= number(environment.getOrDefault("BACKEND_PRIORITY_GPU", "100"));
    }

    private static int number(String text) {
        return text.matches("-?\\d{1,9}") ? Integer.parseInt(text) : 0;
    }

    private static String reason(
            List<Gpu> gpus,
            List<CudaArtifact.Jar> jars,
            Optional<ComputeCapability> chip,
            Map<String, String> environment) {
        CudaArtifact.Jar jar = jars.get(0);
        if (gpus.isEmpty()) {
            return jar
                    + " is on the class path, but there is no NVIDIA driver with a GPU: its library libcuda is missing,"
                    + " and the backend cannot load. In a container, start it with the GPU (docker run --gpus all).";
        }
        String visible = environment.get("CUDA_VISIBLE_DEVICES");
        if (visible != null && (visible.isBlank() || visible.startsWith("-1"))) {
            return "CUDA_VISIBLE_DEVICES=\"" + visible + "\" hides the GPU; unset it.";
        }
        if (jars.stream().noneMatch(CudaArtifact.Jar::isNative)) {
            return jar
                    + " is on the class path without its native library: add the artifact with the classifier of this"
                    + " platform, such as linux-x86_64, too.";
        }
        if (jars.stream().map(CudaArtifact.Jar::toString).distinct().count() > 1) {
            return "several CUDA backends are on the class path: " + jars + ".";
        }
        Optional<Fit> fit = chip.flatMap(jar::fit);
        if (fit.isPresent() && fit.get().compareTo(Fit.RUNS_AFTER_COMPILING) > 0) {
            return jar + " carries no code that this chip can run.";
        }
        return "the native library of " + jar
                + " did not load though a GPU is here: mostly CUDA's maths libraries (with a"
                + " classifier that ends in -cudnn, cuDNN too) are missing, or the driver is older than CUDA "
                + jar.cuda()
                + ". The error stands in ND4J's log at level debug or warn (\"Skipped [JCublasBackend]\").";
    }
}
