package io.github.dl4jfuse.saddle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The minimiser of the cubic model against its optimality conditions and against random points. */
class CubicStepTest {

    private static double model(double[] lambda, double[] g, double r, double[] s) {
        double squares = 0;
        double sum = 0;
        for (int i = 0; i < s.length; i++) {
            squares += s[i] * s[i];
            sum += g[i] * s[i] + lambda[i] / 2 * s[i] * s[i];
        }
        return sum + r / 6 * Math.pow(squares, 1.5);
    }

    @ParameterizedTest
    @CsvSource({"1, 1e3", "2, 1", "3, 1e-3", "4, 1e-6", "5, 1e-12", "6, 1e-200", "7, 0"})
    void isTheGlobalMinimiserHoweverSmallTheGradientAlongTheLowestEigenvector(long seed, double along) {
        int n = 6;
        Random random = new Random(seed);
        double[] lambda = random.doubles(n, -2, 3).sorted().toArray();
        double[] g = random.doubles(n, -1, 1).toArray();
        g[0] *= along;
        double r = 0.1 + random.nextDouble();
        CubicStep step = CubicStep.minimise(lambda, g, r);
        double sigma = r * step.length() / 2;
        assertThat(lambda[0] + sigma).as("H + σI ≥ 0, seed %d", seed).isGreaterThanOrEqualTo(-1e-12);
        for (int i = 0; i < n; i++) {
            assertThat((lambda[i] + sigma) * step.step()[i] + g[i])
                    .as("(H + σI) s = -g, seed %d", seed)
                    .isCloseTo(0, within(1e-9 * (1 + Math.abs(g[i]))));
        }
        double value = model(lambda, g, r, step.step());
        assertThat(step.decrease()).isCloseTo(-value, within(1e-12 * (1 + Math.abs(value))));
        for (int trial = 0; trial < 2000; trial++) {
            double spread = step.length() * Math.pow(10, random.nextDouble() * 2 - 1.5);
            double[] s = Arrays.stream(trial % 2 == 0 ? step.step() : new double[n])
                    .map(each -> each + spread * random.nextGaussian())
                    .toArray();
            assertThat(model(lambda, g, r, s)).as("seed %d", seed).isGreaterThanOrEqualTo(value - 1e-12);
        }
    }

    @Test
    void theHardCaseMakesUpTheLengthWithTheLowestEigenvector() {
        // σ = 2, |s| = 2σ/R = 4, s = (τ, -1/3, 0).
        CubicStep step = CubicStep.minimise(new double[] {-2, 1, 4}, new double[] {0, 1, 0}, 1);
        assertThat(step.hardCase()).isTrue();
        assertThat(step.length()).isCloseTo(4, within(1e-12));
        assertThat(step.step()).containsExactly(new double[] {Math.sqrt(16 - 1.0 / 9), -1.0 / 3, 0}, within(1e-12));
    }

    @Test
    void withoutSlopeAndNegativeCurvatureThereIsNoStep() {
        assertThat(CubicStep.minimise(new double[] {0, 1}, new double[] {0, 0}, 1)
                        .length())
                .isZero();
        assertThat(CubicStep.minimise(new double[] {1, 2}, new double[] {0, 0}, 1)
                        .length())
                .isZero();
    }

    @Test
    void onALineItIsTheRootOfAQuadraticEquation() {
        // -g = λs + R s²/2 for s > 0.
        CubicStep step = CubicStep.minimise(new double[] {3}, new double[] {-5}, 4);
        assertThat(step.step()[0]).isCloseTo((-3 + Math.sqrt(9 + 40)) / 4, within(1e-12));
        assertThatThrownBy(() -> CubicStep.minimise(new double[] {3}, new double[] {-5}, 0))
                .hasMessageContaining("more than 0");
    }
}
