package io.github.dl4jfuse.smoothness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Objective.ArrayFunction;
import java.util.Random;
import java.util.stream.Stream;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** 20,000 random points in balls and 20,000 on segments for each oracle: no violation, and not loose without need. */
class SmoothnessOraclesTest {

    private static final long SEED = 20261124;
    private static final int N = 4;

    /** An oracle with its function; how far points lie from 0 and how large R is; how close the worst trial must come to 1. */
    private record Case(
            String name, int n, ArrayFunction f, SmoothnessOracle oracle, double spread, double reach, double tight) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final ArrayFunction EXP_OF_INVERSE_SQUARE = (x, g) -> {
        double s = squaredNorm(x);
        double f = s == 0 ? 0 : Math.exp(-1 / s);
        for (int i = 0; i < x.length; i++) {
            g[i] = s == 0 ? 0 : 2 * x[i] / (s * s) * f;
        }
        return f;
    };

    static Stream<Case> cases() {
        double[][] a = symmetric(new Random(SEED));
        double[] b = {0.3, -1, 0.7, 0.1};
        double[][] data = data(new Random(SEED + 1), 30, N, false);
        double[][] positive = data(new Random(SEED + 2), 30, N, true);
        SmoothnessOracle quadratic = SmoothnessOracles.quadratic(Nd4j.createFromArray(a));
        SmoothnessOracle logCosh = SmoothnessOracles.oneDimensional(SmoothnessOraclesTest::logCoshCurvature);
        Objective half = Objective.of(N, quadratic(a));
        return Stream.of(
                new Case("lipschitz", N, sumOfLogCosh(), SmoothnessOracles.lipschitz(1), 1, 2, 0.9),
                new Case("quadratic", N, quadratic(a), quadratic, 3, 3, 0.9),
                new Case("norm power 2", N, normPower(2), SmoothnessOracles.normPower(2), 3, 3, 0.5),
                new Case("norm power 5", N, normPower(5), SmoothnessOracles.normPower(5), 2, 1, 0.5),
                new Case(
                        "exp of inverse square",
                        N,
                        EXP_OF_INVERSE_SQUARE,
                        SmoothnessOracles.exponentialOfInverseSquare(),
                        1,
                        1,
                        0.5),
                new Case(
                        "hessian-lipschitz",
                        1,
                        sine(),
                        SmoothnessOracles.hessianLipschitz(x -> Math.abs(Math.sin(x.getDouble(0))), 1),
                        4,
                        3,
                        0.5),
                new Case("one-dimensional", 1, sumOfLogCosh(), logCosh, 3, 3, 0.5),
                new Case("scaled", 1, times(-3, sumOfLogCosh()), SmoothnessOracles.scaled(-3, logCosh), 3, 3, 0.5),
                new Case(
                        "sum",
                        N,
                        plus(quadratic(a), normPower(2)),
                        SmoothnessOracles.sum(quadratic, SmoothnessOracles.normPower(2)),
                        2,
                        2,
                        0.3),
                new Case(
                        "affine",
                        N,
                        afterAffine(a, b, normPower(3)),
                        SmoothnessOracles.affine(
                                Nd4j.createFromArray(a), Nd4j.createFromArray(b), SmoothnessOracles.normPower(3)),
                        2,
                        1,
                        0.2),
                new Case(
                        "exp of a quadratic",
                        N,
                        exp(quadratic(a)),
                        SmoothnessOracles.composed(SmoothnessOracles.Outer.EXP, half, quadratic),
                        1,
                        1,
                        0.2),
                new Case(
                        "logistic",
                        N,
                        linear(data, true),
                        new GeneralisedLinear(Nd4j.createFromArray(data), GeneralisedLinear.Link.LOGISTIC, 0.1),
                        3,
                        2,
                        0.5),
                new Case(
                        "logistic, nonnegative data",
                        N,
                        linear(positive, true),
                        new GeneralisedLinear(Nd4j.createFromArray(positive), GeneralisedLinear.Link.LOGISTIC, 0.1),
                        3,
                        2,
                        0.5),
                new Case(
                        "least squares",
                        N,
                        linear(data, false),
                        new GeneralisedLinear(Nd4j.createFromArray(data), GeneralisedLinear.Link.SQUARED, 0.1),
                        3,
                        2,
                        0.9),
                new Case(
                        "softmax",
                        3 * (N + 1),
                        softmax(data, 3),
                        new SoftmaxRegression(Nd4j.createFromArray(data), 3),
                        3,
                        2,
                        0.2),
                new Case(
                        "softmax, nonnegative data",
                        3 * (N + 1),
                        softmax(positive, 3),
                        new SoftmaxRegression(Nd4j.createFromArray(positive), 3),
                        3,
                        2,
                        0.2));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void holdsOnBallsAndSegments(Case tried) {
        RandomTrials.Worst worst =
                RandomTrials.of(tried.n(), tried.f(), tried.oracle(), tried.spread(), tried.reach(), SEED);
        assertThat(worst.ball())
                .as("ball, seed %d", SEED)
                .isLessThanOrEqualTo(1 + 1e-9)
                .isGreaterThan(tried.tight());
        assertThat(worst.segment())
                .as("segment, seed %d", SEED)
                .isLessThanOrEqualTo(1 + 1e-9)
                .isGreaterThan(tried.tight());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void neverFallsWithTheRadius(Case tried) {
        Random random = new Random(SEED);
        for (int k = 0; k < 50; k++) {
            INDArray x = Nd4j.createFromArray(RandomTrials.random(random, tried.n(), tried.spread()));
            INDArray v = Nd4j.createFromArray(RandomTrials.random(random, tried.n(), 1));
            double ball = 0;
            double segment = 0;
            for (double radius = 1e-6; radius < 10; radius *= 3) {
                double nextBall = tried.oracle().at(x).applyAsDouble(radius);
                double nextSegment = tried.oracle().along(x, v).applyAsDouble(radius);
                assertThat(nextBall).as("seed %d, R = %s", SEED, radius).isGreaterThanOrEqualTo(ball * (1 - 1e-9));
                assertThat(nextSegment)
                        .as("seed %d, R = %s", SEED, radius)
                        .isGreaterThanOrEqualTo(segment * (1 - 1e-9));
                ball = nextBall;
                segment = nextSegment;
            }
        }
    }

    @Test
    void onSmallBallsTheGeneralisedLinearOraclesAreTheHessianNorm() {
        for (boolean nonNegative : new boolean[] {false, true}) {
            double[][] data = data(new Random(SEED + 3), 30, N, nonNegative);
            INDArray x = Nd4j.createFromArray(RandomTrials.random(new Random(SEED), N, 2));
            SimpleMatrix hessian = new SimpleMatrix(N, N);
            for (double[] row : data) {
                SimpleMatrix a = new SimpleMatrix(N, 1, true, row);
                double t = 0;
                for (int i = 0; i < N; i++) {
                    t += row[i] * x.getDouble(i);
                }
                double sigma = 1 / (1 + Math.exp(-t));
                hessian = hessian.plus(a.mult(a.transpose()).scale(0.1 * sigma * (1 - sigma)));
            }
            double expected = hessian.svd().getSingleValue(0);
            double actual = new GeneralisedLinear(Nd4j.createFromArray(data), GeneralisedLinear.Link.LOGISTIC, 0.1)
                    .at(x)
                    .applyAsDouble(1e-12);
            assertThat(actual).as("seed %d", SEED).isBetween(expected * (1 - 1e-9), expected * 1.001);
        }
    }

    @Test
    void alongADirectionSoftmaxIsTheCurvatureThere() {
        double[][] data = data(new Random(SEED + 4), 30, N, false);
        int n = 3 * (N + 1);
        INDArray x = Nd4j.createFromArray(RandomTrials.random(new Random(SEED), n, 2));
        INDArray v = Nd4j.createFromArray(RandomTrials.random(new Random(SEED + 5), n, 1));
        INDArray product = Nd4j.zeros(x.dataType(), n);
        Objective.of(n, softmax(data, 3)).hessianVector(x, v, product);
        double curvature = Nd4j.getBlasWrapper().dot(v, product);
        assertThat(new SoftmaxRegression(Nd4j.createFromArray(data), 3)
                        .along(x, v)
                        .applyAsDouble(0))
                .as("seed %d", SEED)
                .isCloseTo(curvature, within(1e-7));
    }

    @Test
    void spectralBoundsAreFromAboveAndClose() {
        for (int n : new int[] {1, 2, 7, 40}) {
            double[][] rows = data(new Random(SEED + n), n + 3, n, false);
            SimpleMatrix r = new SimpleMatrix(rows);
            double norm = r.transpose().mult(r).svd().getSingleValue(0);
            INDArray gram = Nd4j.createFromArray(rows).transpose().mmul(Nd4j.createFromArray(rows));
            assertThat(SpectralBound.ofSymmetric(gram))
                    .as("n = %d, seed %d", n, SEED)
                    .isBetween(norm * (1 - 1e-12), norm * 1.001);
            assertThat(SpectralBound.ofSymmetric(gram.neg()))
                    .as("n = %d", n)
                    .isBetween(norm * (1 - 1e-12), norm * 1.001);
        }
        assertThat(SpectralBound.ofSymmetric(Nd4j.zeros(3, 3))).isZero();
        assertThat(SpectralBound.ofSymmetric(Nd4j.eye(784))).isBetween(1.0, 1.001);
    }

    @Test
    void zeroColumnsAndZeroDataAreNoTrouble() {
        double[][] data = {{1, 0, 2}, {3, 0, 1}};
        double norm = new SimpleMatrix(data).svd().getSingleValue(0);
        INDArray x = Nd4j.createFromArray(0.0, 0.0, 0.0);
        assertThat(new GeneralisedLinear(Nd4j.createFromArray(data), GeneralisedLinear.Link.SQUARED, 1)
                        .at(x)
                        .applyAsDouble(1))
                .isCloseTo(norm * norm, within(1e-9));
        assertThat(new GeneralisedLinear(Nd4j.zeros(2, 3), GeneralisedLinear.Link.SQUARED, 1)
                        .at(x)
                        .applyAsDouble(1))
                .isZero();
    }

    @Test
    void badInputIsRefusedWithASentence() {
        assertThatThrownBy(() -> SmoothnessOracles.normPower(0.5)).hasMessageContaining("p >= 1");
        assertThatThrownBy(() -> SmoothnessOracles.lipschitz(-1)).hasMessageContaining("at least 0");
        assertThatThrownBy(() -> SmoothnessOracles.scaled(Double.NaN, SmoothnessOracles.lipschitz(1)))
                .hasMessageContaining("finite");
        assertThatThrownBy(() -> SmoothnessOracles.quadratic(Nd4j.zeros(2, 3))).hasMessageContaining("square");
        assertThatThrownBy(() -> new SoftmaxRegression(Nd4j.zeros(2, 3), 1)).hasMessageContaining("2 classes");
        assertThatThrownBy(() -> new SoftmaxRegression(Nd4j.zeros(2, 3), 2).at(Nd4j.zeros(3)))
                .hasMessageContaining("a point has 8");
    }

    // --- the functions, in plain arrays

    private static double squaredNorm(double[] x) {
        double s = 0;
        for (double each : x) {
            s += each * each;
        }
        return s;
    }

    static ArrayFunction normPower(double p) {
        return (x, g) -> {
            double s = squaredNorm(x);
            for (int i = 0; i < x.length; i++) {
                g[i] = 2 * p * Math.pow(s, p - 1) * x[i];
            }
            return Math.pow(s, p);
        };
    }

    private static ArrayFunction sine() {
        return (x, g) -> {
            g[0] = Math.cos(x[0]);
            return Math.sin(x[0]);
        };
    }

    /** Σ ln cosh x_i. */
    private static ArrayFunction sumOfLogCosh() {
        return (x, g) -> {
            double f = 0;
            for (int i = 0; i < x.length; i++) {
                g[i] = Math.tanh(x[i]);
                f += Math.log(Math.cosh(x[i]));
            }
            return f;
        };
    }

    private static double logCoshCurvature(double from, double to) {
        double nearest = from <= 0 && to >= 0 ? 0 : Math.min(Math.abs(from), Math.abs(to));
        return 1 / (Math.cosh(nearest) * Math.cosh(nearest));
    }

    private static ArrayFunction quadratic(double[][] a) {
        return (x, g) -> {
            double f = 0;
            for (int i = 0; i < x.length; i++) {
                g[i] = 0;
                for (int j = 0; j < x.length; j++) {
                    g[i] += a[i][j] * x[j];
                }
                f += g[i] * x[i] / 2;
            }
            return f;
        };
    }

    private static ArrayFunction times(double factor, ArrayFunction f) {
        return (x, g) -> {
            double value = factor * f.evaluate(x, g);
            for (int i = 0; i < g.length; i++) {
                g[i] *= factor;
            }
            return value;
        };
    }

    private static ArrayFunction plus(ArrayFunction f, ArrayFunction h) {
        return (x, g) -> {
            double[] second = new double[g.length];
            double value = f.evaluate(x, g) + h.evaluate(x, second);
            for (int i = 0; i < g.length; i++) {
                g[i] += second[i];
            }
            return value;
        };
    }

    private static ArrayFunction exp(ArrayFunction f) {
        return (x, g) -> {
            double value = Math.exp(f.evaluate(x, g));
            for (int i = 0; i < g.length; i++) {
                g[i] *= value;
            }
            return value;
        };
    }

    private static ArrayFunction afterAffine(double[][] a, double[] b, ArrayFunction f) {
        return (x, g) -> {
            double[] y = b.clone();
            for (int i = 0; i < y.length; i++) {
                for (int j = 0; j < x.length; j++) {
                    y[i] += a[i][j] * x[j];
                }
            }
            double[] inner = new double[y.length];
            double value = f.evaluate(y, inner);
            for (int j = 0; j < x.length; j++) {
                g[j] = 0;
                for (int i = 0; i < y.length; i++) {
                    g[j] += a[i][j] * inner[i];
                }
            }
            return value;
        };
    }

    /** 0.1 Σ φ(a_i·x): ln(1 + eᵗ), or ½ (t - 1)². */
    private static ArrayFunction linear(double[][] data, boolean logistic) {
        return (x, g) -> {
            double f = 0;
            java.util.Arrays.fill(g, 0);
            for (double[] row : data) {
                double t = 0;
                for (int j = 0; j < row.length; j++) {
                    t += row[j] * x[j];
                }
                f += 0.1 * (logistic ? Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t))) : (t - 1) * (t - 1) / 2);
                double slope = 0.1 * (logistic ? 1 / (1 + Math.exp(-t)) : t - 1);
                for (int j = 0; j < row.length; j++) {
                    g[j] += slope * row[j];
                }
            }
            return f;
        };
    }

    /** Mean negative log-likelihood; example i is of class i mod classes. */
    static ArrayFunction softmax(double[][] data, int classes) {
        return (x, g) -> {
            int d = data[0].length;
            java.util.Arrays.fill(g, 0);
            double f = 0;
            for (int i = 0; i < data.length; i++) {
                double[] z = new double[classes];
                double sum = 0;
                for (int c = 0; c < classes; c++) {
                    z[c] = x[classes * d + c];
                    for (int j = 0; j < d; j++) {
                        z[c] += x[c * d + j] * data[i][j];
                    }
                    sum += Math.exp(z[c]);
                }
                f += (Math.log(sum) - z[i % classes]) / data.length;
                for (int c = 0; c < classes; c++) {
                    double slope = (Math.exp(z[c]) / sum - (c == i % classes ? 1 : 0)) / data.length;
                    g[classes * d + c] += slope;
                    for (int j = 0; j < d; j++) {
                        g[c * d + j] += slope * data[i][j];
                    }
                }
            }
            return f;
        };
    }

    private static double[][] symmetric(Random random) {
        double[][] a = new double[N][N];
        for (int i = 0; i < N; i++) {
            for (int j = 0; j <= i; j++) {
                a[i][j] = random.nextGaussian();
                a[j][i] = a[i][j];
            }
        }
        return a;
    }

    private static double[][] data(Random random, int rows, int columns, boolean nonNegative) {
        double[][] data = new double[rows][columns];
        for (double[] row : data) {
            for (int j = 0; j < columns; j++) {
                row[j] = nonNegative ? random.nextDouble() : random.nextGaussian();
            }
        }
        return data;
    }
}
