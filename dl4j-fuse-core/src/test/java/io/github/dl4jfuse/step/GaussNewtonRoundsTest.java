package io.github.dl4jfuse.step;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.fit;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.Random;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What FusePv and Preconditioned do by themselves on a fixed batch whose loss is a sum of few squares. */
class GaussNewtonRoundsTest {

    private static final int SWITCH = SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS;
    private static final int MANY = 600; // examples are drawn
    private static final int FEW = 60; // all take part

    private static MultiLayerNetwork network(
            IUpdater updater, DataType type, int outputs, Consumer<NeuralNetConfiguration.Builder> options) {
        var builder = builder(updater, type);
        options.accept(builder);
        return stack(builder, dense(2, 16), dense(16, 16), meanSquares(16, outputs));
    }

    private static MultiLayerNetwork network(IUpdater updater, DataType type) {
        return network(updater, type, 1, builder -> {});
    }

    private static ComputationGraph graph(IUpdater updater) {
        ComputationGraph graph = new ComputationGraph(builder(updater, DataType.DOUBLE)
                .graphBuilder()
                .addInputs("in")
                .addLayer("first", dense(2, 16), "in")
                .addLayer("second", dense(16, 16), "first")
                .addLayer("out", meanSquares(16, 1), "second")
                .setOutputs("out")
                .build());
        graph.init();
        return graph;
    }

    /** The same values in each output, with noise. */
    private static DataSet surface(int points, int outputs, double noise, DataType type) {
        DataSet exact = TestNetworks.surface(points, SEED);
        INDArray labels = Nd4j.zeros(type, points, outputs);
        Random random = new Random(SEED);
        for (int i = 0; i < points; i++) {
            for (int j = 0; j < outputs; j++) {
                labels.putScalar(i, j, exact.getLabels().getDouble(i) + noise * random.nextGaussian());
            }
        }
        return new DataSet(exact.getFeatures().castTo(type), labels);
    }

    private static DataSet surface(int points) {
        return surface(points, 1, 0, DataType.DOUBLE);
    }

    private static CurvatureListener train(Model model, DataSet data, int steps) {
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        for (int i = 0; i < steps; i++) {
            fit(model, data);
        }
        return listener;
    }

