package io.github.dl4jfuse.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.dl4jfuse.tools.Main;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs the benchmarks in rounds, prints Markdown tables of medians with ratios, and draws the chart; or counts what rounding
 * the history costs ({@link HistoryPrecision}), or what faults do to a training ({@link FaultCampaign}), in which no times matter.
 *
 * <pre>
 *   java -jar dl4j-fuse-benchmarks.jar [rounds] [chart.png]
 *   java -jar dl4j-fuse-benchmarks.jar precision
 *   java -jar dl4j-fuse-benchmarks.jar steps [rounds]             only the training steps
 *   java -jar dl4j-fuse-benchmarks.jar layers [rounds] [script]   steps of DL4J, with our layers, and in PyTorch by layers_peer.py
 *   java -jar dl4j-fuse-benchmarks.jar faults [cases] [first seed]  the fault campaign
 * </pre>
 */
public final class Benchmarks {

    private static final int ROUNDS = 3;
    private static final int CASES = 10_000;
    private static final int[] SIZES = {10_000, 100_000, 1_000_000, 10_000_000};
    private static final int USUAL_SIZE = 1_000_000;
    private static final int USUAL_MEMORY = 10;

    /** A size and a memory that are measured. */
    private record History(int n, int memory) {

        /** What follows the name of a benchmark. */
        String suffix() {
            return " " + n + " " + memory;
        }
    }

    private static final List<History> HISTORIES = Stream.concat(
                    Arrays.stream(SIZES).mapToObj(n -> new History(n, USUAL_MEMORY)),
                    Stream.of(5, 20, 50).map(memory -> new History(USUAL_SIZE, memory)))
            .toList();

    /** Beyond this size the elementwise recursion takes seconds for one direction. */
    private static final int LARGEST_ELEMENTWISE = 1_000_000;

    private final Map<String, List<Double>> times = new TreeMap<>();
    private final List<AdamSteps> adamSteps = List.of(AdamSteps.fusePv(), AdamSteps.saddleListener());

    private Benchmarks() {}

    /** Runs everything. */
    public static void main(String[] arguments) throws RunnerException, InterruptedException, IOException {
        Main.keepLogQuiet();
        if (arguments.length > 0 && arguments[0].equals("precision")) {
            print(HistoryPrecision.tables());
            return;
        }
        if (arguments.length > 0 && arguments[0].startsWith("faults")) {
            int cases = arguments.length > 1 ? Integer.parseInt(arguments[1]) : CASES;
            long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : System.currentTimeMillis();
            if (arguments[0].equals("faults-here")) {
                FaultCampaign.runHere(System.out, seed, cases);
                System.exit(0); // whatever hangs
            }
            System.exit(new FaultCampaign(System.out, seed, cases).run() == 0 ? 0 : 1);
        }
        if (arguments.length > 0 && arguments[0].equals("layers")) {
            int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : ROUNDS;
            print(LayerSteps.table(rounds, arguments.length > 2 ? Path.of(arguments[2]) : null));
            return;
        }
        if (arguments.length > 0 && arguments[0].equals("layers-peer")) {
            LayerSteps.serve(arguments[1]);
            return;
        }
        if (arguments.length > 0 && arguments[0].equals("steps")) {
            Benchmarks steps = new Benchmarks();
            int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : ROUNDS;
            for (int round = 0; round < rounds; round++) {
                steps.adamSteps.forEach(AdamSteps::run);
            }
            print(steps.adamStepsTables());
            return;
        }
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : ROUNDS;
        Path chart = Path.of(arguments.length > 1 ? arguments[1] : "lbfgs-cost.png");
        Benchmarks benchmarks = new Benchmarks();
        for (int round = 0; round < rounds; round++) {
            for (History history : HISTORIES) {
                benchmarks.run(history);
            }
            benchmarks.adamSteps.forEach(AdamSteps::run);
        }
        benchmarks.report(chart);
    }

    private String adamStepsTables() {
        return adamSteps.stream().map(AdamSteps::table).collect(Collectors.joining());
    }

    private static ChainedOptionsBuilder options(String include) {
        return new OptionsBuilder()
                .include(include)
                .forks(1)
                .shouldFailOnError(true)
                .jvmArgsAppend("-Xmx2g", "-Dorg.bytedeco.javacpp.maxbytes=8g", "-Djava.awt.headless=true")
                .warmupIterations(2)
                .warmupTime(TimeValue.milliseconds(500))
                .measurementIterations(5)
                .measurementTime(TimeValue.milliseconds(300))
                .timeUnit(TimeUnit.MILLISECONDS);
    }

    private void run(History history) throws RunnerException {
        ChainedOptionsBuilder options =
                options("LbfgsBenchmark").param("n", "" + history.n).param("memory", "" + history.memory);
        if (history.n > LARGEST_ELEMENTWISE || history.memory > USUAL_MEMORY) {
            options.exclude("plainElementwise");
        }
        for (RunResult result : new Runner(options.build()).run()) {
            List<Double> samples = times.computeIfAbsent(
                    result.getPrimaryResult().getLabel() + history.suffix(), key -> new ArrayList<>());
            result.getBenchmarkResults()
                    .forEach(fork -> fork.getIterationResults()
                            .forEach(each -> samples.add(each.getPrimaryResult().getScore())));
        }
    }

    private double median(String name) {
        List<Double> samples = times.get(name);
        return samples == null ? Double.NaN : samples.stream().sorted().toList().get(samples.size() / 2);
    }

    private void report(Path chart) {
        StringBuilder table = new StringBuilder();
        table.append("| n | m | copy twice, ms | history, ms | of the floor | plain BLAS | plain elementwise |\n");
        table.append("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        HISTORIES.forEach(history -> table.append(row(history)));
        print(table + adamStepsTables());
        try {
            Files.write(chart, CostChart.draw(SIZES, name -> median(name), USUAL_MEMORY));
        } catch (IOException e) {
            throw new UncheckedIOException("The chart could not be written to " + chart + ".", e);
        }
    }

    private static void print(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    private String row(History history) {
        String suffix = history.suffix();
        double floor = median("copyTwice" + suffix);
        double ours = median("history" + suffix);
        return String.format(
                Locale.ROOT,
                "| %,d | %d | %.3f | %.3f | %.2f | %s | %s |%n",
                history.n,
                history.memory,
                floor,
                ours,
                ours / floor,
                times(median("plainBlas" + suffix) / ours),
                times(median("plainElementwise" + suffix) / ours));
    }

    private static String times(double ratio) {
        return Double.isNaN(ratio) ? "" : String.format(Locale.ROOT, "%.2f × as long", ratio);
    }
}
