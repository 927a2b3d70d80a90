package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Lfso.Direction;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
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
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
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
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.LoggerFactory;

class LfsoListenerTest {

    private static final int BATCHES = 8;

    @TempDir
    Path folder;

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

    private static DataSet batch(TestNetworks kind, int step, DataType type) {
        return kind.batch(step % BATCHES, 24, type);
    }

    private static double meanLoss(TestNetworks kind, Model model, DataType type) {
        double sum = 0;
        for (int k = 0; k < BATCHES; k++) {
            DataSet data = kind.batch(k, 24, type);
            sum += model instanceof MultiLayerNetwork net
                    ? net.score(data, true)
                    : ((org.deeplearning4j.nn.graph.ComputationGraph) model).score(data, true);
        }
        return sum / BATCHES;
    }

    @ParameterizedTest
    @CsvSource({
        "DENSE, ADAM",
        "DENSE, MOMENTUM",
        "DENSE, GRADIENT",
        "CONVOLUTION, ADAM",
        "BATCH_NORM, MOMENTUM",
        "GRAPH, ADAM"
    })
    void trainsWithoutALearningRate(TestNetworks kind, Direction direction) {
        Model model = kind.create(new Lfso(direction), DataType.FLOAT, PLAIN);
        LfsoListener listener = new LfsoListener();
        model.setListeners(listener);
        double before = meanLoss(kind, model, DataType.FLOAT);
        for (int step = 0; step < 120; step++) {
            fit(model, batch(kind, step, DataType.FLOAT));
        }
        assertThat(meanLoss(kind, model, DataType.FLOAT))
                .as("seed %d", TestNetworks.SEED)
                .isLessThan(0.5 * before);
        LfsoStatistics statistics = listener.statistics();
        assertThat(statistics.steps()).isEqualTo(120);
        // 16 trials at the start, then steps 20, 30, .. 110; each is a forward pass, in a graph an evaluation of the
        // gradient
        assertThat(statistics.trials()).isBetween(26L, 26L + LfsoListener.MAX_FIRST_TRIALS);
        boolean graph = kind == TestNetworks.GRAPH;
        assertThat(statistics.forwardPasses()).isEqualTo(graph ? 0 : statistics.trials());
        assertThat(statistics.gradientEvaluations()).isEqualTo(120 + (graph ? statistics.trials() : 0));
    }

    /** On a quadratic loss with one full batch, along -g, the first measured L is g·H g / |g|² and the step is 1 / L up to a power of 2. */
    @Test
    void measuresTheCurvatureOfAQuadraticLoss() {
        MultiLayerNetwork net = linear(new Lfso(Direction.GRADIENT, null, 1e-2, 0.5), DataType.DOUBLE);
        INDArray x = Nd4j.createFromArray(new double[][] {{1, 2}, {3, -1}, {0.5, 0.25}});
        INDArray y = Nd4j.createFromArray(new double[][] {{1}, {-2}, {0.5}});
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        double[] w = net.params().reshape(3).toDoubleVector();
        double[] g = new double[3];
        for (int i = 0; i < 3; i++) {
            double[] a = {x.getDouble(i, 0), x.getDouble(i, 1), 1};
            double residual = a[0] * w[0] + a[1] * w[1] + w[2] - y.getDouble(i, 0);
            for (int j = 0; j < 3; j++) {
                g[j] += 2 * residual * a[j] / 3; // DL4J's MSE is the mean of squares
            }
        }
        double squared = 0;
        double curvature = 0;
        for (int i = 0; i < 3; i++) {
            double slope = x.getDouble(i, 0) * g[0] + x.getDouble(i, 1) * g[1] + g[2];
            curvature += 2 * slope * slope / 3;
            squared += g[i] * g[i];
        }
        net.fit(new DataSet(x, y));
        double l = curvature / squared;
        assertThat(listener.statistics().smoothness()).isCloseTo(l, within(1e-6 * l));
        assertThat(listener.statistics().rate()).isCloseTo(1 / l, within(1e-6 / l));
        assertThat(listener.statistics().radius())
                .isBetween(Math.sqrt(squared) / l / 1.5, Math.sqrt(squared) / l * 1.5);
        MeasuredSmoothness measured =
                TrainingNetwork.ofLfso(net).updaters().get(0).measured();
        double weight = 1 - MeasuredSmoothness.DECAY;
        assertThat(measured.slope()).isCloseTo(weight, within(1e-6)); // the cosine of g and g is 1
        assertThat(measured.curvature()).isCloseTo(weight * l, within(1e-6 * l));
    }

