package io.github.dl4jfuse.geometry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Against the dense formulas, by EJML. */
class AdaptedStepTest {

    private static final long SEED = 20261124;
    private static final int EXAMPLES = 5;
    private static final int OUTPUTS = 3;
    private static final int N = EXAMPLES * OUTPUTS;

    private static double[] oneHot() {
        Random random = new Random(SEED);
        double[] labels = new double[N];
        for (int i = 0; i < EXAMPLES; i++) {
            labels[i * OUTPUTS + random.nextInt(OUTPUTS)] = 1;
        }
        return labels;
    }

    private static SoftmaxLoss softmax() {
        return new SoftmaxLoss(oneHot(), EXAMPLES, OUTPUTS, 0.1, SoftmaxLoss.Metric.SOFTMAX);
    }

    /** S, block by block, written out: diag(√p) - p √p'. */
    private static SimpleMatrix root(OutputLoss.Local local) {
        double[] p = local.coordinates();
        SimpleMatrix s = new SimpleMatrix(N, N);
        for (int i = 0; i < N; i++) {
            for (int e = i / OUTPUTS * OUTPUTS; e < (i / OUTPUTS + 1) * OUTPUTS; e++) {
                s.set(i, e, (i == e ? Math.sqrt(p[i]) : 0) - p[i] * Math.sqrt(p[e]));
            }
        }
        return s;
    }

    private static SimpleMatrix dense(INDArray matrix) {
        return new SimpleMatrix(
                (int) matrix.size(0),
                (int) matrix.size(1),
                true,
                matrix.dup('c').data().asDouble());
    }

    private static SimpleMatrix column(double[] v) {
        return new SimpleMatrix(v.length, 1, true, v);
    }

    private static void assertSame(SimpleMatrix expected, INDArray actual, double tolerance, String what) {
        SimpleMatrix difference = expected.minus(column(actual.toDoubleVector()));
        assertThat(difference.normF() / expected.normF())
                .as("%s, seed %d", what, SEED)
                .isLessThan(tolerance);
    }

