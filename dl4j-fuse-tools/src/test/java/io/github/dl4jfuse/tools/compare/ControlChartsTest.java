package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.compare.ControlCharts.Kind;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The formulas of Alcock and Manolopoulos, class by class. */
class ControlChartsTest {

    private static final int CHARTS = 300;

    @ParameterizedTest
    @EnumSource(Kind.class)
    void eachClassFollowsItsFormula(Kind kind) {
        Random random = new Random(3);
        for (int i = 0; i < CHARTS; i++) {
            double[] pattern = kind.pattern(random);
            assertThat(pattern).hasSize(60);
            switch (kind) {
                case NORMAL -> assertThat(pattern).containsOnly(0);
                case INCREASING, DECREASING -> {
                    double slope = kind == Kind.INCREASING ? pattern[0] : -pattern[0];
                    assertThat(slope).isBetween(0.2, 0.5);
                    for (int t = 1; t <= 60; t++) {
                        assertThat(pattern[t - 1]).isCloseTo(t * pattern[0], within(1e-12));
                    }
                }
                case UPWARD, DOWNWARD -> {
                    double[] levels = Arrays.stream(pattern).distinct().toArray();
                    assertThat(levels).hasSize(2);
                    assertThat(Math.abs(levels[0])).isZero();
                    assertThat(kind == Kind.UPWARD ? levels[1] : -levels[1]).isBetween(7.5, 20.0);
                    long before = Arrays.stream(pattern).filter(y -> y == 0).count();
                    assertThat(before).as("times before the shift").isBetween(19L, 39L);
                }
                case CYCLIC -> {
                    // y(t+1) + y(t-1) = 2 cos(2 pi / T) y(t), and the amplitude follows from two values.
                    int t = Math.abs(pattern[30]) > 3 ? 30 : 33;
                    double angle = Math.acos((pattern[t + 1] + pattern[t - 1]) / (2 * pattern[t]));
                    assertThat(2 * Math.PI / angle).isBetween(10.0, 15.0);
                    double cosine = (pattern[t + 1] - pattern[t - 1]) / (2 * Math.sin(angle));
                    assertThat(Math.hypot(pattern[t], cosine)).isBetween(10.0, 15.0);
                    assertThat(pattern[0]).as("it starts at phase 0").isPositive();
                    assertThat(pattern[0] / Math.hypot(pattern[t], cosine)).isCloseTo(Math.sin(angle), within(1e-6));
                }
            }
        }
    }

    @Test
    void noiseIsUniformAroundTheMean() {
        Random random = new Random(5);
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < CHARTS; i++) {
            for (double y : ControlCharts.chart(Kind.NORMAL, random)) {
                assertThat(y).isBetween(24.0, 36.0);
                sum += y;
                squares += y * y;
            }
        }
        double mean = sum / (60 * CHARTS);
        assertThat(mean).isCloseTo(30, within(0.1));
        assertThat(squares / (60 * CHARTS) - mean * mean).isCloseTo(12, within(0.3)); // 6²/3
    }

    @Test
    void classesAreEquallyMany() {
        Workload.Split data = ControlCharts.split(false);
        INDArray labels = data.train().iterator(600).next().getLabels();
        assertThat(labels.sum(0).toDoubleVector()).containsOnly(100);
        assertThat(data.train().iterator(600).next().getFeatures().shape()).containsExactly(600, 1, 60);
        assertThat(data.validation().size()).isEqualTo(300);
        assertThat(data.test().size()).isEqualTo(600);
        assertThat(ControlCharts.split(true).train().size()).isEqualTo(ControlCharts.TRAIN);
        assertThat(ControlCharts.split(false).test().iterator(9).next())
                .isEqualTo(data.test().iterator(9).next());
    }
}
