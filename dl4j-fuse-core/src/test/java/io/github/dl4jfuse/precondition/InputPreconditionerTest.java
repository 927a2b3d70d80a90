package io.github.dl4jfuse.precondition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Collections;
import java.util.Random;
import org.ejml.simple.SimpleEVD;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class InputPreconditionerTest {

    private static final long SEED = 6;
    private static final int INPUTS = 12;
    private static final int OUTPUTS = 5;
    private static final int EXAMPLES = 200;

    private final Random random = new Random(SEED);

    /** Inputs with a mean and with spreads that halve from one to the next, turned by a random matrix. */
    private INDArray rows() {
        double[][] mixing = new double[INPUTS][INPUTS];
        for (double[] row : mixing) {
            for (int j = 0; j < INPUTS; j++) {
                row[j] = random.nextGaussian();
            }
        }
        SimpleMatrix turn = new SimpleMatrix(mixing).svd().getU();
        INDArray rows = Nd4j.zeros(DataType.DOUBLE, EXAMPLES, INPUTS);
        for (int i = 0; i < EXAMPLES; i++) {
            SimpleMatrix x = new SimpleMatrix(INPUTS, 1);
            for (int j = 0; j < INPUTS; j++) {
                x.set(j, 8 * Math.pow(0.5, j) * (random.nextGaussian() + (j == 0 ? 2 : 0)));
            }
            x = turn.mult(x);
            for (int j = 0; j < INPUTS; j++) {
                rows.putScalar(i, j, x.get(j));
            }
        }
        return rows;
    }

    private static SimpleMatrix secondMoment(INDArray rows, boolean bias) {
        int n = INPUTS + (bias ? 1 : 0);
        SimpleMatrix a = new SimpleMatrix(n, n);
        for (int i = 0; i < EXAMPLES; i++) {
            SimpleMatrix x = new SimpleMatrix(n, 1);
            for (int j = 0; j < INPUTS; j++) {
                x.set(j, rows.getDouble(i, j));
            }
            if (bias) {
                x.set(INPUTS, 1);
            }
            a = a.plus(x.mult(x.transpose()).scale(1.0 / EXAMPLES));
        }
        return a;
    }

    /** T as the class comment defines it, from all eigenpairs of the matrix itself. */
    private static SimpleMatrix dense(SimpleMatrix a, int rank, double damping) {
        int n = a.getNumRows();
        double t = a.trace() / n;
        SimpleEVD<SimpleMatrix> eigen = a.eig();
        Integer[] order = new Integer[n];
        java.util.Arrays.setAll(order, i -> i);
        java.util.Arrays.sort(
                order,
                (i, j) -> Double.compare(
                        eigen.getEigenvalue(j).getReal(), eigen.getEigenvalue(i).getReal()));
        SimpleMatrix result = SimpleMatrix.identity(n);
        double kept = n * t;
        for (int i = 0; i < rank; i++) {
            double e = eigen.getEigenvalue(order[i]).getReal();
            double w = 1 / Math.sqrt(1 + e / (damping * t));
            SimpleMatrix q = eigen.getEigenVector(order[i]);
            result = result.plus(q.mult(q.transpose()).scale(w - 1));
            kept += e * (w * w - 1);
        }
        return result.scale(Math.sqrt(InputPreconditioner.SQUARED_LENGTH / kept));
    }

    private static InputPreconditioner metric(int rank, boolean bias) {
        return metric(rank, bias, InputPreconditioner.DEFAULT_DAMPING);
    }

    private static InputPreconditioner metric(int rank, boolean bias, double damping) {
        return new InputPreconditioner(
                INPUTS, rank, bias, damping, Nd4j.zeros(DataType.DOUBLE, InputPreconditioner.size(INPUTS, rank)));
    }

    private INDArray randomMatrix(int rows, int columns) {
        return Nd4j.createFromArray(random.doubles((long) rows * columns, -1, 1).toArray())
                .reshape('f', rows, columns)
                .dup('f');
    }

    @ParameterizedTest
    @CsvSource({
        "1,true,1,5",
        "3,true,1,5",
        "3,true,20,5",
        "3,false,.1,5",
        "8,true,1,5",
        "12,false,1,5",
        "3,true,1,100",
        "12,false,1,100"
    })
    void appliesTheMatrixThatTheFormulaSays(int rank, boolean bias, double damping, int outputs) {
        INDArray rows = rows();
        InputPreconditioner metric = metric(rank, bias, damping);
        for (int i = 0; i < 40; i++) { // the same batch again: the moving average is that of one batch
            metric.observe(rows);
        }
        SimpleMatrix t = dense(secondMoment(rows, bias), rank, damping);
        INDArray weights = randomMatrix(INPUTS, outputs);
        INDArray biases = bias ? randomMatrix(1, outputs) : null;
        SimpleMatrix g = new SimpleMatrix(t.getNumRows(), outputs);
        for (int j = 0; j < outputs; j++) {
            for (int i = 0; i < INPUTS; i++) {
                g.set(i, j, weights.getDouble(i, j));
            }
            if (bias) {
                g.set(INPUTS, j, biases.getDouble(0, j));
            }
        }
        SimpleMatrix expected = t.mult(g);
        metric.apply(weights, biases);
        for (int j = 0; j < outputs; j++) {
            for (int i = 0; i < t.getNumRows(); i++) {
                double actual = i < INPUTS ? weights.getDouble(i, j) : biases.getDouble(0, j);
                assertThat(actual)
                        .as("element %d, %d, seed %d", i, j, SEED)
                        .isCloseTo(expected.get(i, j), within(2e-3 * expected.normF()));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"4,1", "4,100", "0,1", "0,0.5"})
    void givesTheInputsOneMeanLengthWhateverTheirScale(int rank, double scale) {
        INDArray rows = rows().muli(scale);
        InputPreconditioner metric = metric(rank, true);
        for (int i = 0; i < 40; i++) {
            metric.observe(rows);
        }
        INDArray inputs = rows.transpose().dup('f');
        INDArray ones = Nd4j.ones(DataType.DOUBLE, 1, EXAMPLES).dup('f');
        metric.apply(inputs, ones);
        assertThat((squares(inputs) + squares(ones)) / EXAMPLES)
                .as("seed %d", SEED)
                .isCloseTo(InputPreconditioner.SQUARED_LENGTH, within(1e-2 * InputPreconditioner.SQUARED_LENGTH));
    }

    @ParameterizedTest
    @ValueSource(strings = {"FLOAT", "DOUBLE"})
    void smallLayersWhichAreDoneInJavaEqualLargeOnes(DataType type) {
        INDArray rows = rows().castTo(type);
        InputPreconditioner metric =
                new InputPreconditioner(INPUTS, 4, true, 1, Nd4j.zeros(type, InputPreconditioner.size(INPUTS, 4)));
        metric.observe(rows);
        metric.observe(rows.mul(2)); // what was copied of the first Q must not stay
        int copies = InputPreconditioner.SMALL / (INPUTS * OUTPUTS) + 1;
        INDArray memory = randomMatrix(1, 3 + (INPUTS + 1) * OUTPUTS).castTo(type);
        INDArray weights = memory.get(all(), interval(3, 3 + INPUTS * OUTPUTS)).reshape('f', INPUTS, OUTPUTS);
        INDArray biases = memory.get(all(), interval(3 + INPUTS * OUTPUTS, memory.length()));
        INDArray manyWeights = Nd4j.hstack(Collections.nCopies(copies, weights)).dup('f');
        INDArray manyBiases = Nd4j.hstack(Collections.nCopies(copies, biases)).dup('f');
        metric.apply(weights, biases);
        metric.apply(manyWeights, manyBiases);
        double rounding = (type == DataType.FLOAT ? 1e-5 : 1e-13)
                * manyWeights.norm2Number().doubleValue();
        assertThat(weights.distance2(manyWeights.get(all(), interval(0, OUTPUTS))))
                .as("seed %d", SEED)
                .isLessThan(rounding);
        assertThat(biases.distance2(manyBiases.get(all(), interval(0, OUTPUTS))))
                .as("seed %d", SEED)
                .isLessThan(rounding);
    }

    @Test
    void theFirstBatchesWeighAlike() {
        InputPreconditioner metric = metric(0, false);
        INDArray one = Nd4j.ones(DataType.DOUBLE, EXAMPLES, INPUTS);
        metric.observe(one);
        metric.observe(one.mul(3));
        INDArray weights = Nd4j.ones(DataType.DOUBLE, INPUTS, 1).dup('f');
        metric.apply(weights, null);
        double meanSquareLength = INPUTS * (1 + 9) / 2.0;
        assertThat(weights.getDouble(0))
                .isCloseTo(Math.sqrt(InputPreconditioner.SQUARED_LENGTH / meanSquareLength), within(1e-12));
    }

    @Test
    void stretchesShortInputsNoFurtherThanItsLength() {
        InputPreconditioner metric = metric(0, false);
        metric.observe(Nd4j.ones(DataType.DOUBLE, EXAMPLES, INPUTS).muli(1e-6));
        INDArray weights = Nd4j.ones(DataType.DOUBLE, INPUTS, 1).dup('f');
        metric.apply(weights, null);
        assertThat(weights.getDouble(0)).isCloseTo(Math.sqrt(InputPreconditioner.SQUARED_LENGTH), within(1e-12));
    }

    private static double squares(INDArray x) {
        return x.mul(x).sumNumber().doubleValue();
    }

    @Test
    void isTheIdentityBeforeItHasSeenAnything() {
        InputPreconditioner metric = metric(3, true);
        INDArray weights = randomMatrix(INPUTS, OUTPUTS);
        INDArray biases = randomMatrix(1, OUTPUTS);
        INDArray copy = weights.dup();
        INDArray biasCopy = biases.dup();
        metric.apply(weights, biases);
        assertThat(weights).isEqualTo(copy);
        assertThat(biases).isEqualTo(biasCopy);
        assertThat(metric.isIdentity()).isTrue();
    }

    @Test
    void liesInItsMemoryEntirely() {
        INDArray memory = Nd4j.zeros(DataType.DOUBLE, InputPreconditioner.size(INPUTS, 3));
        InputPreconditioner metric =
                new InputPreconditioner(INPUTS, 3, true, InputPreconditioner.DEFAULT_DAMPING, memory);
        INDArray rows = rows();
        metric.observe(rows);
        metric.observe(rows());
        InputPreconditioner restored =
                new InputPreconditioner(INPUTS, 3, true, InputPreconditioner.DEFAULT_DAMPING, memory.dup());
        INDArray one = randomMatrix(INPUTS, OUTPUTS);
        INDArray other = one.dup('f');
        INDArray oneBias = randomMatrix(1, OUTPUTS);
        INDArray otherBias = oneBias.dup('f');
        metric.apply(one, oneBias);
        restored.apply(other, otherBias);
        assertThat(other).isEqualTo(one);
        assertThat(otherBias).isEqualTo(oneBias);
        metric.observe(rows);
        restored.observe(rows);
        metric.apply(one, oneBias);
        restored.apply(other, otherBias);
        assertThat(other).as("and goes on alike").isEqualTo(one);
    }

    @ParameterizedTest
    @CsvSource({"0", "1e-30", "1e15"})
    void deadAndHugeInputsGiveNoNotANumber(double scale) {
        InputPreconditioner metric = metric(3, true);
        INDArray rows = rows().muli(scale);
        metric.observe(rows);
        metric.observe(rows);
        INDArray weights = randomMatrix(INPUTS, OUTPUTS);
        INDArray biases = randomMatrix(1, OUTPUTS);
        metric.apply(weights, biases);
        assertThat(squares(weights)).isFinite();
        assertThat(squares(biases)).isFinite();
    }

    @Test
    void notANumberIsNotTakenAndChangesNothing() {
        InputPreconditioner metric = metric(3, true);
        assertThat(metric.observe(rows())).isTrue();
        INDArray weights = randomMatrix(INPUTS, OUTPUTS);
        INDArray biases = randomMatrix(1, OUTPUTS);
        INDArray again = weights.dup('f');
        INDArray biasesAgain = biases.dup('f');
        metric.apply(weights, biases);
        INDArray bad = rows();
        bad.putScalar(3, 3, Double.NaN);
        assertThat(metric.observe(bad)).isFalse();
        metric.apply(again, biasesAgain);
        assertThat(again).isEqualTo(weights);
    }

    /** W and b after T, to compare metrics by. */
    private static INDArray applied(InputPreconditioner metric, DataType type) {
        INDArray weights = Nd4j.linspace(-1, 2, (long) INPUTS * OUTPUTS, type)
                .reshape('f', INPUTS, OUTPUTS)
                .dup('f');
        INDArray biases = Nd4j.linspace(1, 2, OUTPUTS, type).reshape('f', 1, OUTPUTS);
        metric.apply(weights, biases);
        return Nd4j.vstack(weights, biases);
    }

    private static InputPreconditioner metricIn(DataType type) {
        return new InputPreconditioner(
                INPUTS,
                3,
                true,
                InputPreconditioner.DEFAULT_DAMPING,
                Nd4j.zeros(type, InputPreconditioner.size(INPUTS, 3)));
    }

    @ParameterizedTest
    @CsvSource({"FLOAT,255", "DOUBLE,255", "FLOAT,1e-4", "FLOAT,1e7"})
    void oneBatchOfAnotherSizeChangesNothing(DataType type, double scale) {
        INDArray rows = rows().castTo(type);
        InputPreconditioner metric = metricIn(type);
        for (int i = 0; i < 5; i++) {
            assertThat(metric.observe(rows)).isTrue();
        }
        INDArray before = applied(metric, type);
        assertThat(metric.observe(rows.mul(scale))).isFalse();
        assertThat(metric.wantsNext()).isTrue();
        assertThat(applied(metric, type)).as("seed %d", SEED).isEqualTo(before);
        assertThat(metric.observe(rows)).isTrue();
        assertThat(metric.wantsNext()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"255", "1e-4"})
    void aFirstBatchOfAnotherSizeIsForgottenWithTheNextFew(double scale) {
        INDArray rows = rows();
        InputPreconditioner metric = metricIn(DataType.DOUBLE);
        InputPreconditioner unspoilt = metricIn(DataType.DOUBLE);
        metric.observe(rows.mul(scale));
        for (int i = 1; i < InputPreconditioner.PATIENCE; i++) {
            assertThat(metric.observe(rows)).isFalse();
        }
        assertThat(metric.observe(rows)).isTrue();
        unspoilt.observe(rows);
        assertThat(applied(metric, DataType.DOUBLE)).as("seed %d", SEED).isEqualTo(applied(unspoilt, DataType.DOUBLE));
    }

    @Test
    void howManyWerePutAsideLiesInItsMemoryToo() {
        INDArray memory = Nd4j.zeros(DataType.FLOAT, InputPreconditioner.size(INPUTS, 3));
        INDArray rows = rows().castTo(DataType.FLOAT);
        InputPreconditioner metric = new InputPreconditioner(INPUTS, 3, true, 1, memory);
        metric.observe(rows);
        metric.observe(rows);
        for (int i = 1; i < InputPreconditioner.PATIENCE; i++) {
            memory = memory.dup(); // saved and loaded
            metric = new InputPreconditioner(INPUTS, 3, true, 1, memory);
            assertThat(metric.observe(rows.mul(1000))).isFalse();
        }
        assertThat(new InputPreconditioner(INPUTS, 3, true, 1, memory.dup()).observe(rows.mul(1000)))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e9, 1e12, 1e18, 1e25})
    void oneHugeNumberNeverMakesItNotFinite(double huge) {
        for (int at = 0; at < 4; at++) {
            InputPreconditioner metric = metricIn(DataType.FLOAT);
            INDArray rows = rows().castTo(DataType.FLOAT);
            for (int i = 0; i < 8; i++) {
                INDArray batch = rows.dup();
                if (i == at) {
                    batch.putScalar(3, 2, huge);
                }
                metric.observe(batch);
                assertThat(squares(applied(metric, DataType.FLOAT)))
                        .as("batch %d, %s in batch %d, seed %d", i, huge, at, SEED)
                        .isFinite();
            }
            assertThat(metric.wantsNext()).isFalse();
            InputPreconditioner unspoilt = metricIn(DataType.FLOAT);
            unspoilt.observe(rows);
            double size = applied(unspoilt, DataType.FLOAT).norm2Number().doubleValue();
            assertThat(applied(metric, DataType.FLOAT).norm2Number().doubleValue())
                    .isBetween(0.8 * size, 1.25 * size);
        }
    }

    @Test
    void afterAResetItIsTheIdentityAndWantsABatch() {
        InputPreconditioner metric = metricIn(DataType.DOUBLE);
        INDArray unchanged = applied(metric, DataType.DOUBLE);
        metric.observe(rows());
        metric.reset();
        assertThat(metric.isIdentity()).isTrue();
        assertThat(metric.wantsNext()).isTrue();
        assertThat(applied(metric, DataType.DOUBLE)).isEqualTo(unchanged);
        assertThat(metric.observe(rows())).isTrue();
        assertThat(metric.wantsNext()).isFalse();
    }

    private static int rankThatFits(int[] inputs, long available) {
        return InputPreconditionerFactory.thatFits(inputs, available, 1).rank();
    }

    @Test
    void theRankIsWhatFitsForAllLayersTogether() {
        int[] mlp = {784, 256, 128};
        assertThat(rankThatFits(mlp, 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10))
                .isEqualTo(InputPreconditioner.DEFAULT_RANK);
        int[] narrow = {2, 64, 64};
        assertThat(rankThatFits(narrow, 2 * 64 + 64 + 64 * 64 + 64 + 64 + 1))
                .as("the wide layers lend the one with a single output")
                .isEqualTo(InputPreconditioner.DEFAULT_RANK);
        assertThat(rankThatFits(new int[] {64}, 65)).isZero();
        for (long available = 6; available < 2_000; available++) {
            int rank = rankThatFits(narrow, available);
            long needed = 0;
            long withOneMore = 0;
            for (int inputs : narrow) {
                needed += InputPreconditioner.size(inputs, Math.min(rank, inputs));
                withOneMore += InputPreconditioner.size(inputs, Math.min(rank + 1, inputs));
            }
            assertThat(needed).isLessThanOrEqualTo(available);
            assertThat(rank == InputPreconditioner.DEFAULT_RANK || withOneMore > available)
                    .as("rank %d of %d numbers", rank, available)
                    .isTrue();
        }
    }

    /** Layers large enough for BLAS on a CPU. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void computesOnAGpuWhatItDoesOnACpu(boolean bias) {
        int outputs = 1 + InputPreconditioner.SMALL / INPUTS;
        INDArray[] batches = {rows(), rows(), rows()};
        INDArray start = Nd4j.rand(DataType.DOUBLE, INPUTS, outputs).dup('f');
        INDArray biases = Nd4j.rand(DataType.DOUBLE, 1, outputs);
        INDArray[] weightsOf = new INDArray[2];
        INDArray[] biasesOf = new INDArray[2];
        for (int form = 0; form < 2; form++) {
            InputPreconditioner.computeAsOnGpu(form == 1);
            try {
                InputPreconditioner metric = new InputPreconditioner(
                        INPUTS, 4, bias, 2, Nd4j.zeros(DataType.DOUBLE, InputPreconditioner.size(INPUTS, 4)));
                weightsOf[form] = start.dup('f');
                biasesOf[form] = biases.dup();
                for (INDArray batch : batches) {
                    assertThat(metric.observe(batch)).isTrue();
                    metric.apply(weightsOf[form], bias ? biasesOf[form] : null);
                }
            } finally {
                InputPreconditioner.computeAsOnGpu(false);
            }
        }
        assertThat(weightsOf[0].distance2(start)).isGreaterThan(1);
        assertThat(weightsOf[1].distance2(weightsOf[0])
                        / weightsOf[0].norm2Number().doubleValue())
                .as("seed %d", SEED)
                .isLessThan(1e-12);
        assertThat(biasesOf[1].distance2(biasesOf[0])).isLessThan(1e-11);
    }
}
