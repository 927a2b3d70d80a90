package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.linalg.BlockVectors;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The direction against the dense recursion for the inverse BFGS matrix, and the rules for pairs. */
class LbfgsHistoryTest {

    private static final long SEED = 7;
    private static final int N = 11;

    private final Random random = new Random(SEED);

    private static INDArray vector(double... values) {
        return Nd4j.createFromArray(values);
    }

    private double[] gaussian() {
        return random.doubles(N, -1, 1).toArray();
    }

    private static LbfgsHistory history(int memory, DataType type, long... lengths) {
        INDArray[] s = new INDArray[lengths.length];
        INDArray[] y = new INDArray[lengths.length];
        for (int b = 0; b < lengths.length; b++) {
            s[b] = Nd4j.zeros(type, memory * lengths[b]);
            y[b] = Nd4j.zeros(type, memory * lengths[b]);
        }
        return new LbfgsHistory(memory, s, y);
    }

    private static INDArray[] cut(double[] values, DataType type, long... lengths) {
        INDArray[] pieces = new INDArray[lengths.length];
        int from = 0;
        for (int b = 0; b < lengths.length; b++) {
            pieces[b] = Nd4j.createFromArray(java.util.Arrays.copyOfRange(values, from, from + (int) lengths[b]))
                    .castTo(type);
            from += (int) lengths[b];
        }
        return pieces;
    }

    private static double[] join(INDArray[] pieces) {
        return Nd4j.concat(0, pieces).castTo(DataType.DOUBLE).toDoubleVector();
    }

    /** y = A s with a fixed positive definite A, so that every pair has positive curvature. */
    private static double[] times(SimpleMatrix a, double[] s) {
        return a.mult(new SimpleMatrix(s.length, 1, true, s))
                .getDDRM()
                .getData()
                .clone();
    }

    private SimpleMatrix positiveDefinite() {
        SimpleMatrix b =
                new SimpleMatrix(N, N, true, random.doubles(N * N, -1, 1).toArray());
        return b.mult(b.transpose()).plus(SimpleMatrix.identity(N).scale(0.1));
    }

    private static SimpleMatrix denseInverse(List<double[][]> pairs) {
        double[][] newest = pairs.get(pairs.size() - 1);
        SimpleMatrix s = column(newest[0]);
        SimpleMatrix y = column(newest[1]);
        SimpleMatrix h = SimpleMatrix.identity(N).scale(s.dot(y) / y.dot(y));
        for (double[][] pair : pairs) {
            s = column(pair[0]);
            y = column(pair[1]);
            double rho = 1 / s.dot(y);
            SimpleMatrix v =
                    SimpleMatrix.identity(N).minus(y.mult(s.transpose()).scale(rho));
            h = v.transpose().mult(h).mult(v).plus(s.mult(s.transpose()).scale(rho));
        }
        return h;
    }

