package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static io.github.dl4jfuse.TestNetworks.surface;
import static io.github.dl4jfuse.TestNetworks.surfaceFit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.updater.FusePv;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
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

/** Networks, batches and labels of all kinds: taken, or refused with a sentence; never NaN. */
class GaussNewtonListenerInputsTest {

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
            for (IUpdater updater : List.of(new Sgd(0.5), new Adam(1e-2), FusePv.ofRate(1e-2))) {
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
    @CsvSource({"4", "32", "128"})
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

    /** With damping by reductions alone the loss elsewhere ends at 13 and 2.3 times its start. */
    @ParameterizedTest
    @CsvSource({"1", "3"})
    void singleExamplesDoNotLeadAstray(int seed) {
        MultiLayerNetwork network = TestNetworks.DENSE.network(new Sgd(1), DataType.FLOAT);
        GaussNewtonListener listener = new GaussNewtonListener();
        network.setListeners(listener);
        DataSet held = TestNetworks.DENSE.batch(999, 200, DataType.FLOAT);
        double start = network.score(held, false);
        for (int i = 0; i < 60; i++) {
            network.fit(TestNetworks.DENSE.batch(1000 * seed + i, 1, DataType.FLOAT));
            assertThat(network.score(held, false))
                    .as("after %d examples, start %s, seed %d", i + 1, start, seed)
                    .isLessThan(1.5 * start);
        }
        assertThat(network.score(held, false))
                .as("at the end, start %s, seed %d", start, seed)
                .isLessThan(0.9 * start);
        assertThat(listener.statistics().damping())
                .as("a tenth of 25 - 1 or more")
                .isGreaterThanOrEqualTo(2.4);
    }

    @Test
    void deadUnitsDuplicatesAndOneExampleNeverGiveNan() {
        DataSet data = surface(20, SEED);
        for (int i = 1; i < 20; i++) {
            data.getFeatures().putRow(i, data.getFeatures().getRow(0));
        }
        double mean = data.getLabels().meanNumber().doubleValue();
        for (double bias : new double[] {0, -1e3}) {
            MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.RELU, bias);
            network.setListeners(new GaussNewtonListener());
            for (int i = 0; i < 30; i++) {
                network.fit(data);
            }
            assertThat(network.output(data.getFeatures()).getDouble(0))
                    .as("the mean label, bias %s", bias)
                    .isCloseTo(mean, within(1e-8));
        }
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
        network.setListeners(new GaussNewtonListener());
        DataSet one = surface(1, SEED);
        for (int i = 0; i < 20; i++) {
            network.fit(one);
        }
        assertThat(network.score(one, false)).isLessThan(1e-10);
    }

