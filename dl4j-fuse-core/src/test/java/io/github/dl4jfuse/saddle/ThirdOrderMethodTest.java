package io.github.dl4jfuse.saddle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.saddle.ThirdOrderResult.Kind;
import io.github.dl4jfuse.saddle.ThirdOrderResult.Status;
import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Saddles that have to be left, and those that theory does not promise to leave. */
class ThirdOrderMethodTest {

    private static final long SEED = 909;

    // For the monkey saddle on |v| ≤ 4: bounds of the change of the Hessian and of the third derivative.
    private static final double R = 36;
    private static final double L = 8.93;

    private static INDArray origin(int n) {
        return Nd4j.zeros(DataType.DOUBLE, n);
    }

    @Test
    void cubicNewtonAloneStaysOnTheMonkeySaddle() {
        DenseCurvature at = new DenseCurvature(Saddles.MONKEY.function.objective(), origin(2));
        assertThat(at.cubicStep(R).length()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void oneThirdOrderStepLeavesTheMonkeySaddleAndTheRunEndsAtTheMinimum(long seed) {
        ThirdOrderResult result =
                ThirdOrderMethod.withConstants(R, L).withSeed(seed).run(Saddles.MONKEY.function.objective(), origin(2));
        ThirdOrderResult.Step first = result.steps().get(0);
        assertThat(first.kind()).isEqualTo(Kind.THIRD_ORDER);
        // C = 12 (four entries of ±6), Q = 2^1.5: C/(LQ) and C⁴/(24 L³Q⁴).
        assertThat(first.length()).isCloseTo(12 / (L * Math.pow(2, 1.5)), within(1e-5));
        assertThat(first.length()).as("the note's figure").isCloseTo(0.475, within(5e-4));
        assertThat(first.promised()).isCloseTo(1.9e-2, within(1e-3));
        assertThat(first.gain()).as("seed %d", seed).isGreaterThanOrEqualTo(first.promised());
        assertThat(result.status()).isEqualTo(Status.MINIMUM);
        assertThat(result.converged()).isTrue();
        assertThat(result.iterations()).isEqualTo(result.steps().size());
        assertThat(result.value()).isCloseTo(-6.75, within(1e-9));
        assertThat(result.count(Kind.THIRD_ORDER)).isEqualTo(1);
    }

    @Test
    void constantsThatAreTooSmallAreFoundOut() {
        ThirdOrderResult result =
                ThirdOrderMethod.withConstants(1, L).run(Saddles.MONKEY.function.objective(), origin(2));
        assertThat(result.status()).isEqualTo(Status.CONSTANTS_TOO_SMALL);
        assertThat(result.value()).isLessThan(0);
    }

    @ParameterizedTest
    @EnumSource(Saddles.class)
    void leavesWhatTheoryPromisesAndNamesTheRest(Saddles saddle) {
        Polynomial f = saddle.function;
        int n = f.dimension();
        Objective objective = f.objective(Polynomial.rotation(n, SEED + saddle.ordinal()), DataType.DOUBLE);
        ThirdOrderResult result = ThirdOrderMethod.adaptive().withSeed(SEED).run(objective, origin(n));
        if (saddle.promised) {
            assertThat(result.value())
                    .as("%s, seed %d: %s", saddle, SEED, result)
                    .isLessThan(-1e-2);
            assertThat(result.status()).as("%s", result).isIn(Status.MINIMUM, Status.THIRD_ORDER_STATIONARY);
            assertThat(result.gradientNorm()).isLessThan(2e-8 * (1 + Math.abs(result.value())));
        } else {
            assertThat(result.status())
                    .as("%s, seed %d: %s", saddle, SEED, result)
                    .isEqualTo(Status.THIRD_ORDER_STATIONARY);
            assertThat(Vectors.norm(result.point())).isLessThan(1e-6);
        }
    }

    @Test
    void squareTimesOtherPassesTheTestAndIsASaddleAllTheSame() {
        Objective f = Polynomial.zero(2).plus(1, 0, 0, 1).plus(1, 1, 1).objective();
        ThirdOrderResult result = ThirdOrderMethod.adaptive().run(f, origin(2));
        assertThat(result.status()).isEqualTo(Status.THIRD_ORDER_STATIONARY);
        assertThat(result.steps()).isEmpty();
        assertThat(f.value(Nd4j.createFromArray(0.1, -0.005))).isCloseTo(-2.5e-5, within(1e-12));
    }

    @Test
    void startsCloseToTheSaddleLeaveItToo() {
        Objective f = Saddles.MONKEY.function.objective();
        for (double x : new double[] {1e-3, 1e-6, 1e-9}) {
            ThirdOrderResult result = ThirdOrderMethod.adaptive().run(f, Nd4j.createFromArray(x, x / 3));
            assertThat(result.value()).as("from %s: %s", x, result).isCloseTo(-6.75, within(1e-9));
        }
    }

    @Test
    void refusesWhatItCannotDo() {
        assertThatThrownBy(() -> ThirdOrderMethod.withConstants(0, 1)).hasMessageContaining("more than 0");
        assertThatThrownBy(() -> ThirdOrderMethod.adaptive().withMaxIterations(0))
                .hasMessageContaining("at least one");
        assertThatThrownBy(() ->
                        ThirdOrderMethod.adaptive().run(Polynomial.zero(201).objective(), origin(201)))
                .hasMessageContaining("at most 200");
        ThirdOrderResult bad = ThirdOrderMethod.adaptive().run(Objective.of(2, (x, g) -> Double.NaN), origin(2));
        assertThat(bad.status()).isEqualTo(Status.NON_FINITE);
    }

    @Test
    void fallingWithoutEndIsSaid() {
        ThirdOrderResult result = ThirdOrderMethod.adaptive()
                .run(Polynomial.zero(2).plus(1, 0, 0).plus(-1, 1, 1).objective(), origin(2));
        assertThat(result.status()).isEqualTo(Status.NON_FINITE);
        assertThat(result.message()).contains("without end");
    }

    @Test
    void eigenvectorsOfADenseHessianAreThoseOfEjml() {
        Polynomial f = Polynomial.random(8, 30, SEED);
        double[] x = new Random(SEED).doubles(8, -1, 1).toArray();
        DenseCurvature at = new DenseCurvature(f.objective(), Nd4j.createFromArray(x));
        SimpleMatrix exact = new SimpleMatrix(f.hessian(x));
        for (int i = 0; i < 8; i++) {
            double[] v = at.vectors.get(i).toDoubleVector();
            SimpleMatrix column = new SimpleMatrix(8, 1, true, v);
            assertThat(exact.mult(column).minus(column.scale(at.eigenvalues[i])).normF())
                    .as("seed %d", SEED)
                    .isLessThan(1e-7);
        }
    }
}
