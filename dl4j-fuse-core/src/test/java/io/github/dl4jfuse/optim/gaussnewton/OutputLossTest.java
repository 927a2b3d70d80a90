package io.github.dl4jfuse.optim.gaussnewton;

import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.EXAMPLES;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.N;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.OUTPUTS;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.SEED;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.assertSame;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.column;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.dense;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.oneHot;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.root;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.softmax;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Values, residuals and metrics, against differences and dense formulas. */
class OutputLossTest {

    @ParameterizedTest
    @EnumSource(SoftmaxLoss.Metric.class)
    void theResidualIsTheGradientOfTheValue(SoftmaxLoss.Metric metric) {
        SoftmaxLoss loss = new SoftmaxLoss(oneHot(), EXAMPLES, OUTPUTS, 0.1, metric);
        double[] x = new Random(SEED).doubles(N, -3, 3).toArray();
        OutputLoss.Local local = loss.at(x);
        double[] residual = local.root(local.whitened());
        double h = 1e-5;
        for (int i = 0; i < N; i++) {
            double[] ahead = x.clone();
            double[] behind = x.clone();
            ahead[i] += h;
            behind[i] -= h;
            double slope = (loss.at(ahead).value() - loss.at(behind).value()) / (2 * h);
            assertThat(residual[i] / EXAMPLES).as("output %d, seed %d", i, SEED).isCloseTo(slope, within(1e-9));
        }
    }

    /** A random A, b and D: φ by the dense normal equations of A D, gradient by differences, C(t) by its closed form. */
    @Test
    void aLinearMapOfAllOutputsIsALeastSquaresProblemOfItsImage() {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, 40, SEED);
        SimpleMatrix a = new SimpleMatrix(
                N, N, true, new Random(SEED).doubles(N * N, -1, 1).toArray());
        LinearResidualLoss.Operator operator = new LinearResidualLoss.Operator() {
            @Override
            public double[] apply(double[] x) {
                return a.mult(column(x)).getDDRM().data;
            }

            @Override
            public double[] applyTransposed(double[] r) {
                return a.transpose().mult(column(r)).getDDRM().data;
            }
        };
        double[] goal = new Random(SEED + 1).doubles(N, -1, 1).toArray();
        OutputLoss loss = new LinearResidualLoss(operator, goal, EXAMPLES, OUTPUTS, 2);
        double[] x = model.outputs(model.start());
        OutputLoss.Local local = loss.at(x);
        SimpleMatrix w = a.mult(column(x)).minus(column(goal));
        assertThat(local.value()).as("seed %d", SEED).isCloseTo(w.dot(w) / EXAMPLES, within(1e-12));
        double[] residual = local.root(local.whitened());
        double h = 1e-5;
        for (int i = 0; i < N; i++) {
            double[] ahead = x.clone();
            double[] behind = x.clone();
            ahead[i] += h;
            behind[i] -= h;
            double slope = (loss.at(ahead).value() - loss.at(behind).value()) / (2 * h);
            assertThat(loss.scale() * residual[i] / EXAMPLES).as("output %d", i).isCloseTo(slope, within(1e-8));
        }
        double mu = 0.05;
        SimpleMatrix b = a.mult(dense(model.d));
        SimpleMatrix expected = b.transpose()
                .mult(b)
                .plus(SimpleMatrix.identity(40).scale(mu))
                .solve(b.transpose().mult(w));
        for (GaussNewtonStep.Form form : GaussNewtonStep.Form.values()) {
            GaussNewtonStep step = new GaussNewtonStep(model.linearise(model.start()), local, 40, form, 1e-10);
            assertSame(expected, step.damped(mu, null).direction(), 1e-6, form + " direction");
        }
        assertThat(loss.forecast(local.coordinates(), 1.5)).isCloseTo(local.value() * Math.exp(-3), within(1e-12));
        assertThat(loss.goal()).isEqualTo(goal);
    }

    @Test
    void theMetricIsTheSecondDerivativeOfTheValue() {
        double[] x = new Random(SEED).doubles(N, -3, 3).toArray();
        OutputLoss.Local local = softmax().at(x);
        double[] product = new double[N * N];
        for (int i = 0; i < N; i++) {
            product[i * N + i] = 1;
        }
        local.applyRootTransposed(product, N);
        SimpleMatrix transposed = new SimpleMatrix(N, N, true, product);
        SimpleMatrix metric = root(local).mult(transposed);
        assertThat(transposed.minus(root(local).transpose()).normF()).isLessThan(1e-14);
        double[] u = new Random(SEED + 1).doubles(N, -1, 1).toArray();
        assertThat(column(local.root(u)).minus(root(local).mult(column(u))).normF())
                .as("S u, seed %d", SEED + 1)
                .isLessThan(1e-14);
        double h = 1e-5;
        for (int i = 0; i < N; i++) {
            double[] ahead = x.clone();
            double[] behind = x.clone();
            ahead[i] += h;
            behind[i] -= h;
            double[] after = residual(ahead);
            double[] before = residual(behind);
            for (int e = 0; e < N; e++) {
                assertThat(metric.get(e, i)).isCloseTo((after[e] - before[e]) / (2 * h), within(1e-8));
            }
        }
    }

    private static double[] residual(double[] x) {
        OutputLoss.Local local = softmax().at(x);
        return local.root(local.whitened());
    }

    @Test
    void logitsOfAnySizeHaveFiniteResiduals() {
        SoftmaxLoss loss = new SoftmaxLoss(new double[] {0, 1, 1, 0}, 2, 2, 0, SoftmaxLoss.Metric.SOFTMAX);
        OutputLoss.Local local = loss.at(new double[] {800, 0, 0, -900});
        assertThat(local.value()).isCloseTo(400, within(1e-9));
        for (double w : local.whitened()) {
            assertThat(w).isFinite();
        }
    }

    /** dp/dt = -(p - y), integrated by small steps of dx = -M⁺ (p - y) dt. */
    @Test
    void theForecastOfTheCrossEntropyIsThatOfItsFlow() {
        SoftmaxLoss loss = softmax();
        double[] x = new Random(SEED).doubles(N, -2, 2).toArray();
        double[] start = loss.at(x).coordinates();
        assertThat(loss.forecast(start, 0)).isCloseTo(loss.at(x).value(), within(1e-12));
        assertThat(loss.forecast(start, 60)).isCloseTo(loss.minimum(), within(1e-12));
        double dt = 1e-4;
        for (int step = 0; step < 10_000; step++) {
            OutputLoss.Local local = loss.at(x);
            double[] p = local.coordinates();
            for (int i = 0; i < N; i++) {
                x[i] -= dt * (p[i] - loss.goal()[i]) / p[i]; // one of the solutions of M dx = -(p - y) dt
            }
        }
        assertThat(loss.at(x).value()).isCloseTo(loss.forecast(start, 1), within(1e-4));
    }
}
