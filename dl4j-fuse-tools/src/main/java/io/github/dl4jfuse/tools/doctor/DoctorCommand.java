package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.tools.machine.Cpu;
import io.github.dl4jfuse.tools.machine.CudaArtifact;
import io.github.dl4jfuse.tools.machine.Gpu;
import io.github.dl4jfuse.tools.machine.GpuDiagnosis;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.NativeJar;
import io.github.dl4jfuse.tools.machine.Setting;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Says how fast DL4J runs on this machine, why, and what would make it faster. */
@Command(
        name = "doctor",
        description = {
            "Shows what DL4J runs on and how fast, in about 15 seconds; whether it uses the GPU that is there and if not,"
                    + " why; and checks a product, a training step and an L-BFGS step against plain Java.",
            "With --tune it tries other settings in processes of their own, for a few minutes, and prints the best one as"
                    + " lines to copy.",
            "With --layers it measures the layers of a training step instead, and says what is slow and why.",
            "The setting in force is the one that the examples start under; DL4J_FUSE_LAUNCHER=off leaves DL4J as it"
                    + " comes. Exit code 1: the setting in force loses more than 20 %% against the best, or does not run; a"
                    + " GPU is there and not used; or the self-test fails."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class DoctorCommand implements Callable<Integer> {

    private static final int SECONDS = 3;

    /** Where the driver compiles ND4J's CUDA code first, which is expected to take up to 28 minutes. */
    private static final Duration COMPILATION = Duration.ofMinutes(45);

    @Spec
    private CommandSpec spec;

    @Option(names = "--tune", description = "Try other settings.")
    private boolean tune;

    @Option(
            names = "--seconds",
            paramLabel = "SECONDS",
            description =
                    "Seconds for each of the three benchmarks under one setting; with --layers for the steps. Default: "
                            + SECONDS + ", with --layers " + LayerOptions.SECONDS + ".",
            showDefaultValue = Visibility.NEVER)
    private Double asked;

    @Mixin
    private LayerOptions layers;

    private double seconds;

    private final Cpu cpu = Cpu.detect();
    private PrintWriter out;

    @Override
    public Integer call() {
        seconds = asked != null ? asked : layers.areAsked() ? LayerOptions.SECONDS : SECONDS;
        if (!(seconds > 0 && seconds <= 60)) {
            throw new ParameterException(
                    spec.commandLine(), "--seconds must be positive and at most 60, not " + seconds + ".");
        }
        layers.check(spec, tune);
        if (layers.areAsked()) {
            layers.run(spec, seconds);
            return 0;
        }
        out = spec.commandLine().getOut();
        out.printf(
                Locale.ROOT,
                "Measures what DL4J runs on, in about %.0f seconds%s.%n",
                Candidate.usualSeconds(seconds),
                tune ? ", then tries other settings" : "");
        out.flush();
        Candidate inForce = new Candidate("in force", settingInForce(), Optional.empty());
        List<Gpu> gpus = Gpu.detect();
        gpus.forEach(gpu -> row("GPU found", gpu.toString()));
        List<CudaArtifact.Jar> cuda = CudaArtifact.Jar.on(Launcher.classPath());
        Optional<Measurement> present;
        if (GpuDiagnosis.mayCompileFirst(gpus, cuda)) {
            row("first start", "compiles for a quarter to half an hour if it was not done before; please wait");
            present = inForce.measure(seconds, COMPILATION);
        } else {
            present = inForce.measure(seconds);
        }
        GpuDiagnosis gpu = GpuDiagnosis.of(
                gpus, cuda, present.map(measured -> measured.facts().get("backend")), System.getenv());
        if (present.isEmpty()) {
            out.println("DL4J does not run under the setting in force: " + inForce.setting() + ".");
            row("GPU", gpu.sentence());
            return 1;
        }
        describe(present.get());
        boolean sound = check(present.get(), gpu);
        int tuned = tune ? new Tuning(cpu, out, seconds).run(inForce) : 0;
        return sound ? tuned : 1;
    }

    /** Prints what is off, and returns whether nothing is. */
    private boolean check(Measurement present, GpuDiagnosis gpu) {
        row("GPU", gpu.sentence());
        boolean passed = present.passesSelfTest();
        row("self-test", (passed ? "passed" : "FAILED") + ", relative errors " + present.selfTestErrors());
        if (!passed) {
            out.println("Results differ from plain Java by more than float accounts for: "
                    + present.selfTestFailures().keySet()
                    + ". Do not train here; try another native library (--tune, or another release).");
        }
        return isSound(present, gpu);
    }

    static boolean isSound(Measurement present, GpuDiagnosis gpu) {
        return present.passesSelfTest() && !gpu.fault();
    }

    private static Setting settingInForce() {
        Map<String, String> environment = new LinkedHashMap<>();
        for (String name : Candidate.DECISIVE) {
            if (System.getenv(name) != null) {
                environment.put(name, System.getenv(name));
            }
        }
        // Every option of this JVM: those that the launcher adds and those that the user gives.
        return new Setting(environment, ManagementFactory.getRuntimeMXBean().getInputArguments(), Launcher.isDone());
    }

    private void describe(Measurement present) {
        Map<String, String> facts = present.facts();
        row("CPU", cpu.model() + ", " + Runtime.getRuntime().availableProcessors() + " processors, " + extensions());
        row(
                "backend",
                facts.get("backend") + " on " + facts.get("device")
                        + (facts.get("blasThreads").equals("null")
                                ? ""
                                : ", " + facts.get("blasThreads") + " for BLAS"));
        row("classifier", facts.get("classifier") + bestClassifier());
        row(
                "OpenBLAS kernels",
                facts.get("core")
                        + cpu.openBlasCore()
                                .map(core -> "; for this CPU: " + core)
                                .orElse(""));
        row("oneDNN helpers", facts.get("helpers"));
        row("attached, CNN", facts.getOrDefault("layers", "no, as oneDNN helpers are not switched on"));
        row("memory", facts.get("memory"));
        row("product 1024", String.format(Locale.ROOT, "%.0f GFLOP/s", present.gflops()));
        row("MLP 784-256-10", String.format(Locale.ROOT, "%,.0f examples/s at batch 128", present.mlp()));
        row("CNN 16-32-128", String.format(Locale.ROOT, "%,.0f examples/s at batch 128", present.cnn()));
    }

    private void row(String name, String value) {
        out.printf(Locale.ROOT, "%-18s %s%n", name, value);
    }

    private String extensions() {
        if (cpu.flags().isEmpty()) {
            return "vector extensions not known";
        }
        return cpu.hasAvx512() ? "AVX2, AVX-512" : cpu.hasAvx2() ? "AVX2" : "neither AVX2 nor AVX-512";
    }

    private String bestClassifier() {
        return NativeJar.on(Launcher.classPath())
                .map(jar -> "; for this CPU: " + jar.platform()
                        + (cpu.hasAvx512() ? "-onednn-avx512" : cpu.hasAvx2() ? "-onednn-avx2" : "-onednn"))
                .orElse("");
    }
}