    private static SimpleMatrix column(double[] values) {
        return new SimpleMatrix(values.length, 1, true, values);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 7})
    void directionEqualsTheDenseRecursionAtEveryRingPosition(int memory) {
        SimpleMatrix a = positiveDefinite();
        LbfgsHistory history = history(memory, DataType.DOUBLE, N);
        List<double[][]> pairs = new ArrayList<>();
        for (int k = 0; k < 3 * memory; k++) {
            double[] s = gaussian();
            double[] y = times(a, s);
            assertThat(history.update(
                            new INDArray[] {vector(s)}, new INDArray[] {vector(y)}, new INDArray[] {vector(y)}))
                    .isEqualTo(LbfgsHistory.Outcome.KEPT);
            pairs.add(new double[][] {s, y});
            if (pairs.size() > memory) {
                pairs.remove(0);
            }
            double[] g = gaussian();
            INDArray[] p = {Nd4j.zeros(DataType.DOUBLE, N)};
            history.direction(new INDArray[] {vector(g)}, p);
            SimpleMatrix expected = denseInverse(pairs).mult(column(g)).negative();
            assertThat(column(join(p)).minus(expected).normF() / expected.normF())
                    .as("relative error with %d pairs, memory %d, seed %d", k + 1, memory, SEED)
                    .isLessThan(1e-12);
        }
    }

    @Test
    void satisfiesTheSecantEquationOfTheNewestPair() {
        SimpleMatrix a = positiveDefinite();
        LbfgsHistory history = history(3, DataType.DOUBLE, N);
        double[] s = null;
        double[] y = null;
        for (int k = 0; k < 5; k++) {
            s = gaussian();
            y = times(a, s);
            history.update(new INDArray[] {vector(s)}, new INDArray[] {vector(y)}, new INDArray[] {vector(y)});
        }
        INDArray[] p = {Nd4j.zeros(DataType.DOUBLE, N)};
        history.direction(new INDArray[] {vector(y)}, p);
        for (int i = 0; i < N; i++) {
            assertThat(-p[0].getDouble(i))
                    .as("component %d of H y, seed %d", i, SEED)
                    .isCloseTo(s[i], within(1e-12));
        }
    }

    @ParameterizedTest
    @CsvSource({"DOUBLE, 1e-13", "FLOAT, 1e-5"})
    void piecesGiveTheDirectionOfOneFlatVector(DataType type, double tolerance) {
        SimpleMatrix a = positiveDefinite();
        LbfgsHistory flat = history(4, type, N);
        LbfgsHistory pieces = history(4, type, 1, 6, 4);
        for (int k = 0; k < 6; k++) {
            double[] s = gaussian();
            double[] y = times(a, s);
            flat.update(cut(s, type, N), cut(y, type, N), cut(y, type, N));
            pieces.update(cut(s, type, 1, 6, 4), cut(y, type, 1, 6, 4), cut(y, type, 1, 6, 4));
        }
        double[] g = gaussian();
        INDArray[] p = BlockVectors.zerosLike(cut(g, type, N));
        INDArray[] q = BlockVectors.zerosLike(cut(g, type, 1, 6, 4));
        flat.direction(cut(g, type, N), p);
        pieces.direction(cut(g, type, 1, 6, 4), q);
        SimpleMatrix expected = column(join(p));
        assertThat(column(join(q)).minus(expected).normF() / expected.normF())
                .as("relative difference, seed %d", SEED)
                .isLessThan(tolerance);
    }

    @Test
    void withoutPairsItIsSteepestDescent() {
        LbfgsHistory history = history(2, DataType.DOUBLE, 3);
        INDArray[] p = {Nd4j.zeros(DataType.DOUBLE, 3)};
        history.direction(new INDArray[] {vector(1, -2, 3)}, p);
        assertThat(p[0].toDoubleVector()).containsExactly(-1, 2, -3);
    }

    @Test
    void dampedPairHasExactlyTheAllowedCurvature() {
        INDArray[] s = {Nd4j.zeros(DataType.DOUBLE, 2)};
        INDArray[] y = {Nd4j.zeros(DataType.DOUBLE, 2)};
        LbfgsHistory history = new LbfgsHistory(1, s, y);
        INDArray[] step = {vector(1, 2)};
        INDArray[] change = {vector(-3, 0.5)}; // s·y = -2
        INDArray[] bs = {vector(2, 4)}; // s·Bs = 10
        assertThat(history.update(step, change, bs)).isEqualTo(LbfgsHistory.Outcome.DAMPED);
        assertThat(Nd4j.getBlasWrapper().dot(s[0], y[0])).isCloseTo(LbfgsHistory.DAMPING * 10, within(1e-14));
        // theta = 0.8 * 10 / 12 = 2/3: y = 2/3 (-3, .5) + 1/3 (2, 4)
        assertThat(y[0].getDouble(0)).isCloseTo(-4.0 / 3, within(1e-15));
        assertThat(y[0].getDouble(1)).isCloseTo(5.0 / 3, within(1e-15));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-12, 1, 1e12})
    void decisionsDoNotDependOnTheScaleOfTheObjective(double scale) {
        double[][] changes = {{2, 1}, {-3, 0.5}, {0.3, 0.02}, {Double.NaN, 1}};
        LbfgsHistory.Outcome[] expected = {
            LbfgsHistory.Outcome.KEPT,
            LbfgsHistory.Outcome.DAMPED,
            LbfgsHistory.Outcome.DAMPED,
            LbfgsHistory.Outcome.SKIPPED
        };
        for (int i = 0; i < changes.length; i++) {
            LbfgsHistory history = history(2, DataType.DOUBLE, 2);
            INDArray[] change = {vector(changes[i]).mul(scale)};
            INDArray[] bs = {vector(2, 4).mul(scale)};
            assertThat(history.update(new INDArray[] {vector(1, 2)}, change, bs))
                    .as("pair %d", i)
                    .isEqualTo(expected[i]);
        }
    }

    @Test
    void skipsAPairWithoutStepOrWithoutPositiveModelCurvature() {
        LbfgsHistory history = history(2, DataType.DOUBLE, 2);
        INDArray[] y = {vector(1, 1)};
        assertThat(history.update(new INDArray[] {vector(0, 0)}, y, new INDArray[] {vector(1, 1)}))
                .isEqualTo(LbfgsHistory.Outcome.SKIPPED);
        assertThat(history.update(new INDArray[] {vector(1, 0)}, y, new INDArray[] {vector(-1, 0)}))
                .isEqualTo(LbfgsHistory.Outcome.SKIPPED);
        assertThat(history.size()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 5, 9})
    void restoredRingGivesTheSameBits(int pairsStored) {
        int memory = 5;
        SimpleMatrix a = positiveDefinite();
        INDArray[] s = {Nd4j.zeros(DataType.FLOAT, (long) memory * N)};
        INDArray[] y = {Nd4j.zeros(DataType.FLOAT, (long) memory * N)};
        LbfgsHistory history = new LbfgsHistory(memory, s, y);
        for (int k = 0; k < pairsStored; k++) {
            double[] step = gaussian();
            double[] change = times(a, step);
            history.update(
                    cut(step, DataType.FLOAT, N), cut(change, DataType.FLOAT, N), cut(change, DataType.FLOAT, N));
        }
        LbfgsHistory restored = new LbfgsHistory(memory, new INDArray[] {s[0].dup()}, new INDArray[] {y[0].dup()});
        restored.restore(history.size(), history.nextSlot());
        INDArray[] g = cut(gaussian(), DataType.FLOAT, N);
        INDArray[] p = BlockVectors.zerosLike(g);
        INDArray[] q = BlockVectors.zerosLike(g);
        history.direction(g, p);
        restored.direction(g, q);
        assertThat(q[0].toFloatVector()).as("seed %d", SEED).containsExactly(p[0].toFloatVector());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void aPairMadeInItsSlotIsAsGoodAsACopy(int memory) {
        SimpleMatrix a = positiveDefinite();
        LbfgsHistory copied = history(memory, DataType.DOUBLE, 4, N - 4);
        LbfgsHistory inPlace = history(memory, DataType.DOUBLE, 4, N - 4);
        for (int k = 0; k < 3 * memory; k++) {
            double[] s = gaussian();
            double[] y = times(a, s);
            INDArray[] step = cut(s, DataType.DOUBLE, 4, N - 4);
            INDArray[] change = cut(y, DataType.DOUBLE, 4, N - 4);
            inPlace.makeRoom();
            BlockVectors.assign(inPlace.nextStep(), step);
            BlockVectors.assign(inPlace.nextChange(), change);
            assertThat(inPlace.update(inPlace.nextStep(), inPlace.nextChange())).isEqualTo(copied.update(step, change));
            assertThat(inPlace.size()).isEqualTo(copied.size());
            INDArray[] g = cut(gaussian(), DataType.DOUBLE, 4, N - 4);
            INDArray[] p = BlockVectors.zerosLike(g);
            INDArray[] q = BlockVectors.zerosLike(g);
            copied.direction(g, p);
            inPlace.direction(g, q);
            assertThat(join(q)).as("pair %d, seed %d", k, SEED).containsExactly(join(p));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void whatLiesInTheFreeSlotMattersToNobody(int memory) {
        SimpleMatrix a = positiveDefinite();
        LbfgsHistory history = history(memory, DataType.DOUBLE, N);
        List<double[][]> pairs = new ArrayList<>();
        for (int k = 0; k < 4 * memory; k++) {
            history.makeRoom();
            if (pairs.size() == memory) {
                pairs.remove(0);
            }
            assertThat(history.size()).isEqualTo(pairs.size());
            if (k % 3 == 1) { // a pair that is refused
                history.nextStep()[0].assign(Double.NaN);
                history.nextChange()[0].assign(Double.NaN);
                assertThat(history.update(history.nextStep(), history.nextChange()))
                        .isEqualTo(LbfgsHistory.Outcome.SKIPPED);
            } else {
                double[] s = gaussian();
                double[] y = times(a, s);
                pairs.add(new double[][] {s, y});
                history.nextStep()[0].assign(vector(s));
                history.nextChange()[0].assign(vector(y));
                history.update(history.nextStep(), history.nextChange());
            }
            double[] g = gaussian();
            INDArray[] p = {Nd4j.zeros(DataType.DOUBLE, N)};
            history.direction(new INDArray[] {vector(g)}, p);
            SimpleMatrix expected = pairs.isEmpty()
                    ? column(g).negative()
                    : denseInverse(pairs).mult(column(g)).negative();
            assertThat(column(join(p)).minus(expected).normF() / expected.normF())
                    .as("relative error at pair %d, memory %d, seed %d", k, memory, SEED)
                    .isLessThan(1e-12);
        }
    }

    @Test
    void refusesWhatCannotBe() {
        assertThatThrownBy(() -> history(0, DataType.DOUBLE, 3)).hasMessageContaining("at least one pair");
        LbfgsHistory history = history(2, DataType.DOUBLE, 3);
        assertThatThrownBy(() -> history.restore(3, 0)).hasMessageContaining("damaged");
        assertThatThrownBy(() -> history.restore(1, 2)).hasMessageContaining("damaged");
    }
}
