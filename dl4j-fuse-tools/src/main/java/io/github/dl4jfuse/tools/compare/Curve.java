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

    /** Seconds, test metric and others at one reading. */
    public record Point(double seconds, double steps, double gradients, double test) {}

    /** Returns the curve of some of the runs, each as often as its number is named. */
    Curve of(int[] numbers) {
        return new Curve(share, Arrays.stream(numbers).mapToObj(runs::get).toList(), costs);
    }

    double seconds(Checkpoint checkpoint) {
        return costs == null ? checkpoint.seconds() : costs.seconds(checkpoint.steps());
    }

    /** Returns the medians over the seeds at each reading after the start. A run that failed is worst from there on. */
    List<Point> medians() {
        int points = runs.stream().mapToInt(run -> run.checkpoints().size()).max().orElse(0);
        return IntStream.range(1, points)
                .mapToObj(i -> new Point(
                        median(i, this::seconds, Double.POSITIVE_INFINITY),
                        median(i, Curve::steps, Double.POSITIVE_INFINITY),
                        median(i, Checkpoint::gradients, Double.POSITIVE_INFINITY),
                        median(i, Checkpoint::test, Double.NEGATIVE_INFINITY)))
                .toList();
    }

    /** Returns the readings of one run after the start. */
    List<Point> points(int run) {
        return runs.get(run).checkpoints().stream()
                .skip(1)
                .map(c -> new Point(seconds(c), steps(c), c.gradients(), worstIfNaN(c.test())))
                .toList();
    }

    private static double steps(Checkpoint checkpoint) {
        return checkpoint.steps().values().stream().mapToLong(Long::longValue).sum();
    }

    private double median(int reading, ToDoubleFunction<Checkpoint> value, double missing) {
        return Summary.Spread.of(runs.stream().mapToDouble(run -> {
                    double read = reading < run.checkpoints().size() && !(run.failed() && isLast(run, reading))
                            ? value.applyAsDouble(run.checkpoints().get(reading))
                            : missing;
                    return Double.isNaN(read) ? missing : read;
                }))
                .median();
    }

    private static boolean isLast(RunRecord run, int reading) {
        return reading == run.checkpoints().size() - 1;
    }

    private static double worstIfNaN(double test) {
        return Double.isNaN(test) ? Double.NEGATIVE_INFINITY : test;
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
