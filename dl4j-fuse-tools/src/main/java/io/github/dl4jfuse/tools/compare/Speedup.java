package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How many times sooner than the baseline a family reaches the baseline's training loss, in seconds: for each workload the
 * ratio of medians over the seeds, and their geometric mean. The interval is a bootstrap over the seeds ({@value
 * #RESAMPLES} seeded resamples, the same seeds drawn for both sides; 2.5 and 97.5 per cent).
 *
 * <p>A baseline run counts its whole time where it ends just above its own median. One of the others that never gets there
 * counts the whole time too, which flatters it: the ratio is then an upper bound and says so.
 *
 * @param family whose it is
 * @param mean geometric mean of the ratios
 * @param low lower end of the interval
 * @param high upper end
 * @param missed on how many workloads more than half of the runs did not reach the target
 * @param workloads number of workloads
 */
public record Speedup(String family, double mean, double low, double high, int missed, int workloads) {

    private static final int RESAMPLES = 2_000;
    private static final long SEED = 1979;

    /** Seconds of baseline and family on one workload, seed by seed, and whether the family's are upper bounds. */
    private record Times(double[] baseline, double[] ours, boolean missed) {

        int seeds() {
            return Math.min(baseline.length, ours.length);
        }

        double ratio() {
            return ratio(IntStream.range(0, seeds()).toArray());
        }

        double ratio(int[] seeds) {
            return median(baseline, seeds) / median(ours, seeds);
        }

        private static double median(double[] values, int[] seeds) {
            return Summary.Spread.of(Arrays.stream(seeds).mapToDouble(i -> values[i]))
                    .median();
        }
    }

    /** Computes the figure over all workloads on which the family ran. */
    public static Speedup of(List<Summary> summaries, String family) {
        List<Times> all = new ArrayList<>();
        for (Summary summary : summaries) {
            summary.rows().stream()
                    .filter(row -> row.family().equals(family))
                    .forEach(row -> all.add(times(summary, row)));
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("There are no runs of '" + family + "'.");
        }
        Random random = new Random(SEED);
        double[] resampled = new double[RESAMPLES];
        for (int i = 0; i < RESAMPLES; i++) {
            resampled[i] = geometricMean(all.stream()
                    .mapToDouble(times -> times.ratio(
                            random.ints(times.seeds(), 0, times.seeds()).toArray()))
                    .toArray());
        }
        Arrays.sort(resampled);
        return new Speedup(
                family,
                geometricMean(all.stream().mapToDouble(Times::ratio).toArray()),
                resampled[(int) (0.025 * RESAMPLES)],
                resampled[(int) (0.975 * RESAMPLES) - 1],
                (int) all.stream().filter(Times::missed).count(),
                all.size());
    }

    /** Returns the ratio on one workload. */
    static Speedup of(Summary summary, Row row) {
        return of(List.of(summary), row.family());
    }

    private static Times times(Summary summary, Row row) {
        double[] baseline = capped(summary, summary.rows().get(0), 0);
        double wholeRun = Summary.Spread.of(Arrays.stream(baseline)).median();
        return new Times(
                baseline,
                capped(summary, row, wholeRun),
                2 * row.toLoss().reached() < row.runs().size());
    }

    /** A run that fails early must not look fast: what does not reach the target counts at least the baseline's time. */
    private static double[] capped(Summary summary, Row row, double atLeast) {
        List<Double> reached = summary.secondsToLoss(row);
        return IntStream.range(0, reached.size())
                .mapToDouble(i -> Double.isFinite(reached.get(i))
                        ? reached.get(i)
                        : Math.max(atLeast, row.runs().get(i).end().seconds()))
                .toArray();
    }

    private static double geometricMean(double[] ratios) {
        return Math.exp(Arrays.stream(ratios).map(Math::log).average().orElseThrow());
    }

    /** Returns the ratio in words, such as "1.44 times faster" or "not reached (at most 0.81 times as fast)". */
    String inWords() {
        if (missed > 0) {
            return String.format(Locale.ROOT, "not reached (at most %.2f times as fast)", mean);
        }
        return mean >= 1
                ? String.format(Locale.ROOT, "%.2f times faster", mean)
                : String.format(Locale.ROOT, "%.2f times slower", 1 / mean);
    }
}
