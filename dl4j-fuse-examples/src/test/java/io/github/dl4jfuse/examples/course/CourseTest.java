package io.github.dl4jfuse.examples.course;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.tools.report.CurvePoint;
import java.util.List;
import org.junit.jupiter.api.Test;

class CourseTest {

    private static final List<Double> LOSSES = List.of(1.0, 0.5, 0.1, 0.3);

    @Test
    void theFirstPointAtTheTargetCounts() {
        Course course = new Course();
        for (double loss : LOSSES) {
            course.step(() -> {});
            course.reached(loss);
        }
        assertThat(course.loss()).as("at the end").isEqualTo(0.3);
        assertThat(course.row("seed 1", "method", 0.5)).startsWith("| seed 1 | method | 3.00e-01 | 2 | 0.0");
        assertThat(course.row("", "method", 0.01)).contains("not reached: 4");
    }

    @Test
    void aSolversStepsAllEndWhenItEnds() {
        Course course = Course.ofSolver(losses -> LOSSES.forEach(losses::accept));
        assertThat(course.steps()).isEqualTo(4);
        assertThat(course.result("solver").reached(0.1).map(CurvePoint::epoch)).contains(3);
        assertThat(course.result("solver").reached(0.1).map(CurvePoint::seconds))
                .contains(course.seconds());
    }
}
