package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.LongFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Minimisations from several random starts, each with the same budget: the best is kept, the spread reported.
 *
 * <pre>
 *   LbfgsSolver solver = LbfgsSolver.builder().maxEvaluations(200).build();
 *   RandomRestarts restarts = RandomRestarts.run(objective, 10, seed -> startFrom(seed), solver::run);
 *   restarts.best().point();
 * </pre>
 *
 * @param best the run with the lowest finite value; the objective is told its point
 * @param runs all of them, in order
 */
public record RandomRestarts(Solution best, List<Solution> runs) {

    /**
     * Runs.
     *
     * @param objective f
     * @param starts how many, at least 1
     * @param start a start for a seed; the seeds are 1, 2, ..
     * @param minimiser minimises from a start within a budget of its own
     * @throws ArithmeticException if no run ends at a finite value
     */
    public static RandomRestarts run(
            Objective objective,
            int starts,
            LongFunction<INDArray> start,
            BiFunction<Objective, INDArray, Solution> minimiser) {
        if (starts < 1) {
            throw new IllegalArgumentException("There is at least one start, not " + starts + ".");
        }
        List<Solution> runs = new ArrayList<>();
        Solution best = null;
        for (int seed = 1; seed <= starts; seed++) {
            Solution run = minimiser.apply(objective, start.apply(seed));
            runs.add(run);
            if (Double.isFinite(run.value()) && (best == null || run.value() < best.value())) {
                best = run;
            }
        }
        if (best == null) {
            throw new ArithmeticException("None of " + starts + " runs ended at a finite value. The first says: "
                    + runs.get(0).message());
        }
        objective.accept(best.point());
        return new RandomRestarts(best, List.copyOf(runs));
    }

    private double[] values() {
        return runs.stream()
                .mapToDouble(Solution::value)
                .filter(Double::isFinite)
                .sorted()
                .toArray();
    }

    /** Returns the median of the finite values. */
    public double median() {
        double[] values = values();
        int half = values.length / 2;
        return values.length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    }

    /** Returns the worst finite value. */
    public double worst() {
        double[] values = values();
        return values[values.length - 1];
    }

    /** Returns how many runs ended at a value that is NaN or infinite. */
    public int failures() {
        return runs.size() - values().length;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d starts: best %.6g, median %.6g, worst %.6g, %d failed",
                runs.size(),
                best.value(),
                median(),
                worst(),
                failures());
    }
}
