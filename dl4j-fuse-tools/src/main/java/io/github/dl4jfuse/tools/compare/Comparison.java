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

    /** Default number of seeds. */
    public static final int DEFAULT_SEEDS = 5;

    /** Default optimizers. */
    public static final List<String> DEFAULT_OPTIMIZERS = List.of(Family.BASELINE, "preconditioned");

    /** Default output folder. */
    public static final Path DEFAULT_OUT = Path.of("dl4j-fuse-report", "compare");

    /** Name of the results file. */
    static final String RESULTS = "results.jsonl";

    private static final Logger log = LoggerFactory.getLogger(Comparison.class);

    private final List<Workload> workloads;
    private List<Family> families =
            DEFAULT_OPTIMIZERS.stream().map(Families::named).toList();
    private int seeds = DEFAULT_SEEDS;
    private int trials = Families.DEFAULT_TRIALS;
    private List<Double> shares = Tournament.SHARES;
    private int workers = 1;
    private boolean clocked = true;
    private Budget budget;
    private boolean full = true;
    private Path out = DEFAULT_OUT;
    private boolean resume;
    private Path peer;
    private String command = "";

    /**
     * What came out.
     *
     * @param summaries the figures, workload by workload
     * @param runs the runs they are made of
     * @param report the HTML file, or results.md where this Java cannot draw; results.md, results.csv and results.jsonl lie beside it
     * @param markdown the tables
     */
    public record Outcome(List<Summary> summaries, List<RunRecord> runs, Path report, String markdown) {}

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

    /** Sets what is compared by the names of {@link Family#ALL}. */
    public Comparison optimizers(String... names) {
        return families(Stream.of(names).map(Families::named).toList());
    }

    /** Adds an optimiser of one's own at its own settings. */
    public Comparison with(Contestant contestant) {
        return families(Stream.concat(families.stream(), Stream.of(Family.of(contestant)))
                .toList());
    }

    /** Sets the number of seeds, from 1 to 999; default {@value #DEFAULT_SEEDS}. */
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

    /** Sets the parts of the budget that every contestant runs, each with a schedule of its own; default 1, 1/2, 1/4, 1/8. */
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
        List<Summary> summaries = Summary.of(runs, costs);
        return new CompareReport(summaries, runs, costs, command).write(out);
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
        Tournament tournament =
                new Tournament(workload, plan(workload, other), results, Machine.commit(), machine, progress);
        tournament.compete();
        return tournament;
    }

    private Peer newPeer() {
        return peer == null ? null : new Peer(peer);
    }

    private Tournament.Plan plan(Workload workload, Peer other) {
        return new Tournament.Plan(
                other == null
                        ? families
                        : Stream.concat(families.stream(), Stream.of(Peer.family()))
                                .toList(),
                trials,
                seeds,
                shares,
                budget == null ? workload.budget(full) : budget,
                full,
                workers,
                clocked,
                other);
    }

    private ProgressBar progressBar() {
        return new ProgressBarBuilder()
                .setTaskName("Comparing")
                .setInitialMax(workloads.stream()
                        .mapToLong(workload -> plan(workload, newPeer()).runs())
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
