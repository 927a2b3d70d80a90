package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Lfso.Direction;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.slf4j.LoggerFactory;

/** {@link LfsoListener} where data, network or parameters are not as they should be. */
class LfsoListenerFaultsTest {

    private final Logger logger = (Logger) LoggerFactory.getLogger("io.github.dl4jfuse");
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listenToTheLog() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(log);
    }

    private List<String> said(String part) {
        return log.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains(part))
                .toList();
    }

    @Test
    void aLossThatJumpsByAMillionTakesNoStep() {
        for (Direction direction : Direction.values()) {
            checkSurvives(direction, jumped(), 1);
        }
    }

    private static DataSet jumped() {
        DataSet data = TestNetworks.DENSE.batch(0, 24, DataType.FLOAT);
        data.getLabels().muli(1e6);
        return data;
    }

    @Test
    void aBatchWithNaNOrInfinityTakesNoStep() {
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            DataSet data = TestNetworks.DENSE.batch(0, 24, DataType.FLOAT);
            data.getLabels().putScalar(3, bad);
            checkSurvives(Direction.ADAM, data, 1);
        }
    }

    @Test
    void manyBadBatchesThrowNoGoodParametersAway() {
        DataSet notFinite = TestNetworks.DENSE.batch(0, 24, DataType.FLOAT);
        notFinite.getFeatures().putScalar(3, Float.NaN);
        for (DataSet bad : new DataSet[] {jumped(), notFinite}) {
            checkSurvives(Direction.ADAM, bad, LfsoListener.PATIENCE);
        }
    }

    /** Not finite, or finite and far away: the batches are good, and all is well with the last good parameters. */
    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, 1e30})
    void brokenParametersGoBackToTheLastGoodOnes(double broken) {
        MultiLayerNetwork net = LfsoListenerTest.linear(new Lfso(), DataType.FLOAT);
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        DataSet data = new DataSet(
                Nd4j.createFromArray(new float[][] {{1, 2}, {3, -1}, {0.5f, 0.25f}}),
                Nd4j.createFromArray(new float[][] {{1}, {-2}, {0.5f}}));
        INDArray initial = net.params().dup();
        for (int step = 0; step < 30; step++) {
            net.fit(data);
        }
        double rate = listener.statistics().rate();
        net.params().putScalar(1, broken);
        for (int step = 0; step < LfsoListener.PATIENCE; step++) {
            net.fit(data);
        }
        assertThat(net.params()).as("the last good ones are those of the start").isEqualTo(initial);
        assertThat(listener.statistics().rollBacks()).isEqualTo(1);
        assertThat(listener.statistics().rate()).isEqualTo(rate / 2);
        assertThat(lastOf(TestNetworks.updaterState(net), 2 * net.numParams())
                        .amaxNumber()
                        .doubleValue())
                .as("moments")
                .isZero();
        net.fit(data);
        assertThat(net.score()).isFinite();
    }

    @Test
    void statisticsOfBatchNormStayFinite() {
        MultiLayerNetwork model = TestNetworks.stack(
                TestNetworks.builder(new Lfso(), DataType.FLOAT).activation(Activation.IDENTITY),
                TestNetworks.dense(64, 12),
                new BatchNormalization.Builder().nIn(12).nOut(12).build(),
                TestNetworks.meanSquares(12, 3));
        model.setListeners(new LfsoListener());
        for (int step = 0; step < 6; step++) {
            fit(model, LfsoListenerTest.batch(TestNetworks.DENSE, step, DataType.FLOAT));
        }
        double before = model.score(LfsoListenerTest.batch(TestNetworks.DENSE, 0, DataType.FLOAT));
        DataSet huge = LfsoListenerTest.batch(TestNetworks.DENSE, 6, DataType.FLOAT);
        huge.getFeatures().muli(1e22);
        fit(model, huge);
        assertThat(model.params().sumNumber().doubleValue()).isFinite();
        assertThat(model.score(LfsoListenerTest.batch(TestNetworks.DENSE, 0, DataType.FLOAT)))
                .isLessThan(1.5 * before);
    }

    /** Layers made with SameDiff, whose gradient DL4J M2.1 doubles and M1.1 does not; alone, and below a layer whose gradient is right. */
    @ParameterizedTest
    @CsvSource({"FLOAT, false", "DOUBLE, false", "DOUBLE, true"})
    void goesOnWhereTheGradientIsTwiceThatOfTheLoss(DataType type, boolean attention) {
        MultiLayerNetwork net = sameDiff(new Lfso(), type, attention);
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        DataSet data = sequences(type);
        double before = net.score(data);
        for (int step = 0; step < 60; step++) {
            net.fit(data);
        }
        assertThat(net.score(data))
                .as(
                        "seed %d, step length %s",
                        TestNetworks.SEED, listener.statistics().rate())
                .isLessThan(0.7 * before);
        double trust = TrainingNetwork.ofLfso(net).updaters().get(0).trust();
        boolean doubled = TestNetworks.readsModelsOfM2();
        assertThat(trust).isBetween(doubled ? 0.4 : 1, doubled ? 0.75 : 1);
        assertThat(said("does not fall as its gradient says")).hasSize(doubled ? 1 : 0);
    }

    /** No gradient at all: a step along it changes nothing, or the loss rises. */
    @Test
    void takesItsFirstGuessWhereTheLossDoesNotFallAlongTheStep() {
        MultiLayerNetwork net = TestNetworks.stack(
                TestNetworks.builder(new Lfso(), DataType.DOUBLE),
                TestNetworks.dense(2, 6),
                new OutputLayer.Builder(new Ascending())
                        .nIn(6)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build());
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        DataSet data = TestNetworks.surface(20, TestNetworks.SEED);
        for (int step = 0; step < 30; step++) {
            net.fit(data);
        }
        assertThat(listener.statistics().rate()).isEqualTo((float) Lfso.DEFAULT_FIRST_GUESS);
        assertThat(said("takes its first guess")).hasSize(1);
    }

    /** Squares whose gradient has the wrong sign. */
    private static final class Ascending extends LossMSE {
        private static final long serialVersionUID = 1;

        @Override
        public INDArray computeGradient(INDArray labels, INDArray output, IActivation activation, INDArray mask) {
            return super.computeGradient(labels, output, activation, mask).negi();
        }
    }

    private static MultiLayerNetwork sameDiff(Lfso updater, DataType type, boolean attention) {
        MultiLayerNetwork net = new MultiLayerNetwork(TestNetworks.builder(updater, type)
                .list()
                .layer(
                        attention
                                ? new SelfAttentionLayer.Builder()
                                        .nHeads(2)
                                        .nOut(8)
                                        .projectInput(true)
                                        .build()
                                : new LocallyConnected1D.Builder()
                                        .kernelSize(3)
                                        .nOut(8)
                                        .activation(Activation.TANH)
                                        .build())
                .layer(new GlobalPoolingLayer(PoolingType.AVG))
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.recurrent(4, 10))
                .build());
        net.init();
        return net;
    }

    private static DataSet sequences(DataType type) {
        Random random = new Random(TestNetworks.SEED);
        INDArray x = Nd4j.zeros(type, 60, 4, 10);
        INDArray y = Nd4j.zeros(type, 60, 3);
        for (int i = 0; i < 60; i++) {
            int label = random.nextInt(3);
            y.putScalar(i, label, 1);
            for (int j = 0; j < 40; j++) {
                x.putScalar(i, j / 10, j % 10, random.nextGaussian() + (j / 10 == label ? 1 : 0));
            }
        }
        return new DataSet(x, y);
    }

    @Test
    void saysThatANoOpLayerIsNotFrozen() {
        for (boolean frozen : new boolean[] {false, true}) {
            MultiLayerNetwork net = TestNetworks.stack(
                    TestNetworks.builder(new Lfso(), DataType.FLOAT),
                    new DenseLayer.Builder()
                            .nIn(64)
                            .nOut(8)
                            .updater(frozen ? new Lfso() : new NoOp())
                            .build(),
                    new OutputLayer.Builder(LossFunction.MCXENT)
                            .nIn(8)
                            .nOut(3)
                            .activation(Activation.SOFTMAX)
                            .build());
            if (frozen) {
                net = new TransferLearning.Builder(net).setFeatureExtractor(0).build();
            }
            net.setListeners(new LfsoListener());
            net.fit(LfsoListenerTest.batch(TestNetworks.DENSE, 0, DataType.FLOAT));
            assertThat(said("has the updater NoOp, which in DL4J freezes nothing"))
                    .hasSize(frozen ? 0 : 1);
            log.list.clear();
        }
    }

    private static INDArray lastOf(INDArray state, long count) {
        return state.reshape(state.length()).get(NDArrayIndex.interval(state.length() - count, state.length()));
    }

    private static Model checkSurvives(Direction direction, DataSet bad, int times) {
        TestNetworks kind = TestNetworks.DENSE;
        MultiLayerNetwork model = kind.network(new Lfso(direction), DataType.FLOAT);
        LfsoListener listener = new LfsoListener();
        model.setListeners(listener);
        double start = LfsoListenerTest.meanLoss(kind, model, DataType.FLOAT);
        for (int step = 0; step < 40; step++) {
            fit(model, LfsoListenerTest.batch(kind, step, DataType.FLOAT));
        }
        INDArray before = model.params().dup();
        INDArray state = TestNetworks.updaterState(model).dup();
        double rate = listener.statistics().rate();
        for (int k = 0; k < times; k++) {
            fit(model, bad);
        }
        assertThat(listener.statistics().skippedBatches()).isEqualTo(times);
        if (times < LfsoListener.PATIENCE) {
            assertThat(model.params()).isEqualTo(before);
            assertThat(TestNetworks.updaterState(model)).isEqualTo(state);
        } else {
            assertThat(model.params()).as("the data are to blame").isEqualTo(before);
            assertThat(listener.statistics().rollBacks()).isZero();
            assertThat(listener.statistics().rate()).isEqualTo(rate);
            long moments = 2 * model.numParams();
            assertThat(lastOf(TestNetworks.updaterState(model), moments)).isEqualTo(lastOf(state, moments));
        }
        for (int step = 0; step < 80; step++) {
            fit(model, LfsoListenerTest.batch(kind, step, DataType.FLOAT));
        }
        assertThat(LfsoListenerTest.meanLoss(kind, model, DataType.FLOAT))
                .as("%s, seed %d", direction, TestNetworks.SEED)
                .isLessThan(0.6 * start);
        assertThat(TestNetworks.updaterState(model).sumNumber().doubleValue()).isFinite();
        return model;
    }

    /** Labels equal to the output: zero gradient and a loss of constantly 0, from the first step on, then real labels. */
    @Test
    void aZeroGradientAndAConstantLossAreNoTrouble() {
        for (Direction direction : Direction.values()) {
            MultiLayerNetwork net = LfsoListenerTest.linear(new Lfso(direction), DataType.FLOAT);
            LfsoListener listener = new LfsoListener();
            net.setListeners(listener);
            INDArray x = Nd4j.createFromArray(new float[][] {{1, 2}, {3, -1}, {0.5f, 0.25f}});
            INDArray before = net.params().dup();
            for (int k = 0; k < 20; k++) {
                net.fit(new DataSet(x, net.output(x).dup()));
            }
            assertThat(net.params().sub(before).amaxNumber().doubleValue()).isLessThan(1e-3);
            DataSet real = new DataSet(x, Nd4j.createFromArray(new float[][] {{1}, {-2}, {0.5f}}));
            double start = net.score(real);
            for (int k = 0; k < 100; k++) {
                net.fit(real);
            }
            assertThat(net.score(real)).as("%s", direction).isLessThan(0.2 * start);
            assertThat(listener.statistics().rate()).isPositive().isFinite();
        }
    }

    /** Inputs of 0 and labels of both signs: a loss of constantly 1/2 per example whatever the weights, and no gradient. */
    @Test
    void neitherIsAConstantLossThatIsNotZero() {
        for (Direction direction : Direction.values()) {
            MultiLayerNetwork net = LfsoListenerTest.linear(new Lfso(direction), DataType.FLOAT);
            LfsoListener listener = new LfsoListener();
            net.setListeners(listener);
            INDArray before = net.params().dup();
            DataSet flat =
                    new DataSet(Nd4j.zeros(DataType.FLOAT, 2, 2), Nd4j.createFromArray(new float[][] {{1}, {-1}}));
            for (int k = 0; k < 20; k++) {
                net.fit(flat);
            }
            assertThat(net.score(flat)).isPositive();
            assertThat(net.params()).as("%s", direction).isEqualTo(before);
            INDArray x = Nd4j.createFromArray(new float[][] {{1, 2}, {3, -1}, {0.5f, 0.25f}});
            DataSet real = new DataSet(x, Nd4j.createFromArray(new float[][] {{1}, {-2}, {0.5f}}));
            double start = net.score(real);
            for (int k = 0; k < 100; k++) {
                net.fit(real);
            }
            assertThat(net.score(real)).as("%s", direction).isLessThan(0.2 * start);
        }
    }

    @Test
    void aStepThatRaisesItsBatchFarIsTakenBack() {
        MultiLayerNetwork net = LfsoListenerTest.linear(new Lfso(Direction.GRADIENT), DataType.FLOAT);
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        INDArray x = Nd4j.createFromArray(new float[][] {{1, 2}, {3, -1}, {0.5f, 0.25f}});
        INDArray y = Nd4j.createFromArray(new float[][] {{1}, {-2}, {0.5f}});
        for (int k = 0; k < 8; k++) {
            net.fit(new DataSet(x, y));
        }
        INDArray before = net.params().dup();
        double rate = listener.statistics().rate();
        net.fit(new DataSet(x.mul(5), y)); // 25 times the curvature
        assertThat(listener.statistics().refusedTrials()).isEqualTo(1);
        assertThat(net.params()).isEqualTo(before);
        assertThat(listener.statistics().rate()).isEqualTo(rate / 2);
    }

    /** What a loss has been at the start it may be again after it has become a millionth: no jump. */
    @Test
    void aLossThatWasThereBeforeIsNoJump() {
        MultiLayerNetwork net = LfsoListenerTest.linear(new Lfso(Direction.GRADIENT), DataType.FLOAT);
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        net.params().assign(0);
        INDArray x = Nd4j.createFromArray(new float[][] {{1, 2}, {3, -1}, {0.5f, 0.25f}});
        INDArray y = Nd4j.createFromArray(new float[][] {{1}, {-2}, {0.5f}});
        net.fit(new DataSet(x, y));
        for (int k = 0; k < 150; k++) {
            net.params().assign(0);
            net.fit(new DataSet(x, y.mul(1e-3)));
        }
        net.params().assign(0);
        net.fit(new DataSet(x, y));
        assertThat(listener.statistics().skippedBatches()).isZero();
        net.params().assign(0);
        net.fit(new DataSet(x, y.mul(20))); // 400 times the largest
        assertThat(listener.statistics().skippedBatches()).isEqualTo(1);
    }

    @Test
    void refusesWhatMakesNoSense() {
        TestNetworks kind = TestNetworks.DENSE;
        refused(kind.create(new Sgd(), DataType.FLOAT, PLAIN), "configure .updater(new Lfso())");
        refused(kind.create(new Lfso(), DataType.FLOAT, Options.network(b -> b.biasUpdater(new Sgd()))), "uses Sgd");
        refused(
                kind.create(
                        new Lfso(), DataType.FLOAT, Options.network(b -> b.biasUpdater(new Lfso(Direction.GRADIENT)))),
                "different settings");
        refused(kind.create(new Lfso(), DataType.FLOAT, Options.layer(b -> b.weightDecay(1e-3))), "use .l2(..)");
        refused(
                kind.create(
                        new Lfso(),
                        DataType.FLOAT,
                        Options.network(b -> b.gradientNormalization(GradientNormalization.ClipL2PerLayer))),
                "remove .gradientNormalization(..)");
        LfsoListener shared = new LfsoListener();
        Model first = kind.network(new Lfso(), DataType.FLOAT);
        Model second = kind.network(new Lfso(), DataType.FLOAT);
        first.setListeners(shared);
        second.setListeners(shared);
        fit(first, LfsoListenerTest.batch(kind, 0, DataType.FLOAT));
        assertThatThrownBy(() -> fit(second, LfsoListenerTest.batch(kind, 0, DataType.FLOAT)))
                .hasMessageContaining("belongs to one network");
    }

    private static void refused(Model model, String sentence) {
        model.setListeners(new LfsoListener());
        assertThatThrownBy(() -> fit(model, LfsoListenerTest.batch(TestNetworks.DENSE, 0, DataType.FLOAT)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(sentence);
    }
}
