package io.github.dl4jfuse.tools.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.tools.machine.CudaArtifact.Jar;
import io.github.dl4jfuse.tools.machine.Gpu.ComputeCapability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GPUs as drivers describe them, what runs on them, and why it may not: none of it needs one. */
class GpuTest {

    private static final Gpu A10 =
            Gpu.parse("NVIDIA A10, 8.6, 535.129.03, 23028 MiB\n").get(0);
    private static final Gpu H100 =
            Gpu.parse("NVIDIA H100 80GB HBM3, 9.0, 550.54.15, 81559 MiB\n").get(0);
    private static final List<Jar> M2_1 = jars("1.0.0-M2.1", "11.6");
    private static final List<Jar> M1_1 = jars("1.0.0-M1.1", "11.0");

    @TempDir
    Path folder;

    private static List<Jar> jars(String version, String cuda) {
        return Jar.on(List.of(
                Path.of("lib/nd4j-cuda-" + cuda + "-" + version + ".jar"),
                Path.of("lib/nd4j-cuda-" + cuda + "-" + version + "-linux-x86_64.jar"),
                Path.of("lib/nd4j-cuda-" + cuda + "-preset-" + version + ".jar"),
                Path.of("lib/nd4j-native-" + version + ".jar")));
    }

    private static GpuDiagnosis diagnosis(List<Gpu> gpus, List<Jar> jars, String backend, String... variables) {
        Map<String, String> environment = variables.length == 0 ? Map.of() : Map.of(variables[0], variables[1]);
        return GpuDiagnosis.of(gpus, jars, Optional.ofNullable(backend), environment);
    }

    @Test
    void readsWhatNvidiaSmiPrints() {
        assertThat(H100.name()).isEqualTo("NVIDIA H100 80GB HBM3");
        assertThat(H100.capability()).contains(new ComputeCapability(9, 0));
        assertThat(H100.driver()).isEqualTo("550.54.15");
        assertThat(H100.toString()).contains("compute capability 9.0", "81559 MiB");
        assertThat(Gpu.parse("NVIDIA L4, 8.9, 535.1, 23034 MiB\nNVIDIA L4, 8.9, 535.1, 23034 MiB\n"))
                .hasSize(2);
        assertThat(Gpu.parse("Tesla K80, [N/A], 470.1, 11441 MiB\n").get(0).capability())
                .isEmpty();
        assertThat(Gpu.parse("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."))
                .isEmpty();
        assertThat(Gpu.parse("Field \"compute_cap\" is not a valid field to query.\n"))
                .isEmpty();
        assertThat(Gpu.parse("")).isEmpty();
    }

    @Test
    void readsTheDriversFilesWhereThereIsNoNvidiaSmi() throws IOException {
        assertThat(Gpu.fromDriver(folder)).isEmpty();
        Path gpu = Files.createDirectories(folder.resolve("gpus/0000:3b:00.0"));
        Files.writeString(gpu.resolve("information"), "Model: \t\t NVIDIA A10\nIRQ:   \t\t 88\n");
        Files.writeString(
                folder.resolve("version"),
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\n");
        assertThat(Gpu.fromDriver(folder))
                .containsExactly(new Gpu("NVIDIA A10", Optional.empty(), "535.129.03", "unknown"));
        assertThat(Gpu.detect("", folder)).isEqualTo(Gpu.fromDriver(folder));
        assertThat(Gpu.detect("NVIDIA L4, 8.9, 535.1, 23034 MiB\n", folder))
                .hasSize(1)
                .noneMatch(A10::equals);
    }

    @Test
    void knowsWhenTheDriverCompilesFirst() {
        assertThat(GpuDiagnosis.mayCompileFirst(List.of(H100), M1_1)).isTrue();
        assertThat(GpuDiagnosis.mayCompileFirst(List.of(H100), M2_1)).isFalse();
        assertThat(GpuDiagnosis.mayCompileFirst(List.of(A10), M1_1)).isFalse();
        assertThat(GpuDiagnosis.mayCompileFirst(List.of(), M1_1)).isFalse();
        assertThat(GpuDiagnosis.mayCompileFirst(List.of(H100), List.of())).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "5.0, RUNS, RUNS, RUNS",
        "7.5, RUNS, RUNS, RUNS",
        "8.0, RUNS, RUNS, RUNS",
        "8.6, RUNS, RUNS, RUNS",
        "8.9, RUNS, RUNS, RUNS",
        "9.0, DOES_NOT_RUN, COMPILER_CRASHES, RUNS_AFTER_COMPILING",
        "10.0, DOES_NOT_RUN, COMPILER_CRASHES, RUNS_AFTER_COMPILING",
        "12.0, DOES_NOT_RUN, COMPILER_CRASHES, RUNS_AFTER_COMPILING",
        "3.0, DOES_NOT_RUN, DOES_NOT_RUN, DOES_NOT_RUN",
        "3.5, DOES_NOT_RUN, RUNS, RUNS"
    })
    void supportTable(String chip, CudaArtifact.Fit m2, CudaArtifact.Fit m1Later, CudaArtifact.Fit m1) {
        ComputeCapability capability = ComputeCapability.parse(chip).orElseThrow();
        assertThat(CudaArtifact.M2_1_CUDA_11_6.fit(capability)).isEqualTo(m2);
        assertThat(CudaArtifact.M2_1_CUDA_11_4.fit(capability)).isEqualTo(m2);
        assertThat(CudaArtifact.M1_1_CUDA_11_2.fit(capability)).isEqualTo(m1Later);
        assertThat(CudaArtifact.M1_1_CUDA_11_0.fit(capability)).isEqualTo(m1);
    }

