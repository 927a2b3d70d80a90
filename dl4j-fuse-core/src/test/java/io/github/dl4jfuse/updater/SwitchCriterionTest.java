package io.github.dl4jfuse.updater;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SwitchCriterionTest {

    private static TrainingProgress at(int iteration, int epoch, double gradientNorm, double loss) {
        return new TrainingProgress(iteration, epoch, gradientNorm, loss, 0);
    }

    @Test
    void comparesItsOwnQuantityOnly() {
        assertThat(SwitchCriterion.epoch(5).isMet(at(1000, 4, 0, 0))).isFalse();
        assertThat(SwitchCriterion.epoch(5).isMet(at(0, 5, 9, 9))).isTrue();
        assertThat(SwitchCriterion.iteration(100).isMet(at(99, 50, 0, 0))).isFalse();
        assertThat(SwitchCriterion.iteration(100).isMet(at(100, 0, 9, 9))).isTrue();
        assertThat(SwitchCriterion.gradientNorm(0.5).isMet(at(1000, 50, 0.51, 0)))
                .isFalse();
        assertThat(SwitchCriterion.gradientNorm(0.5).isMet(at(0, 0, 0.5, 9))).isTrue();
        assertThat(SwitchCriterion.loss(2).isMet(at(1000, 50, 0, 2))).isFalse();
        assertThat(SwitchCriterion.loss(2).isMet(at(0, 0, 9, 1.99))).isTrue();
    }

    @Test
    void isNotMetWithoutAnObservation() {
        assertThat(SwitchCriterion.gradientNorm(0.5).isMet(at(0, 0, Double.NaN, Double.NaN)))
                .isFalse();
        assertThat(SwitchCriterion.loss(2).isMet(at(0, 0, Double.NaN, Double.NaN)))
                .isFalse();
    }

    @Test
    void refusesThresholdsThatMakeNoSense() {
        assertThatThrownBy(() -> SwitchCriterion.epoch(-1)).hasMessageContaining("whole number of epochs");
        assertThatThrownBy(() -> SwitchCriterion.iteration(-1)).hasMessageContaining("whole number of iterations");
        assertThatThrownBy(() -> SwitchCriterion.gradientNorm(0)).hasMessageContaining("positive");
        assertThatThrownBy(() -> SwitchCriterion.gradientNorm(Double.NaN)).hasMessageContaining("positive");
        assertThatThrownBy(() -> SwitchCriterion.loss(Double.NaN)).hasMessageContaining("not NaN");
    }
}
