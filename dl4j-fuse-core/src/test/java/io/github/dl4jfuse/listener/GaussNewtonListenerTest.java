package io.github.dl4jfuse.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.geometry.Adaptation;
import io.github.dl4jfuse.geometry.GeometrySolver;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.network.NetworkOutputs;
import io.github.dl4jfuse.updater.FusePv;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class GaussNewtonListenerTest {

    private static final long SEED = 20261124;

    private static MultiLayerNetwork regression(IUpdater updater, Activation activation, double bias) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .updater(updater)
                .activation(activation)
                .list()
                .layer(new DenseLayer.Builder().nIn(2).nOut(24).biasInit(bias).build())
                .layer(new DenseLayer.Builder().nIn(24).nOut(24).build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(24)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        return network;
    }

    private static DataSet surface(int points, long seed) {
        Random random = new Random(seed);
        INDArray features = Nd4j.zeros(DataType.DOUBLE, points, 2);
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, points, 1);
        for (int i = 0; i < points; i++) {
            double x = 2 * random.nextDouble() - 1;
            double y = 2 * random.nextDouble() - 1;
            features.putScalar(i, 0, x);
            features.putScalar(i, 1, y);
            labels.putScalar(i, 0, Math.sin(3 * x) * Math.cos(2 * y) + x * y / 2);
        }
        return new DataSet(features, labels);
    }

    /** In the same number of steps, on the same batches, against the best of six rates of Adam. */
    @Test
    void smoothRegressionOnMiniBatchesEndsFarBelowAdam() {
        int steps = 100;
        DataSet all = surface(400, SEED);
        double adam = Double.POSITIVE_INFINITY;
        for (double rate : new double[] {1e-3, 3e-3, 1e-2, 3e-2}) {
            MultiLayerNetwork network = regression(new Adam(rate), Activation.TANH, 0);
            adam = Math.min(adam, train(network, all, steps));
        }
        MultiLayerNetwork network = regression(new Sgd(1), Activation.TANH, 0);
        network.setListeners(new GaussNewtonListener());
        assertThat(train(network, all, steps))
                .as("Adam %s, seed %d", adam, SEED)
                .isLessThan(adam / 30);
    }

    private static double train(MultiLayerNetwork network, DataSet all, int steps) {
        List<DataSet> batches = all.batchBy(80);
        for (int i = 0; i < steps; i++) {
            network.fit(batches.get(i % batches.size()));
        }
        return network.score(all, false);
    }

    @ParameterizedTest
    @CsvSource({"0", "0.5"})
    void onOneBatchTheLossNeverRisesAndFallsToNothing(double momentum) {
        DataSet data = surface(60, SEED);
        MultiLayerNetwork network = regression(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, momentum);
        network.setListeners(listener);
        double before = network.score(data, false);
        double start = before;
        for (int i = 0; i < 60; i++) {
            network.fit(data);
            double now = network.score(data, false);
            assertThat(now).as("step %d", i).isLessThanOrEqualTo(before);
            before = now;
        }
        assertThat(before).isLessThan(1e-5 * start);
        GaussNewtonListener.Statistics statistics = listener.statistics();
        assertThat(statistics.steps() + statistics.undone()).isEqualTo(60);
        assertThat(statistics.steps()).isGreaterThan(20);
        assertThat(statistics.bytes()).isPositive();
    }

    /** On one batch the steps that are kept are those of the solver, which tries again where the listener waits for a fit. */
    @Test
    void onOneBatchItWalksThePathOfTheSolver() {
        DataSet data = surface(60, SEED);
        MultiLayerNetwork network = regression(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, 0);
        network.setListeners(listener);
        for (int i = 0; i < 40; i++) {
            network.fit(data);
        }
        NetworkOutputs outputs = new NetworkOutputs(regression(new Sgd(1), Activation.TANH, 0), data);
        Adaptation end = GeometrySolver.builder()
                .damping(1e-2)
                .maxIterations((int) listener.statistics().steps())
                .build()
                .run(outputs, outputs.loss());
        assertThat(listener.statistics().undone()).as("steps taken back").isPositive();
        assertThat(network.score(data, false) / end.value()).as("seed %d", SEED).isCloseTo(1, within(1e-4));
    }

    /** Hidden layer frozen: one step goes to the damped least-squares fit. */
    @ParameterizedTest
    @CsvSource({"100", "12"})
    void theLastLayerAloneIsFittedInOneStep(int examples) {
        double lambda = 1e-3;
        DataSet data = surface(examples, SEED);
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1))
                .activation(Activation.TANH)
                .list()
                .layer(new FrozenLayer.Builder()
                        .layer(new DenseLayer.Builder().nIn(2).nOut(20).build())
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(20)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        network.setListeners(new GaussNewtonListener(Layers.OUTPUT_LAYER, lambda, 0));
        INDArray hidden = network.feedForward(data.getFeatures()).get(1);
        SimpleMatrix a = new SimpleMatrix(examples, 21);
        SimpleMatrix residual = new SimpleMatrix(examples, 1);
        INDArray outputs = network.output(data.getFeatures());
        for (int i = 0; i < examples; i++) {
            for (int j = 0; j < 20; j++) {
                a.set(i, j, hidden.getDouble(i, j));
            }
            a.set(i, 20, 1);
            residual.set(i, 0, outputs.getDouble(i) - data.getLabels().getDouble(i, 0));
        }
        double mu = lambda * a.elementPower(2).elementSum() / examples;
        SimpleMatrix normal =
                a.transpose().mult(a).plus(SimpleMatrix.identity(21).scale(mu));
        SimpleMatrix left = residual.minus(a.mult(normal.solve(a.transpose().mult(residual))));
        network.fit(data);
        assertThat(network.score(data, false))
                .as("seed %d", SEED)
                .isCloseTo(left.normF() * left.normF() / examples, within(1e-10));
    }

    @ParameterizedTest
    @CsvSource({
        "DENSE,OUTPUT_LAYER",
        "DENSE,ALL_LAYERS",
        "CONVOLUTION,ALL_LAYERS",
        "BATCH_NORM,OUTPUT_LAYER",
        "GRAPH,OUTPUT_LAYER"
    })
    void anyUpdaterTakesIt(TestNetworks kind, Layers layers) {
        for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
            for (IUpdater updater : List.of(new Sgd(0.5), new Adam(1e-2), new FusePv(1e-2))) {
                Model model = kind.create(updater, type, TestNetworks.PLAIN);
                model.setListeners(new GaussNewtonListener(layers));
                DataSet data = kind.batch(1, 24, type);
                TestNetworks.fit(model, data);
                double start = model.score();
                for (int i = 0; i < 15; i++) {
                    TestNetworks.fit(model, data);
                }
                assertThat(model.score()).as("%s %s", updater, type).isLessThan(0.9 * start);
            }
        }
    }

    /** Batches of the sizes in question, labels that cannot be learned: what a batch teaches is false for the next one. */
    @ParameterizedTest
    @CsvSource({"1", "4", "32", "128"})
    void nothingDivergesWhereBatchesContradictEachOther(int examples) {
        Random random = new Random(SEED);
        for (Layers layers : Layers.values()) {
            MultiLayerNetwork network =
                    TestNetworks.DENSE.network(new Sgd(layers == Layers.ALL_LAYERS ? 1 : 0.1), DataType.FLOAT);
            network.setListeners(new GaussNewtonListener(layers));
            DataSet held = TestNetworks.DENSE.batch(999, 200, DataType.FLOAT);
            double start = network.score(held, false);
            for (int i = 0; i < 60; i++) {
                DataSet batch = TestNetworks.DENSE.batch(i, examples, DataType.FLOAT);
                INDArray noise = Nd4j.zeros(DataType.FLOAT, examples, 3);
                for (int j = 0; j < examples; j++) {
                    noise.putScalar(j, random.nextInt(3), 1);
                }
                network.fit(new DataSet(batch.getFeatures(), noise));
            }
            assertThat(network.score(held, false))
                    .as("%s, start %s, seed %d", layers, start, SEED)
                    .isLessThan(2 * start);
        }
    }

    /** The same points with opposite labels: what the first batch gains, the second loses three times over. */
    @Test
    void aStepThatTwoBatchesTogetherLoseByIsUndone() {
        DataSet first = surface(5, SEED);
        first.getLabels().assign(1);
        DataSet second = surface(5, SEED);
        second.getLabels().assign(-1);
        MultiLayerNetwork network = regression(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, 0);
        network.setListeners(listener);
        network.fit(first);
        assertThat(listener.statistics().undone()).isZero();
        network.fit(second);
        assertThat(listener.statistics().undone()).isEqualTo(1);
        assertThat(listener.statistics().steps()).isEqualTo(1);
        MultiLayerNetwork fresh = regression(new Sgd(1), Activation.TANH, 0);
        fresh.setListeners(new GaussNewtonListener(Layers.ALL_LAYERS, 4e-2, 0));
        fresh.fit(second);
        assertThat(network.params().equalsWithEps(fresh.params(), 1e-12))
                .as("as if the first batch had only raised the damping, seed %d", SEED)
                .isTrue();
    }

    @Test
    void aStepOfTheLastLayerThatExplodesIsUndone() {
        DataSet data = surface(30, SEED);
        MultiLayerNetwork network = regression(new Sgd(10), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.OUTPUT_LAYER);
        network.setListeners(listener);
        INDArray start = network.params().dup();
        network.fit(data);
        assertThat(network.params()).isEqualTo(start);
        assertThat(listener.statistics().undone()).isEqualTo(1);
    }

    @Test
    void deadUnitsDuplicatesAndOneExampleNeverGiveNan() {
        DataSet data = surface(20, SEED);
        for (int i = 1; i < 20; i++) {
            data.getFeatures().putRow(i, data.getFeatures().getRow(0));
        }
        double mean = data.getLabels().meanNumber().doubleValue();
        for (double bias : new double[] {0, -1e3}) {
            MultiLayerNetwork network = regression(new Sgd(1), Activation.RELU, bias);
            network.setListeners(new GaussNewtonListener());
            for (int i = 0; i < 30; i++) {
                network.fit(data);
            }
            assertThat(network.output(data.getFeatures()).getDouble(0))
                    .as("the mean label, bias %s", bias)
                    .isCloseTo(mean, within(1e-8));
        }
        MultiLayerNetwork network = regression(new Sgd(1), Activation.TANH, 0);
        network.setListeners(new GaussNewtonListener());
        DataSet one = surface(1, SEED);
        for (int i = 0; i < 20; i++) {
            network.fit(one);
        }
        assertThat(network.score(one, false)).isLessThan(1e-10);
    }

    /** A full batch of 400 points, 40 of them for each step: as far as on mini-batches. */
    @Test
    void onSomeExamplesOfTheFullBatchTheWholeLossFalls() {
        DataSet all = surface(400, SEED);
        double[] ends = new double[3];
        for (int i = 0; i < 3; i++) {
            MultiLayerNetwork network = regression(new Sgd(1), Activation.TANH, 0);
            GaussNewtonListener listener = new GaussNewtonListener().examplesPerStep(40, i < 2 ? SEED : SEED + 1);
            network.setListeners(listener);
            double start = network.score(all, false);
            for (int k = 0; k < 60; k++) {
                network.fit(all);
            }
            ends[i] = network.score(all, false);
            assertThat(ends[i]).as("run %d, seed %d", i, SEED).isLessThan(5e-3 * start);
            assertThat(listener.statistics().bytes())
                    .as("a matrix of 40 rows, not of 400")
                    .isLessThan(400 * 400 * Double.BYTES);
        }
        assertThat(ends[1]).as("the same draws").isEqualTo(ends[0]);
        assertThat(ends[2]).as("other draws").isNotEqualTo(ends[0]);
    }

    /** The step of a batch of some examples is the step of the batch that has only them. */
    @Test
    void drawnExamplesAreSolvedAsABatchOfTheirOwn() {
        DataSet all = surface(30, SEED);
        MultiLayerNetwork drawn = regression(new Sgd(1), Activation.TANH, 0);
        drawn.setListeners(new GaussNewtonListener().examplesPerStep(12, SEED));
        int[] rows = new Random(SEED).ints(0, 30).distinct().limit(12).toArray();
        DataSet some = new DataSet(Nd4j.pullRows(all.getFeatures(), 1, rows), Nd4j.pullRows(all.getLabels(), 1, rows));
        MultiLayerNetwork own = regression(new Sgd(1), Activation.TANH, 0);
        own.setListeners(new GaussNewtonListener());
        INDArray start = own.params().dup();
        drawn.fit(all);
        own.fit(some);
        assertThat(own.params().equalsWithEps(start, 1e-6)).isFalse();
        assertThat(drawn.params().equalsWithEps(own.params(), 1e-12))
                .as("seed %d", SEED)
                .isTrue();
    }

    /** The prediction is made for the step as long as the updater made it, here one or half a direction. */
    @ParameterizedTest
    @CsvSource({"1", "0.5"})
    void theDampingFollowsTheLengthThatTheUpdaterMade(double rate) {
        DataSet data = surface(40, SEED);
        MultiLayerNetwork network = regression(new Sgd(rate), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1, 0);
        network.setListeners(listener);
        network.fit(data);
        network.fit(data);
        assertThat(listener.statistics().damping())
                .as("nearly linear, so the actual reduction is about the predicted one")
                .isEqualTo(0.25);
    }

    /** 200 examples with 500 outputs of a layer with 6,000 units: the factors alone are 5 GB. */
    @Test
    void whatDoesNotFitIsRefusedBeforeItStarts() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Sgd(1))
                .list()
                .layer(new DenseLayer.Builder().nIn(2).nOut(6_000).build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(6_000)
                        .nOut(500)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        network.setListeners(new GaussNewtonListener());
        INDArray start = network.params().dup();
        DataSet data = new DataSet(Nd4j.ones(DataType.FLOAT, 200, 2), Nd4j.ones(DataType.FLOAT, 200, 500));
        assertThatThrownBy(() -> network.fit(data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("200 examples with 500 outputs needs about")
                .hasMessageContaining("smaller batches");
        assertThat(network.params()).isEqualTo(start);
    }

    /** Frozen BatchNorm runs with its statistics, so examples do not see each other, and frozen dropout is off. */
    @Test
    void frozenBatchNormAndDropoutAreTaken() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1))
                .activation(Activation.TANH)
                .list()
                .layer(new FrozenLayer.Builder()
                        .layer(new DenseLayer.Builder()
                                .nIn(2)
                                .nOut(20)
                                .dropOut(0.5)
                                .build())
                        .build())
                .layer(new FrozenLayer.Builder()
                        .layer(new BatchNormalization.Builder().nIn(20).nOut(20).build())
                        .build())
                .layer(new DenseLayer.Builder().nIn(20).nOut(20).build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(20)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        network.setListeners(new GaussNewtonListener());
        DataSet data = surface(30, SEED);
        INDArray frozen = network.getLayer(0).params().dup();
        double start = network.score(data, false);
        for (int i = 0; i < 30; i++) {
            network.fit(data);
        }
        assertThat(network.score(data, false)).isLessThan(1e-2 * start);
        assertThat(network.getLayer(0).params()).isEqualTo(frozen);
    }

    @Test
    void dropoutInsideABidirectionalLayerIsRefused() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Sgd(1))
                .list()
                .layer(new Bidirectional(
                        Bidirectional.Mode.ADD,
                        new LSTM.Builder().nIn(3).nOut(4).dropOut(0.5).build()))
                .layer(new GlobalPoolingLayer.Builder().build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(4)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        network.setListeners(new GaussNewtonListener());
        DataSet data = new DataSet(Nd4j.ones(DataType.FLOAT, 5, 3, 4), Nd4j.ones(DataType.FLOAT, 5, 1));
        assertThatThrownBy(() -> network.fit(data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("without dropout");
    }

    @Test
    void aThousandOutputs() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.FLOAT)
                .updater(new Sgd(1))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(5)
                        .nOut(8)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(8)
                        .nOut(1000)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        network.setListeners(new GaussNewtonListener());
        DataSet data = new DataSet(Nd4j.ones(DataType.FLOAT, 1, 5), Nd4j.zeros(DataType.FLOAT, 1, 1000));
        data.getLabels().putScalar(0, 7, 1);
        for (int i = 0; i < 4; i++) {
            network.fit(data);
        }
        assertThat(network.score(data, false)).isLessThan(0.5 * Math.log(1000));
    }

    @Test
    void badDataTakeNoStep() {
        DataSet data = surface(20, SEED);
        MultiLayerNetwork network = regression(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener();
        network.setListeners(listener);
        network.fit(data);
        INDArray before = network.params().dup();
        DataSet bad = surface(20, SEED);
        bad.getFeatures().putScalar(3, 0, Double.NaN);
        network.fit(bad);
        assertThat(network.params()).isEqualTo(before);
        assertThat(listener.statistics().skipped()).isEqualTo(1);
        network.fit(data);
        assertThat(network.score(data, false)).isFinite();
    }

    @Test
    void refusesWhatMakesNoSense() {
        DataSet data = TestNetworks.DENSE.batch(1, 6, DataType.DOUBLE);
        Model noisy = TestNetworks.DENSE.create(new Sgd(1), DataType.DOUBLE, Options.network(b -> b.dropOut(0.5)));
        noisy.setListeners(new GaussNewtonListener());
        assertThatThrownBy(() -> TestNetworks.fit(noisy, data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("OUTPUT_LAYER");
        Model norm = TestNetworks.BATCH_NORM.network(new Sgd(1), DataType.DOUBLE);
        norm.setListeners(new GaussNewtonListener());
        assertThatThrownBy(() -> TestNetworks.fit(norm, data)).hasMessageContaining("BatchNorm");
        GaussNewtonListener shared = new GaussNewtonListener();
        for (int i = 0; i < 2; i++) {
            Model each = TestNetworks.DENSE.network(new Sgd(1), DataType.DOUBLE);
            each.setListeners(shared);
            if (i == 0) {
                TestNetworks.fit(each, data);
            } else {
                assertThatThrownBy(() -> TestNetworks.fit(each, data)).hasMessageContaining("belongs to one network");
            }
        }
        assertThatThrownBy(() -> new GaussNewtonListener().examplesPerStep(0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 1, not 0");
        assertThatThrownBy(() -> new GaussNewtonListener(Layers.OUTPUT_LAYER).examplesPerStep(10, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ALL_LAYERS");
        assertThatThrownBy(() -> new GaussNewtonListener(Layers.OUTPUT_LAYER, 0.1, 0.9))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("momentum");
    }

    @Test
    void graphsAreTrainedInAllLayers() {
        ComputationGraph graph = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1))
                .activation(Activation.TANH)
                .graphBuilder()
                .addInputs("in")
                .addLayer("hidden", new DenseLayer.Builder().nIn(2).nOut(20).build(), "in")
                .addLayer(
                        "out",
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nIn(20)
                                .nOut(1)
                                .activation(Activation.IDENTITY)
                                .build(),
                        "hidden")
                .setOutputs("out")
                .build());
        graph.init();
        graph.setListeners(new GaussNewtonListener());
        DataSet data = surface(30, SEED);
        double start = graph.score(data, false);
        for (int i = 0; i < 40; i++) {
            graph.fit(data);
        }
        assertThat(graph.score(data, false)).isLessThan(1e-3 * start);
    }
}
