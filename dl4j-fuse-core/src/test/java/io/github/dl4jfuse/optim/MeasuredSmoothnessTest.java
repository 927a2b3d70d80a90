package io.github.dl4jfuse.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MeasuredSmoothnessTest {

    private static final long SEED = 20261124;

    /** On a parabola with slope s and curvature k the decrease of a step η is η s - ½ η² k. */
    private static double decrease(double rate, double s, double k) {
        return rate * s - rate * rate * k / 2;
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-12, 1e-7, 1e-4, 1, 1e4, 1e9})
    void theFirstStepLengthDoesNotDependOnTheGuess(double guess) {
        MeasuredSmoothness.Calibration found =
                MeasuredSmoothness.calibrate(guess, 3, 0.5, 0, 30, rate -> decrease(rate, 3, 20));
        assertThat(found.rate()).isEqualTo(0.125); // 3 / 20 = .15, the power of two next to it
        assertThat(found.trials()).isLessThan(10);
    }

    /** Far out the value of a network is no parabola, and may not be finite. */
    @ParameterizedTest
    @ValueSource(doubles = {1e-7, 1e-4, 1, 1e4, 1e12})
    void calibratesWhereLongStepsOverflowAndTheValueIsNotAParabola(double guess) {
        MeasuredSmoothness.Calibration found = MeasuredSmoothness.calibrate(
                guess, 2, 0.5, 0, 30, rate -> rate > 1e3 ? Double.NaN : 2 * rate - Math.expm1(rate) + rate);
        // decrease = 3 η - (e^η - 1) has the slope 2 at 0 and equals half of 2 η at η = 1.2564
        assertThat(found.rate()).isEqualTo(1);
    }

    @Test
    void stepsAchieveTheShareOnAverageThroughNoise() {
        Random random = new Random(SEED);
        for (double share : new double[] {0.3, 0.5, 0.7}) {
            MeasuredSmoothness measured = MeasuredSmoothness.guess(1e-3);
            double sum = 0;
            for (int k = 0; k < 2_000; k++) {
                double s = 3 * (1 + 0.5 * random.nextGaussian());
                double curvature = 20 * (1 + 0.5 * random.nextGaussian());
                measured = measured.observe(measured.rate(), s, decrease(measured.rate(), s, curvature), 1, share);
                sum += k < 1_000 ? 0 : measured.rate();
            }
            // The mean of S / K exceeds s / k by about 1 + var(K) / k², 0.25 (1 - .8) / (1 + .8) = .028, and more in
            // the tail where K is small.
            assertThat(sum / 1_000)
                    .as("seed %d", SEED)
                    .isCloseTo(2 * (1 - share) * 3 / 20, within(0.08 * 2 * (1 - share) * 3 / 20));
        }
    }

    /** As from random weights: after ten trials slope and |g| are a hundred times smaller, and the best step is ten times longer. */
    @Test
    void steepTrialsAreForgottenAsFastAsFlatOnes() {
        MeasuredSmoothness measured = MeasuredSmoothness.guess(0.01);
        for (int k = 0; k < 10; k++) {
            measured = measured.observe(measured.rate(), 500, decrease(measured.rate(), 500, 5e4), 1_000, 0.5);
        }
        assertThat(measured.rate()).isCloseTo(0.01, within(1e-6));
        for (int k = 0; k < 20; k++) {
            measured = measured.observe(measured.rate(), 5, decrease(measured.rate(), 5, 50), 10, 0.5);
        }
        double s = 0.5 * (1 - Math.pow(0.8, 30));
        double k = 5 * (1 - Math.pow(0.8, 20)) + 50 * Math.pow(0.8, 20) * (1 - Math.pow(0.8, 10));
        assertThat(measured.slope()).isCloseTo(s, within(1e-6));
        assertThat(measured.rate()).isCloseTo(s / k, within(1e-6)); // .0915 of .1; undivided it would be .0102
    }

    /** In float a loss of 1 has an error of 1e-7: from a guess of 1e-9 all decreases look like 0, or like noise. */
    @Test
    void calibratesThroughRounding() {
        MeasuredSmoothness.Calibration found = MeasuredSmoothness.calibrate(
                1e-9, 3, 0.5, 1e-6, 30, rate -> 1 - (double) (float) (1 - decrease(rate, 3, 20)));
        assertThat(found.rate()).isEqualTo(0.125);
    }

    @Test
    void oneTrialMovesItByTwoAtMost() {
        MeasuredSmoothness measured = new MeasuredSmoothness(0.1, 1, 10);
        assertThat(measured.observe(0.1, 1, -1e30, 1, 0.5).rate()).isEqualTo((double) (float) 0.05);
        assertThat(measured.observe(0.1, 1e9, 1e8, 1, 0.5).rate()).isEqualTo((double) (float) 0.2);
        assertThat(measured.observe(0.1, -1e9, 1, 1, 0.5).rate()).isEqualTo((double) (float) 0.05);
    }

    @Test
    void whatIsNotFiniteHalvesItAndLeavesTheAverages() {
        MeasuredSmoothness measured = new MeasuredSmoothness(0.5, 1, 10);
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e300}) {
            assertThat(measured.observe(0.5, 1, bad, 1, 0.5)).isEqualTo(new MeasuredSmoothness(0.25, 1, 10));
            assertThat(measured.observe(0.5, bad, 1, 1, 0.5)).isEqualTo(new MeasuredSmoothness(0.25, 1, 10));
        }
    }

    @Test
    void withoutCurvatureItGrowsAndNeverBecomesInfinite() {
        MeasuredSmoothness measured = MeasuredSmoothness.guess(1e-3);
        for (int k = 0; k < 500; k++) {
            measured = measured.observe(measured.rate(), 1, measured.rate(), 1, 0.5);
        }
        assertThat(measured.rate()).isBetween(1e29, 1.1e30);
        for (int k = 0; k < 500; k++) {
            measured = measured.refuse();
        }
        assertThat(measured.rate()).isBetween(0.9e-30, 1.1e-30);
    }
}
