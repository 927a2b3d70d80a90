package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.SmallTable;
import io.github.dl4jfuse.datasets.SmallTables;
import io.github.dl4jfuse.datasets.TableSplit;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Small tables as workloads: each split of a table is one, named such as "table:iris#3" or "table-raw:iris#3". They are
 * judged by their test metric at the end and by nothing else: a run takes a second or so.
 */
final class Tables {

    /** Names all tables, with standardised inputs. */
    static final String ALL = "tables";

    /** Names all tables, with inputs in their own units. */
    static final String ALL_RAW = "tables-raw";

    /** Seeds on each split unless the user says otherwise. */
    static final int SEEDS = 2;

    private static final String ONE = "table:";
    private static final String ONE_RAW = "table-raw:";
    private static final Pattern NAME = Pattern.compile("(" + ONE + "|" + ONE_RAW + ")(.+)#(\\d+)");

    private static final int BATCH = 32;
    private static final int EPOCHS = 60;
    private static final int FAST_EPOCHS = 20;
    private static final int UNITS = 64;

    private Tables() {}

    /**
     * What the name of a workload says.
     *
     * @param table which one
     * @param raw whether inputs stay in their own units
     * @param split from 0
     */
    record Name(SmallTables table, boolean raw, int split) {

        /** Reads the name of a workload; empty where it is none of a table. */
        static Optional<Name> of(String workload) {
            Matcher parts = NAME.matcher(workload);
            return parts.matches()
                    ? Optional.of(new Name(
                            SmallTables.named(parts.group(2)),
                            parts.group(1).equals(ONE_RAW),
                            Integer.parseInt(parts.group(3))))
                    : Optional.empty();
        }

        @Override
        public String toString() {
            return (raw ? ONE_RAW : ONE) + table.title() + "#" + split;
        }
    }

    /** Returns whether a workload is a split of a table. */
    static boolean isSplit(String workload) {
        return NAME.matcher(workload).matches();
    }

    /** Returns the names for the command line, each with what it stands for. */
    static Map<String, String> list() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put(ALL, "All of the small tables below, " + SmallTable.SPLITS + " splits each, standardised inputs");
        names.put(ALL_RAW, "The same with inputs in their own units; one of them: " + ONE_RAW + "NAME");
        for (SmallTables table : SmallTables.values()) {
            names.put(ONE + table.title(), table.description());
        }
        return names;
    }

    /**
     * Returns the workloads that a name on the command line stands for: all splits of all tables, or of one.
     *
     * @return empty where it does not name tables
     * @throws IllegalArgumentException if there is no such table
     */
    static List<Workload> named(String name) {
        boolean raw = name.equals(ALL_RAW) || name.startsWith(ONE_RAW);
        Stream<SmallTables> tables = Stream.empty();
        if (name.equals(ALL) || name.equals(ALL_RAW)) {
            tables = Stream.of(SmallTables.values());
        } else if (name.startsWith(ONE) || name.startsWith(ONE_RAW)) {
            tables = Stream.of(SmallTables.named(name.substring(name.indexOf(':') + 1)));
        }
        return tables.flatMap(table -> of(table, raw, SmallTable.SPLITS).stream())
                .toList();
    }

    /** Returns the first splits of a table. */
    static List<Workload> of(SmallTables about, boolean raw, int splits) {
        SmallTable table = about.load();
        return IntStream.range(0, splits)
                .mapToObj(split -> of(table, new Name(about, raw, split)))
                .toList();
    }

    private static Workload of(SmallTable table, Name name) {
        int inputs = table.columns().size();
        int classes = table.classes().size();
        int training = table.split(name.split(), false).training().numExamples();
        return new Workload(
                name.toString(),
                String.format(
                        Locale.ROOT,
                        "%s; split %d, %s inputs, %d-%d-%d-%d ReLU, %s, batch %d",
                        name.table().description(),
                        name.split(),
                        name.raw() ? "raw" : "standardised",
                        inputs,
                        UNITS,
                        UNITS,
                        Math.max(1, classes),
                        classes > 0 ? "cross-entropy" : "squared loss on standardised labels",
                        BATCH),
                new long[] {inputs},
                BATCH,
                Workloads.epochs(FAST_EPOCHS, training, BATCH),
                Workloads.epochs(EPOCHS, training, BATCH),
                1,
                classes > 0,
                false,
                full -> split(table, name),
                seed -> Architecture.of(Networks.dense(
                        Networks.builder(seed, WeightInit.RELU, Activation.RELU),
                        inputs,
                        new int[] {UNITS, UNITS},
                        classes > 0 ? Networks.classes(classes) : number())));
    }

    private static OutputLayer.Builder number() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(1)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.IDENTITY);
    }

    private static Split split(SmallTable table, Name name) {
        TableSplit parts = table.split(name.split(), !name.raw());
        String title = name.table().title();
        return new Split(
                Examples.of(title, parts.training()),
                Examples.of(title, parts.validation()),
                Examples.of(title, parts.test()));
    }
}
