package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.SmallTable;
import io.github.dl4jfuse.datasets.SmallTable.Task;
import io.github.dl4jfuse.datasets.SmallTables;
import io.github.dl4jfuse.datasets.TableSplit;
import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Significance.Difference;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import io.github.dl4jfuse.tools.compare.Summary.Spread;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The figures of small tables: every contestant against the baseline by the test metric at the end, split by split. The
 * metric is the accuracy in per cent, or 100 R² with R² = 1 - L / v of the mean squared error L and the variance v of the
 * standardised labels, both over the test part of the split, and at least {@value #LEAST_R2}. The seeds of a split are averaged first. A failed run counts
 * as infinitely bad.
 *
 * @param raw whether inputs were in their own units
 * @param tables one for each table, in the order of the comparison
 */
public record TableSummary(boolean raw, List<Table> tables) {

    /** A p below it, corrected for the number of tables, makes a difference count. */
    static final double LEVEL = 0.05;

    /** Where both accuracies are above it, in per cent, few examples are left to differ in, and the log loss tells more. */
    static final double NEARLY_PERFECT = 97;

    /** A lower R² counts as this: such a network is of no use, and how bad it is must not hide all other splits. */
    static final double LEAST_R2 = -1;

    private static final double WORST = Double.NEGATIVE_INFINITY;

    /**
     * One table.
     *
     * @param title its name
     * @param classes whether the metric is an accuracy; otherwise it is R²
     * @param splits number of splits
     * @param entries one for each family, the baseline first
     */
    public record Table(String title, boolean classes, int splits, List<Entry> entries) {

        /** Returns the baseline's entry. */
        Entry baseline() {
            return entries.get(0);
        }

        List<Entry> rivals() {
            return entries.subList(1, entries.size());
        }

        Entry of(String family) {
            return entries.stream()
                    .filter(entry -> entry.family().equals(family))
                    .findFirst()
                    .orElseThrow();
        }

        private Table map(UnaryOperator<Entry> change) {
            return new Table(
                    title, classes, splits, entries.stream().map(change).toList());
        }

        /** Returns whether accuracies are so high that the log loss is to be looked at. */
        boolean nearlyPerfect(Entry entry) {
            return classes && entry.test() > NEARLY_PERFECT && baseline().test() > NEARLY_PERFECT;
        }
    }

    /**
     * One contestant on one table.
     *
     * @param family whose it is; its settings differ from split to split
     * @param test mean over the splits, in points; minus infinity if a run failed
     * @param difference to the baseline, in points, with the error corrected for overlapping splits; null for the baseline
     *     itself, of a single split, or if a run of either failed
     * @param p that of the difference after Holm, over all tables; NaN where there is none
     * @param loss mean of the test loss over the splits
     * @param lossDifference the baseline's loss less its own, so that positive is better; as the difference
     * @param failures how many runs failed
     * @param runs number of runs
     */
    public record Entry(
            String family,
            double test,
            Difference difference,
            double p,
            double loss,
            Difference lossDifference,
            long failures,
            int runs) {

        private Entry withP(double corrected) {
            return new Entry(family, test, difference, corrected, loss, lossDifference, failures, runs);
        }

        /** Returns 1 if it is better than the baseline beyond chance, -1 if worse, else 0. */
        int verdict() {
            return p < LEVEL ? (int) Math.signum(difference.mean()) : 0;
        }
    }

    /** The splits of one table, the variances of their test labels, and the sizes of the parts, which all splits share. */
    private record Splits(SmallTables about, List<Summary> summaries, double[] variances, int training, int tested) {

        static Splits of(SmallTables about, List<Summary> summaries) {
            SmallTable table = about.load();
            List<TableSplit> parts = summaries.stream()
                    .map(summary -> table.split(name(summary).split(), true))
                    .toList();
            return new Splits(
                    about,
                    summaries,
                    parts.stream()
                            .mapToDouble(
                                    part -> part.test().getLabels().var(false).getDouble(0))
                            .toArray(),
                    parts.get(0).training().numExamples(),
                    parts.get(0).test().numExamples());
        }

        boolean classes() {
            return about.task() == Task.CLASSIFICATION;
        }

        List<String> families() {
            return summaries.get(0).rows().stream().map(Row::family).distinct().toList();
        }

        /** Returns the runs of a family, split by split. */
        List<List<RunRecord>> runs(String family) {
            return summaries.stream()
                    .map(summary -> summary.rows().stream()
                            .filter(row -> row.family().equals(family))
                            .findFirst()
                            .orElseThrow()
                            .runs())
                    .toList();
        }

        /** Returns the test metric in points, split by split. */
        double[] metrics(String family) {
            return means(
                    family,
                    split -> end -> classes()
                            ? 100 * end.testAccuracy()
                            : 100 * Math.max(LEAST_R2, 1 - end.testLoss() / variances[split]));
        }

        /** Returns minus the test loss, split by split, so that higher is better here too. */
        double[] losses(String family) {
            return means(family, split -> end -> -end.testLoss());
        }

        private double[] means(String family, IntFunction<ToDoubleFunction<Checkpoint>> ofSplit) {
            List<List<RunRecord>> runs = runs(family);
            return IntStream.range(0, runs.size())
                    .mapToDouble(split -> runs.get(split).stream()
                            .mapToDouble(run -> run.failed()
                                    ? WORST
                                    : orWorst(ofSplit.apply(split).applyAsDouble(run.end())))
                            .average()
                            .orElseThrow())
                    .toArray();
        }

        private static double orWorst(double value) {
            return Double.isNaN(value) ? WORST : value;
        }

        Difference difference(double[] ours, double[] theirs) {
            boolean comparable = ours.length > 1
                    && DoubleStream.concat(Arrays.stream(ours), Arrays.stream(theirs))
                            .allMatch(Double::isFinite);
            return comparable ? Significance.overSplits(ours, theirs, training, tested) : null;
        }
    }

    /** Returns the figures of the summaries that are splits of tables: one for standardised inputs, one for raw ones. */
    public static List<TableSummary> of(List<Summary> summaries) {
        Map<Boolean, List<Summary>> byInputs = summaries.stream()
                .filter(summary -> Tables.isSplit(summary.workload()))
                .collect(
                        Collectors.groupingBy(summary -> name(summary).raw(), LinkedHashMap::new, Collectors.toList()));
        List<TableSummary> all = new ArrayList<>();
        byInputs.forEach((raw, its) -> all.add(new TableSummary(raw, corrected(tables(its)))));
        return all;
    }

    private static Tables.Name name(Summary summary) {
        return Tables.Name.of(summary.workload()).orElseThrow();
    }

    private static List<Table> tables(List<Summary> summaries) {
        List<Table> tables = new ArrayList<>();
        summaries.stream()
                .collect(Collectors.groupingBy(
                        summary -> name(summary).table(), LinkedHashMap::new, Collectors.toList()))
                .forEach((about, splits) -> tables.add(table(Splits.of(about, splits))));
        return tables;
    }

    private static Table table(Splits splits) {
        List<String> families = splits.families();
        return new Table(
                splits.about().title(),
                splits.classes(),
                splits.summaries().size(),
                families.stream()
                        .map(family -> entry(splits, family, families.get(0)))
                        .toList());
    }

    private static Entry entry(Splits splits, String family, String baseline) {
        boolean isRival = !family.equals(baseline);
        double[] metrics = splits.metrics(family);
        double[] losses = splits.losses(family);
        List<RunRecord> runs =
                splits.runs(family).stream().flatMap(List::stream).toList();
        return new Entry(
                family,
                mean(metrics),
                isRival ? splits.difference(metrics, splits.metrics(baseline)) : null,
                Double.NaN,
                -mean(losses),
                isRival ? splits.difference(losses, splits.losses(baseline)) : null,
                runs.stream().filter(RunRecord::failed).count(),
                runs.size());
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    /** Corrects the p of each family for the number of tables. One that cannot be told stays a question: it counts as 1. */
    private static List<Table> corrected(List<Table> tables) {
        Map<String, double[]> corrected = new HashMap<>();
        tables.stream()
                .flatMap(table -> table.rivals().stream())
                .map(Entry::family)
                .distinct()
                .forEach(family -> corrected.put(
                        family,
                        Significance.holm(tables.stream()
                                .map(table -> table.of(family).difference())
                                .mapToDouble(difference -> difference == null ? 1 : difference.p())
                                .toArray())));
        return IntStream.range(0, tables.size())
                .mapToObj(i -> tables.get(i)
                        .map(entry -> entry.difference() == null
                                ? entry
                                : entry.withP(corrected.get(entry.family())[i])))
                .toList();
    }

    /** Returns all families but the baseline. */
    List<String> rivals() {
        return tables.get(0).rivals().stream().map(Entry::family).toList();
    }

    /**
     * Returns the median over the tables of a family's difference to the baseline, in points. Where only one of both failed it
     * is infinite; where both failed there is none. NaN where there is none on any table.
     */
    double medianDifference(String family) {
        return Spread.of(tables.stream()
                        .mapToDouble(table ->
                                table.of(family).test() - table.baseline().test())
                        .filter(difference -> !Double.isNaN(difference)))
                .median();
    }

    /** Returns on how many tables a family is better (1) or worse (-1) than the baseline beyond chance. */
    long count(String family, int verdict) {
        return tables.stream()
                .filter(table -> table.of(family).verdict() == verdict)
                .count();
    }
}
