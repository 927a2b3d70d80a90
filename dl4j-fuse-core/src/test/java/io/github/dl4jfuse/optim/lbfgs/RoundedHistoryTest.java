package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A history in bfloat16 against the recursion on pairs that are rounded by their bits. */
class RoundedHistoryTest {

    private static final long SEED = 13;
    private static final int MEMORY = 3;

    private final Random random = new Random(SEED);

    private static LbfgsHistory history(int memory, long n, DataType type) {
        return new LbfgsHistory(
                memory,
                new INDArray[] {Nd4j.zeros(DataType.BFLOAT16, memory * n)},
                new INDArray[] {Nd4j.zeros(DataType.BFLOAT16, memory * n)},
                type);
    }

    private static INDArray[] vector(DataType type, double... values) {
        return new INDArray[] {Nd4j.createFromArray(values).castTo(type)};
    }

    /** The nearest number whose float has sixteen zeros at its end, the even one of two. */
    private static double round(double value) {
        int bits = Float.floatToIntBits((float) value);
        return Float.intBitsToFloat((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
    }

    private double[] uniform(int n, double from, double to) {
        return random.doubles(n, from, to).toArray();
    }

    @ParameterizedTest
    @CsvSource({"7, DOUBLE, 1e-12", "7, FLOAT, 1e-5", "65537, DOUBLE, 1e-11", "131079, FLOAT, 1e-4"})
    void directionIsThatOfTheRoundedPairs(int n, DataType type, double tolerance) {
        LbfgsHistory history = history(MEMORY, n, type);
        Deque<double[][]> pairs = new ArrayDeque<>();
        double[] curvatures = uniform(n, 0.5, 2);
        for (int k = 0; k < 3 * MEMORY; k++) {
            double[] s = uniform(n, -1, 1);
            double[] y = new double[n];
            Arrays.setAll(y, i -> curvatures[i] * s[i]);
            INDArray[] step = vector(type, s);
            INDArray[] change = vector(type, y);
            assertThat(history.update(step, change)).isEqualTo(LbfgsHistory.Outcome.KEPT);
            double[] rounded = Arrays.stream(s).map(RoundedHistoryTest::round).toArray();
            assertThat(Arrays.equals(step[0].toDoubleVector(), rounded))
                    .as("s is rounded, seed %d", SEED)
                    .isTrue();
            pairs.addFirst(new double[][] {
                rounded, Arrays.stream(y).map(RoundedHistoryTest::round).toArray()
            });
            if (pairs.size() > MEMORY) {
                pairs.removeLast();
            }
            if (k == 1) {
                continue; // two pairs at once for the next direction
            }
            double[] g = uniform(n, -1, 1);
            INDArray[] p = {Nd4j.zeros(type, n)};
            history.direction(vector(type, g), p);
            double[] expected = ChunksTest.twoLoops(pairs, g);
            assertThat(ChunksTest.relativeError(p[0].toDoubleVector(), expected))
                    .as("relative error with %d pairs, seed %d", k + 1, SEED)
                    .isLessThan(tolerance);
        }
    }

    @Test
    void aPairWhoseCurvatureRoundingDestroysIsRefusedAndTheOthersStand() {
        LbfgsHistory history = history(2, 2, DataType.DOUBLE);
        history.update(vector(DataType.DOUBLE, 1, 0), vector(DataType.DOUBLE, 2, 0));
        history.update(vector(DataType.DOUBLE, 0, 1), vector(DataType.DOUBLE, 0, 4));
        double tiny = 0x1p-12;
        // s·y = 1 + 2 tiny - 1 > 0, and both first elements round to 1.
        assertThat(history.update(vector(DataType.DOUBLE, 1 + tiny, 1), vector(DataType.DOUBLE, 1 + tiny, -1)))
                .isEqualTo(LbfgsHistory.Outcome.SKIPPED);
        assertThat(history.size()).as("the oldest pair made room").isOne();
        INDArray[] p = {Nd4j.zeros(DataType.DOUBLE, 2)};
        history.direction(vector(DataType.DOUBLE, 1, 1), p);
        assertThat(p[0].toDoubleVector()).containsExactly(new double[] {-0.25, -0.25}, within(1e-15));
    }

    @Test
    void whatOverflowsOrVanishesIsRefused() {
        LbfgsHistory history = history(2, 2, DataType.DOUBLE);
        assertThat(history.update(vector(DataType.DOUBLE, 1e100, 0), vector(DataType.DOUBLE, 1e-50, 0)))
                .isEqualTo(LbfgsHistory.Outcome.SKIPPED);
        assertThat(history.update(vector(DataType.DOUBLE, 1e-60, 0), vector(DataType.DOUBLE, 1, 0)))
                .isEqualTo(LbfgsHistory.Outcome.SKIPPED);
        assertThat(history.size()).isZero();
    }

    @Test
    void aDampedPairIsRoundedAfterDamping() {
        INDArray[] y = {Nd4j.zeros(DataType.BFLOAT16, 2)};
        LbfgsHistory history =
                new LbfgsHistory(1, new INDArray[] {Nd4j.zeros(DataType.BFLOAT16, 2)}, y, DataType.DOUBLE);
        assertThat(history.update(
                        vector(DataType.DOUBLE, 1, 2), vector(DataType.DOUBLE, -3, 0.5), vector(DataType.DOUBLE, 2, 4)))
                .isEqualTo(LbfgsHistory.Outcome.DAMPED);
        assertThat(y[0].castTo(DataType.DOUBLE).toDoubleVector()).containsExactly(round(-4.0 / 3), round(5.0 / 3));
    }
}