    private static MultiLayerNetwork linear(Lfso updater, DataType type) {
        MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(TestNetworks.SEED)
                .dataType(type)
                .updater(updater)
                .list()
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(2)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        net.init();
        return net;
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    void aWrongFirstGuessDoesNotMatter(Direction direction) {
        double right = Double.NaN;
        for (double guess : new double[] {1e-3, 1e-7, 10}) {
            Model model = TestNetworks.DENSE.create(new Lfso(direction, null, guess, 0.5), DataType.FLOAT, PLAIN);
            model.setListeners(new LfsoListener());
            for (int step = 0; step < 60; step++) {
                fit(model, batch(TestNetworks.DENSE, step, DataType.FLOAT));
            }
            double loss = meanLoss(TestNetworks.DENSE, model, DataType.FLOAT);
            right = Double.isNaN(right) ? loss : right;
            assertThat(loss).as("guess %s, seed %d", guess, TestNetworks.SEED).isCloseTo(right, within(0.05 * right));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "DENSE, FLOAT, ADAM",
        "DENSE, DOUBLE, MOMENTUM",
        "CONVOLUTION, FLOAT, GRADIENT",
        "BATCH_NORM, FLOAT, ADAM",
        "GRAPH, FLOAT, ADAM"
    })
    void savedAndLoadedItGoesOnToTheLastBit(TestNetworks kind, DataType type, Direction direction) throws IOException {
        ISchedule schedule = new MapSchedule.Builder(ScheduleType.ITERATION)
                .add(0, 1)
                .add(21, 0.5)
                .build();
        int half = 19; // past the warm-up, between two trials
        Model straight = kind.create(new Lfso(direction, schedule), type, PLAIN);
        Model first = kind.create(new Lfso(direction, schedule), type, PLAIN);
        straight.setListeners(new LfsoListener());
        first.setListeners(new LfsoListener());
        for (int step = 0; step < half; step++) {
            fit(straight, batch(kind, step, type));
            fit(first, batch(kind, step, type));
        }
        File file = folder.resolve("model.zip").toFile();
        ModelSerializer.writeModel(first, file, true);
        Model loaded = kind == TestNetworks.GRAPH
                ? ModelSerializer.restoreComputationGraph(file, true)
                : ModelSerializer.restoreMultiLayerNetwork(file, true);
        loaded.setListeners(new LfsoListener());
        for (int step = half; step < 2 * half; step++) {
            fit(straight, batch(kind, step, type));
            fit(loaded, batch(kind, step, type));
        }
        assertThat(loaded.params()).as("seed %d", TestNetworks.SEED).isEqualTo(straight.params());
        assertThat(TestNetworks.updaterState(loaded)).isEqualTo(TestNetworks.updaterState(straight));
    }

    @Test
    void l2AndDropoutAreAllowed() {
        for (Options options : new Options[] {Options.network(b -> b.l2(1e-3)), Options.network(b -> b.dropOut(0.8))}) {
            Model model = TestNetworks.DENSE.create(new Lfso(), DataType.FLOAT, options);
            LfsoListener listener = new LfsoListener();
            model.setListeners(listener);
            double before = meanLoss(TestNetworks.DENSE, model, DataType.FLOAT);
            for (int step = 0; step < 80; step++) {
                fit(model, batch(TestNetworks.DENSE, step, DataType.FLOAT));
            }
            assertThat(meanLoss(TestNetworks.DENSE, model, DataType.FLOAT)).isLessThan(0.8 * before);
            assertThat(listener.statistics().rate()).isBetween(1e-5, 1.0);
        }
    }

    /** Whatever was tried and refused, other listeners see the score of the step's start and the update that was taken. */
    @ParameterizedTest
    @CsvSource({"DENSE, PLAIN", "DENSE, DROPOUT", "GRAPH, PLAIN"})
    void leavesScoreAndUpdateAsDeeplearning4jWould(TestNetworks kind, String options) {
        Options network = Options.network(b -> {
            b.l2(0.1);
            if (options.equals("DROPOUT")) {
                b.dropOut(0.5);
            }
        });
        Model model = kind.create(new Lfso(Direction.GRADIENT), DataType.DOUBLE, network);
        double[] atTheStart = new double[1];
        BaseTrainingListener early = new BaseTrainingListener() {
            @Override
            public void onGradientCalculation(Model current) {
                atTheStart[0] = current.score();
            }
        };
        LfsoListener listener = new LfsoListener();
        model.setListeners(early, listener);
        for (int step = 0; step < 30; step++) {
            INDArray before = model.params().dup();
            INDArray rate = TestNetworks.updaterState(model);
            rate = rate.reshape(rate.length());
            boolean tooLong = step == 9; // with l2 the loss certainly rises: refused
            if (tooLong) {
                rate.putScalar(0, 1e4 * rate.getDouble(0));
                TrainingNetwork.ofLfso(model); // takes up the state
            }
            fit(model, batch(kind, step, DataType.DOUBLE));
            if (tooLong) {
                assertThat(listener.statistics().refusedTrials()).isEqualTo(1);
                assertThat(kind == TestNetworks.GRAPH || model.params().equals(before))
                        .isTrue();
                rate.putScalar(0, 1e-4 * rate.getDouble(0));
                TrainingNetwork.ofLfso(model);
            }
            assertThat(model.score()).as("step %d", step).isEqualTo(atTheStart[0]);
            if (kind != TestNetworks.GRAPH) { // there DL4J also moves BatchNorm's statistics
                assertThat(before.sub(model.getGradientsViewArray())
                                .sub(model.params())
                                .amaxNumber()
                                .doubleValue())
                        .as("seed %d, step %d", TestNetworks.SEED, step)
                        .isLessThan(1e-12);
            }
        }
    }

    /**
     * A linear network has a quadratic loss for each mask of dropout, so L is at most 2 max |a|² of the rows a that a mask
     * leaves; and the slope that counts, which is divided by |g| |d| of the same mask, is a cosine.
     */
    @Test
    void dropoutHasTheSameMaskBeforeAndAfterATrial() {
        MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(TestNetworks.SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Lfso(Direction.GRADIENT))
                .list()
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(4)
                        .nOut(1)
                        .dropOut(0.5)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        net.init();
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        INDArray x = Nd4j.linspace(-1, 1, 24, DataType.DOUBLE).reshape(6, 4);
        INDArray y = Nd4j.linspace(3, 5, 6, DataType.DOUBLE).reshape(6, 1);
        double bound = 2 * (1 + 4 * x.mul(x).sum(1).maxNumber().doubleValue());
        double slope = 0;
        for (int k = 0; k < 40; k++) {
            net.fit(new DataSet(x, y));
            assertThat(listener.statistics().smoothness())
                    .as("seed %d, step %d", TestNetworks.SEED, k)
                    .isBetween(0.0, bound);
            double before = slope;
            slope = TrainingNetwork.ofLfso(net).updaters().get(0).measured().slope();
            assertThat((slope - MeasuredSmoothness.DECAY * before) / (1 - MeasuredSmoothness.DECAY))
                    .as("seed %d, step %d", TestNetworks.SEED, k)
                    .isBetween(-1 - 1e-6, 1 + 1e-6);
        }
        LfsoStatistics statistics = listener.statistics();
        assertThat(statistics.gradientEvaluations() - statistics.steps())
                .as("each trial evaluates the start once more: 16, 20, 30")
                .isEqualTo(16 + 2);
    }

    // --- what goes wrong

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
        MultiLayerNetwork net = linear(new Lfso(), DataType.FLOAT);
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
            fit(model, batch(TestNetworks.DENSE, step, DataType.FLOAT));
        }
        double before = model.score(batch(TestNetworks.DENSE, 0, DataType.FLOAT));
        DataSet huge = batch(TestNetworks.DENSE, 6, DataType.FLOAT);
        huge.getFeatures().muli(1e22);
        fit(model, huge);
        assertThat(model.params().sumNumber().doubleValue()).isFinite();
        assertThat(model.score(batch(TestNetworks.DENSE, 0, DataType.FLOAT))).isLessThan(1.5 * before);
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
            net.fit(batch(TestNetworks.DENSE, 0, DataType.FLOAT));
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
        double start = meanLoss(kind, model, DataType.FLOAT);
        for (int step = 0; step < 40; step++) {
            fit(model, batch(kind, step, DataType.FLOAT));
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
            fit(model, batch(kind, step, DataType.FLOAT));
        }
        assertThat(meanLoss(kind, model, DataType.FLOAT))
                .as("%s, seed %d", direction, TestNetworks.SEED)
                .isLessThan(0.6 * start);
        assertThat(TestNetworks.updaterState(model).sumNumber().doubleValue()).isFinite();
        return model;
    }

    /** Labels equal to the output: zero gradient and a loss of constantly 0, from the first step on, then real labels. */
    @Test
    void aZeroGradientAndAConstantLossAreNoTrouble() {
        for (Direction direction : Direction.values()) {
            MultiLayerNetwork net = linear(new Lfso(direction), DataType.FLOAT);
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
            MultiLayerNetwork net = linear(new Lfso(direction), DataType.FLOAT);
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
        MultiLayerNetwork net = linear(new Lfso(Direction.GRADIENT), DataType.FLOAT);
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
        MultiLayerNetwork net = linear(new Lfso(Direction.GRADIENT), DataType.FLOAT);
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
        fit(first, batch(kind, 0, DataType.FLOAT));
        assertThatThrownBy(() -> fit(second, batch(kind, 0, DataType.FLOAT)))
                .hasMessageContaining("belongs to one network");
    }

    private static void refused(Model model, String sentence) {
        model.setListeners(new LfsoListener());
        assertThatThrownBy(() -> fit(model, batch(TestNetworks.DENSE, 0, DataType.FLOAT)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(sentence);
    }
}
