package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * The figures of one workload: for each family the member with the lowest median validation loss, measured against the
 * baseline's. A failed run counts as infinitely bad and reaches nothing; the test set chooses nothing.
 *
 * @param workload its name
 * @param targetLoss the baseline's median final training loss, which the others have to reach
 * @param targetTest the baseline's median final test accuracy, or test loss without classes
 * @param rows one for each family, the baseline first
 * @param tuning the runs with the tuning seed
 */
public record Summary(String workload, double targetLoss, double targetTest, List<Row> rows, List<RunRecord> tuning) {

    /** Median, lowest and highest value over the seeds. */
    public record Spread(double median, double lowest, double highest) {

        static Spread of(List<RunRecord> runs, ToDoubleFunction<RunRecord> value) {
            return of(runs.stream().mapToDouble(value));
        }

        static Spread of(DoubleStream values) {
            double[] sorted = values.sorted().toArray();
            int n = sorted.length;
            double middle = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
            return new Spread(middle, sorted[0], sorted[n - 1]);
        }
    }

    /**
     * What it took to reach a target.
     *
     * @param reached how many runs did
     * @param gradients gradient evaluations until then, infinite where it was not reached
     * @param seconds seconds of training until then, infinite where it was not reached
     */
    public record Cost(long reached, Spread gradients, Spread seconds) {

        private static Cost of(List<RunRecord> runs, Predicate<Checkpoint> target) {
            return new Cost(
                    runs.stream()
                            .filter(run -> Double.isFinite(until(run, target, Checkpoint::gradients)))
                            .count(),
                    Spread.of(runs, run -> until(run, target, Checkpoint::gradients)),
                    Spread.of(runs, run -> until(run, target, Checkpoint::seconds)));
        }
    }

    /**
     * The figures of one contestant.
     *
     * @param contestant its name
     * @param family its family
     * @param tried how many members of its family were tried
     * @param runs its runs
     * @param failures how many of them failed
     * @param trainingLoss final training loss
     * @param testLoss final test loss
     * @param testAccuracy final test accuracy, NaN without classes
     * @param toLoss cost of the target training loss
     * @param toTest cost of the target test accuracy or loss
     * @param millisecondsPerStep training time over steps, median
     * @param extraBytes what the optimiser keeps
     */
    public record Row(
            String contestant,
            String family,
            int tried,
            List<RunRecord> runs,
            long failures,
            Spread trainingLoss,
            Spread testLoss,
            Spread testAccuracy,
            Cost toLoss,
            Cost toTest,
            double millisecondsPerStep,
            long extraBytes) {}

    /** Summarises all runs, workload by workload. A workload without the baseline is compared with its first family. */
    public static List<Summary> of(List<RunRecord> runs) {
        Map<String, List<RunRecord>> byWorkload = runs.stream()
                .collect(Collectors.groupingBy(RunRecord::workload, LinkedHashMap::new, Collectors.toList()));
        List<Summary> all = new ArrayList<>();
        byWorkload.forEach((workload, its) -> all.add(summarise(workload, its)));
        return all;
    }

    private static Summary summarise(String workload, List<RunRecord> all) {
        List<RunRecord> tuning =
                all.stream().filter(run -> run.seed() == RunRecord.TUNING_SEED).toList();
        Map<String, Map<String, List<RunRecord>>> families = all.stream()
                .filter(run -> run.seed() != RunRecord.TUNING_SEED)
                .collect(Collectors.groupingBy(
                        RunRecord::family,
                        LinkedHashMap::new,
                        Collectors.groupingBy(RunRecord::contestant, LinkedHashMap::new, Collectors.toList())));
        String baseline = families.containsKey(Family.BASELINE)
                ? Family.BASELINE
                : families.keySet().iterator().next();
        List<RunRecord> best = best(families.get(baseline));
        double targetLoss = Spread.of(best, run -> orInfinity(run, Checkpoint::trainingLoss))
                .median();
        boolean classes = !Double.isNaN(best.get(0).end().testAccuracy());
        double targetTest = Spread.of(
                        best, classes ? run -> run.end().testAccuracy() : run -> orInfinity(run, Checkpoint::testLoss))
                .median();
        Predicate<Checkpoint> reachesLoss = c -> c.trainingLoss() <= targetLoss;
        Predicate<Checkpoint> reachesTest =
                classes ? c -> c.testAccuracy() >= targetTest : c -> c.testLoss() <= targetTest;
        List<Row> rows = new ArrayList<>();
        families.forEach((family, members) -> {
            int tried = Math.max(members.size(), (int)
                    tuning.stream().filter(run -> run.family().equals(family)).count());
            rows.add(family.equals(baseline) ? 0 : rows.size(), row(best(members), tried, reachesLoss, reachesTest));
        });
        return new Summary(workload, targetLoss, targetTest, rows, tuning);
    }

    private static List<RunRecord> best(Map<String, List<RunRecord>> members) {
        return members.values().stream()
                .min(Comparator.comparingDouble(
                        runs -> Spread.of(runs, RunRecord::validation).median()))
                .orElseThrow();
    }

    private static Row row(
            List<RunRecord> runs, int tried, Predicate<Checkpoint> reachesLoss, Predicate<Checkpoint> reachesTest) {
        return new Row(
                runs.get(0).contestant(),
                runs.get(0).family(),
                tried,
                runs,
                runs.stream().filter(RunRecord::failed).count(),
                Spread.of(runs, run -> orInfinity(run, Checkpoint::trainingLoss)),
                Spread.of(runs, run -> orInfinity(run, Checkpoint::testLoss)),
                Spread.of(runs, run -> run.end().testAccuracy()),
                Cost.of(runs, reachesLoss),
                Cost.of(runs, reachesTest),
                Spread.of(runs, run -> 1e3 * run.end().seconds() / Math.max(1, run.steps()))
                        .median(),
                runs.stream().mapToLong(RunRecord::extraBytes).max().orElse(0));
    }

    private static double orInfinity(RunRecord run, ToDoubleFunction<Checkpoint> value) {
        double last = value.applyAsDouble(run.end());
        return run.failed() || Double.isNaN(last) ? Double.POSITIVE_INFINITY : last;
    }

    private static double until(RunRecord run, Predicate<Checkpoint> target, ToDoubleFunction<Checkpoint> cost) {
        return run.failed()
                ? Double.POSITIVE_INFINITY
                : run.checkpoints().stream()
                        .filter(target)
                        .mapToDouble(cost)
                        .findFirst()
                        .orElse(Double.POSITIVE_INFINITY);
    }

    /**
     * Returns the seconds until each run reached the target training loss, in the order of {@link Row#runs}; infinite
     * where it did not.
     */
    List<Double> secondsToLoss(Row row) {
        return row.runs().stream()
                .map(run -> until(run, c -> c.trainingLoss() <= targetLoss, Checkpoint::seconds))
                .toList();
    }
}
