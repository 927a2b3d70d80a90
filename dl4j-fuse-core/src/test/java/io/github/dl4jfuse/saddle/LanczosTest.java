package io.github.dl4jfuse.saddle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import java.util.Arrays;
import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Eigenpairs against dense matrices. */
class LanczosTest {

    private static final long SEED = 17;

    /** Returns ½ xᵀAx with A = Q diag(λ) Qᵀ, with exact products or with those by differences. */
    private static Objective quadratic(double[] lambda, double[][] q, DataType type, boolean exact) {
        int n = lambda.length;
        double[][] a = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                for (int k = 0; k < n; k++) {
                    a[i][j] += q[i][k] * lambda[k] * q[j][k];
                }
            }
        }
        INDArray matrix = Nd4j.createFromArray(a).castTo(type);
        return new Objective(n, type) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                INDArray product = matrix.mmul(point.reshape(n, 1)).reshape(n);
                if (gradient != null) {
                    gradient.assign(product);
                }
                return Vectors.dot(point, product) / 2;
            }

            @Override
            public void hessianVector(INDArray point, INDArray vector, INDArray target) {
                if (exact) {
                    target.assign(matrix.mmul(vector.reshape(n, 1)).reshape(n));
                } else {
                    super.hessianVector(point, vector, target);
                }
            }
        };
    }

    private static double[] spectrum(int n, long seed) {
        double[] lambda = new Random(seed).doubles(n, -0.5, 1).toArray();
        lambda[0] = -3;
        lambda[1] = -2;
        lambda[2] = 8;
        lambda[3] = 5;
        lambda[4] = 4;
        Arrays.sort(lambda);
        return lambda;
    }

    @ParameterizedTest
    @CsvSource({"DOUBLE, true, 1e-6", "DOUBLE, false, 1e-6", "FLOAT, true, 1e-4", "FLOAT, false, 1e-2"})
    void bothEndsOfARandomSpectrum(DataType type, boolean exact, double tolerance) {
        int n = 300;
        double[] lambda = spectrum(n, SEED);
        double[][] q = Polynomial.rotation(n, SEED);
        Objective f = quadratic(lambda, q, type, exact);
        INDArray x = Nd4j.createFromArray(new Random(SEED).doubles(n, -1, 1).toArray())
                .castTo(type);
        EigenPairs pairs = new Lanczos(100, tolerance, SEED).extremes(f, x, 2, 3);
        assertThat(pairs.converged()).as("%s, seed %d", pairs, SEED).isTrue();
        assertThat(pairs.products()).isLessThan(60);
        assertThat(pairs.gradientEvaluations()).isEqualTo(exact ? 0 : 2L * pairs.products());
        double[] expected = {lambda[0], lambda[1], lambda[n - 3], lambda[n - 2], lambda[n - 1]};
        int[] column = {0, 1, n - 3, n - 2, n - 1};
        for (int i = 0; i < expected.length; i++) {
            assertThat(pairs.values()[i])
                    .as("eigenvalue %d, seed %d", i, SEED)
                    .isCloseTo(expected[i], within(tolerance * Math.abs(expected[i])));
            assertThat(Math.abs(pairs.values()[i] - expected[i]))
                    .as("the error said covers the error made, eigenvalue %d", i)
                    .isLessThanOrEqualTo(pairs.errors()[i] + 1e-14);
            double overlap = 0;
            for (int j = 0; j < n; j++) {
                overlap += q[j][column[i]] * pairs.vectors().get(i).getDouble(j);
            }
            assertThat(Math.abs(overlap)).as("eigenvector %d", i).isCloseTo(1, within(1e-2));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void residualsHoldOfAnExactEigenvalue(long seed) {
        int n = 200;
        double[] lambda = new Random(seed).doubles(n, -1, 1).toArray();
        Arrays.sort(lambda);
        Objective f = quadratic(lambda, Polynomial.rotation(n, seed), DataType.DOUBLE, true);
        EigenPairs pairs = new Lanczos(25, 0, seed).extremes(f, Nd4j.zeros(DataType.DOUBLE, n), 3, 3);
        assertThat(pairs.converged()).isFalse();
        for (int i = 0; i < 6; i++) {
            double value = pairs.values()[i];
            double nearest = Arrays.stream(lambda)
                    .map(each -> Math.abs(each - value))
                    .min()
                    .orElseThrow();
            assertThat(nearest).as("seed %d, pair %d", seed, i).isLessThanOrEqualTo(pairs.residuals()[i] + 1e-12);
            INDArray product = Nd4j.zeros(DataType.DOUBLE, n);
            f.hessianVector(product, pairs.vectors().get(i), product);
            Vectors.axpy(-value, pairs.vectors().get(i), product);
            assertThat(Vectors.norm(product))
                    .as("the residual said is the residual, seed %d, pair %d", seed, i)
                    .isCloseTo(pairs.residuals()[i], within(1e-9));
        }
    }

    @Test
    void smallProblemsGiveEveryEigenvalueOfADenseHessian() {
        int n = 12;
        Polynomial p = Polynomial.random(n, 60, SEED);
        double[] x = new Random(SEED).doubles(n, -1, 1).toArray();
        EigenPairs pairs = new Lanczos().smallest(p.objective(), Nd4j.createFromArray(x), n);
        double[] exact = new SimpleMatrix(p.hessian(x))
                .eig().getEigenvalues().stream()
                        .mapToDouble(e -> e.getReal())
                        .sorted()
                        .toArray();
        for (int i = 0; i < n; i++) {
            assertThat(pairs.values()[i]).as("seed %d", SEED).isCloseTo(exact[i], within(1e-7));
        }
    }

    @Test
    void oneSidedDifferencesCostOneGradientAProduct() {
        int n = 100;
        Polynomial p = Polynomial.random(n, 400, SEED);
        double[] x = new Random(SEED).doubles(n, -1, 1).toArray();
        double[] exact = new SimpleMatrix(p.hessian(x))
                .eig().getEigenvalues().stream()
                        .mapToDouble(e -> e.getReal())
                        .sorted()
                        .toArray();
        INDArray point = Nd4j.createFromArray(x);
        EigenPairs pairs = new Lanczos(60, 1e-6, SEED).oneSided().extremes(p.objective(), point, 2, 2);
        assertThat(pairs.converged()).as("%s, seed %d", pairs, SEED).isTrue();
        assertThat(pairs.gradientEvaluations()).isEqualTo(pairs.products() + 1L);
        double[] expected = {exact[0], exact[1], exact[n - 2], exact[n - 1]};
        for (int i = 0; i < 4; i++) {
            assertThat(pairs.values()[i])
                    .as("eigenvalue %d, seed %d", i, SEED)
                    .isCloseTo(expected[i], within(1e-6 * Math.abs(expected[i])));
        }
        Objective inFloat = Polynomial.zero(2).plus(1, 0, 0).objective(null, DataType.FLOAT);
        assertThatThrownBy(() -> new Lanczos().oneSided().smallest(inFloat, Nd4j.zeros(DataType.FLOAT, 2), 1))
                .hasMessageContaining("in DOUBLE");
    }

    /**
     * ½ xᵀAx + Σ max(0, aᵢ·x - bᵢ) with 500 kinks at distances of up to 1e-4: its Hessian is A, and each central difference (over 8e-6
     * to either side) passes two kinks or so.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void kinksNearbyAreNoCurvatureToOneSidedDifferences(long seed) {
        int n = 100;
        double[] lambda = spectrum(n, seed);
        Objective smooth = quadratic(lambda, Polynomial.rotation(n, seed), DataType.DOUBLE, true);
        Random random = new Random(seed);
        INDArray x = Nd4j.createFromArray(random.doubles(n, -1, 1).toArray());
        int kinks = 500;
        INDArray a = Nd4j.createFromArray(
                        random.doubles((long) n * kinks, -0.1, 0.1).toArray())
                .reshape(kinks, n);
        INDArray b = a.mmul(x.reshape(n, 1))
                .add(Nd4j.createFromArray(random.doubles(kinks, -1e-4, 1e-4).toArray())
                        .reshape(kinks, 1));
        Objective kinked = new Objective(n, DataType.DOUBLE) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                INDArray above = a.mmul(point.reshape(n, 1)).sub(b);
                INDArray active = above.gt(0).castTo(DataType.DOUBLE);
                smooth.hessianVector(point, point, gradient);
                gradient.addi(a.transpose().mmul(active).reshape(n));
                return Double.NaN; // nobody asks
            }
        };
        EigenPairs pairs = new Lanczos(40, 0, seed).oneSided().extremes(kinked, x, 2, 3);
        double[] expected = {lambda[0], lambda[1], lambda[n - 3], lambda[n - 2], lambda[n - 1]};
        for (int i = 0; i < 5; i++) {
            assertThat(pairs.values()[i])
                    .as("eigenvalue %d, seed %d", i, seed)
                    .isCloseTo(expected[i], within(1e-6 + pairs.errors()[i]));
            assertThat(pairs.errors()[i]).isLessThan(1e-2);
        }
        assertThat(new Lanczos(40, 0, seed).largest(kinked, x, 1).largest())
                .as("central differences are misled, seed %d", seed)
                .isNotCloseTo(lambda[n - 1], within(0.1 * lambda[n - 1]));
    }

    @Test
    void eigenvaluesThatOccurSeveralTimesAreFoundSoOften() {
        double[] lambda = {-1, -1, -1, 2, 2, 5};
        Objective f = quadratic(lambda, Polynomial.rotation(6, SEED), DataType.DOUBLE, true);
        EigenPairs pairs = new Lanczos().smallest(f, Nd4j.zeros(DataType.DOUBLE, 6), 4);
        assertThat(pairs.values()).containsExactly(new double[] {-1, -1, -1, 2}, within(1e-12));
    }

    @Test
    void aHessianOfZeroNeedsNoMoreProductsThanPairs() {
        EigenPairs pairs = new Lanczos(20, 1e-2, SEED)
                .smallest(Polynomial.zero(1000).plus(1, 0, 1, 2).objective(), Nd4j.zeros(DataType.DOUBLE, 1000), 4);
        assertThat(pairs.values()).containsOnly(0);
        assertThat(pairs.products()).isLessThanOrEqualTo(5);
        assertThat(pairs.converged()).isTrue();
    }

    @Test
    void componentsThatAreNoVariablesAreLeftOut() {
        Polynomial p = Polynomial.zero(4)
                .plus(0.5, 0, 0)
                .plus(3, 0, 1)
                .plus(-0.5, 2, 2)
                .plus(5, 1, 3);
        Objective f = new Objective(4, DataType.DOUBLE) {
            private final Objective inner = p.objective();

            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                return gradient == null ? inner.value(point) : inner.valueAndGradient(point, gradient);
            }

            @Override
            public void clearFixed(INDArray direction) {
                direction.putScalar(1, 0);
                direction.putScalar(3, 0);
            }
        };
        EigenPairs pairs = new Lanczos().smallest(f, Nd4j.createFromArray(0.0, 1, 0, 1), 2);
        assertThat(pairs.values()).containsExactly(new double[] {-1, 1}, within(1e-8));
        assertThatThrownBy(() -> new Lanczos().smallest(f, Nd4j.createFromArray(0.0, 1, 0, 1), 3))
                .hasMessageContaining("ask for fewer");
    }

    @Test
    void refusesWhatItCannotDo() {
        Objective f = Polynomial.zero(2).plus(1, 0, 0).objective();
        INDArray x = Nd4j.zeros(DataType.DOUBLE, 2);
        assertThatThrownBy(() -> new Lanczos(0, 1e-2, 1)).hasMessageContaining("at least one product");
        assertThatThrownBy(() -> new Lanczos().smallest(f, x, 3)).hasMessageContaining("from 1 to 2");
        Objective bad = Objective.of(2, (point, gradient) -> {
            gradient[0] = Double.NaN;
            return 0;
        });
        assertThatThrownBy(() -> new Lanczos().smallest(bad, x, 1)).hasMessageContaining("not finite");
    }
}
