package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.AdamLbfgsConfig;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.PhaseChange;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.slf4j.LoggerFactory;

/** Phases, recovery, refusals, and what is said about them. */
class CurvatureListenerTest {

    private static final TestNetworks KIND = TestNetworks.DENSE;

    private final Logger logger = (Logger) LoggerFactory.getLogger("io.github.dl4jfuse");
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listenToTheLog() {
        logger.setLevel(Level.INFO);
        logger.setAdditive(false);
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(log);
        logger.setAdditive(true);
        logger.setLevel(null);
    }

    private List<String> said(String part) {
        return log.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains(part))
                .toList();
    }

    private static FusePv at(SwitchCriterion criterion) {
        return FusePv.builder().switchCriterion(criterion).build();
    }

    private static DataSet good(int index) {
        return KIND.batch(index, 16, DataType.FLOAT);
    }

    private static DataSet bad(int index) {
        DataSet data = good(index);
        data.getFeatures().putScalar(3, 5, Float.NaN);
        return data;
    }

    @Test
    void switchesAtTheEpochAndSaysSoOnce() {
        CurvatureListener listener = new CurvatureListener();
        Model model = KIND.create(at(SwitchCriterion.epoch(2)), DataType.FLOAT, PLAIN);
        model.setListeners(listener);
        for (int epoch = 0; epoch < 4; epoch++) {
            for (int step = 0; step < 3; step++) {
                assertThat(listener.inCurvaturePhase()).isEqualTo(epoch > 2 || (epoch == 2 && step > 0));
                fit(model, good(step));
            }
            TestNetworks.nextEpoch(model);
        }
        assertThat(listener.phaseChanges()).containsExactly(new PhaseChange(6, 2, true, "epoch 2 was reached"));
        assertThat(listener.statistics().adamSteps()).isEqualTo(6);
        assertThat(listener.statistics().curvatureSteps()).isEqualTo(6);
        assertThat(said("switches from Adam to L-BFGS at iteration 6 (epoch 2)"))
                .hasSize(1);
    }

    @Test
    void theMemoryExpectedBeforeTrainingIsThatHeldInTheEnd() {
        for (boolean decays : new boolean[] {false, true}) {
            CurvatureListener listener = new CurvatureListener();
            Model model = KIND.create(
                    at(SwitchCriterion.iteration(1)),
                    DataType.FLOAT,
                    decays ? TestNetworks.Options.layer(layer -> layer.weightDecay(0.01)) : PLAIN);
            model.setListeners(listener);
            fit(model, good(0));
            long expected = listener.expectedBytes();
            fit(model, good(1));
            long held = listener.statistics().extraBytes()
                    + TestNetworks.updaterState(model).length() * Float.BYTES;
            // The state has 8 numbers for each variable beside the vectors, the estimate has them once.
            assertThat(expected).as("decays: %s", decays).isBetween(held - 8L * Float.BYTES * 20, held);
            assertThat(listener.statistics().curvatureSteps()).isOne();
        }
    }

    @Test
    void gradientNormAndLossWaitForTheWarmUp() {
        for (SwitchCriterion criterion : List.of(SwitchCriterion.gradientNorm(1e3), SwitchCriterion.loss(1e3))) {
            CurvatureListener listener = new CurvatureListener();
            Model model = KIND.create(
                    FusePv.builder().switchCriterion(criterion).warmUpEpochs(2).build(), DataType.FLOAT, PLAIN);
            model.setListeners(listener);
            for (int step = 0; step < 8; step++) {
                fit(model, good(step));
                if (step % 2 == 1) {
                    TestNetworks.nextEpoch(model);
                }
            }
            assertThat(listener.phaseChanges()).hasSize(1);
            assertThat(listener.phaseChanges().get(0).iteration()).isEqualTo(4);
        }
    }

    @Test
    void gradientNormIsThatOfTheMeanGradient() {
        // Twice the examples, the same mean gradient: both switch at the same iteration.
        DataSet once = good(0);
        DataSet twice = new DataSet(
                Nd4j.vstack(once.getFeatures(), once.getFeatures()), Nd4j.vstack(once.getLabels(), once.getLabels()));
        int[] switched = new int[2];
        for (int i = 0; i < 2; i++) {
            CurvatureListener listener = new CurvatureListener();
            Model model = KIND.create(
                    FusePv.builder()
                            .learningRate(1e-2)
                            .switchCriterion(SwitchCriterion.gradientNorm(0.3))
                            .warmUpEpochs(0)
                            .build(),
                    DataType.DOUBLE,
                    PLAIN);
            model.setListeners(listener);
            for (int step = 0; step < 60; step++) {
                DataSet data = i == 0 ? once : twice;
                fit(
                        model,
                        new DataSet(
                                data.getFeatures().castTo(DataType.DOUBLE),
                                data.getLabels().castTo(DataType.DOUBLE)));
            }
            switched[i] = listener.phaseChanges().get(0).iteration();
        }
        assertThat(switched[0]).isBetween(2, 58).isEqualTo(switched[1]);
    }

    @Test
    void withoutTheLatchItGoesBackToAdamWithItsMoments() {
        CurvatureListener listener = new CurvatureListener();
        Model model = KIND.create(
                FusePv.builder()
                        .learningRate(1e-2)
                        .switchCriterion(SwitchCriterion.loss(0.8))
                        .warmUpEpochs(0)
                        .latched(false)
                        .build(),
                DataType.FLOAT,
                PLAIN);
        model.setListeners(listener);
        for (int step = 0; step < 60; step++) {
            fit(model, good(listener.inCurvaturePhase() ? 1000 + step : 0)); // new data raise the loss again
        }
        assertThat(listener.phaseChanges().size()).isGreaterThanOrEqualTo(2);
        assertThat(listener.phaseChanges().get(1).curvature()).isFalse();
        assertThat(listener.phaseChanges().get(1).reason()).contains("no longer true");
        assertThat(said("switches from Adam")).hasSize(1);
        CurvatureStatistics counts = listener.statistics();
        assertThat(counts.adamSteps() + counts.curvatureSteps()).isEqualTo(60);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBatchWithNanTakesNoStepInEitherPhase(boolean curvature) {
        CurvatureListener listener = new CurvatureListener();
        TestNetworks kind = TestNetworks.BATCH_NORM;
        Model model = kind.create(at(SwitchCriterion.iteration(curvature ? 0 : 1000)), DataType.FLOAT, PLAIN);
        model.setListeners(listener);
        for (int step = 0; step < 5; step++) {
            fit(model, good(step));
        }
        INDArray before = model.params().dup();
        INDArray state = TestNetworks.updaterState(model).dup();
        fit(model, bad(5));
        fit(model, bad(6));
        assertThat(model.params()).isEqualTo(before);
        assertThat(TestNetworks.updaterState(model)).isEqualTo(state);
        fit(model, good(7));
        assertThat(model.params()).isNotEqualTo(before);
        fit(model, bad(8));
        fit(model, bad(9));
        assertThat(listener.statistics().skippedBatches()).isEqualTo(4);
        assertThat(listener.statistics().rollBacks()).as("never three in a row").isZero();
        assertThat(said("takes no step")).hasSize(1);
    }

    @Test
    void aSmallBatchTakesNoCurvatureStep() {
        CurvatureListener listener = new CurvatureListener();
        Model model = KIND.create(at(SwitchCriterion.iteration(3)), DataType.FLOAT, PLAIN);
        model.setListeners(listener);
        fit(model, good(0));
        INDArray before = model.params().dup();
        fit(model, KIND.batch(1, 7, DataType.FLOAT));
        assertThat(model.params()).as("Adam takes it").isNotEqualTo(before);
        fit(model, good(2));
        before = model.params().dup();
        long evaluations = listener.statistics().gradientEvaluations();
        fit(model, KIND.batch(3, 7, DataType.FLOAT));
        assertThat(model.params()).as("7 of 16 examples: Adam takes it").isNotEqualTo(before);
        assertThat(listener.statistics().gradientEvaluations()).isEqualTo(evaluations + 1);
        fit(model, KIND.batch(4, 8, DataType.FLOAT));
        CurvatureStatistics counts = listener.statistics();
        assertThat(counts.smallBatches()).isEqualTo(1);
        assertThat(counts.curvatureSteps()).isEqualTo(1);
        assertThat(said("would be fitted at the cost of all others")).hasSize(1);
    }

    /** The measure is the batches of late: also in what is saved and loaded. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void afterOneLargerBatchSmallerOnesAreTrainedOnAndGetTheirStepsBack(boolean blend) throws IOException {
        for (AdamLbfgsConfig updater : blend
                ? new AdamLbfgsConfig[] {Fuse.ofTheta(0.5)}
                : new AdamLbfgsConfig[] {at(SwitchCriterion.iteration(3)), at(SwitchCriterion.epoch(0))}) {
            MultiLayerNetwork model = KIND.network(updater, DataType.FLOAT);
            model.setListeners(new CurvatureListener());
            for (int step = 0; step < 4; step++) {
                fit(model, KIND.batch(step, 100, DataType.FLOAT));
            }
            ByteArrayOutputStream saved = new ByteArrayOutputStream();
            ModelSerializer.writeModel(model, saved, true);
            model = ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(saved.toByteArray()), true);
            CurvatureListener listener = new CurvatureListener();
            model.setListeners(listener);
            for (int step = 4; step < 40; step++) {
                INDArray before = model.params().dup();
                fit(model, KIND.batch(step, 40, DataType.FLOAT));
                assertThat(model.params()).as("%s, step %d", updater, step).isNotEqualTo(before);
            }
            assertThat(listener.statistics().smallBatches()).isBetween(1L, 20L);
            assertThat(listener.statistics().curvatureSteps()).isGreaterThan(10);
        }
    }

    /** Where every step has the same batch there is nothing else that it could be fitted at the cost of. */
    @Test
    void aFixedBatchMayBeSmall() {
        MultiLayerNetwork model = KIND.network(new FusePv(), DataType.FLOAT);
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        fit(model, KIND.batch(0, 100, DataType.FLOAT));
        DataSet small = KIND.batch(1, 20, DataType.FLOAT);
        for (int step = 0; step < 20; step++) {
            fit(model, small);
        }
        assertThat(listener.statistics().smallBatches()).isZero();
        assertThat(listener.statistics().curvatureSteps()).isPositive();
    }

    @Test
    void badDataThrowNoGoodParametersAway() {
        for (FusePv updater :
                List.of(at(SwitchCriterion.iteration(1000)), at(SwitchCriterion.iteration(0)), new FusePv())) {
            MultiLayerNetwork model = KIND.network(updater, DataType.FLOAT);
            CurvatureListener listener = new CurvatureListener();
            model.setListeners(listener);
            for (int step = 0; step < 20; step++) {
                fit(model, good(step));
            }
            INDArray before = model.params().dup();
            INDArray state = TestNetworks.updaterState(model).dup();
            for (int step = 0; step < 3 * CurvatureListener.PATIENCE; step++) {
                fit(model, bad(step));
            }
            assertThat(model.params()).as("%s", updater).isEqualTo(before);
            assertThat(TestNetworks.updaterState(model)).isEqualTo(state);
            assertThat(listener.statistics().rollBacks()).isZero();
            assertThat(said("went back")).isEmpty();
        }
    }

    /** Finite, but so large that no batch has a finite loss any more. */
    @Test
    void goesBackWhereFiniteParametersAreToBlame() {
        MultiLayerNetwork model = TestNetworks.stack(
                TestNetworks.builder(at(SwitchCriterion.iteration(1000)), DataType.FLOAT),
                TestNetworks.dense(2, 8),
                TestNetworks.meanSquares(8, 1));
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        INDArray start = model.params().dup();
        DataSet data = TestNetworks.surface(16, TestNetworks.SEED);
        data.setFeatures(data.getFeatures().castTo(DataType.FLOAT));
        data.setLabels(data.getLabels().castTo(DataType.FLOAT));
        fit(model, data);
        model.params().assign(1e30);
        for (int step = 0; step < CurvatureListener.PATIENCE; step++) {
            fit(model, data);
        }
        assertThat(model.params()).isEqualTo(start);
        assertThat(listener.statistics().rollBacks()).isOne();
        fit(model, data);
        assertThat(model.score()).isFinite();
    }

    /** Normalised again, such a batch has a finite loss, and a variance that is not. */
    @Test
    void statisticsOfBatchNormStayFinite() {
        for (IUpdater updater : List.of(
                new FusePv(),
                Fuse.ofTheta(0.5),
                at(SwitchCriterion.iteration(3)),
                Preconditioned.adam(),
                Preconditioned.of(new Adam(1e-3)))) {
            MultiLayerNetwork model = TestNetworks.stack(
                    TestNetworks.builder(updater, DataType.FLOAT).activation(Activation.IDENTITY),
                    TestNetworks.dense(64, 12),
                    new BatchNormalization.Builder().nIn(12).nOut(12).build(),
                    TestNetworks.meanSquares(12, 3));
            model.setListeners(new CurvatureListener());
            for (int step = 0; step < 6; step++) {
                fit(model, good(step));
            }
            double before = model.score(good(0));
            DataSet huge = good(6);
            huge.getFeatures().muli(1e22);
            fit(model, huge);
            assertThat(model.params().sumNumber().doubleValue())
                    .as("%s", updater)
                    .isFinite();
            assertThat(model.score(good(0))).as("%s", updater).isLessThan(1.5 * before);
        }
        assertThat(said("running statistics of BatchNorm are left as they were"))
                .isNotEmpty();
    }

    @Test
    void aLossThatIsNotFiniteIsEnough() {
        CurvatureListener listener = new CurvatureListener();
        Model model = KIND.create(at(SwitchCriterion.iteration(1000)), DataType.FLOAT, PLAIN);
        model.setListeners(
                new BaseTrainingListener() {
                    @Override
                    public void onGradientCalculation(Model calculated) {
                        ((MultiLayerNetwork) calculated).setScore(Double.POSITIVE_INFINITY);
                    }
                },
                listener);
        INDArray before = model.params().dup();
        fit(model, good(0));
        assertThat(model.params()).isEqualTo(before);
        assertThat(listener.statistics().skippedBatches()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesBackToTheLastGoodPointWhenTheParametersAreBroken(boolean curvature) {
        CurvatureListener listener = new CurvatureListener();
        Model model = KIND.create(at(SwitchCriterion.iteration(curvature ? 0 : 1000)), DataType.FLOAT, PLAIN);
        model.setListeners(listener);
        INDArray start = model.params().dup();
        fit(model, good(0));
        model.params().putScalar(0, Float.NaN);
        for (int step = 1; step <= CurvatureListener.PATIENCE; step++) {
            fit(model, good(step));
        }
        assertThat(model.params()).isEqualTo(start);
        if (!curvature) {
            INDArray state = TestNetworks.updaterState(model);
            state = state.reshape(state.length()); // [1, n] in M1.1
            long moments = 2 * model.numParams() * (1L + FusePv.DEFAULT_MEMORY);
            assertThat(state.get(NDArrayIndex.interval(state.length() - moments, state.length()))
                            .norm1Number()
                            .doubleValue())
                    .as("moments and pairs start anew; only the header is left")
                    .isZero();
        }
        CurvatureStatistics counts = listener.statistics();
        assertThat(counts.rollBacks()).isEqualTo(1);
        assertThat(said("went back to the last good ones")).hasSize(1);
        for (int step = 0; step < 30; step++) {
            fit(model, good(step));
        }
        assertThat(Double.isFinite(model.score())).isTrue();
        assertThat(listener.statistics().rollBacks()).isEqualTo(1);
    }

    @Test
    void findsInfiniteParametersThatASaturatedActivationHides() {
        CurvatureListener listener = new CurvatureListener();
        Model model = KIND.create(at(SwitchCriterion.iteration(1000)), DataType.FLOAT, PLAIN);
        model.setListeners(listener);
        fit(model, good(0));
        model.params().putScalar(0, Float.POSITIVE_INFINITY);
        for (int step = 1; step <= CurvatureListener.SNAPSHOT_EVERY; step++) {
            fit(model, good(step));
        }
        assertThat(model.params().sumNumber().doubleValue()).isFinite();
        assertThat(listener.statistics().rollBacks()).isEqualTo(1);
    }

    @Test
    void anExplodingStepIsNeverTaken() {
        CurvatureListener listener = new CurvatureListener();
        Model model = KIND.create(at(SwitchCriterion.iteration(0)), DataType.FLOAT, PLAIN);
        model.setListeners(listener);
        for (int step = 0; step < 3; step++) {
            fit(model, good(0));
        }
        // A damaged history, as after a bad save: tiny curvature on huge steps makes H blow up.
        CurvatureListener fresh = new CurvatureListener();
        ((MultiLayerNetwork) model).updaterState().muli(1e12);
        var header = ((MultiLayerNetwork) model).updaterState();
        header.putScalar(0, 1);
        header.putScalar(1, 2);
        header.putScalar(2, 2);
        model.setListeners(fresh);
        double before = Double.NaN;
        for (int step = 0; step < 10; step++) {
            fit(model, good(0));
            assertThat(model.params().sumNumber().doubleValue()).isFinite();
            if (step > 0) {
                assertThat(model.score()).as("step %d", step).isLessThanOrEqualTo(before);
            }
            before = model.score();
        }
    }

    @Test
    void leavesFrozenLayersAlone() {
        MultiLayerNetwork trained = KIND.network(at(SwitchCriterion.iteration(0)), DataType.DOUBLE);
        MultiLayerNetwork frozen =
                new TransferLearning.Builder(trained).setFeatureExtractor(0).build();
        CurvatureListener listener = new CurvatureListener();
        frozen.setListeners(listener);
        INDArray before = frozen.getLayer(0).params().dup();
        INDArray after = frozen.getLayer(1).params().dup();
        for (int step = 0; step < 5; step++) {
            fit(frozen, KIND.batch(0, 16, DataType.DOUBLE));
        }
        assertThat(frozen.getLayer(0).params()).isEqualTo(before);
        assertThat(frozen.getLayer(1).params()).isNotEqualTo(after);
        assertThat(listener.statistics().pairsKept()).isPositive();
    }

    @Test
    void saysThatARestoredModelGoesOn() {
        Model model = KIND.network(at(SwitchCriterion.iteration(2)), DataType.FLOAT);
        model.setListeners(new CurvatureListener());
        for (int step = 0; step < 5; step++) {
            fit(model, good(step));
        }
        model.setListeners(new CurvatureListener());
        fit(model, good(5));
        assertThat(said("goes on in its L-BFGS phase, with 3 curvature pairs")).hasSize(1);
    }
}
