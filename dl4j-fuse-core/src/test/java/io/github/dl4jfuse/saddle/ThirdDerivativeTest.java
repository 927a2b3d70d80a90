package io.github.dl4jfuse.saddle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Third derivatives by differences against those of polynomials. */
class ThirdDerivativeTest {

    private static final int N = 7;

    private static double[] exact(Polynomial f, double[] x, double[] u, double[] v) {
        double[] result = new double[N];
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                for (int k = 0; k < N; k++) {
                    result[k] += f.third(x, i, j, k) * u[i] * v[j];
                }
            }
        }
        return result;
    }

    private static double norm(double[] x) {
        return Math.sqrt(
                IntStream.range(0, x.length).mapToDouble(i -> x[i] * x[i]).sum());
    }

    /** The tolerances are ten times the errors that the documentation names, relative. */
    @ParameterizedTest
    @CsvSource({
        "1, DOUBLE, 1, 8e-7", "2, DOUBLE, 1, 8e-7", "3, DOUBLE, 100, 8e-7", "4, DOUBLE, 0.01, 8e-7",
        "1, FLOAT, 1, 6e-3", "2, FLOAT, 1, 6e-3", "3, FLOAT, 100, 6e-3", "4, FLOAT, 0.01, 6e-3"
    })
    void productsAgreeWithExactDerivatives(long seed, DataType type, double length, double tolerance) {
        Random random = new Random(seed);
        Polynomial f = Polynomial.random(N, 20, seed);
        double[] x = random.doubles(N, -1, 1).toArray();
        double[] u = random.doubles(N, -length, length).toArray();
        double[] v = random.doubles(N, -1, 1).toArray();
        Objective objective = f.objective(null, type);
        INDArray point = Nd4j.createFromArray(x).castTo(type);
        INDArray target = point.dup();
        INDArray first = Nd4j.createFromArray(u).castTo(type);
        ThirdDerivative.product(objective, point, first, Nd4j.createFromArray(v).castTo(type), target);
        assertThat(objective.gradientEvaluations()).isEqualTo(4);
        check(exact(f, x, u, v), target, tolerance, seed);

        INDArray gradient = point.dup();
        objective.valueAndGradient(point, gradient);
        ThirdDerivative.square(objective, point, gradient, first, target);
        check(exact(f, x, u, u), target, tolerance, seed);
    }

    private static void check(double[] exact, INDArray measured, double tolerance, long seed) {
        double size = norm(exact);
        for (int k = 0; k < N; k++) {
            assertThat(measured.getDouble(k)).as("seed %d", seed).isCloseTo(exact[k], within(tolerance * size));
        }
    }

    @Test
    void aDirectionOfZeroGivesZero() {
        Objective f = Polynomial.random(N, 5, 1).objective();
        INDArray zero = Nd4j.zeros(DataType.DOUBLE, N);
        INDArray target = Nd4j.ones(DataType.DOUBLE, N);
        ThirdDerivative.product(f, zero, zero, target, target);
        assertThat(Vectors.norm(target)).isZero();
        target.assign(1);
        ThirdDerivative.square(f, zero, zero, zero, target);
        assertThat(Vectors.norm(target)).isZero();
    }

    @Test
    void theTensorInASubspaceIsTheExactOneRotated() {
        long seed = 5;
        Polynomial f = Polynomial.random(N, 20, seed);
        double[] x = new Random(seed).doubles(N, -1, 1).toArray();
        double[][] q = Polynomial.rotation(N, seed);
        int k = 3;
        CubicTensor tensor = CubicTensor.measure(
                f.objective(),
                Nd4j.createFromArray(x),
                IntStream.range(0, k).mapToObj(i -> Nd4j.createFromArray(q[i])).toList());
        double squares = 0;
        double tail = 0;
        for (int a = 0; a < k; a++) {
            for (int b = 0; b < k; b++) {
                double[] row = exact(f, x, q[a], q[b]);
                for (int c = 0; c < k; c++) {
                    double exact = 0;
                    for (int i = 0; i < N; i++) {
                        exact += row[i] * q[c][i];
                    }
                    assertThat(tensor.entry(a, b, c)).as("seed %d", seed).isCloseTo(exact, within(1e-5));
                    squares += exact * exact;
                    tail += Math.min(a, Math.min(b, c)) >= 1 ? exact * exact : 0;
                }
            }
        }
        assertThat(tensor.tailNorms()[0]).isCloseTo(Math.sqrt(squares), within(1e-5));
        assertThat(tensor.tailNorms()[1]).isCloseTo(Math.sqrt(tail), within(1e-5));
        assertThat(tensor.error()).isGreaterThan(0).isLessThan(1e-5);
        double[] u = {0.2, -0.5, 0.7};
        double[] inFull = new double[N];
        for (int i = 0; i < N; i++) {
            inFull[i] = u[0] * q[0][i] + u[1] * q[1][i] + u[2] * q[2][i];
        }
        double[] square = exact(f, x, inFull, inFull);
        double cube =
                IntStream.range(0, N).mapToDouble(i -> square[i] * inFull[i]).sum();
        assertThat(tensor.cube(u)).isCloseTo(cube, within(1e-5));
    }
}
