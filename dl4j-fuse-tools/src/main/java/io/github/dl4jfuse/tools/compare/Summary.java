package io.github.dl4jfuse.tools.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * The figures of one workload: every contestant against the test metric that the baseline ends at. A failed run counts as
 * infinitely bad and reaches nothing; the test set chooses nothing.
 *
 * @param workload its name
 * @param classes whether the metric is an accuracy; otherwise it is minus the loss
 * @param target the baseline's median test metric at the end of the whole budget, higher is better
 * @param rows one for each family, its best contestant by validation, the baseline first
 * @param tuning the runs with the tuning seed
 */
public record Summary(String workload, boolean classes, double target, List<Row> rows, List<RunRecord> tuning) {

    private static final double ROUNDING = 1e-9;

    /** Median, lowest and highest value over the seeds; NaN of nothing. */
    public record Spread(double median, double lowest, double highest) {

        static Spread of(List<RunRecord> runs, ToDoubleFunction<RunRecord> value) {
            return of(runs.stream().mapToDouble(value));
        }

        static Spread of(DoubleStream values) {
            double[] sorted = values.sorted().toArray();
            int n = sorted.length;
            if (n == 0) {
                return new Spread(Double.NaN, Double.NaN, Double.NaN);
            }
            // Not the mean of both where they are equal: the mean of two infinities is none.
            double low = sorted[(n - 1) / 2];
            double high = sorted[n / 2];
            return new Spread(low == high ? low : (low + high) / 2, sorted[0], sorted[n - 1]);
        }
    }

    /**
     * The figures of one contestant.
     *
     * @param contestant its name
     * @param family its family
     * @param tried how many settings of its family were tried
     * @param curves its readings, the longest budget first
     * @param toTarget when it is at the target
     * @param test test metric at the end of the whole budget, higher is better
     * @param atEqualTime the last test metric within the seconds that the baseline's whole budget takes
     * @param trainingLoss final training loss at the whole budget
     * @param failures how many runs failed, at all budgets
     * @param millisecondsPerStep training time over steps
     * @param extraBytes what the optimiser keeps
     */
    public record Row(
            String contestant,
            String family,
            int tried,
            List<Curve> curves,
            TimeToTarget toTarget,
            Spread test,
            double atEqualTime,
            Spread trainingLoss,
            long failures,
            double millisecondsPerStep,
            long extraBytes) {

        /** Returns the runs at the whole budget. */
        public List<RunRecord> runs() {
            return curves.get(0).runs();
        }

        /** Returns the number of runs at all budgets. */
        long allRuns() {
            return curves.stream().mapToLong(curve -> curve.runs().size()).sum();
        }
    }

    /** Summarises runs whose seconds are those on their own clocks. */
    public static List<Summary> of(List<RunRecord> runs) {
        return of(runs, List.of());
    }

    /** Summarises all runs, workload by workload. A workload without the baseline is compared with its first contestant. */
    public static List<Summary> of(List<RunRecord> runs, List<StepCosts> costs) {
        Map<String, List<RunRecord>> byWorkload = runs.stream()
                .collect(Collectors.groupingBy(RunRecord::workload, LinkedHashMap::new, Collectors.toList()));
        List<Summary> all = new ArrayList<>();
        byWorkload.forEach((workload, its) -> all.add(summarise(
                workload,
                its,
                costs.stream().filter(one -> one.workload().equals(workload)).toList())));
        return all;
    }

    private static Summary summarise(String workload, List<RunRecord> all, List<StepCosts> costs) {
        List<RunRecord> tuning =
                all.stream().filter(run -> run.seed() == RunRecord.TUNING_SEED).toList();
        Map<String, List<RunRecord>> contestants = all.stream()
                .filter(run -> run.seed() != RunRecord.TUNING_SEED)
                .collect(Collectors.groupingBy(RunRecord::contestant, LinkedHashMap::new, Collectors.toList()));
        Map<String, StepCosts> costOf =
                costs.stream().collect(Collectors.toMap(StepCosts::contestant, one -> one, (first, second) -> second));
        // All or none: seconds on different clocks are not to be compared.
        boolean clocked = costOf.keySet().containsAll(contestants.keySet());
        Map<String, List<Curve>> curves = new LinkedHashMap<>();
        contestants.forEach((name, runs) -> curves.put(name, curves(runs, clocked ? costOf.get(name) : null)));
        List<String> names = bestOfEachFamily(curves);
        String baseline = names.stream()
                .filter(name -> family(curves.get(name)).equals(Family.BASELINE))
                .findFirst()
                .orElse(names.get(0));
        names.remove(baseline);
        names.add(0, baseline);
        double target = endTest(curves.get(baseline).get(0)).median();
        double whole = wholeSeconds(curves.get(baseline).get(0));
        List<Row> rows = names.stream()
                .map(name -> row(name, curves.get(name), target, whole, tried(all, family(curves.get(name)))))
                .toList();
        boolean classes =
                !Double.isNaN(curves.get(baseline).get(0).runs().get(0).end().testAccuracy());
        return new Summary(workload, classes, target, rows, tuning);
    }

