package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How many times sooner than the baseline a contestant is at the baseline's final test metric, in seconds: for each workload
 * the ratio of both {@link TimeToTarget}s, and their geometric mean. The interval is a bootstrap over the seeds ({@value
 * #RESAMPLES} seeded resamples, the same seeds drawn for both sides, the target drawn with them; 2.5 and 97.5 per cent).
 *
 * <p>One that never gets there counts its whole time, which flatters it: the ratio is then an upper bound and says so.
 *
 * @param family whose it is
 * @param mean geometric mean of the ratios
 * @param low lower end of the interval
 * @param high upper end
 * @param missed on how many workloads the target was not reached
 * @param workloads number of workloads
 */
public record Speedup(String family, double mean, double low, double high, int missed, int workloads) {

    private static final int RESAMPLES = 1_000;
    private static final long SEED = 1979;

    /** Both sides on one workload. */
    private record Pair(Row baseline, Row ours) {

        double ratio() {
            return ratio(baseline.toTarget(), ours.toTarget());
        }

        double ratio(Random random) {
            int seeds = Math.min(baseline.runs().size(), ours.runs().size());
            int[] drawn = random.ints(seeds, 0, seeds).toArray();
            List<Curve> theirs = drawn(baseline, drawn);
            double drawnTarget = Summary.endTest(theirs.get(0)).median();
            return ratio(TimeToTarget.of(theirs, drawnTarget), TimeToTarget.of(drawn(ours, drawn), drawnTarget));
        }

        private static List<Curve> drawn(Row row, int[] numbers) {
            return row.curves().stream().map(curve -> curve.of(numbers)).toList();
        }

        /** A run that fails early must not look fast: what does not reach the target counts at least the baseline's time. */
        private static double ratio(TimeToTarget baseline, TimeToTarget ours) {
            double seconds = ours.reached() ? ours.seconds() : Math.max(ours.seconds(), baseline.seconds());
            return baseline.seconds() / seconds;
        }
    }

    /** Computes the figure over all workloads on which the family ran; its first contestant counts. */
    public static Speedup of(List<Summary> summaries, String family) {
        List<Pair> all = new ArrayList<>();
        for (Summary summary : summaries) {
            summary.rows().stream()
                    .filter(row -> row.family().equals(family))
                    .limit(1)
                    .forEach(row -> all.add(new Pair(summary.baseline(), row)));
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("There are no runs of '" + family + "'.");
        }
        Random random = new Random(SEED);
        double[] resampled = IntStream.range(0, RESAMPLES)
                .mapToDouble(i -> geometricMean(
                        all.stream().mapToDouble(pair -> pair.ratio(random)).toArray()))
                .sorted()
                .toArray();
        return new Speedup(
                family,
                geometricMean(all.stream().mapToDouble(Pair::ratio).toArray()),
                resampled[(int) (0.025 * RESAMPLES)],
                resampled[(int) (0.975 * RESAMPLES) - 1],
                (int) all.stream()
                        .filter(pair -> !pair.ours().toTarget().reached())
                        .count(),
                all.size());
    }

    /** Returns the ratio on one workload. */
    static Speedup of(Summary summary, Row row) {
        return of(List.of(summary), row.family());
    }

    private static double geometricMean(double[] ratios) {
        return Math.exp(Arrays.stream(ratios).map(Math::log).average().orElseThrow());
    }

    /** Returns the ratio in words, such as "1.44 times sooner" or "not reached (at most 0.81 times as fast)". */
    String inWords() {
        if (missed > 0) {
            return String.format(Locale.ROOT, "not reached (at most %.2f times as fast)", mean);
        }
        return mean >= 1
                ? String.format(Locale.ROOT, "%.2f times sooner", mean)
                : String.format(Locale.ROOT, "%.2f times later", 1 / mean);
    }
}
