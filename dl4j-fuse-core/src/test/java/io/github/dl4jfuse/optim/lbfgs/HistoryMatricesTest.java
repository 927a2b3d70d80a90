package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.functions.MoreGarbowHillstrom;
import io.github.dl4jfuse.functions.TestFunction;
import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.Reduction;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** The form for GPUs gives what the form for CPUs gives, at every position of the ring. */
class HistoryMatricesTest {

    private static final long SEED = 5;

    private final Random random = new Random(SEED);

    private INDArray[] gaussian(int[] lengths, DataType type) {
        return IntStream.of(lengths)
                .mapToObj(n ->
                        Nd4j.createFromArray(random.doubles(n, -1, 1).toArray()).castTo(type))
                .toArray(INDArray[]::new);
    }

    private static INDArray[] copy(INDArray[] pieces) {
        return Arrays.stream(pieces).map(INDArray::dup).toArray(INDArray[]::new);
    }

    private static double[] join(INDArray[] pieces) {
        return Nd4j.concat(0, pieces).castTo(DataType.DOUBLE).toDoubleVector();
    }

    private static INDArray[] memory(int m, int[] lengths, DataType type) {
        return IntStream.of(lengths)
                .mapToObj(n -> Nd4j.zeros(type, (long) m * n))
                .toArray(INDArray[]::new);
    }

    @ParameterizedTest
    @CsvSource({"1, DOUBLE, 1e-12", "3, DOUBLE, 1e-12", "10, DOUBLE, 1e-12", "3, FLOAT, 1e-5"})
    void directionsSlopesAndOutcomesAreThoseOfTheRows(int m, DataType type, double tolerance) {
        int[] lengths = {300, 1, 47};
        LbfgsHistory rows =
                new LbfgsHistory(m, memory(m, lengths, type), memory(m, lengths, type), type, Reduction.ROWS);
        INDArray[] s = memory(m, lengths, type);
        INDArray[] y = memory(m, lengths, type);
        LbfgsHistory matrix = new LbfgsHistory(m, s, y, type, Reduction.MATRIX);
        boolean damped = false;
        for (int k = 0; k < 2 * m + 3; k++) {
            INDArray[] step = gaussian(lengths, type);
            INDArray[] change = copy(step);
            BlockVectors.scale(k % 3 == 2 ? -0.1 : 2, change); // a negative curvature is damped
            BlockVectors.axpy(0.1, gaussian(lengths, type), change);
            LbfgsHistory.Outcome outcome = rows.update(copy(step), copy(change), copy(step));
            assertThat(matrix.update(copy(step), copy(change), copy(step))).isEqualTo(outcome);
            damped |= outcome == LbfgsHistory.Outcome.DAMPED;
            INDArray[] g = gaussian(lengths, type);
            INDArray[] expected = BlockVectors.zerosLike(g);
            INDArray[] actual = BlockVectors.zerosLike(g);
            double slope = rows.direction(g, expected);
            assertThat(slope).isEqualTo(BlockVectors.dot(g, expected));
            assertThat(matrix.direction(g, actual))
                    .as("slope, pair %d, seed %d", k, SEED)
                    .isCloseTo(slope, within(tolerance * Math.abs(slope)));
            assertThat(ChunksTest.relativeError(join(actual), join(expected)))
                    .as("direction, pair %d, seed %d", k, SEED)
                    .isLessThan(tolerance);
            LbfgsHistory restored = new LbfgsHistory(m, copy(s), copy(y), type, Reduction.MATRIX);
            restored.restore(matrix.size(), matrix.nextSlot());
            INDArray[] again = BlockVectors.zerosLike(g);
            restored.direction(g, again);
            assertThat(join(again)).as("restored, pair %d", k).isEqualTo(join(actual));
        }
        assertThat(damped).isTrue();
    }

    @Test
    void slotsThatAreNotInUseMayHoldAnything() {
        int[] lengths = {20};
        INDArray[] s = memory(3, lengths, DataType.DOUBLE);
        INDArray[] y = memory(3, lengths, DataType.DOUBLE);
        LbfgsHistory history = new LbfgsHistory(3, s, y, DataType.DOUBLE, Reduction.MATRIX);
        for (int k = 0; k < 5; k++) { // the ring is full, the next slot in its middle
            INDArray[] step = gaussian(lengths, DataType.DOUBLE);
            history.update(step, copy(step));
        }
        history.makeRoom();
        for (INDArray row : new INDArray[] {history.nextStep()[0], history.nextChange()[0]}) {
            row.assign(Double.NaN);
        }
        INDArray[] g = gaussian(lengths, DataType.DOUBLE);
        INDArray[] p = BlockVectors.zerosLike(g);
        assertThat(history.direction(g, p)).isNegative();
        // All pairs have y = s, so H is the identity.
        assertThat(ChunksTest.relativeError(
                        join(p), Arrays.stream(join(g)).map(v -> -v).toArray()))
                .isLessThan(1e-12);
    }

    private static Objective objective(TestFunction function) {
        return Objective.of(function.dimension(), (x, gradient) -> {
            function.gradient(x, gradient);
            return function.value(x);
        });
    }