    @Test
    void advisesTheReleaseThatRuns() {
        assertThat(CudaArtifact.advice(new ComputeCapability(8, 9)))
                .isEqualTo("For compute capability 8.9 take nd4j-cuda-11.6 of ND4J and DL4J 1.0.0-M2.1.");
        assertThat(CudaArtifact.advice(new ComputeCapability(9, 0)))
                .contains("nd4j-cuda-11.0 of ND4J and DL4J 1.0.0-M1.1", "CUDA_CACHE_MAXSIZE=4294967296", "11.8");
        assertThat(CudaArtifact.advice(new ComputeCapability(12, 0))).contains("nd4j-cuda-11.0", "12.8 or later");
        assertThat(CudaArtifact.advice(new ComputeCapability(3, 0))).contains("No released CUDA backend");
    }

    @Test
    void knowsTheJarsOfAClassPath() {
        assertThat(M2_1).containsExactly(new Jar("11.6", "1.0.0-M2.1", false), new Jar("11.6", "1.0.0-M2.1", true));
        assertThat(M2_1.get(0).artifact()).contains(CudaArtifact.M2_1_CUDA_11_6);
        assertThat(jars("1.0.0-beta7", "10.2").get(0).artifact()).isEmpty();
    }

    @Test
    void nothingIsWrongWithoutGpuOrWithOneThatRuns() {
        assertThat(diagnosis(List.of(), List.of(), "CpuBackend").fault()).isFalse();
        assertThat(diagnosis(List.of(A10), M2_1, "JCublasBackend").fault()).isFalse();
        assertThat(diagnosis(List.of(H100), M1_1, "JCublasBackend")).satisfies(runs -> {
            assertThat(runs.fault()).isFalse();
            assertThat(runs.sentence()).contains("compiled by the driver");
        });
        assertThat(diagnosis(List.of(H100), M2_1, "JCublasBackend")).satisfies(runs -> {
            assertThat(runs.fault()).as("a training has run").isFalse();
            assertThat(runs.sentence()).contains("built for this chip");
        });
        assertThat(diagnosis(List.of(A10), M2_1, "CpuBackend", "BACKEND_PRIORITY_CPU", "1000")
                        .fault())
                .isFalse();
        assertThat(diagnosis(List.of(A10), M2_1, "CpuBackend", "BACKEND_PRIORITY_GPU", "-1")
                        .fault())
                .isFalse();
    }

    @Test
    void saysWhyTheGpuIsNotUsed() {
        expectFault(diagnosis(List.of(A10), List.of(), "CpuBackend"), "no CUDA backend on the class path", "11.6");
        expectFault(diagnosis(List.of(H100), List.of(), "CpuBackend"), "nd4j-cuda-11.0", "1.0.0-M1.1");
        expectFault(diagnosis(List.of(), M2_1, "CpuBackend"), "fell back to the CPU", "libcuda", "--gpus all");
        expectFault(diagnosis(List.of(), M2_1, null), "does not start", "no NVIDIA driver");
        expectFault(diagnosis(List.of(H100), M2_1, null), "no code that this chip can run", "nd4j-cuda-11.0");
        expectFault(diagnosis(List.of(A10), M2_1, "CpuBackend", "CUDA_VISIBLE_DEVICES", ""), "hides the GPU");
        expectFault(diagnosis(List.of(A10), M2_1, "CpuBackend", "CUDA_VISIBLE_DEVICES", "-1"), "hides the GPU");
        expectFault(diagnosis(List.of(A10), M2_1, "CpuBackend", "BACKEND_PRIORITY_CPU", "1"), "did not load");
        expectFault(diagnosis(List.of(A10), M2_1.subList(0, 1), "CpuBackend"), "without its native library");
        expectFault(diagnosis(List.of(A10), M2_1, "CpuBackend"), "did not load", "cuDNN", "Skipped [JCublasBackend]");
        expectFault(
                diagnosis(List.of(A10), List.of(M2_1.get(1), M1_1.get(1)), "CpuBackend"),
                "several CUDA backends are on the class path");
    }

    private static void expectFault(GpuDiagnosis diagnosis, String... words) {
        assertThat(diagnosis.fault()).as(diagnosis.sentence()).isTrue();
        assertThat(diagnosis.sentence()).contains(words);
    }
}
