package io.github.dl4jfuse.optim.linesearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArmijoBacktrackingTest {

    private static final double C1 = ArmijoBacktracking.DEFAULT_SUFFICIENT_DECREASE;

    private final ArmijoBacktracking search = new ArmijoBacktracking(C1, 20, 0);

    @Test
    void takesTheFirstStepWhenItIsGoodEnough() {
        var result = search(search, t -> (t - 1) * (t - 1), 1, -2, 1);
        assertThat(result.accepted()).isTrue();
        assertThat(result.step()).isEqualTo(1);
        assertThat(result.value()).isZero();
        assertThat(result.evaluations()).isEqualTo(1);
    }

    @Test
    void cutsAParabolaToItsMinimiser() {
        var result = search(search, t -> (t - 0.3) * (t - 0.3), 0.09, -0.6, 1);
        assertThat(result.evaluations()).isEqualTo(2);
        assertThat(result.step()).isBetween(0.3 - 1e-15, 0.3 + 1e-15);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void everyAcceptedStepSatisfiesTheCondition(long seed) {
        Random random = new Random(seed);
        for (int trial = 0; trial < 2000; trial++) {
            double a = random.nextGaussian() * 5;
            double b = random.nextGaussian() * 5;
            double slope = -Math.exp(4 * random.nextGaussian());
            double first = Math.exp(3 * random.nextGaussian());
            List<Double> asked = new ArrayList<>();
            var result = search(
                    search,
                    t -> {
                        asked.add(t);
                        double value = 2 + slope * t + a * t * t + b * t * t * t;
                        return value > 1e3 ? Double.NaN : value;
                    },
                    2,
                    slope,
                    first);
            assertThat(result.evaluations()).isEqualTo(asked.size());
            for (int i = 1; i < asked.size(); i++) {
                assertThat(asked.get(i) / asked.get(i - 1)).isBetween(0.0999, 0.5001);
            }
            if (result.accepted()) {
                double t = result.step();
                assertThat(asked.get(asked.size() - 1)).isEqualTo(t);
                assertThat(2 + slope * t + a * t * t + b * t * t * t)
                        .as("seed %d, trial %d", seed, trial)
                        .isLessThanOrEqualTo(2 + C1 * t * slope);
            } else {
                assertThat(result.evaluations()).isEqualTo(20);
                assertThat(result.reason()).contains("20 trial steps");
            }
        }
    }

    @Test
    void acceptsADecreaseBelowTheRoundingOfTheValue() {
        double above = Math.nextUp(1e6f);
        assertThat(search(search, t -> above, 1e6, -1e-3, 1).accepted()).isFalse();
        assertThat(search(new ArmijoBacktracking(C1, 4, 1e-6), t -> above, 1e6, -1e-3, 1)
                        .accepted())
                .isTrue();
    }

    @Test
    void failsInWordsAndWithoutEvaluatingWhereNothingCanBeDone() {
        for (double slope : new double[] {0, 1, Double.NaN, Double.NEGATIVE_INFINITY}) {
            var result = search(search, t -> 0, 1, slope, 1);
            assertThat(result.accepted()).isFalse();
            assertThat(result.evaluations()).isZero();
            assertThat(result.reason()).contains("no descent");
        }
        assertThat(search(search, t -> 0, Double.NaN, -1, 1).reason()).contains("The value at the start is NaN");
    }

    @Test
    void neverAcceptsAValueThatIsNotFinite() {
        for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            var result = search(search, t -> value, 1, -1, 1);
            assertThat(result.accepted()).isFalse();
            assertThat(result.value()).isEqualTo(1);
        }
    }

    @Test
    void refusesParametersOutOfRange() {
        assertThatThrownBy(() -> new ArmijoBacktracking(0, 4, 0)).hasMessageContaining("(0, 1)");
        assertThatThrownBy(() -> new ArmijoBacktracking(1, 4, 0)).hasMessageContaining("(0, 1)");
        assertThatThrownBy(() -> new ArmijoBacktracking(C1, 0, 0)).hasMessageContaining("at least one evaluation");
        assertThatThrownBy(() -> new ArmijoBacktracking(C1, 4, -1)).hasMessageContaining("at least 0");
    }

    private static LineSearch.Result search(
            ArmijoBacktracking search, DoubleUnaryOperator phi, double value, double slope, double firstStep) {
        return search.search(t -> new LineSearch.Point(t, phi.applyAsDouble(t), Double.NaN), value, slope, firstStep);
    }
}
