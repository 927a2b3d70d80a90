package io.github.dl4jfuse.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ObjectiveTest {

    /** Σ exp(x_i - x_{i+1}) in the given type; the Hessian is tridiagonal and known. */
    private static Objective chain(int n, DataType type) {
        return new Objective(n, type) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                double[] x = point.toDoubleVector();
                double[] g = new double[n];
                double sum = 0;
                for (int i = 0; i + 1 < n; i++) {
                    double e = Math.exp(x[i] - x[i + 1]);
                    sum += e;
                    g[i] += e;
                    g[i + 1] -= e;
                }
                if (gradient != null) {
                    gradient.assign(Nd4j.createFromArray(g).castTo(type));
                }
                return sum;
            }
        };
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "DOUBLE"})
    void hessianVectorProductsAgreeWithTheExactMatrix(DataType type) {
        long seed = 3;
        Random random = new Random(seed);
        int n = 40;
        INDArray x = Nd4j.createFromArray(random.doubles(n, -1, 1).toArray()).castTo(type);
        for (double length : new double[] {1e-3, 1, 1e4}) {
            INDArray v = Nd4j.createFromArray(random.doubles(n, -length, length).toArray())
                    .castTo(type);
            double[] exact = new double[n];
            for (int i = 0; i + 1 < n; i++) {
                double term = Math.exp(x.getDouble(i) - x.getDouble(i + 1)) * (v.getDouble(i) - v.getDouble(i + 1));
                exact[i] += term;
                exact[i + 1] -= term;
            }
            INDArray product = Nd4j.zeros(type, n);
            Objective objective = chain(n, type);
            INDArray before = x.dup();
            objective.hessianVector(x, v, product);
            double error = Nd4j.createFromArray(exact)
                            .sub(product.castTo(DataType.DOUBLE))
                            .norm2Number()
                            .doubleValue()
                    / Nd4j.createFromArray(exact).norm2Number().doubleValue();
            assertThat(error)
                    .as("relative error in %s with |v| ~ %s, seed %d", type, length, seed)
                    .isLessThan(type == DataType.FLOAT ? 2e-3 : 1e-9);
            assertThat(objective.gradientEvaluations()).isEqualTo(2);
            assertThat(x).isEqualTo(before);
        }
    }

    @Test
    void theProductWithZeroIsZeroAndCostsNothing() {
        Objective objective = chain(5, DataType.DOUBLE);
        INDArray product = Nd4j.ones(DataType.DOUBLE, 5);
        objective.hessianVector(Nd4j.ones(DataType.DOUBLE, 5), Nd4j.zeros(DataType.DOUBLE, 5), product);
        assertThat(product).isEqualTo(Nd4j.zeros(DataType.DOUBLE, 5));
        assertThat(objective.functionEvaluations()).isZero();
    }

    @Test
    void countsValuesAndGradients() {
        Objective objective = chain(5, DataType.DOUBLE);
        INDArray x = Nd4j.zeros(DataType.DOUBLE, 5);
        assertThat(objective.value(x)).isEqualTo(4);
        assertThat(objective.valueAndGradient(x, x.dup())).isEqualTo(4);
        assertThat(objective.functionEvaluations()).isEqualTo(2);
        assertThat(objective.gradientEvaluations()).isEqualTo(1);
    }

    @Test
    void refusesOtherTypes() {
        assertThatThrownBy(() -> chain(5, DataType.BFLOAT16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("FLOAT or DOUBLE");
    }
}
