package io.github.dl4jfuse.examples.geometry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CourseTest {

    @Test
    void theFirstPointAtTheTargetCounts() {
        Course course = new Course("method");
        for (double loss : new double[] {1, 0.5, 0.1, 0.3}) {
            course.step(() -> {});
            course.reached(loss);
        }
        Run run = course.to(0.5);
        assertThat(run.arrived()).isTrue();
        assertThat(run.steps()).isEqualTo(2);
        assertThat(run.loss()).as("at the end").isEqualTo(0.3);
        assertThat(run.row("seed 1")).startsWith("| seed 1 | method | 3.00e-01 | 2 | 0.0");
        assertThat(course.endedAt(7).to(0.1)).isEqualTo(new Run("method", 0.3, 3, 7, true));
        Run missed = course.to(0.01);
        assertThat(missed.arrived()).isFalse();
        assertThat(missed.steps()).isEqualTo(4);
        assertThat(missed.row("")).contains("not reached: 4");
    }
}
