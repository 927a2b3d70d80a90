package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.images;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.output;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.updater.Preconditioned;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** Networks with layers of ours beside updaters, listeners and all else that is done with networks. */
class AttachedNetworkTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    @Test
    void theSameBitsFromRunToRun() {
        float[][] runs = new float[2][];
        for (int run = 0; run < runs.length; run++) {
            MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
            Acceleration.attach(network);
            for (int step = 0; step < 10; step++) {
                network.fit(batch(8, step));
            }
            runs[run] = network.params().data().asFloat();
        }
        assertThat(runs[0]).isEqualTo(runs[1]);
    }

    @Test
    void networksInThreadsDoNotDisturbEachOther() {
        List<float[]> runs = IntStream.range(0, 6)
                .parallel()
                .mapToObj(run -> {
                    MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
                    Acceleration.attach(network);
                    for (int step = 0; step < 10; step++) {
                        network.fit(batch(8 + step % 2, step));
                    }
                    return network.params().data().asFloat();
                })
                .toList();
        for (float[] run : runs) {
            assertThat(run).isEqualTo(runs.get(0));
        }
    }

    /** Attached before the updater exists, after it, or in the middle: the same metric and the same bits from there on. */
    @Test
    void ourUpdatersFindTheirLayers() {
        float[][] runs = new float[2][];
        for (int run = 0; run < runs.length; run++) {
            MultiLayerNetwork network = network(images(Preconditioned.adam(), Activation.RELU));
            if (run == 0) {
                Acceleration.attach(network);
            }
            DL4JFuse.attach(network);
            if (run == 1) {
                network.getUpdater();
                Acceleration.attach(network);
            }
            for (int step = 0; step < 12; step++) {
                network.fit(batch(8, step % 4));
                if (step == 5) {
                    network.setLearningRate(2e-3);
                }
            }
            runs[run] = network.params().data().asFloat();
        }
        assertThat(runs[0]).isEqualTo(runs[1]);
    }

    @Test
    void theMetricIsFedAsByDl4jsLayers() {
        // Not behind batch normalization: a bias there has a gradient of rounding alone, of which Adam makes steps.
        MultiLayerConfiguration conf = stack(
                Preconditioned.adam(),
                convolution(3, 5, Activation.TANH).build(),
                pooling(PoolingType.AVG, 2, 2, 0),
                new DenseLayer.Builder().nOut(7).activation(Activation.TANH).build());
        List<MultiLayerNetwork> networks = List.of(network(conf), network(conf));
        networks.forEach(DL4JFuse::attach);
        networks.get(0).fit(batch(8, 0)); // attached with an updater and a metric that are there
        networks.get(1).fit(batch(8, 0));
        Acceleration.attach(networks.get(0));
        for (int step = 1; step < 12; step++) {
            networks.get(0).fit(batch(8, step % 4));
            networks.get(1).fit(batch(8, step % 4));
        }
        assertThat(difference(networks.get(0).params(), networks.get(1).params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-3);
    }

    @Test
    void savedModelsHoldNothingOfIt(@TempDir Path folder) throws IOException {
        MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
        Acceleration.attach(network);
        network.fit(batch(8, 1));
        File file = folder.resolve("net.zip").toFile();
        ModelSerializer.writeModel(network, file, true);
        MultiLayerNetwork back = ModelSerializer.restoreMultiLayerNetwork(file, true);
        MultiLayerNetwork clone = network.clone();
        for (MultiLayerNetwork each : List.of(back, clone)) {
            for (Layer layer : each.getLayers()) {
                assertThat(layer.getClass().getPackageName()).startsWith("org.deeplearning4j");
            }
            Acceleration.attach(each);
            each.fit(batch(8, 2));
        }
        network.fit(batch(8, 2));
        assertThat(back.params().data().asFloat())
                .isEqualTo(network.params().data().asFloat());
        assertThat(clone.params().data().asFloat())
                .isEqualTo(network.params().data().asFloat());
    }

    @Test
    void detachedItIsDl4jsAgain() {
        MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
        MultiLayerNetwork plain = network(images(new Adam(1e-2), Activation.RELU));
        Layer first = network.getLayer(0);
        assertThat(Acceleration.attach(network).layers()).hasSize(6);
        assertThat(network.getLayer("layer0")).isSameAs(network.getLayer(0)).isNotSameAs(first);
        assertThat(Acceleration.attach(network).layers()).as("a second time").hasSize(6);
        Acceleration.detach(network);
        Acceleration.detach(network);
        assertThat(network.getLayer(0)).isSameAs(first).isSameAs(network.getLayer("layer0"));
        for (int step = 0; step < 3; step++) {
            network.fit(batch(8, step));
            plain.fit(batch(8, step));
        }
        assertThat(network.params().data().asFloat())
                .isEqualTo(plain.params().data().asFloat());
    }

    /** A network whose first layer is fed twice, with a sum and a branch whose gradients DL4J adds in place. */
    @Test
    void graphs() {
        ComputationGraphConfiguration conf = builder(new Sgd(0.05))
                .graphBuilder()
                .addInputs("in")
                .addLayer(
                        "a",
                        convolution(3, 4, Activation.TANH)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        "in")
                .addLayer(
                        "b",
                        convolution(3, 4, Activation.TANH)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        "a")
                .addLayer(
                        "c",
                        convolution(3, 4, Activation.RELU)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        "b")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "c")
                .addLayer("norm", new BatchNormalization(), "sum")
                .addLayer("pool", pooling(PoolingType.AVG, 2, 2, 0), "norm")
                .addLayer(
                        "dense",
                        new DenseLayer.Builder()
                                .nOut(6)
                                .activation(Activation.TANH)
                                .build(),
                        "pool")
                .addLayer("out", output(), "dense")
                .setOutputs("out")
                .setInputTypes(InputType.convolutional(9, 8, 2))
                .build();
        ComputationGraph graph = new ComputationGraph(conf.clone());
        ComputationGraph plain = new ComputationGraph(conf.clone());
        graph.init();
        plain.init();
        assertThat(Acceleration.attach(graph).layers())
                .containsExactlyInAnyOrder("a", "b", "c", "norm", "pool", "dense", "out");
        assertThat(graph.getLayer("a")).isSameAs(graph.getVertex("a").getLayer());
        for (int step = 0; step < 10; step++) {
            graph.fit(batch(8, step));
            plain.fit(batch(8, step));
        }
        assertThat(difference(graph.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
        Acceleration.detach(graph);
        assertThat(graph.getLayer("a").getClass()).isEqualTo(plain.getLayer("a").getClass());
        graph.fit(batch(8, 11));
    }

    @Test
    void aListenerSeesEveryActivationAndMayEvaluate() {
        MultiLayerNetwork network = network(images(new Sgd(0.05), Activation.TANH));
        MultiLayerNetwork plain = network(images(new Sgd(0.05), Activation.TANH));
        Acceleration.attach(network);
        for (MultiLayerNetwork each : List.of(network, plain)) {
            each.setListeners(new BaseTrainingListener() {
                @Override
                public void iterationDone(Model model, int iteration, int epoch) {
                    each.score(batch(5, 9), true);
                    each.output(batch(8, 10).getFeatures());
                }

                @Override
                public void onForwardPass(Model model, List<INDArray> activations) {
                    assertThat(activations).hasSize(6);
                    assertThat(activations.get(1).shape()).containsExactly(8, 5, 7, 6);
                }
            });
            for (int step = 0; step < 5; step++) {
                each.fit(batch(8, step));
            }
        }
        assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
    }

    @Test
    void whatIsNotCoveredIsSaidAndLeftAlone() {
        MultiLayerConfiguration conf = images(new Sgd(0.1), Activation.RELU);
        conf.setDataType(DataType.DOUBLE);
        conf.getConfs().forEach(each -> each.setDataType(DataType.DOUBLE));
        MultiLayerNetwork inDouble = network(conf);
        assertThat(Acceleration.attach(inDouble).reason()).contains("in DOUBLE");
        MultiLayerNetwork none = network(stack(
                new Sgd(0.1),
                new DenseLayer.Builder().nOut(3).activation(Activation.SOFTPLUS).build()));
        Layer before = none.getLayer(0);
        assertThat(Acceleration.attach(none).layers()).containsExactly("layer1");
        assertThat(none.getLayer(0)).isSameAs(before);
        assertThatThrownBy(() -> Acceleration.attach(new MultiLayerNetwork(conf)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("call init() first");
        assertThatThrownBy(() -> Acceleration.attach(before)).hasMessageContaining("not in a org.deeplearning4j");
        assertThat(before.activate(Nd4j.ones(DataType.FLOAT, 2, 144), false, LayerWorkspaceMgr.noWorkspaces())
                        .shape())
                .containsExactly(2, 3);
    }
}
