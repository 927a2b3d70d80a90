package io.github.dl4jfuse.optim.linesearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.optim.linesearch.LineSearch.Point;
import io.github.dl4jfuse.optim.linesearch.LineSearch.Result;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MoreThuenteTest {

    /** The test functions of Moré and Thuente's paper, section 5. */
    @SuppressWarnings("ImmutableEnumChecker")
    private enum Curve {
        ONE(t -> -t / (t * t + 2), t -> (t * t - 2) / Math.pow(t * t + 2, 2), 1e-3, 1e-1),
        TWO(
                t -> Math.pow(t + 0.004, 5) - 2 * Math.pow(t + 0.004, 4),
                t -> 5 * Math.pow(t + 0.004, 4) - 8 * Math.pow(t + 0.004, 3),
                1e-1,
                0.11),
        FOUR(t -> yanai(t, 0.001, 0.001), t -> yanaiSlope(t, 0.001, 0.001), 1e-3, 2e-3),
        FIVE(t -> yanai(t, 0.01, 0.001), t -> yanaiSlope(t, 0.01, 0.001), 1e-3, 2e-3),
        SIX(t -> yanai(t, 0.001, 0.01), t -> yanaiSlope(t, 0.001, 0.01), 1e-3, 2e-3);

        final DoubleUnaryOperator value;
        final DoubleUnaryOperator slope;
        final double c1;
        final double c2;

        Curve(DoubleUnaryOperator value, DoubleUnaryOperator slope, double c1, double c2) {
            this.value = value;
            this.slope = slope;
            this.c1 = c1;
            this.c2 = c2;
        }

        private static double gamma(double beta) {
            return Math.sqrt(1 + beta * beta) - beta;
        }

        private static double yanai(double t, double b1, double b2) {
            return gamma(b1) * Math.hypot(1 - t, b2) + gamma(b2) * Math.hypot(t, b1);
        }

        private static double yanaiSlope(double t, double b1, double b2) {
            return gamma(b1) * (t - 1) / Math.hypot(1 - t, b2) + gamma(b2) * t / Math.hypot(t, b1);
        }
    }

    /** The paper's tables give at most 13 evaluations for these constants and starts. */
    @ParameterizedTest
    @CsvSource({
        "ONE,1e-3", "ONE,1e-1", "ONE,1e1", "ONE,1e3",
        "TWO,1e-3", "TWO,1e-1", "TWO,1e1", "TWO,1e3",
        "FOUR,1e-3", "FOUR,1e-1", "FOUR,1e1", "FOUR,1e3",
        "FIVE,1e-3", "FIVE,1e-1", "FIVE,1e1", "FIVE,1e3",
        "SIX,1e-3", "SIX,1e-1", "SIX,1e1", "SIX,1e3"
    })
    void findsAStepOnTheCurvesOfThePaper(Curve curve, double firstStep) {
        MoreThuente search = new MoreThuente(curve.c1, curve.c2, 30, 0, 1e-15);
        double value = curve.value.applyAsDouble(0);
        double slope = curve.slope.applyAsDouble(0);
        double[] last = {0};
        Result result = search.search(
                t -> {
                    last[0] = t;
                    return new Point(t, curve.value.applyAsDouble(t), curve.slope.applyAsDouble(t));
                },
                value,
                slope,
                firstStep);
        assertThat(result.wolfe()).as("%s", result).isTrue();
        assertThat(result.evaluations()).as("%s", result).isLessThanOrEqualTo(14);
        double t = result.point().t();
        assertThat(t).isEqualTo(last[0]);
        assertThat(curve.value.applyAsDouble(t)).isLessThanOrEqualTo(value + curve.c1 * t * slope);
        assertThat(Math.abs(curve.slope.applyAsDouble(t))).isLessThanOrEqualTo(-curve.c2 * slope);
    }

    private static final MoreThuente DEFAULT = new MoreThuente(
            MoreThuente.DEFAULT_SUFFICIENT_DECREASE,
            MoreThuente.DEFAULT_CURVATURE,
            LineSearch.DEFAULT_MAX_EVALUATIONS,
            1e-15,
            MoreThuente.DEFAULT_INTERVAL_TOLERANCE);

    @Test
    void aStepThatIsGoodIsTakenAtOnce() {
        Result result = DEFAULT.search(t -> new Point(t, (t - 1) * (t - 1), 2 * (t - 1)), 1, -2, 1);
        assertThat(result.evaluations()).isOne();
        assertThat(result.point().t()).isEqualTo(1);
    }

    @Test
    void retreatsFromNotANumber() {
        Result result = DEFAULT.search(
                t -> t > 0.3
                        ? new Point(t, Double.NaN, Double.NaN)
                        : new Point(t, (t - 0.2) * (t - 0.2), 2 * (t - 0.2)),
                0.04,
                -0.4,
                50);
        assertThat(result.wolfe()).as("%s", result).isTrue();
        assertThat(result.point().t()).isLessThanOrEqualTo(0.3);
    }

    @Test
    void nothingButNotANumberFails() {
        Result result = DEFAULT.search(t -> new Point(t, Double.NaN, Double.NaN), 1, -1, 1);
        assertThat(result.accepted()).isFalse();
        assertThat(result.reason()).contains("no step was low enough");
        assertThat(result.evaluations()).isEqualTo(LineSearch.DEFAULT_MAX_EVALUATIONS);
    }

    @Test
    void aLowStepWithoutTheSlopeIsTakenAndSaid() {
        // Falls forever, ever more steeply.
        Result result =
                new MoreThuente(1e-4, 0.9, 5, 0, 0.1).search(t -> new Point(t, -t - t * t, -1 - 2 * t), 0, -1, 1);
        assertThat(result.accepted()).isTrue();
        assertThat(result.wolfe()).isFalse();
        assertThat(result.reason()).contains("no step met the condition on the slope");
        assertThat(result.point().t()).isGreaterThan(100);
    }

    @Test
    void aValueThatRisesWithinItsRoundingEndsTheSearch() {
        Result result = DEFAULT.search(t -> new Point(t, 1e6 + 1e-10, -1e-9), 1e6, -1e-6, 1);
        assertThat(result.accepted()).isFalse();
        assertThat(result.evaluations()).isOne();
        assertThat(result.reason()).contains("within its rounding");
        Result falls = DEFAULT.search(t -> new Point(t, 1e6, -1e-9), 1e6, -1e-6, 1);
        assertThat(falls.wolfe()).isTrue();
    }

    @Test
    void refusesAscentAndBadConstants() {
        assertThat(DEFAULT.search(t -> new Point(t, 0, 0), 1, 2, 1).reason()).contains("no descent");
        assertThat(DEFAULT.search(t -> new Point(t, 0, 0), Double.NaN, -2, 1).accepted())
                .isFalse();
        assertThatThrownBy(() -> new MoreThuente(0.5, 0.1, 5, 0, 0.1)).hasMessageContaining("0 < c1 < c2 < 1");
        assertThatThrownBy(() -> new MoreThuente(1e-4, 0.9, 0, 0, 0.1)).hasMessageContaining("at least one evaluation");
        assertThatThrownBy(() -> new MoreThuente(1e-4, 0.9, 5, -1, 0.1)).hasMessageContaining("at least 0");
        assertThatThrownBy(() -> new MoreThuente(1e-4, 0.9, 5, 0, 1)).hasMessageContaining("in (0, 1)");
    }
}
