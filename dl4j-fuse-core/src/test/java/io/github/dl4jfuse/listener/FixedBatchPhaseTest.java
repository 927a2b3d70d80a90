package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.switching.SwitchCriterion;
import io.github.dl4jfuse.updater.Adapted;
import io.github.dl4jfuse.updater.FusePv;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** The default of FusePv: L-BFGS where every step has the same batch, Adam everywhere else. */
class FixedBatchPhaseTest {

    private static final int SWITCH = SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS;
    private static final int BATCH = 40;

    private static FuseListener listen(Model model) {
        FuseListener listener = new FuseListener();
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
            FuseListener listener = listen(fuse);
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
        for (IUpdater updater : List.of(new FusePv(), new Adapted())) {
            DataSet data = noisy(kind, DataType.DOUBLE);
            Model model = kind.create(updater, DataType.DOUBLE, PLAIN);
            FuseListener listener = listen(model);
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
        FuseListener listener = listen(model);
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
        FuseListener listener = listen(model);
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
            FuseListener listener = listen(fuse);
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
        FuseListener listener = listen(restored);
        double before = restored.score(data);
        repeat(restored, data, SWITCH + 10);
        assertThat(listener.inCurvaturePhase()).isTrue();
        assertThat(restored.score(data)).isLessThan(before);
    }

    /** The published switch inside the metric: Adam's steps in the coordinates of the metric, L-BFGS in the network's own. */
    @Test
    void thePublishedSwitchWorksInsideAdapted() {
        TestNetworks kind = TestNetworks.BATCH_NORM;
        DataSet data = noisy(kind, DataType.DOUBLE);
        Model model = kind.create(
                new Adapted(FusePv.builder()
                        .switchCriterion(SwitchCriterion.iteration(10))
                        .build()),
                DataType.DOUBLE,
                PLAIN);
        FuseListener listener = listen(model);
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