    @ParameterizedTest
    @MethodSource("searches")
    void theSolverFindsTheSameMinimumWithAboutAsManyEvaluations(LineSearch search) {
        LbfgsSolver solver = LbfgsSolver.builder().lineSearch(search).build();
        TestFunction function = MoreGarbowHillstrom.all().get(0);
        Solution expected = solver.run(objective(function), Nd4j.createFromArray(function.start()));
        Solution actual;
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            actual = solver.run(objective(function), Nd4j.createFromArray(function.start()));
        }
        assertThat(actual.status()).isEqualTo(expected.status());
        assertThat(actual.value()).isCloseTo(expected.value(), within(1e-12));
        assertThat(actual.functionEvaluations()).isCloseTo(expected.functionEvaluations(), within(10L));
    }

    @Test
    void theCpuTakesRowsAndOtherBackendsMatrices() {
        assertThat(Reduction.of(ExecutionerType.NATIVE_CPU)).isEqualTo(Reduction.ROWS);
        assertThat(Reduction.of(ExecutionerType.CUDA)).isEqualTo(Reduction.MATRIX);
    }

    /** Rounded rows are converted one by one whatever the backend. */
    @Test
    void aHistoryInBfloat16IsTheSameInBothForms() {
        LbfgsSolver solver = LbfgsSolver.builder().bfloat16History(true).build();
        TestFunction function = MoreGarbowHillstrom.all().get(0);
        Solution expected = solver.run(objective(function), Nd4j.createFromArray(function.start()));
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            Solution actual = solver.run(objective(function), Nd4j.createFromArray(function.start()));
            assertThat(actual.value()).isCloseTo(expected.value(), within(1e-12));
            assertThat(actual.functionEvaluations()).isCloseTo(expected.functionEvaluations(), within(10L));
        }
    }

    /** Here the point is checked after the evaluation, and value and gradient are finite where it is not. */
    @Test
    void aPointThatIsNotFiniteIsNeverTaken() {
        Objective saturated = new Objective(1, DataType.FLOAT) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                double x = point.getDouble(0);
                gradient.assign(-1e-15); // its square is no zero in float
                return Double.isInfinite(x) ? -1e30 : -1e-15 * x;
            }
        };
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            Solution far = LbfgsSolver.builder()
                    .lineSearch(new ArmijoBacktracking())
                    .gradientTolerance(0)
                    .firstStepLength(1e39)
                    .build()
                    .run(saturated, Nd4j.createFromArray(0f));
            assertThat(far.point().getDouble(0)).as("%s", far).isFinite();
        }
    }

    @Test
    void anotherSquaredLengthComesWithTheDirection() {
        for (Reduction kernel : Reduction.values()) {
            int[] lengths = {30, 4};
            LbfgsHistory history = new LbfgsHistory(
                    2,
                    memory(2, lengths, DataType.DOUBLE),
                    memory(2, lengths, DataType.DOUBLE),
                    DataType.DOUBLE,
                    kernel);
            for (int pairs = 0; pairs < 3; pairs++) {
                INDArray[] g = gaussian(lengths, DataType.DOUBLE);
                INDArray[] v = gaussian(lengths, DataType.DOUBLE);
                INDArray[] p = BlockVectors.zerosLike(g);
                double[] products = history.direction(g, p, v);
                assertThat(products[0])
                        .as("%s, seed %d", kernel, SEED)
                        .isCloseTo(BlockVectors.dot(g, p), within(1e-10));
                assertThat(products[1])
                        .as("%s, seed %d", kernel, SEED)
                        .isCloseTo(BlockVectors.dot(v, v), within(1e-10));
                INDArray[] step = gaussian(lengths, DataType.DOUBLE);
                history.update(step, copy(step));
            }
        }
    }

    @Test
    void aProductOfSeveralPiecesIsReadOnce() {
        INDArray[] x = gaussian(new int[] {30, 4, 7}, DataType.DOUBLE);
        double expected = BlockVectors.dot(x, x);
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            long before = ForcedReduction.readBacks();
            assertThat(BlockVectors.dot(x, x)).isCloseTo(expected, within(1e-12));
            assertThat(ForcedReduction.readBacks() - before).isEqualTo(1);
        }
    }

    @Test
    void oneTransferForADirectionWhateverTheMemory() {
        for (int m : new int[] {1, 5, 20}) {
            int[] lengths = {30, 4};
            LbfgsHistory history = new LbfgsHistory(
                    m,
                    memory(m, lengths, DataType.DOUBLE),
                    memory(m, lengths, DataType.DOUBLE),
                    DataType.DOUBLE,
                    Reduction.MATRIX);
            for (int k = 0; k <= m; k++) {
                INDArray[] step = gaussian(lengths, DataType.DOUBLE);
                long before = ForcedReduction.readBacks();
                history.update(step, copy(step));
                assertThat(ForcedReduction.readBacks() - before)
                        .as("pair, m = %d", m)
                        .isEqualTo(1);
                INDArray[] g = gaussian(lengths, DataType.DOUBLE);
                before = ForcedReduction.readBacks();
                history.direction(g, BlockVectors.zerosLike(g));
                assertThat(ForcedReduction.readBacks() - before)
                        .as("direction, m = %d", m)
                        .isEqualTo(1);
            }
        }
    }

    static List<LineSearch> searches() {
        return List.of(new MoreThuente(), new ArmijoBacktracking());
    }
}
