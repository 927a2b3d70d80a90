package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.Terminal;
import io.github.dl4jfuse.tools.compare.Contestant.Swept;
import io.github.dl4jfuse.tools.compare.Family.Tuning;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.Machine;
import io.github.dl4jfuse.tools.networks.Architecture;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares optimisers with swept Adam on one network or on several.
 *
 * <pre>
 *   Comparison.of(configuration, trainData, testData).run();
 * </pre>
 *
 * <p>For each workload, first all members of the swept families run with a seed that only tunes; then the {@value
 * #FINALISTS} best of each family by validation loss, and the families without a sweep, run with seeds 1, 2, .. in turns
 * (A B C, A B C, ..), so that whatever disturbs the machine hits all alike. For one seed all start at the same weights and
 * see the same batches. Every finished run is a line of {@value #RESULTS} in the output folder, beside which the report
 * comes to lie.
 */
public final class Comparison {

    /** How many members of a swept family run with all seeds. */
    public static final int FINALISTS = 3;

    /** Default number of seeds. */
    public static final int DEFAULT_SEEDS = 3;

    /** Default optimizers. */
    public static final List<String> DEFAULT_OPTIMIZERS = List.of(Family.BASELINE, "fuse-pv");

    /** Default output folder. */
    public static final Path DEFAULT_OUT = Path.of("dl4j-fuse-report", "compare");

    /** Name of the results file. */
    static final String RESULTS = "results.jsonl";

    private static final Logger log = LoggerFactory.getLogger(Comparison.class);

    private final List<Workload> workloads;
    private List<Family> families =
            DEFAULT_OPTIMIZERS.stream().map(Family::named).toList();
    private int seeds = DEFAULT_SEEDS;
    private Budget budget;
    private boolean full = true;
    private Path out = DEFAULT_OUT;
    private boolean resume;
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
        // Those that take the baseline's settings come after it.
        families = chosen.stream()
                .sorted(Comparator.comparing(family -> family.tuning() == Tuning.LIKE_BASELINE))
                .toList();
        return this;
    }

    /** Sets what is compared by the names of {@link Family#ALL}. */
    public Comparison optimizers(String... names) {
        return families(Stream.of(names).map(Family::named).toList());
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
        Session session = new Session(new ResultsFile(resultsFile()));
        log.info("Comparing on {}", session.machine);
        List<RunRecord> runs = session.all();
        List<Summary> summaries = Summary.of(runs);
        return new CompareReport(summaries, runs, command).write(out);
    }

    /** One call of {@link #run}. */
    private final class Session {

        private final ResultsFile results;
        private final String commit = Machine.commit();
        private final String machine;
        private final List<RunRecord> asked = new ArrayList<>();
        private ProgressBar bar;

        Session(ResultsFile results) {
            this.results = results;
            if (Launcher.isDone()) {
                Acceleration.enable();
            }
            machine = Machine.describe();
        }

        /** Does all runs, and returns them and nothing else that the file may hold. */
        List<RunRecord> all() {
            try (ProgressBar shown = Terminal.isPresent() ? progressBar() : null) {
                bar = shown;
                for (Workload workload : workloads) {
                    new Arena(workload).compete();
                }
            }
            return asked;
        }

        private ProgressBar progressBar() {
            long asked = families.stream().mapToLong(this::runs).sum();
            long unasked = needsBaselineSweep() ? baseline().members().size() : 0;
            return new ProgressBarBuilder()
                    .setTaskName("Comparing")
                    .setInitialMax(workloads.size() * (asked + unasked))
                    .build();
        }

        private long runs(Family family) {
            int members = family.members().size();
            return switch (family.tuning()) {
                case NONE -> (long) seeds * members;
                case SWEEP -> members + (long) seeds * Math.min(FINALISTS, members);
                case LIKE_BASELINE -> seeds;
            };
        }

        /** All runs on one workload; the data are read when the first run needs them, and forgotten after the last. */
        private final class Arena {

            private final Workload workload;
            private final Budget limit;
            private final Set<String> warm = new HashSet<>();
            private Workload.Split data;
            private String networkPrint;
            private String dataPrint;

            Arena(Workload workload) {
                this.workload = workload;
                limit = budget == null ? workload.budget(full) : budget;
            }

            void compete() {
                List<Contestant> finalists = new ArrayList<>();
                List<RunRecord> baselineSweep = needsBaselineSweep() ? tune(baseline()) : null;
                for (Family family : families) {
                    List<RunRecord> sweep = family.tuning() == Tuning.SWEEP ? tune(family) : List.of();
                    if (family.name().equals(Family.BASELINE)) {
                        baselineSweep = sweep;
                    }
                    finalists.addAll(finalists(family, sweep, baselineSweep));
                }
                for (long seed = 1; seed <= seeds; seed++) {
                    for (Contestant contestant : finalists) {
                        run(contestant, seed);
                    }
                }
            }

            private List<RunRecord> tune(Family family) {
                return family.members().stream()
                        .map(member -> run(member, RunRecord.TUNING_SEED))
                        .sorted(Comparator.comparingDouble(RunRecord::validation))
                        .toList();
            }

            private List<Contestant> finalists(Family family, List<RunRecord> sweep, List<RunRecord> baselineSweep) {
                return switch (family.tuning()) {
                    case NONE -> family.members();
                    case SWEEP ->
                        sweep.stream()
                                .limit(FINALISTS)
                                .map(run -> member(family, run.contestant()))
                                .toList();
                    case LIKE_BASELINE -> {
                        Swept best = member(baseline(), baselineSweep.get(0).contestant())
                                .swept();
                        yield family.members().stream()
                                .filter(member -> member.swept().equals(best))
                                .toList();
                    }
                };
            }

            private RunRecord run(Contestant contestant, long seed) {
                RunRecord.Key key = new RunRecord.Key(workload.name(), full, contestant.name(), seed, limit.toString());
                RunRecord run = results.find(key, () -> fingerprint(contestant)).orElse(null);
                if (run == null) {
                    run = record(contestant, seed);
                    results.add(run);
                    if (bar != null) {
                        bar.step();
                    }
                } else if (bar != null) {
                    bar.maxHint(bar.getMax() - 1);
                }
                asked.add(run);
                return run;
            }

            private void prepare() {
                if (data == null) {
                    data = workload.data(full);
                    networkPrint = Fingerprint.of(workload);
                    dataPrint = Fingerprint.of(workload, data);
                }
            }

            private Fingerprint fingerprint(Contestant contestant) {
                prepare();
                String updater;
                try {
                    updater = Fingerprint.of(contestant, contestant.updater().apply(() -> 0));
                } catch (RuntimeException | Error e) {
                    updater = "fails"; // as its run will
                }
                return new Fingerprint(networkPrint, dataPrint, updater);
            }

            private Runner.Course course(Contestant contestant, long seed) {
                Runner runner = new Runner(workload, data, limit);
                try {
                    return runner.run(contestant, seed);
                } catch (RuntimeException | Error e) {
                    log.warn("{} failed before its first step.", contestant.name(), e);
                    return runner.failed(contestant, e);
                }
            }

            private RunRecord record(Contestant contestant, long seed) {
                prepare();
                if (warm.add(contestant.family())) {
                    new Runner(workload, data, limit).warmUp(contestant, seed);
                }
                Runner.Course course = course(contestant, seed);
                return new RunRecord(
                        workload.name(),
                        full,
                        workload.description() + ". " + data.inWords(),
                        contestant.name(),
                        contestant.family(),
                        course.settings(),
                        seed,
                        limit.toString(),
                        commit,
                        machine,
                        course.failure(),
                        course.steps(),
                        course.extraBytes(),
                        new Fingerprint(networkPrint, dataPrint, course.updater()),
                        course.checkpoints());
            }
        }
    }

    private Family baseline() {
        return families.stream()
                .filter(family -> family.name().equals(Family.BASELINE))
                .findFirst()
                .orElseGet(() -> Family.named(Family.BASELINE));
    }

    /** Whether someone takes the baseline's best settings although the baseline itself takes no part. */
    private boolean needsBaselineSweep() {
        return !families.contains(baseline())
                && families.stream().anyMatch(family -> family.tuning() == Tuning.LIKE_BASELINE);
    }

    private static Contestant member(Family family, String name) {
        return family.members().stream()
                .filter(member -> Objects.equals(member.name(), name))
                .findFirst()
                .orElseThrow();
    }
}
