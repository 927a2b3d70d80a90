package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.tools.machine.Cpu;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.NativeJar;
import io.github.dl4jfuse.tools.machine.Setting;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.ToDoubleFunction;

/** {@code doctor --tune}: tries settings in processes of their own, with attached layers, and prints the best one. */
final class Tuning {

    /** Share of the best speed below which the setting in force is called a loss. */
    private static final double TOLERATED = 0.8;

    /** How much faster a setting must be for one kind of network before it is named for that kind. */
    private static final double WORTH_NAMING = 1.05;

    private static final int ROUNDS = 3;

    private final Cpu cpu;
    private final PrintWriter out;
    private final double seconds;
    private final Map<Candidate, Measurement> tried = new LinkedHashMap<>();

    /**
     * Prepares.
     *
     * @param seconds for each of the three benchmarks under one setting
     */
    Tuning(Cpu cpu, PrintWriter out, double seconds) {
        this.cpu = cpu;
        this.out = out;
        this.seconds = seconds;
    }

    /** Tries settings, and returns the exit code: 1 where the setting in force loses too much. */
    int run(Candidate inForce) {
        Optional<NativeJar> own = NativeJar.on(Launcher.classPath());
        if (own.isEmpty()) {
            out.println("There is no nd4j-native on the class path, so there is nothing to tune.");
            return 0;
        }
        List<NativeJar> jars = own.get().siblings();
        Setting recommended = Setting.recommended(cpu);
        List<Candidate> libraries = jars.stream()
                .filter(jar -> cpu.canRun(jar.extension()))
                .map(jar -> new Candidate(jar.classifier(), recommended, Optional.of(jar)))
                .toList();
        int trials = libraries.size() + variants(libraries.get(0), cpu).size() + 3 * ROUNDS;
        out.printf(
                Locale.ROOT,
                "%nTrying settings, one by one and three of them side by side: about %.0f minutes.%n%n",
                Math.ceil(trials * Candidate.usualSeconds(seconds) / 60));
        heading();
        Candidate best = best(libraries);
        best = best(variants(best, cpu));

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

    /** Returns a setting and those next to it: other kernels, other instructions, other threads. */
    static List<Candidate> variants(Candidate base, Cpu cpu) {
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
        if (cpu.hasAvx512()) {
            variants.add(new Candidate(
                    "oneDNN with AVX2", base.setting().with(Setting.ONEDNN_INSTRUCTIONS, "AVX2"), base.jar()));
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
            measured.ifPresent(one -> tried.put(candidate, one));
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
        out.flush();
    }

    private int verdict(Candidate best, Measurement outOfTheBox, Measurement inForce, Measurement fastest) {
        out.printf(
                Locale.ROOT,
                "%nThe best setting runs the MLP %.1f times and the CNN %.1f times as fast as DL4J out of the box. For your own"
                        + " program:%n%n",
                fastest.mlp() / outOfTheBox.mlp(),
                fastest.cnn() / outOfTheBox.cnn());
        out.println("  " + line(best.setting()));
        best.jar()
                .ifPresent(jar -> out.println("  nd4j-native, classifier " + jar.classifier() + ", version "
                        + jar.version() + "   (this project: mvn -Dnd4j.classifier=" + jar.classifier() + " ..)"));
        out.println("  Acceleration.enable();      // first line of main, before the first network");
        out.println("  Acceleration.attach(net);   // after net.init()");
        out.println();
        forOneKind("dense networks", best, tried, Measurement::mlp).ifPresent(out::println);
        forOneKind("networks of convolutions", best, tried, Measurement::cnn).ifPresent(out::println);
        double share = inForce.over(fastest);
        out.printf(Locale.ROOT, "The setting in force reaches %.0f %% of the best.%n", 100 * share);
        return share < TOLERATED ? 1 : 0;
    }

    /** Returns what starts a JVM under a setting: variables, then java with its options. */
    static String line(Setting setting) {
        StringJoiner line = new StringJoiner(" ");
        setting.environment().forEach((name, value) -> line.add(name + "=" + value));
        line.add("java");
        setting.flags().forEach(line::add);
        return line.add("..").toString();
    }

    /** Returns which setting was faster than the best of all for one kind of network, if one was. */
    static Optional<String> forOneKind(
            String kind, Candidate best, Map<Candidate, Measurement> tried, ToDoubleFunction<Measurement> speed) {
        if (!tried.containsKey(best)) {
            return Optional.empty(); // it failed in its trial, and ran later
        }
        double ofBest = speed.applyAsDouble(tried.get(best));
        return tried.entrySet().stream()
                .max((one, other) ->
                        Double.compare(speed.applyAsDouble(one.getValue()), speed.applyAsDouble(other.getValue())))
                .filter(each -> speed.applyAsDouble(each.getValue()) > WORTH_NAMING * ofBest)
                .map(each -> String.format(
                        Locale.ROOT,
                        "For %s alone, %s was %.2f times as fast in its one trial: %s",
                        kind,
                        each.getKey().name(),
                        speed.applyAsDouble(each.getValue()) / ofBest,
                        line(each.getKey().setting())));
    }
}
