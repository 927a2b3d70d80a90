package io.github.dl4jfuse.saddle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.saddle.SubspaceStep.Kind;
import java.util.Arrays;
import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Verdicts, and steps in the span of a few directions. */
class CriticalPointReportTest {

    private static final long SEED = 31;

    private static Objective rotated(Polynomial f, DataType type) {
        return f.objective(Polynomial.rotation(f.dimension(), SEED), type);
    }

    private static INDArray origin(int n, DataType type) {
        return Nd4j.zeros(type, n);
    }

    private static Verdict expected(Saddles saddle) {
        double[][] h = saddle.function.hessian(new double[saddle.function.dimension()]);
        double smallest = new SimpleMatrix(h)
                .eig().getEigenvalues().stream()
                        .mapToDouble(e -> e.getReal())
                        .min()
                        .orElseThrow();
        if (smallest < 0) {
            return Verdict.STRICT_SADDLE;
        }
        return saddle.promised ? Verdict.THIRD_ORDER_SADDLE : Verdict.DEGENERATE;
    }

    @ParameterizedTest
    @EnumSource(Saddles.class)
    void knowsEverySaddleInDoubleAndInFloat(Saddles saddle) {
        int n = saddle.function.dimension();
        for (DataType type : new DataType[] {DataType.DOUBLE, DataType.FLOAT}) {
            CriticalPointReport report = CriticalPointReport.of(rotated(saddle.function, type), origin(n, type));
            assertThat(report.verdict())
                    .as("%s, %s, seed %d: %s", saddle, type, SEED, report)
                    .isEqualTo(expected(saddle));
        }
    }

    @ParameterizedTest
    @EnumSource(Saddles.class)
    void aSubspaceStepLeavesWhatTheoryPromisesAndNoStepIsTakenElsewhere(Saddles saddle) {
        int n = saddle.function.dimension();
        for (DataType type : new DataType[] {DataType.DOUBLE, DataType.FLOAT}) {
            Objective f = rotated(saddle.function, type);
            SubspaceStep step = SubspaceStep.from(f, origin(n, type));
            assertThat(step.kind())
                    .as("%s, %s, seed %d: %s", saddle, type, SEED, step)
                    .isEqualTo(
                            switch (expected(saddle)) {
                                case STRICT_SADDLE -> Kind.SECOND_ORDER;
                                case THIRD_ORDER_SADDLE -> Kind.THIRD_ORDER;
                                default -> Kind.NONE;
                            });
            assertThat(f.value(step.point())).isEqualTo(step.value());
            if (saddle.promised) {
                assertThat(step.value()).isLessThan(-0.05);
            } else {
                assertThat(step.value()).isZero();
            }
        }
    }

    @Test
    void aMinimumIsAMinimumWithTheEigenvaluesOfTheDenseHessian() {
        int n = 15;
        Polynomial f = Polynomial.zero(n);
        for (int i = 0; i < n; i++) {
            f = f.plus(0.5 * (i + 1), i, i).plusPower(0.3, i, 3).plusPower(1, i, 4);
        }
        CriticalPointReport report = CriticalPointReport.of(rotated(f, DataType.DOUBLE), origin(n, DataType.DOUBLE));
        assertThat(report.verdict()).isEqualTo(Verdict.MINIMUM);
        assertThat(report.smallest()).isCloseTo(1, within(1e-8));
        assertThat(report.largest()).isCloseTo(n, within(1e-7));
        assertThat(report.toString()).contains("a minimum", "eigenvalues from 1.00");
    }

    @Test
    void aSlopeIsNoCriticalPoint() {
        Objective f = Polynomial.zero(2).plus(1e-3, 0).plus(1, 1, 1).objective();
        INDArray x = origin(2, DataType.DOUBLE);
        assertThat(CriticalPointReport.of(f, x).verdict()).isEqualTo(Verdict.NOT_CRITICAL);
        assertThat(CriticalPointReport.of(f, x, 1e-2).verdict()).isEqualTo(Verdict.DEGENERATE);
        assertThat(SubspaceStep.from(f, x).kind()).isEqualTo(Kind.NONE);
    }