    private static String family(List<Curve> curves) {
        return curves.get(0).runs().get(0).family();
    }

    /** Returns the contestants with the highest median validation of their families, in the order of the families. */
    private static List<String> bestOfEachFamily(Map<String, List<Curve>> curves) {
        Map<String, String> best = new LinkedHashMap<>();
        curves.forEach((name, its) -> best.merge(
                family(its), name, (first, other) -> validation(its) > validation(curves.get(first)) ? other : first));
        return new ArrayList<>(best.values());
    }

    private static double validation(List<Curve> curves) {
        return Spread.of(curves.get(0).runs(), RunRecord::validation).median();
    }

    private static List<Curve> curves(List<RunRecord> runs, StepCosts costs) {
        return runs.stream().collect(Collectors.groupingBy(RunRecord::share)).entrySet().stream()
                .sorted(Map.Entry.<Double, List<RunRecord>>comparingByKey().reversed())
                .map(entry -> new Curve(
                        entry.getKey(),
                        entry.getValue().stream()
                                .sorted(Comparator.comparingLong(RunRecord::seed))
                                .toList(),
                        costs))
                .toList();
    }

    /** Returns the test metric at the end over the seeds of a curve. */
    static Spread endTest(Curve curve) {
        return Spread.of(curve.runs(), run -> orWorst(run, run.end().test()));
    }

    private static double orWorst(RunRecord run, double value) {
        return run.failed() || Double.isNaN(value) ? Double.NEGATIVE_INFINITY : value;
    }

    /** Returns the seconds until the runs of a curve ended. */
    static double wholeSeconds(Curve curve) {
        return Spread.of(curve.runs(), run -> curve.seconds(run.end())).median();
    }

    private static int tried(List<RunRecord> all, String family) {
        return (int) all.stream()
                .filter(run -> run.family().equals(family))
                .map(RunRecord::contestant)
                .distinct()
                .count();
    }

    private static Row row(String name, List<Curve> curves, double target, double wholeSeconds, int tried) {
        Curve whole = curves.get(0);
        String family = family(curves);
        RunRecord first = whole.runs().get(0);
        return new Row(
                name,
                family,
                tried,
                curves,
                TimeToTarget.of(curves, target),
                endTest(whole),
                within(whole, wholeSeconds),
                Spread.of(whole.runs(), run -> -orWorst(run, -run.end().trainingLoss())),
                curves.stream()
                        .flatMap(curve -> curve.runs().stream())
                        .filter(RunRecord::failed)
                        .count(),
                1e3 * wholeSeconds(whole) / Math.max(1, first.steps()),
                whole.runs().stream().mapToLong(RunRecord::extraBytes).max().orElse(0));
    }

    /** The last reading of the median curve within so many seconds. */
    private static double within(Curve curve, double seconds) {
        return curve.medians().stream()
                .filter(point -> point.seconds() <= seconds * (1 + ROUNDING))
                .mapToDouble(Curve.Point::test)
                .reduce(Double.NEGATIVE_INFINITY, (earlier, later) -> later);
    }

    /** Returns whether seconds are steps times their costs, and not those on each run's own clock. */
    boolean isClocked() {
        return baseline().curves().get(0).costs() != null;
    }

    /** Returns the baseline's row. */
    Row baseline() {
        return rows.get(0);
    }

    /** Returns the test metric of a row at the end of the whole budget, seed by seed. */
    static double[] ends(Row row) {
        return row.runs().stream()
                .mapToDouble(run -> orWorst(run, run.end().test()))
                .toArray();
    }

    static boolean areFinite(double[] values) {
        return Arrays.stream(values).allMatch(Double::isFinite);
    }

    /** Wilcoxon's p of the test at the end over all pairs of workload and seed, in parts of the target; NaN if a run failed. */
    static double signedRank(List<Summary> summaries, String family) {
        List<Double> ours = new ArrayList<>();
        List<Double> theirs = new ArrayList<>();
        for (Summary summary : summaries) {
            summary.rows().stream()
                    .filter(row -> row.family().equals(family))
                    .limit(1)
                    .forEach(row -> {
                        for (double end : ends(row)) {
                            ours.add(end / Math.abs(summary.target()));
                        }
                        for (double end : ends(summary.baseline())) {
                            theirs.add(end / Math.abs(summary.target()));
                        }
                    });
        }
        double[] first = ours.stream().mapToDouble(Double::doubleValue).toArray();
        double[] second = theirs.stream().mapToDouble(Double::doubleValue).toArray();
        return first.length < 2 || first.length != second.length || !areFinite(first) || !areFinite(second)
                ? Double.NaN
                : Significance.signedRank(first, second);
    }
}
