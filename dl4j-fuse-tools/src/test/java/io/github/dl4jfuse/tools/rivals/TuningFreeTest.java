package io.github.dl4jfuse.tools.rivals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;

/** The baselines against their formulas in plain numbers, on f(x) = ½ (a₁ x₁² + a₂ x₂²). */
class TuningFreeTest {

    private static final double[] A = {1, 30};

    private static double[] gradient(double[] x) {
        return new double[] {A[0] * x[0], A[1] * x[1]};
    }

    private static GradientUpdater<?> updater(TuningFree rule) {
        // two variables in the block: the state has two headers
        return rule.instantiate(Nd4j.zeros(DataType.DOUBLE, 2 * TuningFree.NUMBERS + rule.vectors() * 2), true);
    }

    private static double[] update(GradientUpdater<?> updater, double[] g, int step) {
        INDArray gradient = Nd4j.createFromArray(g.clone());
        updater.applyUpdater(gradient, step, 0);
        return gradient.toDoubleVector();
    }

    @Test
    void adGdIsAlgorithm1() {
        GradientUpdater<?> updater = updater(new AdGd(null));
        double[] x = {1, 1};
        double[] previousX = null;
        double[] previousG = null;
        double lambda = 1e-10;
        double theta = Double.POSITIVE_INFINITY;
        for (int step = 0; step < 300; step++) {
            double[] g = gradient(x);
            if (step > 0) {
                double next = Math.min(
                        Math.sqrt(1 + theta) * lambda,
                        Math.hypot(x[0] - previousX[0], x[1] - previousX[1])
                                / (2 * Math.hypot(g[0] - previousG[0], g[1] - previousG[1])));
                theta = next / lambda;
                lambda = next;
            }
            double[] update = update(updater, g, step);
            assertThat(update[0]).as("step %d", step).isCloseTo(lambda * g[0], within(1e-6 * Math.abs(lambda * g[0])));
            previousX = x.clone();
            previousG = g;
            x = new double[] {x[0] - update[0], x[1] - update[1]};
        }
        assertThat(Math.hypot(x[0], x[1])).isLessThan(1e-3); // it converges, from 1e-10 and without a rate
    }

    @Test
    void prodigyIsItsAdamForm() {
        GradientUpdater<?> updater = updater(new Prodigy(null));
        double[] x = {1, -2};
        double[] start = x.clone();
        double[] m = new double[2];
        double[] v = new double[2];
        double[] s = new double[2];
        double r = 0;
        double d = 1e-6;
        for (int step = 0; step < 200; step++) {
            double[] g = gradient(x);
            double decay = Math.sqrt(0.999);
            r = decay * r + (1 - decay) * d * d * (g[0] * (start[0] - x[0]) + g[1] * (start[1] - x[1]));
            double[] expected = new double[2];
            for (int i = 0; i < 2; i++) {
                s[i] = decay * s[i] + (1 - decay) * d * d * g[i];
                m[i] = 0.9 * m[i] + 0.1 * d * g[i];
                v[i] = 0.999 * v[i] + 0.001 * d * d * g[i] * g[i];
                expected[i] = d * m[i] / (Math.sqrt(v[i]) + d * 1e-8);
            }
            d = Math.max(d, r / (Math.abs(s[0]) + Math.abs(s[1])));
            double[] update = update(updater, g, step);
            for (int i = 0; i < 2; i++) {
                assertThat(update[i])
                        .as("step %d", step)
                        .isCloseTo(expected[i], within(1e-6 * Math.abs(expected[i]) + 1e-12));
                x[i] -= update[i];
            }
        }
        assertThat(d).isGreaterThan(1e-2); // the estimate has found the distance's order of magnitude
    }
}
