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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Says how fast DL4J runs on this machine, why, and what would make it faster. */
@Command(
        name = "doctor",
        description = {
            "Shows what DL4J runs on and how fast, in about 10 seconds; whether it uses the GPU that is there and if not,"
                    + " why; and checks a product, a training step and an L-BFGS step against plain Java.",
            "With --tune it tries other settings in processes of their own, for a few minutes, and prints the best one as"
                    + " lines to copy.",
            "The setting in force is the one that the examples start under; DL4J_FUSE_LAUNCHER=off leaves DL4J as it"
                    + " comes. Exit code 1: the setting in force loses more than 20 % against the best, or does not run; a"
                    + " GPU is there and not used; or the self-test fails."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class DoctorCommand implements Callable<Integer> {

    /** Share of the best speed below which the setting in force is called a loss. */
    private static final double TOLERATED = 0.8;

    private static final int ROUNDS = 3;

    /** Where the driver compiles ND4J's CUDA code first, which is expected to take up to 28 minutes. */
    private static final Duration COMPILATION = Duration.ofMinutes(45);

    @Spec
    private CommandSpec spec;

    @Option(names = "--tune", description = "Try other settings.")
    private boolean tune;

    @Option(names = "--seconds", description = "Seconds for each of the three benchmarks under one setting.")
    private double seconds = 3;

    private final Cpu cpu = Cpu.detect();
    private PrintWriter out;

    @Override
    public Integer call() {
        if (!(seconds > 0 && seconds <= 60)) {
            throw new ParameterException(
                    spec.commandLine(), "--seconds must be positive and at most 60, not " + seconds + ".");
        }
        out = spec.commandLine().getOut();
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
        int tuned = tune ? tune(inForce) : 0;
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
        for (String name : List.of(Setting.OPENMP_THREADS, Setting.BLAS_THREADS, Setting.BLAS_CORE)) {
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

    private int tune(Candidate inForce) {
        Optional<NativeJar> own = NativeJar.on(Launcher.classPath());
        if (own.isEmpty()) {
            out.println("There is no nd4j-native on the class path, so there is nothing to tune.");
            return 0;
        }
        List<NativeJar> jars = own.get().siblings();
        out.printf("%nTrying settings, one by one ..%n%n");
        heading();
        Setting recommended = Setting.recommended(cpu);
        Candidate best = best(jars.stream()
                .filter(jar -> cpu.canRun(jar.extension()))
                .map(jar -> new Candidate(jar.classifier(), recommended, Optional.of(jar)))
                .toList());
        best = best(variants(best));

        out.printf("%nSide by side, medians of %d rounds:%n%n", ROUNDS);
        heading();
        Optional<NativeJar> plain =
                jars.stream().filter(jar -> jar.extension().isEmpty()).findFirst();
        Candidate outOfTheBox = new Candidate("out of the box", Setting.OUT_OF_THE_BOX, plain);
        List<Measurement> medians =
                sideBySide(List.of(outOfTheBox, inForce, new Candidate("best", best.setting(), best.jar())));
        if (medians.size() < 3) {
            out.println("One of them did not run: no verdict.");
            return 1;
        }
        return verdict(best, medians.get(0), medians.get(1), medians.get(2));
    }

    /** The settings next to the given one: other kernels, other threads. */
    private List<Candidate> variants(Candidate base) {
        List<Candidate> variants = new ArrayList<>();
        variants.add(base);
        for (String core : new String[] {null, "Haswell", "Zen", "SkylakeX", "Cooperlake"}) {
            boolean runs = core == null
                    || (core.equals("SkylakeX") && cpu.hasAvx512())
                    || (core.equals("Cooperlake")
                            && cpu.hasAvx512()
                            && cpu.flags().contains("avx512_bf16"))
                    || (!core.endsWith("X") && !core.endsWith("lake") && cpu.hasAvx2());
            Setting setting = base.setting().with(Setting.BLAS_CORE, core);
            if (runs && !setting.equals(base.setting())) {
                String name = core == null ? "kernels as OpenBLAS chooses" : "kernels " + core;
                variants.add(new Candidate(name, setting, base.jar()));
            }
        }
        String all = String.valueOf(Runtime.getRuntime().availableProcessors());
        variants.add(
                new Candidate(all + " OpenMP threads", base.setting().with(Setting.OPENMP_THREADS, all), base.jar()));
        variants.add(new Candidate(all + " BLAS threads", base.setting().with(Setting.BLAS_THREADS, all), base.jar()));
        return variants;
    }

    private Candidate best(List<Candidate> candidates) {
        Candidate best = candidates.get(0);
        Measurement fastest = null;
        for (Candidate candidate : candidates) {
            Optional<Measurement> measured = candidate.measure(seconds);
            print(candidate.name(), measured);
            if (measured.isPresent() && (fastest == null || measured.get().over(fastest) > 1)) {
                best = candidate;
                fastest = measured.get();
            }
        }
        return best;
    }

    private List<Measurement> sideBySide(List<Candidate> candidates) {
        List<List<Measurement>> measured = new ArrayList<>();
        candidates.forEach(candidate -> measured.add(new ArrayList<>()));
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < candidates.size(); i++) {
                candidates.get(i).measure(seconds).ifPresent(measured.get(i)::add);
            }
        }
        List<Measurement> medians = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
            Optional<Measurement> median =
                    measured.get(i).isEmpty() ? Optional.empty() : Optional.of(Measurement.median(measured.get(i)));
            print(candidates.get(i).name(), median);
            median.ifPresent(medians::add);
        }
        return medians;
    }

    private void heading() {
        out.printf("%-32s %10s %14s %14s%n", "setting", "GFLOP/s", "MLP, ex./s", "CNN, ex./s");
    }

    private void print(String name, Optional<Measurement> measured) {
        if (measured.isPresent()) {
            Measurement m = measured.get();
            out.printf(Locale.ROOT, "%-32s %,10.0f %,14.0f %,14.0f%n", name, m.gflops(), m.mlp(), m.cnn());
        } else {
            out.printf("%-32s %s%n", name, "does not run");
        }
    }

    private int verdict(Candidate best, Measurement outOfTheBox, Measurement inForce, Measurement fastest) {
        out.printf(
                Locale.ROOT,
                "%nThe best setting runs the MLP %.1f times and the CNN %.1f times as fast as DL4J out of the box:%n%n",
                fastest.mlp() / outOfTheBox.mlp(),
                fastest.cnn() / outOfTheBox.cnn());
        best.setting().environment().forEach((name, value) -> out.println("  export " + name + "=" + value));
        best.setting().flags().forEach(flag -> out.println("  java " + flag + " .."));
        best.jar()
                .ifPresent(jar -> out.println("  nd4j-native, classifier " + jar.classifier() + ", version "
                        + jar.version() + "   (this project: mvn -Dnd4j.classifier=" + jar.classifier() + " ..)"));
        out.println("  Acceleration.enable();   // first line of main, before the first network");
        double share = inForce.over(fastest);
        out.printf(Locale.ROOT, "%nThe setting in force reaches %.0f %% of that.%n", 100 * share);
        return share < TOLERATED ? 1 : 0;
    }
}