    /** After some steps all hidden units die, so that only the output's bias is left, which fits the mean label. */
    @Test
    void rankLostInTheMiddleOfTrainingIsNoEnd() {
        DataSet data = surface(20, SEED);
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.RELU, 0);
        network.setListeners(new GaussNewtonListener());
        for (int i = 0; i < 5; i++) {
            network.fit(data);
        }
        double before = network.score(data, false);
        network.getLayer(0).getParam("b").assign(-1e3);
        network.getLayer(1).getParam("b").assign(-1e3);
        for (int i = 0; i < 25; i++) {
            network.fit(data);
        }
        double spread = data.getLabels().var(false, 0).getDouble(0);
        assertThat(network.score(data, false))
                .as("what the mean label leaves, not %s as before, seed %d", before, SEED)
                .isCloseTo(spread, within(1e-8));
        assertThat(before).isLessThan(0.5 * spread);
    }

    /** The most equations that are solved with a matrix: 256 examples with 16 outputs. */
    @Test
    void fourThousandEquations() {
        MultiLayerNetwork network = stack(builder(new Sgd(1), DataType.FLOAT), dense(5, 40), meanSquares(40, 16));
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 10, 0);
        network.setListeners(listener);
        Nd4j.getRandom().setSeed(SEED);
        DataSet data = new DataSet(Nd4j.randn(DataType.FLOAT, 256, 5), Nd4j.randn(DataType.FLOAT, 256, 16));
        double start = network.score(data, false);
        network.fit(data);
        assertThat(listener.statistics().steps()).isEqualTo(1);
        assertThat(listener.statistics().extraBytes()).isGreaterThan(4096L * 4096 * Double.BYTES);
        assertThat(network.score(data, false)).as("seed %d", SEED).isLessThan(0.95 * start);
    }

    /** 200 examples with 500 outputs of a layer with 6,000 units: the factors alone are 5 GB. */
    @Test
    void whatDoesNotFitIsRefusedBeforeItStarts() {
        MultiLayerNetwork network =
                stack(builder(new Sgd(1), DataType.FLOAT), dense(2, 6_000), meanSquares(6_000, 500));
        network.setListeners(new GaussNewtonListener());
        INDArray start = network.params().dup();
        DataSet data = new DataSet(Nd4j.ones(DataType.FLOAT, 200, 2), Nd4j.ones(DataType.FLOAT, 200, 500));
        assertThatThrownBy(() -> network.fit(data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("200 examples with 500 outputs needs about")
                .hasMessageContaining("smaller batches");
        NetworkOutputs outputs = new NetworkOutputs(network, data);
        OutputLoss loss = outputs.loss();
        assertThatThrownBy(() ->
                        GaussNewtonSolver.builder().maxIterations(0).build().run(outputs, loss))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("smaller batches");
        assertThat(network.params()).isEqualTo(start);
    }

    /** Frozen BatchNorm runs with its statistics, so examples do not see each other, and frozen dropout is off. */
    @Test
    void frozenBatchNormAndDropoutAreTaken() {
        MultiLayerNetwork network = stack(
                builder(new Sgd(1), DataType.DOUBLE),
                new FrozenLayer.Builder()
                        .layer(new DenseLayer.Builder()
                                .nIn(2)
                                .nOut(20)
                                .dropOut(0.5)
                                .build())
                        .build(),
                new FrozenLayer.Builder()
                        .layer(new BatchNormalization.Builder().nIn(20).nOut(20).build())
                        .build(),
                dense(20, 20),
                meanSquares(20, 1));
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
        MultiLayerNetwork network = stack(
                builder(new Sgd(1), DataType.FLOAT),
                new Bidirectional(
                        Bidirectional.Mode.ADD,
                        new LSTM.Builder().nIn(3).nOut(4).dropOut(0.5).build()),
                new GlobalPoolingLayer.Builder().build(),
                meanSquares(4, 1));
        network.setListeners(new GaussNewtonListener());
        DataSet data = new DataSet(Nd4j.ones(DataType.FLOAT, 5, 3, 4), Nd4j.ones(DataType.FLOAT, 5, 1));
        assertThatThrownBy(() -> network.fit(data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("without dropout");
    }

    @Test
    void aThousandOutputs() {
        MultiLayerNetwork network = stack(
                builder(new Sgd(1), DataType.FLOAT),
                dense(5, 8),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(8)
                        .nOut(1000)
                        .activation(Activation.SOFTMAX)
                        .build());
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
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener();
        network.setListeners(listener);
        network.fit(data);
        INDArray before = network.params().dup();
        DataSet bad = surface(20, SEED);
        bad.getFeatures().putScalar(3, 0, Double.NaN);
        network.fit(bad);
        assertThat(network.params()).isEqualTo(before);
        assertThat(listener.statistics().skippedBatches()).isEqualTo(1);
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
        ComputationGraph graph = new ComputationGraph(builder(new Sgd(1), DataType.DOUBLE)
                .graphBuilder()
                .addInputs("in")
                .addLayer("hidden", dense(2, 20), "in")
                .addLayer("out", meanSquares(20, 1), "hidden")
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
