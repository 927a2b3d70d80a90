package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.ModelFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Compares optimisers with tuned AdamW over workloads and seeds. */
@Command(
        name = "compare",
        description =
                "Compares optimisers with tuned AdamW over several seeds: the time to its test metric, from the same"
                        + " initial weights and batches. Every finished run is kept in results.jsonl.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class CompareCommand implements Callable<Integer> {

    /** What is done with the inputs of workloads that leave the choice. */
    enum Inputs {
        UNIT,
        STANDARDISED
    }

    private static final int OWN_SEEDS = 3;

    private static final int OWN_TRIALS = 9;

    private static final int OWN_BATCH = 32;

    @Spec
    private CommandSpec spec;

    @Option(names = "--workloads", split = ",", description = "Some of those that --list shows.")
    private List<String> workloads =
            Workloads.DEFAULT.stream().map(Workload::name).toList();

    @Option(names = "--optimizers", split = ",", description = "Some of those that --list shows.")
    private List<String> optimizers = Comparison.DEFAULT_OPTIMIZERS;

    @ArgGroup(exclusive = false)
    private Own own;

    /** A network and data of one's own in place of the workloads: all three, or none. */
    static final class Own {

        @Option(
                names = "--model",
                paramLabel = "FILE",
                required = true,
                description = "A saved model: its network is compared, its weights and updaters are not used.")
        private Path model;

        @Option(
                names = "--train",
                paramLabel = "DATA",
                required = true,
                description = "Its training data: a folder of batches that DataSet.save(File) wrote, or a CSV file of"
                        + " numbers, the class or the targets last.")
        private Path train;

        @Option(names = "--test", paramLabel = "DATA", required = true, description = "Its test data, likewise.")
        private Path test;
    }

    @Option(
            names = "--seeds",
            description = "Number of seeds: 1, 2, .. Default: " + Comparison.DEFAULT_SEEDS + ", for tables "
                    + Tables.SEEDS + " on each split, with --model " + OWN_SEEDS + ".",
            showDefaultValue = Visibility.NEVER)
    private Integer seeds;

    @Option(
            names = "--trials",
            description = "Settings that each tuned optimizer tries: 1, 3, 9, 27 or 81. Default: "
                    + Families.DEFAULT_TRIALS + ", with --model " + OWN_TRIALS + ".",
            showDefaultValue = Visibility.NEVER)
    private Integer trials;

    @Option(
            names = "--shares",
            split = ",",
            description = "Parts of the budget that all run, each with a schedule of its own. Default: 1,.5,.25,.125.",
            showDefaultValue = Visibility.NEVER)
    private List<Double> shares = Tournament.SHARES;

    @Option(names = "--workers", description = "Runs at the same time, each on a thread of its own.")
    private int workers = 1;

    @Option(
            names = "--own-clock",
            description =
                    "Take seconds from each run's own clock instead of clocking all optimizers side by side at the end.")
    private boolean ownClock;

    @Option(
            names = "--budget",
            paramLabel = "N|Ns",
            description = "Gradient evaluations (2000) or seconds (30s) for each run. Default: that of the workload.",
            showDefaultValue = Visibility.NEVER)
    private String budget;

    @Option(
            names = "--minutes",
            description = "How long all runs on a workload take, roughly, in place of a budget.",
            showDefaultValue = Visibility.NEVER)
    private Double minutes;

    @Option(
            names = "--batch",
            split = ",",
            description = "Batch sizes for the workloads that leave the choice; each is a workload of its own. Default:"
                    + " that of the workload. With --model and CSV data: the batch, by default 32.",
            showDefaultValue = Visibility.NEVER)
    private List<Integer> batches = List.of();

    @Option(
            names = "--inputs",
            split = ",",
            description = "For images: in [0, 1] (unit), standardised, or both, each a workload of its own.")
    private List<Inputs> inputs = List.of(Inputs.UNIT);

    @Option(
            names = "--rates",
            split = ",",
            description =
                    "AdamW at these rates, linear to 0 over the budget, each with every seed, instead of its tuning: for"
                            + " where time is short. The best of them by validation stands for AdamW.",
            showDefaultValue = Visibility.NEVER)
    private List<Double> rates = List.of();

    @ArgGroup
    private Form form = new Form();

    /** One of two, or none. */
    static final class Form {

        @Option(
                names = "--fast",
                description = "Subsets and short budgets, which take minutes, instead of whole data sets.")
        private boolean fast;

        @Option(names = "--full", description = "Whole data sets, as without it.", hidden = true)
        private boolean full;
    }

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where results and reports go.")
    private Path out = Comparison.DEFAULT_OUT;

    @Option(names = "--resume", description = "Go on with the results in --out.")
    private boolean resume;

    @Option(
            names = "--published",
            paramLabel = "FOLDER",
            description = "Make the tables of the results that are kept in FOLDER again, and nothing else.")
    private Path published;

    @Option(
            names = "--peer",
            paramLabel = "PROGRAM",
            description = "Adds another framework: an executable that trains the same networks, such as"
                    + " dl4j-fuse-tools/src/main/python/compare_peer.py for PyTorch with AdamW.")
    private Path peer;

    @Option(names = "--list", description = "Show workloads and optimizers, and do nothing.")
    private boolean list;

    @Override
    public Integer call() {
        PrintWriter writer = spec.commandLine().getOut();
        if (list) {
            Workloads.ALL.forEach(w -> writer.printf(
                    Locale.ROOT, "%-20s %s%n", w.name(), w.description() + (w.hasVariants() ? " *" : "")));
            writer.println("                     * --batch and --inputs make variants of these");
            Tables.list().forEach((name, description) -> writer.printf(Locale.ROOT, "%-20s %s%n", name, description));
            Families.ALL.forEach(f -> writer.printf(Locale.ROOT, "%-20s %s%n", f.name(), f.description()));
            return 0;
        }
        if (published != null) {
            writer.println(published());
            return 0;
        }
        Comparison comparison = comparison();
        Comparison.Outcome outcome = comparison.run();
        writer.println();
        writer.print(outcome.markdown());
        writer.println();
        if (own != null && optimizers.equals(Comparison.DEFAULT_OPTIMIZERS)) {
            writer.println(Advice.of(outcome.summaries().get(0)));
            writer.println();
        }
        writer.println("Report: " + outcome.report());
        return 0;
    }

    private String published() {
        try {
            PublishedResults.write(published);
            return new PublishedResults(published).overview();
        } catch (IOException e) {
            throw new ParameterException(spec.commandLine(), published + " cannot be written: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private Comparison comparison() {
        try {
            Comparison comparison = Comparison.of(own == null ? named() : List.of(own()))
                    .families(optimizers.stream().map(this::family).toList())
                    .trials(trials != null ? trials : own == null ? Families.DEFAULT_TRIALS : OWN_TRIALS)
                    .shares(shares.toArray(Double[]::new))
                    .workers(workers)
                    .clocked(!ownClock)
                    .full(!form.fast)
                    .out(out)
                    .resume(resume)
                    .command(command());
            if (peer != null) {
                comparison.peer(peer);
            }
            if (seeds != null || own != null) {
                comparison.seeds(seeds != null ? seeds : OWN_SEEDS);
            }
            if (budget != null) {
                comparison.budget(budget);
            }
            if (minutes != null) {
                comparison.minutes(minutes);
            }
            comparison.requireFreshOrResumed();
            return comparison;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private List<Workload> named() {
        Map<String, Workload> each = new LinkedHashMap<>();
        workloads.stream()
                .flatMap(name -> Workloads.allNamed(name).stream())
                .forEach(workload -> each.putIfAbsent(workload.name(), workload));
        return each.values().stream()
                .flatMap(workload -> variants(workload).stream())
                .toList();
    }

    private Workload own() {
        Architecture network = Architecture.of(ModelFile.load(own.model));
        int batch = batches.isEmpty() ? OWN_BATCH : batches.get(0);
        return OwnNetwork.of(
                network,
                new ExistingDataSetIterator(data(own.train, network, batch)),
                new ExistingDataSetIterator(data(own.test, network, batch)));
    }

    private static List<DataSet> data(Path path, Architecture network, int batch) {
        return OwnData.read(path, network.outputUnits(), OwnNetwork.classifies(network), batch);
    }

    /** Returns what makes the report again, without what only says where it goes. */
    private String command() {
        List<String> arguments =
                new ArrayList<>(spec.root().commandLine().getParseResult().originalArgs());
        arguments.remove("--resume");
        int at = arguments.indexOf("--out");
        if (at >= 0) {
            arguments.subList(at, at + 2).clear();
        }
        return "java -jar dl4j-fuse-tools/target/dl4j-fuse.jar " + String.join(" ", arguments);
    }

    private Family family(String name) {
        Family family = Families.named(name);
        if (rates.isEmpty()) {
            return family;
        }
        if (!rates.stream().allMatch(rate -> rate > 0 && Double.isFinite(rate))) {
            throw new IllegalArgumentException("--rates are positive numbers, not " + rates + ".");
        }
        return name.equals(Family.BASELINE) ? Families.baselineAt(rates) : family;
    }

    private List<Workload> variants(Workload workload) {
        if (!workload.hasVariants()) {
            return List.of(workload);
        }
        List<Workload> variants = new ArrayList<>();
        for (int batch : batches.isEmpty() ? List.of(workload.batch()) : batches) {
            if (batch < 1) {
                throw new IllegalArgumentException("A batch has at least one example, not " + batch + ".");
            }
            for (Inputs scale : inputs) {
                variants.add(
                        batch == workload.batch() && scale == Inputs.UNIT
                                ? workload
                                : workload.variant(batch, scale == Inputs.STANDARDISED));
            }
        }
        return variants;
    }
}
