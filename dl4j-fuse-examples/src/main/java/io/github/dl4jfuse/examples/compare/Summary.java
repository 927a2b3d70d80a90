package io.github.dl4jfuse.examples.compare;

import io.github.dl4jfuse.examples.compare.RunRecord.Checkpoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * The figures of one workload: for each family the member with the lowest median validation loss, measured against the
 * baseline's. A failed run counts as infinitely bad; the test set chooses nothing.
 *
 * @param workload its name
 * @param target the baseline's median final training loss, which the others have to reach
 * @param rows one for each family, the baseline first
 */
public record Summary(String workload, double target, List<Row> rows) {

    /** Median, lowest and highest value over the seeds. */
    public record Spread(double median, double lowest, double highest) {

        static Spread of(List<RunRecord> runs, ToDoubleFunction<RunRecord> value) {
            List<Double> sorted =
                    runs.stream().map(value::applyAsDouble).sorted().toList();
            int n = sorted.size();
            double middle = n % 2 == 1 ? sorted.get(n / 2) : (sorted.get(n / 2 - 1) + sorted.get(n / 2)) / 2;
            return new Spread(middle, sorted.get(0), sorted.get(n - 1));
        }
    }

    /**
     * The figures of one contestant.
     *
     * @param contestant its name
     * @param members how many members of its family were tried
     * @param runs its runs
     * @param failures how many of them failed
     * @param trainingLoss final training loss
     * @param testLoss final test loss
     * @param testAccuracy final test accuracy, NaN without classes
     * @param reached how many of them reached the target
     * @param gradientsToTarget gradient evaluations until the target was reached, infinite where it wasn't
     * @param secondsToTarget seconds of training until then
     * @param millisecondsPerGradient training time over gradient evaluations
     */
    public record Row(
            String contestant,
            int members,
            List<RunRecord> runs,
            long failures,
            Spread trainingLoss,
            Spread testLoss,
            Spread testAccuracy,
            long reached,
            Spread gradientsToTarget,
            Spread secondsToTarget,
            double millisecondsPerGradient) {}

    /** Summarises all runs, workload by workload. A workload without the baseline is compared with its first family. */
    public static List<Summary> of(List<RunRecord> runs) {
        Map<String, List<RunRecord>> byWorkload = runs.stream()
                .collect(Collectors.groupingBy(RunRecord::workload, LinkedHashMap::new, Collectors.toList()));
        List<Summary> all = new ArrayList<>();
        byWorkload.forEach((workload, its) -> all.add(summarise(workload, its)));
        return all;
    }

    private static Summary summarise(String workload, List<RunRecord> runs) {
        Map<String, Map<String, List<RunRecord>>> families = runs.stream()
                .collect(Collectors.groupingBy(
                        RunRecord::family,
                        LinkedHashMap::new,
                        Collectors.groupingBy(RunRecord::contestant, LinkedHashMap::new, Collectors.toList())));
        String baseline = families.containsKey(Contestant.BASELINE)
                ? Contestant.BASELINE
                : families.keySet().iterator().next();
        double target = Spread.of(best(families.get(baseline)), run -> orInfinity(run, Checkpoint::trainingLoss))
                .median();
        List<Row> rows = new ArrayList<>();
        rows.add(row(families.get(baseline), target));
        families.forEach((family, members) -> {
            if (!family.equals(baseline)) {
                rows.add(row(members, target));
            }
        });
        return new Summary(workload, target, rows);
    }

    private static List<RunRecord> best(Map<String, List<RunRecord>> members) {
        return members.values().stream()
                .min(Comparator.comparingDouble(runs -> Spread.of(
                                runs, run -> orInfinity(run, Checkpoint::validationLoss))
                        .median()))
                .orElseThrow();
    }

    private static Row row(Map<String, List<RunRecord>> members, double target) {
        List<RunRecord> runs = best(members);
        return new Row(
                runs.get(0).contestant(),
                members.size(),
                runs,
                runs.stream().filter(RunRecord::failed).count(),
                Spread.of(runs, run -> orInfinity(run, Checkpoint::trainingLoss)),
                Spread.of(runs, run -> orInfinity(run, Checkpoint::testLoss)),
                Spread.of(runs, run -> run.end().testAccuracy()),
                runs.stream()
                        .filter(run -> Double.isFinite(reached(run, target, Checkpoint::gradients)))
                        .count(),
                Spread.of(runs, run -> reached(run, target, Checkpoint::gradients)),
                Spread.of(runs, run -> reached(run, target, Checkpoint::seconds)),
                Spread.of(
                                runs,
                                run -> 1e3
                                        * run.end().seconds()
                                        / Math.max(1, run.end().gradients()))
                        .median());
    }

    private static double orInfinity(RunRecord run, ToDoubleFunction<Checkpoint> value) {
        double last = value.applyAsDouble(run.end());
        return run.failed() || Double.isNaN(last) ? Double.POSITIVE_INFINITY : last;
    }

    private static double reached(RunRecord run, double target, ToDoubleFunction<Checkpoint> cost) {
        return run.checkpoints().stream()
                .filter(checkpoint -> checkpoint.trainingLoss() <= target)
                .mapToDouble(cost)
                .findFirst()
                .orElse(Double.POSITIVE_INFINITY);
    }

    /**
     * Returns the geometric mean over the workloads of how many times sooner than the baseline a family reaches the
     * target, by medians; empty if it does not reach it everywhere.
     */
    public static OptionalDouble speedup(List<Summary> summaries, String family, ToDoubleFunction<Row> cost) {
        double logs = 0;
        for (Summary summary : summaries) {
            double baseline = cost.applyAsDouble(summary.rows().get(0));
            double ours = summary.rows().stream()
                    .filter(row -> row.runs().get(0).family().equals(family))
                    .mapToDouble(cost)
                    .findFirst()
                    .orElse(Double.POSITIVE_INFINITY);
            logs += Math.log(baseline / ours);
        }
        double mean = Math.exp(logs / summaries.size());
        return mean > 0 && Double.isFinite(mean) ? OptionalDouble.of(mean) : OptionalDouble.empty();
    }
}
