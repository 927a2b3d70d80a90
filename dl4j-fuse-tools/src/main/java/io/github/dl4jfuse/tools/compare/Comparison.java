package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.Terminal;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.Machine;
import io.github.dl4jfuse.tools.networks.Architecture;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares optimisers with tuned AdamW on one network or on several. The clock is the test: a figure is the time until a
 * contestant is for good at the test metric that AdamW ends at.
 *
 * <pre>
 *   Comparison.of(configuration, trainData, testData).run();
 * </pre>
 *
 * <p>For each workload, first every family that is tuned tries as many settings as each other, by successive halving and by
 * the validation set; then all run with seeds 1, 2, .. at several budgets ({@link Tournament}). For one seed all start at
 * the same weights and see the same batches; the test set chooses nothing. Every finished run is a line of {@value #RESULTS}
 * in the output folder, beside which the report comes to lie.
 */
public final class Comparison {

    /** Default number of seeds, but on each split of a small table, which has {@value Tables#SEEDS}. */
    public static final int DEFAULT_SEEDS = 5;

    /** Default optimizers. */
    public static final List<String> DEFAULT_OPTIMIZERS = List.of(Family.BASELINE, "preconditioned");

    /** Default output folder. */
    public static final Path DEFAULT_OUT = Path.of("dl4j-fuse-report", "compare");

    /** Name of the results file. */
    static final String RESULTS = "results.jsonl";

    private static final double SECONDS_PER_MINUTE = 60;

    private static final double TRAINING_PART = 0.7; // the rest is for reading and for the costs of steps

    private static final Logger log = LoggerFactory.getLogger(Comparison.class);

    private final List<Workload> workloads;
    private List<Family> families =
            DEFAULT_OPTIMIZERS.stream().map(Families::named).toList();
    private Integer seeds; // or null: that of the workload
    private int trials = Families.DEFAULT_TRIALS;
    private List<Double> shares = Tournament.SHARES;
    private int workers = 1;
    private boolean clocked = true;
    private Budget budget;
    private double minutes;
    private boolean full = true;
    private Path out = DEFAULT_OUT;
    private boolean resume;
    private Path peer;
    private String command = "";

    /**
     * What came out.
     *
     * @param summaries the figures, workload by workload, but for the splits of small tables
     * @param tables the figures of small tables
     * @param runs the runs they are made of
     * @param report the HTML file, or results.md where this Java cannot draw; results.md, results.csv and results.jsonl lie beside it
     * @param markdown the tables
     */
    public record Outcome(
            List<Summary> summaries, List<TableSummary> tables, List<RunRecord> runs, Path report, String markdown) {}

    private Comparison(List<Workload> workloads) {
        this.workloads = workloads;
    }

    /** Compares on these workloads. */
    public static Comparison of(List<Workload> workloads) {
        if (workloads.isEmpty()) {
            throw new IllegalArgumentException("There is nothing to compare on: name at least one workload.");
        }
        return new Comparison(List.copyOf(workloads));
    }

    /**
     * Compares on a network of one's own. The last batches that hold at least a tenth of the examples, or a tenth of the
     * first batch where there are too few others, are kept apart for validation. Batches stay as the iterator gives them; each seed takes them in another order.
     * Each run may use as many gradient evaluations as {@value OwnNetwork#EPOCHS} epochs have batches.
     *
     * @param configuration the network; updaters and seed are replaced in copies of it
     * @param train training data, read once and kept in memory
     * @param test test data, likewise
     */
    public static Comparison of(MultiLayerConfiguration configuration, DataSetIterator train, DataSetIterator test) {
        return of(List.of(OwnNetwork.of(Architecture.of(configuration), train, test)));
    }

    /** Compares in the same way on a graph of one's own, which has one input and one output, or is refused. */
    public static Comparison of(ComputationGraphConfiguration graph, DataSetIterator train, DataSetIterator test) {
        return of(List.of(OwnNetwork.of(Architecture.of(graph), train, test)));
    }

    /** Sets what is compared; without the baseline among them, the first one takes its part. */
    public Comparison families(List<Family> chosen) {
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("There is nobody to compare: name at least one optimizer.");
        }
        families = List.copyOf(chosen);
        return this;
    }

    /** Sets what is compared by the names of {@link Families#ALL}. */
    public Comparison optimizers(String... names) {
        return families(Stream.of(names).map(Families::named).toList());
    }

    /** Adds an optimiser of one's own at its own settings. */
    public Comparison with(Contestant contestant) {
        return families(Stream.concat(families.stream(), Stream.of(Family.of(contestant)))
                .toList());
    }

    /** Sets the number of seeds, from 1 to 999; default {@value #DEFAULT_SEEDS}, on a split of a small table {@value Tables#SEEDS}. */
    public Comparison seeds(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("At least one seed is needed, not " + count + ".");
        }
        if (count >= RunRecord.TUNING_SEED) {
            throw new IllegalArgumentException("At most " + (RunRecord.TUNING_SEED - 1) + " seeds, not " + count + ".");
        }
        seeds = count;
        return this;
    }

    /** Sets how many settings of each tuned family are tried, 1 or more; default {@value Families#DEFAULT_TRIALS}. */
    public Comparison trials(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("At least one trial is needed, not " + count + ".");
        }
        trials = count;
        return this;
    }

    /**
     * Sets the parts of the budget that every contestant runs, each with a schedule of its own; default 1, 1/2, 1/4, 1/8. On
     * small tables all run the whole budget only.
     */
    public Comparison shares(Double... parts) {
        if (parts.length == 0 || !Stream.of(parts).allMatch(part -> part > 0 && part <= 1)) {
            throw new IllegalArgumentException(
                    "Parts of the budget are numbers above 0 and up to 1, not " + List.of(parts) + ".");
        }
        shares = Stream.of(parts).sorted(Comparator.reverseOrder()).toList();
        return this;
    }

    /** Sets how many runs go on at the same time, each on a thread of its own; default 1. */
    public Comparison workers(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("At least one worker is needed, not " + count + ".");
        }
        workers = count;
        return this;
    }

    /**
     * Sets whether the costs of steps are measured side by side at the end, so that seconds don't depend on what else the
     * machine did while a run went on; default true. Otherwise seconds are those on each run's own clock.
     */
    public Comparison clocked(boolean apart) {
        clocked = apart;
        return this;
    }

    /** Sets what each run may use, such as "2000" gradient evaluations or "30s"; default: that of the workload. */
    public Comparison budget(String text) {
        budget = Budget.parse(text);
        return this;
    }

    /**
     * Sets how long all takes on each workload, roughly: the budget of a run follows from the number of runs and from what a
     * step of the first optimizer takes, clocked for a moment. A comparison that is resumed keeps the budget that it had.
     *
     * @throws IllegalArgumentException if it is not a positive number
     */
    public Comparison minutes(double all) {
        if (!(all > 0 && all < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("A comparison takes a positive number of minutes, not " + all + ".");
        }
        minutes = all;
        return this;
    }

    /** Sets whether whole data sets with long budgets are taken, as by default, or the fast form. */
    public Comparison full(boolean whole) {
        full = whole;
        return this;
    }

    /** Sets the output folder; default {@link #DEFAULT_OUT}. */
    public Comparison out(Path folder) {
        out = folder;
        return this;
    }

    /**
     * Goes on with the results that lie in the output folder. A run there counts where name, seed, budget, network, data
     * and updater are the same; others are done again, and the log says why.
     */
    public Comparison resume(boolean goOn) {
        resume = goOn;
        return this;
    }

    /**
     * Adds another framework: a program that trains the same networks on the same data, such as {@code
     * dl4j-fuse-tools/src/main/python/compare_peer.py} with PyTorch's AdamW, whose row shows what a whole switch would bring.
     * It tries the baseline's settings and runs the same budgets and seeds, and its steps are clocked in turns with the
     * others. Where it fails or does not know a workload, a warning says why, and it is left out there.
     *
     * @param program an executable file; the top of that script says what it is asked
     */
    public Comparison peer(Path program) {
        peer = program;
        return this;
    }

    /** Sets the command that makes the report again, for the report. */
    Comparison command(String line) {
        command = line;
        return this;
    }

    private Path resultsFile() {
        return out.resolve(RESULTS);
    }

    /** Refuses to touch the results of an earlier comparison. */
    void requireFreshOrResumed() {
        if (!resume && Files.exists(resultsFile())) {
            throw new IllegalArgumentException(resultsFile()
                    + " holds results already: add --resume (in Java: resume(true)) to go on with them, or name another"
                    + " folder with --out (in Java: out(folder)).");
        }
    }

    /**
     * Runs what is missing, and writes the report.
     *
     * @throws IllegalArgumentException if there are results already and {@link #resume} is not set, or if the folder cannot
     *     be written
     */
    public Outcome run() {
        requireFreshOrResumed();
        return compare(new ResultsFile(resultsFile()));
    }

    private Outcome compare(ResultsFile results) {
        if (Launcher.isDone()) {
            Acceleration.enable();
        }
        String machine = Machine.describe();
        log.info("Comparing on {}", machine);
        List<RunRecord> runs = new ArrayList<>();
        List<StepCosts> costs = new ArrayList<>();
        try (ProgressBar bar = Terminal.isPresent() ? progressBar() : null) {
            for (Workload workload : workloads) {
                Tournament tournament = compete(workload, results, machine, what -> step(bar, what));
                runs.addAll(tournament.runs());
                costs.addAll(tournament.costs());
            }
        }
        return CompareReport.of(runs, costs, command).write(out);
    }

    private Budget budget(Workload workload, ResultsFile results) {
        if (budget != null) {
            return budget;
        }
        return minutes == 0
                ? workload.budget(full)
                : results.runs().stream()
                        .filter(run -> run.workload().equals(workload.name()) && run.share() == 1)
                        .findFirst()
                        .map(run -> Budget.parse(run.budget()))
                        .orElseGet(() -> inTime(workload));
    }

    /** Returns the budget with which all runs together take the minutes, a part of them kept for reading. */
    private Budget inTime(Workload workload) {
        Contestant first = families.get(0).members().get(0);
        double step = new CostMeter(workload, workload.data(full), workload.budget(full), null).secondsOfAStep(first);
        double wholeRuns = plan(workload, workload.budget(full), null).wholeRuns(workload.tuningShare());
        long gradients = Math.round(SECONDS_PER_MINUTE * minutes * TRAINING_PART * workers / wholeRuns / step);
        log.info(
                "A step takes about {} ms, so each of the longest runs gets {} of them.",
                Math.round(1e4 * step) / 10.0,
                Math.max(1, gradients));
        return Budget.gradients(Math.max(1, gradients));
    }

    private Tournament compete(Workload workload, ResultsFile results, String machine, Consumer<String> progress) {
        if (peer != null) {
            try (Peer other = newPeer()) {
                return compete(workload, results, machine, progress, other);
            } catch (Peer.Failure e) {
                log.warn("{} is left out on {}: {}.", Peer.FAMILY, workload.name(), e.getMessage());
            }
        }
        return compete(workload, results, machine, progress, null);
    }

    private Tournament compete(
            Workload workload, ResultsFile results, String machine, Consumer<String> progress, Peer other) {
        Tournament tournament = new Tournament(
                workload,
                plan(workload, budget(workload, results), other),
                results,
                Machine.commit(),
                machine,
                progress);
        tournament.compete();
        return tournament;
    }

    private Peer newPeer() {
        return peer == null ? null : new Peer(peer);
    }

    private Tournament.Plan plan(Workload workload, Budget each, Peer other) {
        return new Tournament.Plan(
                other == null
                        ? families
                        : Stream.concat(families.stream(), Stream.of(Peer.family()))
                                .toList(),
                trials,
                seeds == null ? workload.seeds() : seeds,
                workload.timed() ? shares : List.of(1.0),
                each,
                full,
                workers,
                workload.timed() && clocked,
                other);
    }

    private ProgressBar progressBar() {
        return new ProgressBarBuilder()
                .setTaskName("Comparing")
                .setInitialMax(workloads.stream()
                        .mapToLong(workload ->
                                plan(workload, Budget.gradients(1), newPeer()).runs())
                        .sum())
                .build();
    }

    private static void step(ProgressBar bar, String what) {
        if (bar != null) {
            bar.step();
            bar.setExtraMessage(what);
        }
    }
}
