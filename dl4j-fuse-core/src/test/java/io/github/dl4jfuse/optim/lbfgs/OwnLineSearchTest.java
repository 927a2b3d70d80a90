package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What a user has to write to search along a direction in an own way. */
class OwnLineSearchTest {

    /** Halves the step until the value falls. */
    private record Halving(int maxEvaluations) implements LineSearch {

        @Override
        public Result search(Line line, double value, double slope, double firstStep) {
            double t = firstStep;
            for (int i = 1; i <= maxEvaluations; i++, t /= 2) {
                Point point = line.at(t);
                if (point.value() < value) {
                    return new Result(true, false, point, i, "");
                }
            }
            return new Result(false, false, new Point(0, value, slope), maxEvaluations, "No step was short enough.");
        }

        @Override
        public LineSearch within(int evaluations, double valueRounding) {
            return new Halving(evaluations);
        }
    }

    private static final double[] WEIGHTS = {1, 10, 100, 1000};

    private static final Objective QUADRATIC = Objective.of(WEIGHTS.length, (x, gradient) -> {
        double value = 0;
        for (int i = 0; i < x.length; i++) {
            gradient[i] = WEIGHTS[i] * (x[i] - i);
            value += gradient[i] * (x[i] - i) / 2;
        }
        return value;
    });

    @Test
    void theSolverGoesWhereItSays() {
        Solution solution = LbfgsSolver.builder()
                .lineSearch(new Halving(1))
                .maxSearchEvaluations(30)
                .build()
                .run(QUADRATIC, Nd4j.zeros(DataType.DOUBLE, WEIGHTS.length));
        assertThat(solution.converged()).as("%s", solution).isTrue();
        assertThat(solution.point().toDoubleVector()).satisfies(x -> {
            for (int i = 0; i < x.length; i++) {
                assertThat(x[i]).isCloseTo(i, within(1e-6));
            }
        });
    }

    /** The gradient that the solver goes on with is that of the accepted step, whatever was looked at after it. */
    @Test
    void aStepThatWasNotLookedAtLastIsLookedAtAgain() {
        LineSearch looksFurther = new LineSearch() {
            @Override
            public Result search(Line line, double value, double slope, double firstStep) {
                Result found = new Halving(30).search(line, value, slope, firstStep);
                line.at(1000);
                return found;
            }

            @Override
            public LineSearch within(int evaluations, double valueRounding) {
                return this;
            }
        };
        INDArray start = Nd4j.zeros(DataType.DOUBLE, WEIGHTS.length);
        Solution expected = LbfgsSolver.builder()
                .lineSearch(new Halving(30))
                .maxSearchEvaluations(30)
                .build()
                .run(QUADRATIC, start);
        Solution actual = LbfgsSolver.builder().lineSearch(looksFurther).build().run(QUADRATIC, start);
        assertThat(actual.point()).isEqualTo(expected.point());
        assertThat(actual.iterations()).isEqualTo(expected.iterations());
    }

    @Test
    void aStepThatLeadsNowhereIsNoStep() {
        LineSearch stays = new LineSearch() {
            @Override
            public Result search(Line line, double value, double slope, double firstStep) {
                return new Result(true, true, new Point(0, value, slope), 0, "");
            }

            @Override
            public LineSearch within(int evaluations, double valueRounding) {
                return this;
            }
        };
        Solution solution = LbfgsSolver.builder()
                .lineSearch(stays)
                .build()
                .run(QUADRATIC, Nd4j.zeros(DataType.DOUBLE, WEIGHTS.length));
        assertThat(solution.status()).isEqualTo(Solution.Status.SEARCH_FAILED);
        assertThat(solution.message()).contains("accepted the step 0.0");
    }

    @Test
    void whatItDoesNotFindIsSaidInItsWords() {
        LineSearch never = new LineSearch() {
            @Override
            public Result search(Line line, double value, double slope, double firstStep) {
                return new Result(false, false, new Point(0, value, slope), 0, "I would rather not.");
            }

            @Override
            public LineSearch within(int evaluations, double valueRounding) {
                return this;
            }
        };
        Solution solution = LbfgsSolver.builder()
                .lineSearch(never)
                .build()
                .run(QUADRATIC, Nd4j.zeros(DataType.DOUBLE, WEIGHTS.length));
        assertThat(solution.status()).isEqualTo(Solution.Status.SEARCH_FAILED);
        assertThat(solution.message()).contains("I would rather not.");
    }
}
