package io.github.dl4jfuse.saddle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The theorem of Lee, Simchowitz, Jordan and Recht on f = x²/2 + y⁴/4 - y²/2, with its saddle at the origin, its minima at (0, ±1), and
 * the line y = 0 as the saddle's stable set. The box [-1.5, 1.5]² is mapped into itself, and |H| ≤ 5.75 in it.
 */
class StrictSaddleTheoremTest {

    private static final double L = 5.75;
    private static final double STEP = 0.99 / L;
    private static final long SEED = 5;

    private static final Polynomial F =
            Polynomial.zero(2).plus(0.5, 0, 0).plusPower(0.25, 1, 4).plus(-0.5, 1, 1);

    /** Gradient descent until f is 1e-6 above the minimum or 10,000 steps are done; returns x, y, steps. */
    private static double[] descend(double x, double y) {
        int steps = 0;
        while (x * x / 2 + y * y * y * y / 4 - y * y / 2 + 0.25 > 1e-6 && steps < 10_000) {
            x -= STEP * x;
            y -= STEP * (y * y * y - y);
            steps++;
        }
        return new double[] {x, y, steps};
    }

    @Test
    void noneOf200000RandomStartsEndsAtTheSaddle() {
        Random random = new Random(SEED);
        int starts = 200_000;
        int above = 0;
        int most = 0;
        long all = 0;
        for (int start = 0; start < starts; start++) {
            double[] end = descend(3 * random.nextDouble() - 1.5, 3 * random.nextDouble() - 1.5);
            assertThat(Math.abs(end[1])).as("start %d, seed %d", start, SEED).isGreaterThan(0.99);
            above += end[1] > 0 ? 1 : 0;
            most = Math.max(most, (int) end[2]);
            all += (long) end[2];
        }
        assertThat(above / (double) starts).as("seed %d", SEED).isCloseTo(0.5, within(0.005));
        assertThat(all / (double) starts).as("mean number of steps").isCloseTo(32.6, within(0.2));
        assertThat(most).isLessThan(150);
    }

    @Test
    void theStartOnTheStableSetEndsAtTheSaddle() {
        double[] end = descend(1, 0);
        assertThat(end[1]).isZero();
        assertThat(Math.abs(end[0])).isLessThan(1e-6);
    }

    @ParameterizedTest
    @CsvSource({"1e-2", "1e-4", "1e-8", "1e-12"})
    void escapeTakesAsLongAsTheLinearisationSays(double y0) {
        double y = y0;
        int steps = 0;
        while (Math.abs(y) < 0.5) {
            y -= STEP * (y * y * y - y);
            steps++;
        }
        assertThat((double) steps).isCloseTo(Math.log(0.5 / y0) / Math.log1p(STEP), within(2.0));
    }

    @Test
    void theDiagnosticsSayWhatTheTheoremNeeds() {
        Objective f = F.objective();
        StepSizeCheck check = new StepSizeCheck(f, STEP);
        double x = 1.5;
        double y = -1.5;
        for (int i = 0; i < 20; i++) {
            check.observe(Nd4j.createFromArray(x, y));
            x -= STEP * x;
            y -= STEP * (y * y * y - y);
        }
        assertThat(check.largestCurvature()).as("3y² - 1 at the corner").isCloseTo(L, within(1e-6));
        assertThat(check.holds()).isTrue();
        StepSizeCheck tooLong = new StepSizeCheck(f, 1 / L * 1.01);
        assertThat(tooLong.observe(Nd4j.createFromArray(1.5, -1.5))).isCloseTo(1.01, within(1e-6));
        assertThat(tooLong.holds()).isFalse();
        assertThat(tooLong.toString()).contains("does not apply", "0.17");
        assertThatThrownBy(() -> new StepSizeCheck(f, 0)).hasMessageContaining("more than 0");

        CriticalPointReport saddle = CriticalPointReport.of(f, Nd4j.zeros(DataType.DOUBLE, 2));
        assertThat(saddle.verdict()).isEqualTo(Verdict.STRICT_SADDLE);
        assertThat(saddle.smallest()).isCloseTo(-1, within(1e-8));
        double[] end = descend(1e-3, 1e-9);
        CriticalPointReport minimum = CriticalPointReport.of(f, Nd4j.createFromArray(end[0], end[1]), 1e-2);
        assertThat(minimum.verdict()).isEqualTo(Verdict.MINIMUM);
        assertThat(minimum.largest()).isCloseTo(2, within(1e-2));
    }

    @Test
    void randomRestartsKeepTheBestAndSayTheSpread() {
        // Two minima of different depth in y.
        INDArray[] told = new INDArray[1];
        Polynomial tilted = F.plus(0.1, 1);
        Objective f = new Objective(2, DataType.DOUBLE) {
            private final Objective inner = tilted.objective();

            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                return gradient == null ? inner.value(point) : inner.valueAndGradient(point, gradient);
            }

            @Override
            public void accept(INDArray best) {
                told[0] = best;
            }
        };
        LbfgsSolver solver = LbfgsSolver.builder().maxEvaluations(60).build();
        RandomRestarts restarts = RandomRestarts.run(
                f,
                12,
                seed -> Nd4j.createFromArray(
                        new Random(seed).doubles(2, -1.5, 1.5).toArray()),
                solver::run);
        assertThat(restarts.runs()).hasSize(12);
        assertThat(restarts.best().point().getDouble(1)).isCloseTo(-1.047, within(1e-3));
        assertThat(told[0]).isEqualTo(restarts.best().point());
        assertThat(restarts.worst()).isGreaterThan(restarts.best().value() + 0.1);
        assertThat(restarts.median()).isBetween(restarts.best().value(), restarts.worst());
        assertThat(restarts.failures()).isZero();
        for (Solution run : restarts.runs()) {
            assertThat(run.value()).isGreaterThanOrEqualTo(restarts.best().value());
        }
        assertThatThrownBy(() -> RandomRestarts.run(f, 0, seed -> null, solver::run))
                .hasMessageContaining("at least one start");
        assertThatThrownBy(() -> RandomRestarts.run(
                        Objective.of(1, (x, g) -> Double.NaN), 2, seed -> Nd4j.zeros(DataType.DOUBLE, 1), solver::run))
                .hasMessageContaining("None of 2 runs");
    }
}