    private static double lossOf(MultiLayerNetwork network, DataSet data) {
        return network.score(data, false);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "DOUBLE"})
    void theLossOfTheWholeBatchNeverRisesAndEndsFarBelowAdams(DataType type) {
        for (int points : new int[] {FEW, MANY}) {
            DataSet data = surface(points, 1, 0, type);
            for (IUpdater updater : new IUpdater[] {new FusePv(), Preconditioned.adam()}) {
                MultiLayerNetwork network = network(updater, type);
                CurvatureListener listener = train(network, data, SWITCH + 1);
                double last = lossOf(network, data);
                for (int step = 0; step < 10; step++) {
                    fit(network, data);
                    double now = lossOf(network, data);
                    assertThat(now)
                            .as("%s, %d points, step %d, seed %d", updater, points, step, SEED)
                            .isLessThanOrEqualTo(last * (1 + 1e-5));
                    last = now;
                }
                long gradients = listener.statistics().gradientEvaluations()
                        + listener.statistics().gaussNewtonSteps();
                assertThat(listener.statistics().gaussNewtonSteps()).isGreaterThan(30);
                double best = Double.POSITIVE_INFINITY;
                for (double rate : new double[] {3e-3, 1e-2, 3e-2}) {
                    MultiLayerNetwork adam = network(new Adam(rate), type);
                    for (int i = 0; i < gradients; i++) {
                        adam.fit(data);
                    }
                    best = Math.min(best, lossOf(adam, data));
                }
                assertThat(last)
                        .as("%s, %d points, seed %d; Adam %s after %d", updater, points, SEED, best, gradients)
                        .isLessThan(best / 20);
            }
        }
    }

    /** A round on all examples is nothing else than so many training steps with the listener and rate 1. */
    @Test
    void aRoundIsAsManyStepsOfTheListener() {
        DataSet data = surface(FEW);
        MultiLayerNetwork fuse = network(new FusePv(), DataType.DOUBLE);
        train(fuse, data, SWITCH);
        MultiLayerNetwork plain = network(new Sgd(1), DataType.DOUBLE);
        plain.setParams(fuse.params().dup());
        plain.setListeners(new GaussNewtonListener());
        fuse.fit(data);
        for (int i = 0; i < GaussNewtonRounds.STEPS; i++) {
            plain.fit(data);
        }
        assertThat(fuse.params().distance2(plain.params()))
                .as("distance, seed %d", SEED)
                .isLessThan(1e-9 * plain.params().norm2Number().doubleValue());
    }

    @Test
    void aGraphTakesTheSameStepsAsAMultiLayerNetwork() {
        DataSet data = surface(MANY);
        MultiLayerNetwork network = network(new FusePv(), DataType.DOUBLE);
        ComputationGraph graph = graph(new FusePv());
        graph.setParams(network.params().dup());
        train(network, data, SWITCH + 3);
        CurvatureListener listener = train(graph, data, SWITCH + 3);
        assertThat(listener.statistics().gaussNewtonSteps()).isEqualTo(3 * GaussNewtonRounds.STEPS);
        assertThat(graph.params().distance2(network.params()))
                .isLessThan(1e-9 * graph.params().norm2Number().doubleValue());
    }

    /** Steps on drawn examples cannot end where the noise leaves a loss; L-BFGS on all of them goes on from there. */
    @Test
    void whereNoiseIsLeftLbfgsGoesOn() {
        DataSet data = surface(MANY, 1, 0.3, DataType.DOUBLE);
        MultiLayerNetwork network = network(new FusePv(), DataType.DOUBLE);
        CurvatureListener listener = train(network, data, SWITCH);
        int rounds = 0;
        while (listener.statistics().curvatureSteps() == 0 && rounds < 30) {
            fit(network, data);
            rounds++;
        }
        assertThat(rounds).as("rounds, seed %d", SEED).isBetween(GaussNewtonRounds.PATIENCE, 29);
        double handedOver = lossOf(network, data);
        for (int i = 0; i < 20; i++) {
            fit(network, data);
        }
        assertThat(lossOf(network, data)).isLessThan(handedOver);
    }

    @Test
    void otherLabelsForTheSameInputsBringAdamBack() {
        DataSet data = surface(MANY);
        MultiLayerNetwork network = network(new FusePv(), DataType.DOUBLE);
        CurvatureListener listener = train(network, data, SWITCH + 2);
        assertThat(listener.inCurvaturePhase()).isTrue();
        fit(network, new DataSet(data.getFeatures(), data.getLabels().neg()));
        assertThat(listener.inCurvaturePhase()).isFalse();
        long before = listener.statistics().gaussNewtonSteps();
        for (int i = 0; i < SWITCH + 2; i++) {
            fit(network, new DataSet(data.getFeatures(), data.getLabels().neg()));
        }
        assertThat(listener.statistics().gaussNewtonSteps()).isGreaterThan(before);
        assertThat(lossOf(
                        network,
                        new DataSet(data.getFeatures(), data.getLabels().neg())))
                .as("on the new labels, after a phase of their own, seed %d", SEED)
                .isLessThan(1e-2);
    }

    /** Penalties, BatchNorm, many outputs and cross-entropies: L-BFGS as before. */
    @Test
    void whatItDoesNotUnderstandIsLeftToLbfgs() {
        MultiLayerNetwork penalised = network(new FusePv(), DataType.DOUBLE, 1, builder -> builder.l2(1e-3));
        MultiLayerNetwork wide = network(new FusePv(), DataType.DOUBLE, 8, builder -> {});
        MultiLayerNetwork normalised = stack(
                builder(new FusePv(), DataType.DOUBLE),
                dense(2, 16),
                new BatchNormalization.Builder().nIn(16).nOut(16).build(),
                meanSquares(16, 1));
        MultiLayerNetwork classes = stack(
                builder(new FusePv(), DataType.DOUBLE),
                dense(2, 16),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(16)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build());
        for (MultiLayerNetwork network : new MultiLayerNetwork[] {penalised, wide, normalised, classes}) {
            int outputs = network == wide ? 8 : network == classes ? 2 : 1;
            DataSet data = surface(MANY, outputs, 0, DataType.DOUBLE);
            if (network == classes) {
                data.getLabels().assign(0.5);
            }
            CurvatureListener listener = train(network, data, SWITCH + 2);
            assertThat(listener.statistics().gaussNewtonSteps()).isZero();
            assertThat(listener.statistics().curvatureSteps()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {FEW, MANY})
    void twoEqualTrainingsAreEqual(int points) {
        DataSet data = surface(points);
        MultiLayerNetwork one = network(Preconditioned.adam(), DataType.DOUBLE);
        MultiLayerNetwork other = network(Preconditioned.adam(), DataType.DOUBLE);
        train(one, data, SWITCH + 3);
        train(other, data, SWITCH + 3);
        assertThat(other.params()).isEqualTo(one.params());
    }

    /** Other listeners see the score of the point where the step began, and the parameters that DL4J's update explains. */
    @Test
    void scoreAndUpdateAreWhatDl4jWouldLeave() {
        DataSet data = surface(FEW);
        MultiLayerNetwork network = network(new FusePv(), DataType.DOUBLE);
        train(network, data, SWITCH + 1);
        double before = lossOf(network, data);
        INDArray start = network.params().dup();
        fit(network, data);
        assertThat(network.score()).isCloseTo(before, within(1e-12 * before));
        INDArray update = network.getGradientsViewArray();
        assertThat(start.sub(network.params()).distance2(update.reshape(start.shape())))
                .isLessThan(1e-14);
    }
}
