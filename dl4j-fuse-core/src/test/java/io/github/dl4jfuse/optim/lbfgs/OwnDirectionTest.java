package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.optim.ConvergenceTest;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What a user has to write to go in directions of his own, and to stop by a test of his own. */
class OwnDirectionTest {

    /** Nonlinear conjugate gradients, β of Polak and Ribière, at least 0. */
    private static final class ConjugateGradients implements Direction {

        private INDArray last; // direction; null where there is none
        private INDArray lastGradient;

        @Override
        public double direction(INDArray[] gradient, INDArray[] target) {
            INDArray g = gradient[0];
            target[0].assign(g).negi();
            if (last != null) {
                double beta = Math.max(0, (dot(g, g) - dot(g, lastGradient)) / dot(lastGradient, lastGradient));
                target[0].addi(last.mul(beta));
            }
            last = target[0].dup();
            lastGradient = g.dup();
            return dot(g, last);
        }

        private static double dot(INDArray a, INDArray b) {
            return a.mul(b).sumNumber().doubleValue();
        }

        @Override
        public boolean isSteepest() {
            return last == null;
        }

        @Override
        public void learn(INDArray[] step, INDArray[] change) {}

        @Override
        public void clear() {
            last = null;
        }
    }

    /** A direction that climbs wherever it is not fresh. */
    private static final class Climbing implements Direction {

        private final List<String> calls = new ArrayList<>();
        private boolean fresh = true;

        @Override
        public double direction(INDArray[] gradient, INDArray[] target) {
            calls.add("direction");
            target[0].assign(gradient[0]);
            if (fresh) {
                target[0].negi();
            }
            double square = ConjugateGradients.dot(gradient[0], gradient[0]);
            return fresh ? -square : square;
        }

        @Override
        public boolean isSteepest() {
            return fresh;
        }

        @Override
        public void learn(INDArray[] step, INDArray[] change) {
            calls.add("learn");
            assertThat(ConjugateGradients.dot(step[0], change[0])).isPositive();
            fresh = false;
        }

        @Override
        public void clear() {
            calls.add("clear");
            fresh = true;
        }
    }

    private static final double[] WEIGHTS = {1, 3, 7, 20, 50, 100};

    private static final Objective QUADRATIC = Objective.of(WEIGHTS.length, (x, gradient) -> {
        double value = 0;
        for (int i = 0; i < x.length; i++) {
            gradient[i] = WEIGHTS[i] * (x[i] - i - 1);
            value += gradient[i] * (x[i] - i - 1) / 2;
        }
        return value;
    });

    private static final Objective ROSENBROCK = Objective.of(2, (x, gradient) -> {
        double a = x[1] - x[0] * x[0];
        gradient[0] = -400 * x[0] * a - 2 * (1 - x[0]);
        gradient[1] = 200 * a;
        return 100 * a * a + (1 - x[0]) * (1 - x[0]);
    });

    private static INDArray origin() {
        return Nd4j.zeros(DataType.DOUBLE, WEIGHTS.length);
    }

    /** On a quadratic, with nearly exact searches, conjugate gradients end after as many steps as there are variables. */
    @Test
    void conjugateGradientsEndAfterAsManyStepsAsVariables() {
        Solution solution = LbfgsSolver.builder()
                .direction(ConjugateGradients::new)
                .lineSearch(new MoreThuente(1e-9, 1e-6))
                .maxSearchEvaluations(60)
                .maxIterations(WEIGHTS.length)
                .gradientTolerance(1e-4)
                .build()
                .run(QUADRATIC, origin());
        assertThat(solution.status()).as("%s", solution).isEqualTo(Solution.Status.CONVERGED_GRADIENT);
        assertThat(solution.iterations()).isEqualTo(WEIGHTS.length);
        for (int i = 0; i < WEIGHTS.length; i++) {
            assertThat(solution.point().getDouble(i)).isCloseTo(i + 1, within(1e-4));
        }
        assertThat(solution.bytes()).isEqualTo(5L * WEIGHTS.length * Double.BYTES);
    }

    @Test
    void rosenbrockToo() {
        Solution solution = LbfgsSolver.builder()
                .direction(ConjugateGradients::new)
                .lineSearch(new MoreThuente(1e-4, 0.1))
                .build()
                .run(ROSENBROCK, Nd4j.createFromArray(-1.2, 1));
        assertThat(solution.converged()).as("%s", solution).isTrue();
        assertThat(solution.point().distance2(Nd4j.createFromArray(1.0, 1))).isLessThan(1e-4);
    }

    @Test
    void whereItClimbsTheSolverClearsItAndGoesDown() {
        Climbing climbing = new Climbing();
        Solution solution = LbfgsSolver.builder()
                .direction(() -> climbing)
                .maxIterations(3)
                .build()
                .run(QUADRATIC, origin());
        assertThat(solution.iterations()).isEqualTo(3);
        assertThat(climbing.calls)
                .containsExactly("direction", "learn", "direction", "clear", "learn", "direction", "clear", "learn");
    }

    @Test
    void aTestOfOnesOwnEndsIt() {
        List<ConvergenceTest.Iterate> seen = new ArrayList<>();
        Solution solution = LbfgsSolver.builder()
                .convergenceTest(now -> {
                    seen.add(now);
                    return now.value() < 1;
                })
                .build()
                .run(QUADRATIC, origin());
        assertThat(solution.status()).isEqualTo(Solution.Status.CONVERGED_TEST);
        assertThat(solution.converged()).isTrue();
        assertThat(solution.value()).isBetween(1e-8, 1.0);
        assertThat(seen).hasSize(solution.iterations());
        assertThat(seen.get(0).previousValue()).isEqualTo(QUADRATIC.value(origin()));
        for (int i = 1; i < seen.size(); i++) {
            assertThat(seen.get(i).iteration()).isEqualTo(i + 1);
            assertThat(seen.get(i).previousValue()).isEqualTo(seen.get(i - 1).value());
        }
    }

    @Test
    void aHistoryOfShortNumbersIsNotForOtherDirections() {
        assertThatThrownBy(() -> LbfgsSolver.builder()
                        .direction(ConjugateGradients::new)
                        .bfloat16History(true)
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bfloat16History")
                .hasMessageContaining("direction");
    }
}
