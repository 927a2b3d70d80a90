package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.PreconditionedUpdater;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** The default of FusePv: L-BFGS where every step has the same batch, Adam everywhere else. */
class FixedBatchPhaseTest {

    private static final int SWITCH = SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS;
    private static final int BATCH = 40;

    private static CurvatureListener listen(Model model) {
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        return listener;
    }

    private static void repeat(Model model, DataSet data, int steps) {
        for (int i = 0; i < steps; i++) {
            fit(model, data);
        }
    }

    /** Labels that no small network fits exactly. */
    private static DataSet noisy(TestNetworks kind, DataType type) {
        DataSet data = kind.batch(1, BATCH, type);
        Random random = new Random(SEED);
        INDArray labels = Nd4j.zeros(type, BATCH, data.numOutcomes());
        for (int i = 0; i < BATCH; i++) {
            int label = random.nextInt(data.numOutcomes());
            for (int j = 0; j < data.numOutcomes(); j++) {
                labels.putScalar(i, j, j == label ? 0.8 : 0.1);
            }
        }
        return new DataSet(data.getFeatures(), labels);
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void onChangingBatchesItIsAdamBitForBit(TestNetworks kind) {
        for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
            Model plain = kind.create(new Adam(1e-3), type, PLAIN);
            Model fuse = kind.create(new FusePv(), type, PLAIN);
            CurvatureListener listener = listen(fuse);
            for (int step = 0; step < 3 * SWITCH; step++) {
                fit(plain, kind.batch(step / 2, BATCH, type)); // each batch twice in a row
                fit(fuse, kind.batch(step / 2, BATCH, type));
            }
            assertThat(fuse.params()).as("%s in %s", kind, type).isEqualTo(plain.params());
            assertThat(listener.phaseChanges()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void onAFixedBatchTheLossNeverRisesAndEndsFarBelowAdams(TestNetworks kind) {
        for (IUpdater updater : List.of(new FusePv(), Preconditioned.adam())) {
            DataSet data = noisy(kind, DataType.DOUBLE);
            Model model = kind.create(updater, DataType.DOUBLE, PLAIN);
            CurvatureListener listener = listen(model);
            repeat(model, data, SWITCH + 1);
            assertThat(listener.phaseChanges())
                    .singleElement()
                    .satisfies(change -> assertThat(change.curvature()).isTrue());
            double last = model.score();
            for (int step = 0; step < 20; step++) {
                fit(model, data);
                assertThat(model.score())
                        .as("%s, step %d, seed %d", kind, step, SEED)
                        .isLessThanOrEqualTo(last * (1 + 1e-12));
                last = model.score();
            }
            double floor = entropy(data);
            int evaluations = (int) listener.statistics().gradientEvaluations();
            double best = Double.POSITIVE_INFINITY;
            for (double rate : new double[] {1e-3, 3e-3, 1e-2, 3e-2}) {
                Model adam = kind.create(new Adam(rate), DataType.DOUBLE, PLAIN);
                repeat(adam, data, evaluations);
                best = Math.min(best, adam.score());
            }
            assertThat(last - floor)
                    .as(
                            "above the least possible loss after %d gradients, %s; Adam at its best rate: %s",
                            evaluations, updater, best - floor)
                    .isLessThan(0.1 * (best - floor));
        }
    }

    /** L-BFGS on f(x + T w) as a function of w, by matrices and loops; T is what Preconditioned's own rule steps in. */
    @ParameterizedTest
    @EnumSource(
            value = TestNetworks.class,
            names = {"DENSE", "CONVOLUTION"})
    void insidePreconditionedItIsLbfgsInTheCoordinatesOfTheMetric(TestNetworks kind) {
        DataSet data = noisy(kind, DataType.DOUBLE);
        MultiLayerNetwork model = kind.network(Preconditioned.adam(), DataType.DOUBLE);
        CurvatureListener listener = listen(model);
        repeat(model, data, SWITCH);
        double[] start = model.params().toDoubleVector();
        double[][] metric = metric(model);
        MultiLayerNetwork twin = kind.network(new Sgd(0), DataType.DOUBLE);
        ReferenceLbfgs reference = new ReferenceLbfgs(FusePv.UNSAVED_PAIRS, LineSearch.DEFAULT_MAX_EVALUATIONS, 1e-14);
        double[] w = new double[start.length];
        for (int step = 1; step <= 18; step++) {
            w = reference.step(w, at -> evaluate(twin, data, start, metric, at));
            if (step % 9 == 0) {
                fit(model, data);
                INDArray expected = Nd4j.createFromArray(start).add(Nd4j.createFromArray(times(metric, w)));
                assertThat(model.params().reshape(start.length).distance2(expected))
                        .as("after %d L-BFGS steps, seed %d", step, SEED)
                        .isLessThan(1e-7 * expected.norm2Number().doubleValue());
            }
        }
        assertThat(listener.statistics().curvatureSteps()).isEqualTo(18);
    }

    @Test
    void theMetricStandsStillInThePhase() {
        DataSet data = noisy(TestNetworks.DENSE, DataType.DOUBLE);
        MultiLayerNetwork model = TestNetworks.DENSE.network(Preconditioned.adam(), DataType.DOUBLE);
        CurvatureListener listener = listen(model);
        repeat(model, data, SWITCH);
        double[][] metric = metric(model);
        repeat(model, data, 32 - SWITCH); // without the phase, inputs are looked at in step 32
        assertThat(metric(model)).isDeepEqualTo(metric);
        fit(model, TestNetworks.DENSE.batch(7, BATCH, DataType.DOUBLE));
        assertThat(listener.inCurvaturePhase()).isFalse();
        for (int step = 33; step < 64; step++) {
            fit(model, TestNetworks.DENSE.batch(step, BATCH, DataType.DOUBLE));
        }
        assertThat(Arrays.deepEquals(metric(model), metric))
                .as("after a look in step 64")
                .isFalse();
    }

    /** The columns T e, from the updater itself; that these are what they should be is tested with the metric. */
    private static double[][] metric(MultiLayerNetwork model) {
        double[][] columns = new double[(int) model.numParams()][];
        for (int i = 0; i < columns.length; i++) {
            INDArray unit = Nd4j.zeros(DataType.DOUBLE, columns.length);
            unit.putScalar(i, 1);
            for (var block : ((BaseMultiLayerUpdater<?>) model.getUpdater()).getUpdaterBlocks()) {
                ((PreconditionedUpdater) block.getGradientUpdater())
                        .transform(unit.get(
                                NDArrayIndex.interval(block.getParamOffsetStart(), block.getParamOffsetEnd())));
            }
            columns[i] = unit.toDoubleVector();
        }
        return columns;
    }

    /** Returns T v; T is symmetric, so its columns are its rows. */
    private static double[] times(double[][] metric, double[] v) {
        double[] image = new double[v.length];
        for (int i = 0; i < v.length; i++) {
            for (int j = 0; j < v.length; j++) {
                image[i] += metric[j][i] * v[j];
            }
        }
        return image;
    }

    private static ReferenceLbfgs.Evaluation evaluate(
            MultiLayerNetwork twin, DataSet data, double[] start, double[][] metric, double[] w) {
        twin.setParams(Nd4j.createFromArray(start)
                .add(Nd4j.createFromArray(times(metric, w)))
                .reshape(1, -1));
        twin.setInput(data.getFeatures());
        twin.setLabels(data.getLabels());
        twin.computeGradientAndScore();
        double[] gradient = twin.getGradientsViewArray()
                .div(data.numExamples())
                .reshape(start.length)
                .toDoubleVector();
        return new ReferenceLbfgs.Evaluation(twin.score(), times(metric, gradient));
    }

    /** BatchNorm in front of all: the batch's mean m and variance v do not move, so k steps leave m (1 - d^k). */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void runningStatisticsSeeEveryStep(boolean logarithm) {
        DataSet data = noisy(TestNetworks.DENSE, DataType.DOUBLE);
        double decay = 0.97;
        MultiLayerNetwork model = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .updater(Preconditioned.adam())
                .list()
                .layer(new BatchNormalization.Builder()
                        .decay(decay)
                        .useLogStd(logarithm)
                        .build())
                .layer(new OutputLayer.Builder()
                        .activation(Activation.SOFTMAX)
                        .nOut(data.numOutcomes())
                        .build())
                .setInputType(InputType.feedForward(data.numInputs()))
                .build());
        model.init();
        CurvatureListener listener = listen(model);
        repeat(model, data, SWITCH + 2);
        CurvatureStatistics counts = listener.statistics();
        assertThat(counts.curvatureSteps()).isGreaterThan(2);
        double left = Math.pow(decay, counts.adamSteps() + counts.curvatureSteps());
        INDArray mean = data.getFeatures().mean(0).mul(1 - left);
        INDArray variance = data.getFeatures().var(false, 0).mul(1 - left).add(left);
        double[] found = statistic(model, logarithm ? "log10stdev" : "var");
        assertThat(statistic(model, "mean"))
                .as("mean, seed %d", SEED)
                .containsExactly(mean.toDoubleVector(), within(1e-9));
        assertThat(
                        logarithm
                                ? DoubleStream.of(found)
                                        .map(s -> Math.pow(10, 2 * s))
                                        .toArray()
                                : found)
                .as("variance, seed %d", SEED)
                .containsExactly(variance.toDoubleVector(), within(1e-9));
    }

    private static double[] statistic(MultiLayerNetwork model, String name) {
        INDArray values = model.getLayer(0).getParam(name);
        return values.reshape(values.length()).toDoubleVector();
    }

    private static double entropy(DataSet data) {
        double sum = 0;
        for (int i = 0; i < data.numExamples(); i++) {
            for (int j = 0; j < data.numOutcomes(); j++) {
                double p = data.getLabels().getDouble(i, j);
                sum -= p * Math.log(p);
            }
        }
        return sum / data.numExamples();
    }

    @Test
    void anotherBatchBringsAdamBackAtOnceWithItsMoments() {
        TestNetworks kind = TestNetworks.DENSE;
        DataSet data = noisy(kind, DataType.DOUBLE);
        Model model = kind.create(new FusePv(), DataType.DOUBLE, PLAIN);
        CurvatureListener listener = listen(model);
        repeat(model, data, SWITCH + 5);
        assertThat(listener.inCurvaturePhase()).isTrue();
        INDArray state = TestNetworks.updaterState(model).dup();
        fit(model, kind.batch(7, BATCH, DataType.DOUBLE));
        assertThat(listener.inCurvaturePhase()).isFalse();
        assertThat(listener.phaseChanges()).hasSize(2);
        assertThat(listener.statistics().adamSteps()).isEqualTo(SWITCH + 1);
        assertThat(TestNetworks.updaterState(model)).isNotEqualTo(state);
    }

    @Test
    void otherLabelsForTheSameInputsBringAdamBack() {
        TestNetworks kind = TestNetworks.DENSE;
        DataSet data = noisy(kind, DataType.DOUBLE);
        Model model = kind.create(new FusePv(), DataType.DOUBLE, PLAIN);
        CurvatureListener listener = listen(model);
        repeat(model, data, SWITCH + 5);
        fit(
                model,
                new DataSet(
                        data.getFeatures(),
                        kind.batch(1, BATCH, DataType.DOUBLE).getLabels()));
        assertThat(listener.inCurvaturePhase()).isFalse();
    }

    @Test
    void whereLbfgsMakesNoSenseItStaysAdamBitForBit() {
        TestNetworks kind = TestNetworks.DENSE;
        DataSet data = noisy(kind, DataType.DOUBLE);
        for (Options options : List.of(
                Options.network(b -> b.gradientNormalization(GradientNormalization.ClipL2PerLayer)
                        .gradientNormalizationThreshold(0.01)),
                Options.layer(layer -> layer.dropOut(0.5)))) {
            Nd4j.getRandom().setSeed(SEED);
            Model plain = kind.create(new Adam(1e-3), DataType.DOUBLE, options);
            repeat(plain, data, 2 * SWITCH);
            Nd4j.getRandom().setSeed(SEED);
            Model fuse = kind.create(new FusePv(), DataType.DOUBLE, options);
            CurvatureListener listener = listen(fuse);
            repeat(fuse, data, 2 * SWITCH);
            assertThat(fuse.params()).isEqualTo(plain.params());
            assertThat(listener.phaseChanges()).isEmpty();
        }
    }

    @Test
    void theStateIsAdamsAndTrainingGoesOnFromASavedModel() throws IOException {
        TestNetworks kind = TestNetworks.DENSE;
        DataSet data = noisy(kind, DataType.DOUBLE);
        MultiLayerNetwork model = kind.network(new FusePv(), DataType.DOUBLE);
        listen(model);
        repeat(model, data, SWITCH + 5);
        assertThat(TestNetworks.updaterState(model).length()).isLessThan(3 * model.numParams());
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        ModelSerializer.writeModel(model, saved, true);
        MultiLayerNetwork restored =
                ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(saved.toByteArray()), true);
        CurvatureListener listener = listen(restored);
        double before = restored.score(data);
        repeat(restored, data, SWITCH + 10);
        assertThat(listener.inCurvaturePhase()).isTrue();
        assertThat(restored.score(data)).isLessThan(before);
    }

    /** The published switch inside the metric: Adam's steps in the coordinates of the metric, L-BFGS in the network's own. */
    @Test
    void thePublishedSwitchWorksInsidePreconditioned() {
        TestNetworks kind = TestNetworks.BATCH_NORM;
        DataSet data = noisy(kind, DataType.DOUBLE);
        Model model = kind.create(
                Preconditioned.of(FusePv.builder()
                        .switchCriterion(SwitchCriterion.iteration(10))
                        .build()),
                DataType.DOUBLE,
                PLAIN);
        CurvatureListener listener = listen(model);
        repeat(model, data, 11);
        double last = model.score();
        for (int step = 0; step < 20; step++) {
            fit(model, data);
            assertThat(model.score()).as("step %d", step).isLessThanOrEqualTo(last * (1 + 1e-12));
            last = model.score();
        }
        assertThat(listener.statistics().curvatureSteps()).isEqualTo(21);
        assertThat(listener.statistics().pairsKept()).isPositive();
    }
}
