package io.github.dl4jfuse.smoothness;

import io.github.dl4jfuse.optim.Objective.ArrayFunction;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Looks for points where an oracle's inequality does not hold. */
final class RandomTrials {

    private static final int POINTS = 1_000;
    private static final int TRIALS_EACH = 20;

    /**
     * The largest |f(y) - f(x) - ∇f(x)·(y - x)| / (½ L |y - x|²) found, rounding taken off: above 1 the oracle is wrong, far
     * below 1 it is loose.
     */
    record Worst(double ball, double segment) {}

    private RandomTrials() {}

    /** 20,000 trials on balls and as many on segments, with points up to {@code spread} and R from 1e-3 to {@code reach}. */
    static Worst of(int n, ArrayFunction f, SmoothnessOracle oracle, double spread, double reach, long seed) {
        Random random = new Random(seed);
        double ball = 0;
        double segment = 0;
        for (int k = 0; k < POINTS; k++) {
            double[] x = random(random, n, spread * random.nextDouble());
            double[] g = new double[n];
            double value = f.evaluate(x, g);
            double radius = 1e-3 * Math.pow(reach / 1e-3, random.nextDouble());
            double[] v = random(random, n, 1);
            INDArray point = Nd4j.createFromArray(x);
            double l = oracle.at(point).applyAsDouble(radius);
            DoubleUnaryOperator along = oracle.along(point, Nd4j.createFromArray(v));
            double lAlong = along.applyAsDouble(radius);
            if (lAlong > l * (1 + 1e-6)) {
                throw new AssertionError("seed " + seed + ": along says " + lAlong + ", the ball " + l);
            }
            for (int trial = 0; trial < TRIALS_EACH; trial++) {
                double[] d = random(random, n, radius * Math.cbrt(random.nextDouble()));
                ball = Math.max(ball, ratio(f, x, g, value, d, l));
                double t = radius * (2 * random.nextDouble() - 1);
                double[] along1 = v.clone();
                for (int i = 0; i < n; i++) {
                    along1[i] *= t;
                }
                segment = Math.max(segment, ratio(f, x, g, value, along1, lAlong));
            }
        }
        return new Worst(ball, segment);
    }

    private static double ratio(ArrayFunction f, double[] x, double[] g, double value, double[] d, double l) {
        int n = x.length;
        double[] y = new double[n];
        double linear = 0;
        double squared = 0;
        for (int i = 0; i < n; i++) {
            y[i] = x[i] + d[i];
            linear += g[i] * d[i];
            squared += d[i] * d[i];
        }
        double moved = f.evaluate(y, new double[n]);
        double rounding = 1e-14 * (Math.abs(moved) + Math.abs(value) + Math.abs(linear));
        double remainder = Math.max(0, Math.abs(moved - value - linear) - rounding);
        return remainder == 0 ? 0 : remainder / (0.5 * l * squared);
    }

    /** A vector of the given length in a random direction. */
    static double[] random(Random random, int n, double length) {
        double[] x = new double[n];
        double squared = 0;
        for (int i = 0; i < n; i++) {
            x[i] = random.nextGaussian();
            squared += x[i] * x[i];
        }
        for (int i = 0; i < n; i++) {
            x[i] *= length / Math.sqrt(squared);
        }
        return x;
    }
}