    @ParameterizedTest
    @CsvSource({"40", "7"})
    void allFormsSolveTheDampedProblem(int parameters) {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, parameters, SEED);
        OutputLoss.Local local = softmax().at(model.outputs(model.start()));
        SimpleMatrix b = root(local).transpose().mult(dense(model.d));
        SimpleMatrix w = column(local.whitened());
        double mu = 0.05;
        SimpleMatrix earlier =
                column(new Random(SEED).doubles(parameters, -1, 1).toArray());
        SimpleMatrix normal =
                b.transpose().mult(b).plus(SimpleMatrix.identity(parameters).scale(mu));
        SimpleMatrix plain = normal.solve(b.transpose().mult(w));
        SimpleMatrix withMomentum = normal.solve(b.transpose().mult(w).plus(earlier.scale(mu)));
        for (AdaptedStep.Form form : AdaptedStep.Form.values()) {
            AdaptedStep step =
                    new AdaptedStep(model.linearise(model.start()), local, parameters, form, AdaptedStep.CG_TOLERANCE);
            AdaptedStep.Solution solution = step.damped(mu, null);
            assertSame(plain, solution.direction(), 1e-6, form + " direction");
            assertSame(b.mult(plain), Nd4j.createFromArray(solution.image()), 1e-6, form + " image");
            AdaptedStep.Solution moving =
                    step.damped(mu, Nd4j.createFromArray(earlier.getDDRM().data.clone()));
            assertSame(withMomentum, moving.direction(), 1e-6, form + " with momentum");
            assertSame(b.mult(withMomentum), Nd4j.createFromArray(moving.image()), 1e-6, form + " image");
        }
    }

    /** D of rank 9 of 15. */
    @ParameterizedTest
    @CsvSource({"40", "11"})
    void allFormsFindThePseudoInverse(int parameters) {
        LinearModel thin = LinearModel.random(EXAMPLES, OUTPUTS, 9, SEED);
        LinearModel wide = LinearModel.random(3, 3, parameters, SEED + 1);
        LinearModel model = new LinearModel(thin.d.mmul(wide.d), new double[N], EXAMPLES);
        OutputLoss loss = new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS);
        OutputLoss.Local local = loss.at(model.outputs(model.start()));
        SimpleMatrix expected = dense(model.d).pseudoInverse().mult(column(local.whitened()));
        for (AdaptedStep.Form form : AdaptedStep.Form.values()) {
            AdaptedStep step =
                    new AdaptedStep(model.linearise(model.start()), local, parameters, form, AdaptedStep.CG_TOLERANCE);
            AdaptedStep.Solution solution = step.pseudoInverse(AdaptedStep.DEFAULT_CUT);
            assertSame(expected, solution.direction(), 1e-5, form + " direction");
            assertThat(solution.rank()).as("%s", form).isEqualTo(form == AdaptedStep.Form.MATRIX_FREE ? -1 : 9);
        }
    }

    @Test
    void thePredictedReductionIsThatOfALinearModel() {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, 40, SEED);
        OutputLoss loss = new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS, 0.7);
        OutputLoss.Local local = loss.at(model.outputs(model.start()));
        AdaptedStep step = new AdaptedStep(model.linearise(model.start()), local, 40);
        AdaptedStep.Solution solution = step.damped(0.3, null);
        INDArray end = solution.direction().mul(-0.6);
        double actual = local.value() - loss.at(model.outputs(end)).value();
        assertThat(step.predictedReduction(solution.image(), 0.6, loss)).isCloseTo(actual, within(1e-12));
    }

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
        for (AdaptedStep.Form form : AdaptedStep.Form.values()) {
            AdaptedStep step = new AdaptedStep(model.linearise(model.start()), local, 40, form, 1e-10);
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

    @ParameterizedTest
    @CsvSource({"30", "200"})
    void hostAndLapackAgree(int n) {
        INDArray d = LinearModel.random(n, 1, n, SEED).d;
        double[] gram = d.mmul(d.transpose()).dup('c').data().asDouble();
        double[] b = new Random(SEED).doubles(n, -1, 1).toArray();
        SymmetricSystem system = new SymmetricSystem(gram, n);
        double mu = 0.1;
        double[] damped = gram.clone();
        for (int i = 0; i < n; i++) {
            damped[i * n + i] += mu;
        }
        double[] onHost = system.onHost(damped.clone()).solve(b);
        double[] byLapack = system.byLapack(damped.clone()).solve(b);
        double[] back = system.times(byLapack);
        for (int i = 0; i < n; i++) {
            assertThat(byLapack[i]).as("seed %d", SEED).isCloseTo(onHost[i], within(1e-9));
            assertThat(back[i] + mu * byLapack[i]).isCloseTo(b[i], within(1e-9));
        }
    }

    @ParameterizedTest
    @CsvSource({"3", "400"})
    void aMatrixWithoutCholeskyFactorHasNoSolution(int n) {
        double[] indefinite = new double[n * n];
        for (int i = 0; i < n; i++) {
            indefinite[i * n + i] = i == 1 ? -1 : 1;
        }
        double[] b = new double[n];
        b[0] = 1;
        assertThat(new SymmetricSystem(indefinite, n).solve(0.5, b)).isNull();
        assertThat(new SymmetricSystem(indefinite, n).solve(2, b)[0]).isCloseTo(1 / 3.0, within(1e-12));
        indefinite[0] = Double.NaN;
        assertThat(new SymmetricSystem(indefinite, n).solve(2, b)).isNull();
    }

    /** The largest system that is solved directly, against the normal equations of its 30 parameters. */
    @Test
    void fourThousandEquations() {
        int n = AdaptedStep.SOLVED_AT_MOST;
        int parameters = 30;
        LinearModel model = LinearModel.random(n, 1, parameters, SEED);
        OutputLoss loss = new SquaredLoss(new double[n], n, 1);
        OutputLoss.Local local = loss.at(model.outputs(model.start()));
        double mu = 0.5 * n;
        SimpleMatrix d = dense(model.d);
        SimpleMatrix normal =
                d.transpose().mult(d).plus(SimpleMatrix.identity(parameters).scale(mu));
        SimpleMatrix expected = normal.solve(d.transpose().mult(column(local.whitened())));
        AdaptedStep step =
                new AdaptedStep(model.linearise(model.start()), local, parameters, AdaptedStep.Form.BATCH_SPACE, 1e-8);
        AdaptedStep.Solution solution = step.damped(mu, null);
        assertSame(expected, solution.direction(), 1e-9, "direction");
        assertSame(d.mult(expected), Nd4j.createFromArray(solution.image()), 1e-9, "image");
    }

    @Test
    void conjugateGradientsEndAtTheirLimit() {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, 40, SEED);
        OutputLoss.Local local = softmax().at(model.outputs(model.start()));
        OutputJacobian jacobian = model.linearise(model.start());
        AdaptedStep one = new AdaptedStep(jacobian, local, 40, AdaptedStep.Form.MATRIX_FREE, 1e-12, 1);
        SimpleMatrix b = root(local).transpose().mult(dense(model.d));
        SimpleMatrix s = b.transpose().mult(column(local.whitened()));
        double mu = 0.05;
        double length = s.dot(s) / (b.mult(s).dot(b.mult(s)) + mu * s.dot(s));
        assertSame(s.scale(length), one.damped(mu, null).direction(), 1e-10, "steepest descent");
    }

    @Test
    void spectrumOfAKnownMatrix() {
        // D = diag(2, 1, 1e-6, 0) on 4 rows, so D D' has eigenvalues 4, 1, 1e-12, 0
        INDArray d = Nd4j.diag(Nd4j.createFromArray(2.0, 1.0, 1e-6, 0.0));
        LinearModel model = new LinearModel(d, new double[] {3, 4, 5, 6}, 4);
        OutputLoss loss = new SquaredLoss(new double[4], 4, 1);
        GramSpectrum spectrum = GramSpectrum.of(
                model.linearise(model.start()), loss.at(model.outputs(model.start())), 4, Math.ulp(0.5), 1e-9);
        assertThat(spectrum.rank()).isEqualTo(3);
        assertThat(spectrum.numericalRank()).isEqualTo(2);
        assertThat(spectrum.largest()).isCloseTo(4, within(1e-12));
        assertThat(spectrum.smallest()).isCloseTo(0, within(1e-15));
        assertThat(spectrum.condition()).isInfinite();
        assertThat(spectrum.meetsRankCondition()).isFalse();
        assertThat(spectrum.irreducible()).isCloseTo((25.0 + 36) / (9 + 16 + 25 + 36), within(1e-12));
    }

    @Test
    void forecastsAreTheClosedForms() {
        OutputLoss loss = new SquaredLoss(new double[4], 4, 1);
        OutputLoss.Local local = loss.at(new double[] {2, 2, 2, 2});
        Forecast forecast = new Forecast(loss, local, 0);
        assertThat(forecast.lossAt(1)).isCloseTo(2 * Math.exp(-2), within(1e-12));
        assertThat(forecast.timeTo(1e-6)).isCloseTo(0.5 * Math.log(2e6), within(1e-9));
        assertThat(forecast.timeTo(3)).isZero();
        assertThat(forecast.stepsTo(1e-6, 0.1)).isEqualTo(Math.ceil(0.5 * Math.log(2e6) / -Math.log(0.9)));
        assertThat(forecast.stepsTo(1e-6, 1)).isEqualTo(1);
        Forecast floored = new Forecast(loss, local, 0.25);
        assertThat(floored.lossAt(50)).isCloseTo(0.5, within(1e-12));
        assertThat(floored.timeTo(0.4)).isInfinite();
    }

    @Test
    void distanceFromALine() {
        OutputPath path = new OutputPath(new double[] {0, 0}, new double[] {4, 0});
        path.add(new double[] {1, 0.5});
        path.add(new double[] {3, -1});
        path.add(new double[] {4, 0});
        assertThat(path.relativeDeviation()).isCloseTo(0.25, within(1e-12));
        OutputPath point = new OutputPath(new double[] {1}, new double[] {1});
        point.add(new double[] {5});
        assertThat(point.relativeDeviation()).isZero();
    }

    @Test
    void dampingFollowsTheRatio() {
        Damping damping = new Damping(1, 0.1);
        damping.taken(0.9, 1);
        assertThat(damping.lambda()).isEqualTo(0.25);
        damping.taken(0.9, 1);
        assertThat(damping.lambda()).as("not below its smallest value").isEqualTo(0.1);
        damping.taken(0.5, 1);
        assertThat(damping.lambda()).isEqualTo(0.1);
        damping.taken(0.1, 1);
        assertThat(damping.lambda()).isCloseTo(0.3, within(1e-12));
        damping.taken(Double.NaN, 1);
        assertThat(damping.lambda()).isCloseTo(0.9, within(1e-12));
        damping.rejected();
        assertThat(damping.lambda()).isCloseTo(3.6, within(1e-12));
    }

    @Test
    void dampingOnBatchesFollowsWhatStepsDoElsewhere() {
        Damping damping = new Damping(1, 1e-3);
        damping.taken(0.9, 1, 0.5);
        assertThat(damping.lambda()).as("good here and there").isEqualTo(0.5);
        for (int i = 0; i < 5; i++) {
            damping.taken(0.9, 1, -10);
        }
        assertThat(damping.lambda())
                .as("good here, bad there, from the second on")
                .isGreaterThan(2);
        for (int i = 0; i < 50; i++) {
            damping.taken(0.9, 1, -10);
        }
        assertThat(damping.lambda()).isEqualTo(Damping.LARGEST_ON_BATCHES);
        damping.rejected();
        damping.taken(0.9, 1, -10);
        assertThat(damping.lambda()).as("larger stays").isEqualTo(4 * Damping.LARGEST_ON_BATCHES);
        damping.taken(0.9, 1, Double.NaN);
        assertThat(damping.lambda()).isEqualTo(4 * Damping.LARGEST_ON_BATCHES);
    }

    @Test
    void refusesWhatMakesNoSense() {
        assertThatThrownBy(() -> new SoftmaxLoss(new double[] {1, 1}, 1, 2, 0, SoftmaxLoss.Metric.SOFTMAX))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("add up to 2.0");
        assertThatThrownBy(() -> new SquaredLoss(new double[] {1, Double.NaN}, 1, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NaN");
        assertThatThrownBy(() -> GeometrySolver.builder().eta(1.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(0, 1]");
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, 20, SEED);
        OutputLoss other = new SquaredLoss(new double[4], 4, 1);
        assertThatThrownBy(() -> GeometrySolver.minimize(model, other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the same data");
    }

    @Test
    void aStartThatIsNotFiniteIsSaid() {
        LinearModel model = new LinearModel(
                LinearModel.random(EXAMPLES, OUTPUTS, 20, SEED).d,
                new double[] {Double.NaN, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                EXAMPLES);
        Adaptation end = GeometrySolver.minimize(model, new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS));
        assertThat(end.status()).isEqualTo(Adaptation.Status.NON_FINITE);
    }

    /** Linear least squares is one step, whatever the form. */
    @ParameterizedTest
    @CsvSource({"40", "7"})
    void aLinearModelIsSolvedInOneStep(int parameters) {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, parameters, SEED);
        OutputLoss loss = new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS);
        Adaptation end = GeometrySolver.flow(1).maxIterations(1).build().run(model, loss);
        SimpleMatrix residual = column(loss.at(model.outputs(model.start())).whitened());
        SimpleMatrix d = dense(model.d);
        SimpleMatrix left = residual.minus(d.mult(d.pseudoInverse().mult(residual)));
        assertThat(end.value())
                .as("seed %d", SEED)
                .isCloseTo(left.normF() * left.normF() / (2 * EXAMPLES), within(1e-12));
    }
}