    /** Products that lie about the curvature: the step has to be refused by the value. */
    @ParameterizedTest
    @CsvSource({"1", "2", "3"})
    void aWrongVerdictNeverMakesTheValueWorse(long seed) {
        Polynomial bowl = Polynomial.zero(3).plus(1, 0, 0).plus(1, 1, 1).plus(1, 2, 2);
        Objective honest = bowl.objective();
        Random random = new Random(seed);
        Objective liar = new Objective(3, DataType.DOUBLE) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                return gradient == null ? honest.value(point) : honest.valueAndGradient(point, gradient);
            }

            @Override
            public void hessianVector(INDArray point, INDArray vector, INDArray target) {
                target.assign(vector).muli(-1 - random.nextDouble());
            }
        };
        SubspaceStep step = SubspaceStep.from(liar, origin(3, DataType.DOUBLE));
        assertThat(step.report().verdict()).isEqualTo(Verdict.STRICT_SADDLE);
        assertThat(step.kind()).isEqualTo(Kind.NONE);
        assertThat(step.value()).isZero();
        assertThat(step.point()).isEqualTo(origin(3, DataType.DOUBLE));
    }

    /** The same with a third derivative that isn't there, at a minimum whose Hessian vanishes. */
    @Test
    void aWrongThirdDerivativeNeverMakesTheValueWorse() {
        Polynomial bowl = Polynomial.zero(2).plusPower(1, 0, 4).plusPower(1, 1, 4);
        Objective honest = bowl.objective();
        Objective liar = new Objective(2, DataType.DOUBLE) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                return gradient == null ? honest.value(point) : honest.valueAndGradient(point, gradient);
            }

            @Override
            public void hessianVector(INDArray point, INDArray vector, INDArray target) {
                target.assign(0).putScalar(0, 6 * point.getDouble(0) * vector.getDouble(0)); // that of x³
            }
        };
        SubspaceStep step = SubspaceStep.from(liar, origin(2, DataType.DOUBLE));
        assertThat(step.report().verdict()).isEqualTo(Verdict.THIRD_ORDER_SADDLE);
        assertThat(step.kind()).isEqualTo(Kind.NONE);
        assertThat(step.value()).isZero();
        assertThat(step.point()).isEqualTo(origin(2, DataType.DOUBLE));
    }

    /**
     * A monkey saddle in two variables, 0.03 xᵢ⁴ in 48 others: along the monkey's legs f falls to -4 at length 2, and a random
     * part of length 4 costs about 0.5, one of length 8 about 7.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void theStepHasARandomPartThatLeavesHalfOfTheGain(long seed) {
        int n = 50;
        Polynomial monkey = Saddles.monkey(n);
        for (int i = 2; i < n; i++) {
            monkey = monkey.plusPower(0.03, i, 4);
        }
        Objective f = monkey.objective();
        SubspaceStep step =
                SubspaceStep.from(f, origin(n, DataType.DOUBLE), Double.NaN, SubspaceStep.DEFAULT_MAX_PRODUCTS, seed);
        assertThat(step.kind()).isEqualTo(Kind.THIRD_ORDER);
        assertThat(step.value()).as("seed %d", seed).isLessThanOrEqualTo(-2);
        double squares = 0;
        for (int i = 2; i < n; i++) {
            squares += Math.pow(step.point().getDouble(i), 2);
        }
        assertThat(Math.sqrt(squares)).as("seed %d", seed).isBetween(0.9, 4.1);
    }

    @Test
    void aValueThatIsNotFiniteIsSaid() {
        Objective bad = Objective.of(2, (x, g) -> Double.NaN);
        assertThatThrownBy(() -> CriticalPointReport.of(bad, origin(2, DataType.DOUBLE)))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("not finite");
    }

    @Test
    void valuesThatGetInfiniteEndTheSearchOfALength() {
        Objective cliff = Objective.of(2, (x, g) -> {
            g[0] = 2 * x[0];
            g[1] = -2 * x[1];
            return Math.abs(x[1]) > 5 ? Double.NaN : x[0] * x[0] - x[1] * x[1];
        });
        SubspaceStep step = SubspaceStep.from(cliff, origin(2, DataType.DOUBLE));
        assertThat(step.kind()).isEqualTo(Kind.SECOND_ORDER);
        assertThat(Math.abs(step.point().getDouble(1))).isCloseTo(4, within(1e-6));
        assertThat(Arrays.stream(step.point().toDoubleVector()).allMatch(Double::isFinite))
                .isTrue();
    }
}
