package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.functions.TestFunction;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.Solution.Status;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How a minimisation ends where something is wrong with the function. */
class LbfgsSolverEndsTest {

    private static Solution run(Objective.ArrayFunction function, double... start) {
        return LbfgsSolver.minimize(Objective.of(start.length, function), Nd4j.createFromArray(start));
    }

    @Test
    void aConstantHasConvergedAtOnce() {
        Solution minimum = run((x, g) -> 7, 1, 2);
        assertThat(minimum.status()).isEqualTo(Status.CONVERGED_GRADIENT);
        assertThat(minimum.functionEvaluations()).isOne();
    }

    @Test
    void aValueThatFallsWithoutEndIsSaid() {
        Solution line = run(
                (x, g) -> {
                    g[0] = -1;
                    return -x[0];
                },
                0);
        assertThat(line.status()).as("%s", line).isEqualTo(Status.UNBOUNDED);
        Solution parabola = run(
                (x, g) -> {
                    g[0] = -2 * x[0];
                    return -x[0] * x[0];
                },
                1);
        assertThat(parabola.status()).as("%s", parabola).isEqualTo(Status.UNBOUNDED);
    }

    @Test
    void notANumberAtTheStartIsSaid() {
        Solution value = run((x, g) -> Double.NaN, 3);
        assertThat(value.status()).isEqualTo(Status.NON_FINITE);
        assertThat(value.message()).contains("At the start");
        assertThat(value.point().getDouble(0)).isEqualTo(3);
        Solution gradient = run(
                (x, g) -> {
                    g[0] = Double.POSITIVE_INFINITY;
                    return 1;
                },
                3);
        assertThat(gradient.status()).isEqualTo(Status.NON_FINITE);
    }

    @Test
    void aPointThatIsNotFiniteIsNeverTakenThoughTheValueThereIs() {
        Solution start = run((x, g) -> 7, 1, Double.NaN);
        assertThat(start.status()).isEqualTo(Status.NON_FINITE);
        assertThat(start.message()).contains("The start has elements that are NaN");
        Objective saturated = new Objective(1, DataType.FLOAT) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                double x = point.getDouble(0);
                gradient.assign(-1e-15);
                return Double.isInfinite(x) ? -1e30 : -1e-15 * x;
            }
        };
        Solution far = LbfgsSolver.builder()
                .gradientTolerance(0)
                .lineSearch(new ArmijoBacktracking())
                .firstStepLength(1e39)
                .build()
                .run(saturated, Nd4j.createFromArray(0f));
        assertThat(far.point().getDouble(0)).as("%s", far).isFinite();
        assertThat(far.value()).as("%s", far).isFinite();
    }

    @Test
    void aWallOfNotANumberIsApproachedAndNeverCrossed() {
        // The minimum of x - log x is at 1; left of 0 the logarithm is NaN.
        Solution minimum = run(
                (x, g) -> {
                    g[0] = 1 - 1 / x[0];
                    return x[0] - Math.log(x[0]);
                },
                1e-3);
        assertThat(minimum.converged()).as("%s", minimum).isTrue();
        assertThat(minimum.point().getDouble(0)).isCloseTo(1, within(1e-6));
        Solution surrounded = run(
                (x, g) -> {
                    g[0] = 1;
                    return x[0] == 5 ? 5 : Double.NaN;
                },
                5);
        assertThat(surrounded.status()).as("%s", surrounded).isEqualTo(Status.NON_FINITE);
        assertThat(surrounded.point().getDouble(0)).isEqualTo(5);
    }

    @Test
    void aGradientThatIsWrongIsSaid() {
        Solution uphill = run(
                (x, g) -> {
                    g[0] = -1;
                    return x[0];
                },
                0);
        assertThat(uphill.status()).isEqualTo(Status.SEARCH_FAILED);
        assertThat(uphill.message()).contains("the gradient may not be that of the value");
        assertThat(uphill.point().getDouble(0)).isZero();
    }

    @Test
    void anExceptionOfTheObjectiveEndsWithTheBestPoint() {
        int[] calls = {0};
        Solution minimum = run(
                (x, g) -> {
                    if (++calls[0] == 6) {
                        throw new IllegalStateException("out of paper");
                    }
                    g[0] = 4 * Math.pow(x[0], 3);
                    return Math.pow(x[0], 4);
                },
                10);
        assertThat(minimum.status()).isEqualTo(Status.OBJECTIVE_FAILED);
        assertThat(minimum.cause()).hasMessage("out of paper");
        assertThat(minimum.value())
                .isLessThan(1e4)
                .isEqualTo(Math.pow(minimum.point().getDouble(0), 4));
        assertThat(calls[0]).isEqualTo(6);
    }

    @Test
    void afterTenThousandFaultsTheBestFinitePointComesBack() {
        long seed = 77;
        Random random = new Random(seed);
        TestFunction[] candidates = LbfgsSolverTest.functions().stream()
                .filter(function -> function.dimension() <= 12)
                .toArray(TestFunction[]::new);
        for (int trial = 0; trial < 10_000; trial++) {
            TestFunction function = candidates[random.nextInt(candidates.length)];
            int faultAt = 2 + random.nextInt(25);
            boolean forGood = random.nextBoolean();
            int kind = random.nextInt(7);
            int[] calls = {0};
            int slot = random.nextInt(function.dimension());
            double[] lowest = {Double.POSITIVE_INFINITY};
            Objective faulty = Objective.of(function.dimension(), (x, gradient) -> {
                function.gradient(x, gradient);
                double value = function.value(x);
                calls[0]++;
                if (calls[0] != faultAt && !(forGood && calls[0] > faultAt)) {
                    return value;
                }
                switch (kind) {
                    case 0 -> value = Double.NaN;
                    case 1 -> value = Double.POSITIVE_INFINITY;
                    case 2 -> value = Double.NEGATIVE_INFINITY;
                    case 3 -> gradient[slot] = Double.NaN;
                    case 4 -> gradient[slot] = Double.NEGATIVE_INFINITY;
                    case 5 -> value = 1e300;
                    default -> throw new ArithmeticException("planted");
                }
                return value;
            });
            LineSearch search = random.nextBoolean() ? new MoreThuente() : new ArmijoBacktracking();
            Solution minimum = LbfgsSolver.builder()
                    .lineSearch(search)
                    .memory(1 + random.nextInt(4))
                    .bfloat16History(random.nextBoolean())
                    .maxIterations(40)
                    .progress(step -> lowest[0] = Math.min(lowest[0], step.value()))
                    .build()
                    .run(faulty, LbfgsSolverTest.start(function));
            String description = String.format(
                    "trial %d of seed %d: %s, fault %d at call %d: %s", trial, seed, function, kind, faultAt, minimum);
            double[] point = minimum.point().toDoubleVector();
            assertThat(minimum.value())
                    .as(description)
                    .isEqualTo(function.value(point))
                    .isEqualTo(Math.min(lowest[0], function.value(function.start())));
            assertThat(minimum.gradientNorm()).as(description).isFinite();
            assertThat(minimum.status() == Status.OBJECTIVE_FAILED)
                    .as(description)
                    .isEqualTo(kind == 6 && calls[0] >= faultAt);
        }
    }
}
