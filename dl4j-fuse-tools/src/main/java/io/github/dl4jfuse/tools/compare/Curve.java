package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The readings of a contestant at one budget, seed by seed.
 *
 * @param share part of the whole budget
 * @param runs one for each seed, in the order of the seeds
 * @param costs what its steps cost; null where seconds are those on each run's own clock
 */
public record Curve(double share, List<RunRecord> runs, StepCosts costs) {

    private static final double WORST = Double.NEGATIVE_INFINITY;

    /** Seconds, test metric and others at one reading. */
    public record Point(double seconds, double steps, double gradients, double test) {}

    /** Returns the curve of some of the runs, each as often as its number is named. */
    Curve of(int[] numbers) {
        return new Curve(share, Arrays.stream(numbers).mapToObj(runs::get).toList(), costs);
    }

    double seconds(Checkpoint checkpoint) {
        return costs == null ? checkpoint.seconds() : costs.seconds(checkpoint.steps());
    }

    /** Returns the medians over the seeds at each reading after the start. A run that failed is worst at all of them. */
    List<Point> medians() {
        List<RunRecord> sound = runs.stream().filter(run -> !run.failed()).toList();
        int points =
                sound.stream().mapToInt(run -> run.checkpoints().size()).min().orElse(0);
        return IntStream.range(1, points)
                .mapToObj(i -> new Point(
                        median(sound, i, this::seconds),
                        median(sound, i, Curve::steps),
                        median(sound, i, Checkpoint::gradients),
                        Summary.Spread.of(
                                        runs,
                                        run -> run.failed()
                                                ? WORST
                                                : test(run.checkpoints().get(i)))
                                .median()))
                .toList();
    }

    private static double median(List<RunRecord> runs, int reading, ToDoubleFunction<Checkpoint> value) {
        return Summary.Spread.of(
                        runs, run -> value.applyAsDouble(run.checkpoints().get(reading)))
                .median();
    }

    /** Returns the readings of one run after the start; none of one that failed. */
    List<Point> points(int number) {
        RunRecord run = runs.get(number);
        return run.failed()
                ? List.of()
                : run.checkpoints().stream()
                        .skip(1)
                        .map(c -> new Point(seconds(c), steps(c), c.gradients(), test(c)))
                        .toList();
    }

    private static double test(Checkpoint checkpoint) {
        return Double.isNaN(checkpoint.test()) ? WORST : checkpoint.test();
    }

    private static double steps(Checkpoint checkpoint) {
        return checkpoint.steps().values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * Returns the first of two readings in a row at or above the target; the last reading has none after it and counts
     * alone, since what a run ends at is what a user keeps. Null if there is none.
     */
    static Point firstAt(List<Point> points, double target) {
        for (int i = 0; i < points.size(); i++) {
            boolean stays = i == points.size() - 1 || points.get(i + 1).test() >= target;
            if (points.get(i).test() >= target && stays) {
                return points.get(i);
            }
        }
        return null;
    }
}
