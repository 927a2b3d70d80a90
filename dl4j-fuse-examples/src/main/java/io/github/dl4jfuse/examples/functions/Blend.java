package io.github.dl4jfuse.examples.functions;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;

/**
 * x ← x + θ_k d_Adam + (1 - θ_k) t p on a function of two variables, with DL4J's Adam and the directions and the search of
 * the L-BFGS solver: θ = 1 is Adam, θ = 0 L-BFGS, a switch from 1 to 0 FUSE-PV, anything in between FUSE. The curvature
 * pair belongs to the L-BFGS step, so it costs nothing more.
 */
final class Blend {

    /** A run ends when the value has come this close to 0, the least value of all landscapes. */
    static final double TARGET = 1e-8;

    private static final int MEMORY = 10;

    /**
     * A run.
     *
     * @param points where it was, the start first
     * @param evaluations of value and gradient until the target, or -1 if the limit came first
     */
    record Path(List<double[]> points, int evaluations) {

        boolean arrived() {
            return evaluations >= 0;
        }
    }

    private final Landscape landscape;
    private final int maxEvaluations;
    private int evaluations;
    private int arrival = -1;
    private final double[] lastGradient = new double[2];
    private double lastValue;

    private Blend(Landscape landscape, int maxEvaluations) {
        this.landscape = landscape;
        this.maxEvaluations = maxEvaluations;
    }

    /**
     * Runs.
     *
     * @param rate Adam's learning rate
     * @param theta θ by step
     */
    static Path run(Landscape landscape, double rate, IntToDoubleFunction theta, int maxEvaluations) {
        return new Blend(landscape, maxEvaluations).run(rate, theta);
    }

    private Path run(double rate, IntToDoubleFunction theta) {
        Adam config = new Adam(rate);
        GradientUpdater<?> adam = config.instantiate(Nd4j.zeros(DataType.DOUBLE, 1, config.stateSize(2)), true);
        LbfgsHistory history = new LbfgsHistory(MEMORY, vector(new double[2 * MEMORY]), vector(new double[2 * MEMORY]));
        MoreThuente search = new MoreThuente();
        double[] x = landscape.start;
        double[] gradient = new double[2];
        double value = evaluate(x, gradient);
        List<double[]> points = new ArrayList<>(List.of(x));
        for (int step = 0; arrival < 0 && evaluations < maxEvaluations && Double.isFinite(value); step++) {
            double share = theta.applyAsDouble(step);
            double[] next = x.clone();
            if (share > 0) {
                INDArray update = Nd4j.createFromArray(gradient).reshape(1, 2);
                adam.applyUpdater(update, step, 0);
                add(-share, update.toDoubleVector(), next);
            }
            if (share < 1) {
                add(1 - share, lbfgsStep(history, search, x, value, gradient), next);
            }
            x = next;
            points.add(x);
            if (share == 0) { // value and gradient there are known
                value = lastValue;
                System.arraycopy(lastGradient, 0, gradient, 0, 2);
            } else {
                value = evaluate(x, gradient);
            }
        }
        return new Path(points, arrival);
    }

    /** Returns t p, and leaves value and gradient there in {@link #lastValue} and {@link #lastGradient}. */
    private double[] lbfgsStep(LbfgsHistory history, MoreThuente search, double[] x, double value, double[] gradient) {
        INDArray[] g = vector(gradient);
        INDArray[] direction = vector(new double[2]);
        history.direction(g, direction);
        double[] p = direction[0].toDoubleVector();
        double slope = BlockVectors.dot(g, direction);
        double first = history.size() > 0 ? 1 : 1 / Math.sqrt(BlockVectors.dot(g, g));
        LineSearch.Result result = search.search(
                t -> {
                    double[] trial = x.clone();
                    add(t, p, trial);
                    lastValue = evaluate(trial, lastGradient);
                    return new LineSearch.Point(t, lastValue, lastGradient[0] * p[0] + lastGradient[1] * p[1]);
                },
                value,
                slope,
                first);
        double[] found = new double[2];
        if (!result.accepted()) {
            history.clear();
            lastValue = value;
            System.arraycopy(gradient, 0, lastGradient, 0, 2);
            return found;
        }
        add(result.point().t(), p, found);
        double[] change = lastGradient.clone();
        add(-1, gradient, change);
        history.update(vector(found), vector(change));
        return found;
    }

    private double evaluate(double[] x, double[] gradient) {
        double value = landscape.evaluate(x, gradient);
        evaluations++;
        if (arrival < 0 && value <= TARGET) {
            arrival = evaluations;
        }
        return value;
    }

    private static INDArray[] vector(double[] values) {
        return new INDArray[] {Nd4j.createFromArray(values)};
    }

    private static void add(double a, double[] x, double[] y) {
        for (int i = 0; i < y.length; i++) {
            y[i] += a * x[i];
        }
    }
}
