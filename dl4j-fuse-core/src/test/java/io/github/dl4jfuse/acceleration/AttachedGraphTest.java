package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.TOLERANCE;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertGradientsAgree;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.output;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Sums and mergers of images between layers of ours. */
class AttachedGraphTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static GraphBuilder graph() {
        return builder(new Sgd(0.02))
                .graphBuilder()
                .addInputs("in")
                .setOutputs("out")
                .setInputTypes(InputType.convolutional(9, 8, 2));
    }

    private static ConvolutionLayer same(int kernel, int channels, Activation activation) {
        return convolution(kernel, channels, activation)
                .convolutionMode(ConvolutionMode.Same)
                .build();
    }

    private static ElementWiseVertex add() {
        return new ElementWiseVertex(ElementWiseVertex.Op.Add);
    }

    /** Ends a graph in the mean over its images. */
    private static ComputationGraphConfiguration end(GraphBuilder graph, String from) {
        return graph.addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), from)
                .addLayer("out", output(), "mean")
                .build();
    }

    /** Blocks as those of a residual network; the first layer is fed twice, the second sum has three inputs. */
    private static ComputationGraphConfiguration residual() {
        return end(
                graph().addLayer("a", same(3, 5, Activation.IDENTITY), "in")
                        .addLayer("norm", new BatchNormalization(), "a")
                        .addLayer("relu", new ActivationLayer(Activation.RELU), "norm")
                        .addLayer("b", same(3, 5, Activation.TANH), "relu")
                        .addLayer("shortcut", same(1, 5, Activation.IDENTITY), "in")
                        .addVertex("sum", add(), "relu", "b", "shortcut")
                        .addLayer("after", new ActivationLayer(Activation.TANH), "sum")
                        .addLayer("c", same(2, 5, Activation.SIGMOID), "after")
                        .addVertex("sum2", add(), "after", "c")
                        .addLayer("d", same(2, 4, Activation.TANH), "sum2"),
                "d");
    }

    /** Branches of different channels, a sum of mergers, and one that DL4J adds by itself where a layer has two inputs. */
    private static ComputationGraphConfiguration branches() {
        return end(
                graph().addLayer("a", same(3, 3, Activation.TANH), "in")
                        .addLayer("b", same(1, 4, Activation.TANH), "a")
                        .addLayer("c", same(3, 1, Activation.TANH), "a")
                        .addLayer("pool", pooling(PoolingType.AVG, 3, 1, 1), "a")
                        .addVertex("merged", new MergeVertex(), "b", "c", "pool")
                        .addLayer("d", same(2, 8, Activation.TANH), "merged")
                        .addVertex("sum", add(), "merged", "d")
                        .addLayer("e", same(2, 3, Activation.TANH), "sum", "a"),
                "e");
    }

    /** A layer of DL4J's beside ours before a sum, and behind a merger. */
    private static ComputationGraphConfiguration mixed() {
        return end(
                graph().addLayer("a", same(3, 3, Activation.TANH), "in")
                        .addLayer("b", same(3, 3, Activation.SOFTPLUS), "a")
                        .addVertex("sum", add(), "a", "b")
                        .addLayer("c", same(3, 3, Activation.TANH), "sum")
                        .addLayer("d", same(1, 2, Activation.TANH), "c")
                        .addVertex("merged", new MergeVertex(), "c", "d")
                        .addLayer("e", same(2, 3, Activation.SOFTPLUS), "merged")
                        .addLayer("f", same(1, 3, Activation.TANH), "merged")
                        .addVertex("difference", new ElementWiseVertex(ElementWiseVertex.Op.Subtract), "e", "f"),
                "difference");
    }

    private static ConvolutionLayer known(int inputs, int outputs) {
        return convolution(1, outputs, Activation.TANH).nIn(inputs).build();
    }

    /** A sum of images and of one place or one channel is DL4J's, which takes them where it knows no shapes. */
    private static ComputationGraphConfiguration broadcast() {
        return builder(new Sgd(0.02))
                .graphBuilder()
                .addInputs("in")
                .setOutputs("out")
                .addLayer("a", known(2, 3), "in")
                .addLayer(
                        "places",
                        new GlobalPoolingLayer.Builder(PoolingType.AVG)
                                .collapseDimensions(false)
                                .build(),
                        "a")
                .addLayer("b", known(3, 3), "a")
                .addVertex("sum", add(), "b", "places")
                .addLayer("c", known(3, 4), "sum")
                .addLayer("one", known(3, 1), "sum")
                .addVertex("sum2", add(), "one", "c")
                .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), "sum2")
                .addLayer(
                        "out",
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nIn(4)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        "mean")
                .build();
    }

    static List<ComputationGraphConfiguration> graphs() {
        return List.of(residual(), branches(), mixed(), broadcast());
    }

    private static ComputationGraph init(ComputationGraphConfiguration conf) {
        ComputationGraph graph = new ComputationGraph(conf.clone());
        graph.init();
        return graph;
    }

    private static ComputationGraph twin(ComputationGraph graph) {
        ComputationGraphConfiguration conf = graph.getConfiguration().clone();
        conf.setDataType(DataType.DOUBLE);
        conf.getDefaultConfiguration().setDataType(DataType.DOUBLE);
        conf.getVertices().values().forEach(vertex -> {
            if (vertex instanceof LayerVertex layer) {
                layer.getLayerConf().setDataType(DataType.DOUBLE);
            }
        });
        ComputationGraph twin = new ComputationGraph(conf);
        twin.init();
        twin.setParams(graph.params().castTo(DataType.DOUBLE));
        return twin;
    }

    private static void evaluate(ComputationGraph graph, DataSet data) {
        DataType type = graph.params().dataType();
        graph.setInput(0, data.getFeatures().castTo(type));
        graph.setLabel(0, data.getLabels().castTo(type));
        graph.computeGradientAndScore();
    }

    @ParameterizedTest
    @MethodSource("graphs")
    void outputsAndGradientsAreThoseOfTheDoubleTwin(ComputationGraphConfiguration conf) {
        for (int examples : new int[] {1, 6}) {
            ComputationGraph graph = init(conf);
            ComputationGraph twin = twin(graph);
            Acceleration.attach(graph);
            DataSet data = batch(examples, SEED + examples);
            assertThat(difference(
                            graph.outputSingle(data.getFeatures()),
                            twin.outputSingle(data.getFeatures().castTo(DataType.DOUBLE))))
                    .isLessThan(TOLERANCE);
            evaluate(graph, data);
            evaluate(twin, data);
            assertGradientsAgree(graph.gradient(), twin.gradient());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = WorkspaceMode.class,
            names = {"ENABLED", "NONE"})
    void twentyStepsAreThoseOfDl4j(WorkspaceMode mode) {
        for (ComputationGraphConfiguration conf : List.of(residual(), branches())) {
            conf.setTrainingWorkspaceMode(mode);
            conf.setInferenceWorkspaceMode(mode);
            ComputationGraph graph = init(conf);
            ComputationGraph plain = init(conf);
            Acceleration.attach(graph);
            INDArray kept = graph.outputSingle(batch(8, -1).getFeatures());
            INDArray copy = kept.dup();
            for (int step = 0; step < 20; step++) {
                DataSet data = batch(step % 5 == 4 ? 3 : 8, step); // the last batch is smaller
                graph.fit(data);
                plain.fit(data);
                assertThat(difference(
                                graph.outputSingle(data.getFeatures()),
                                plain.outputSingle(data.getFeatures()).castTo(DataType.DOUBLE)))
                        .as("step %d", step)
                        .isLessThan(1e-4);
            }
            assertThat(difference(graph.params(), plain.params().castTo(DataType.DOUBLE)))
                    .isLessThan(1e-4);
            assertThat(kept).isEqualTo(copy);
        }
    }

    @Test
    void imagesKeepTheirChannelsLastThroughSumsAndMergers() {
        ComputationGraph graph = init(residual());
        Acceleration.attach(graph);
        Map<String, INDArray> activations = graph.feedForward(batch(3, SEED).getFeatures(), false);
        for (String name : List.of("a", "relu", "b", "shortcut", "sum", "after", "sum2", "d")) {
            assertThat(activations.get(name).stride(1)).as(name).isEqualTo(1);
        }
        graph = init(branches());
        Acceleration.attach(graph);
        activations = graph.feedForward(batch(3, SEED).getFeatures(), false);
        for (String name : List.of("a", "b", "pool", "merged", "sum", "e-merge")) {
            assertThat(activations.get(name).stride(1)).as(name).isEqualTo(1);
        }
        graph = init(mixed());
        Acceleration.attach(graph);
        activations = graph.feedForward(batch(3, SEED).getFeatures(), false);
        for (String name : List.of("a", "merged", "f")) { // which a layer or vertex of DL4J's takes, too
            assertThat(activations.get(name).stride(3)).as(name).isEqualTo(1);
        }
    }

    /** What a user is given lies in c order, also where layers of ours take it as well. */
    @Test
    void anOutputThatIsAlsoFedOnLiesInCOrder() {
        GraphBuilder builder = graph().addLayer("a", same(3, 3, Activation.TANH), "in")
                .addLayer("b", same(3, 3, Activation.TANH), "a");
        ComputationGraphConfiguration conf = end(builder.setOutputs("a", "out"), "b");
        conf.setInferenceWorkspaceMode(WorkspaceMode.NONE); // DL4J fails with workspaces
        ComputationGraph graph = init(conf);
        Acceleration.attach(graph);
        assertThat(graph.output(batch(3, SEED).getFeatures())[0].stride()).containsExactly(216, 72, 8, 1);
    }

    /** A merger of one input hands on the very array of ours, in which the next layer's noise would work. */
    @Test
    void whatAVertexHandsOnIsNotChangedInPlace() {
        ComputationGraphConfiguration conf = end(
                graph().addLayer("a", same(3, 3, Activation.TANH), "in")
                        .addVertex("same", new MergeVertex(), "a")
                        .addLayer(
                                "b",
                                convolution(2, 4, Activation.TANH)
                                        .dropOut(new GaussianNoise(0.5))
                                        .build(),
                                "same"),
                "b");
        ComputationGraph graph = init(conf);
        ComputationGraph plain = init(conf);
        Acceleration.attach(graph);
        for (ComputationGraph each : List.of(graph, plain)) {
            Nd4j.getRandom().setSeed(SEED);
            evaluate(each, batch(16, SEED));
        }
        assertThat(difference(
                        graph.gradient().gradient(), plain.gradient().gradient().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
    }

    @Test
    void notANumberIsNeverHidden() {
        for (ComputationGraphConfiguration conf : List.of(residual(), branches())) {
            ComputationGraph graph = init(conf);
            Acceleration.attach(graph);
            DataSet data = batch(4, SEED);
            data.getFeatures().putScalar(100, Double.NaN);
            evaluate(graph, data);
            assertThat(graph.score()).isNaN();
        }
    }

    @Test
    void verticesAreExchangedAndPutBack(@TempDir Path folder) throws IOException {
        ComputationGraph graph = init(branches());
        GraphVertex[] before = graph.getVertices().clone();
        GraphVertex merged = graph.getVertex("merged");
        Acceleration.attach(graph);
        Acceleration.attach(graph);
        assertThat(graph.getVertex("merged"))
                .isNotSameAs(merged)
                .isSameAs(graph.getVertices()[merged.getVertexIndex()]);
        assertThat(graph.getVertex("sum").getClass())
                .isNotEqualTo(before[graph.getVertex("sum").getVertexIndex()].getClass());
        graph.fit(batch(8, 1));
        File file = folder.resolve("net.zip").toFile();
        ModelSerializer.writeModel(graph, file, true);
        for (ComputationGraph each : List.of(ModelSerializer.restoreComputationGraph(file, true), graph.clone())) {
            for (GraphVertex vertex : each.getVertices()) {
                assertThat(vertex.getClass().getPackageName()).startsWith("org.deeplearning4j");
            }
            assertThat(each.params()).isEqualTo(graph.params());
        }
        Acceleration.detach(graph);
        Acceleration.detach(graph);
        for (int i = 0; i < before.length; i++) {
            assertThat(graph.getVertices()[i]).isSameAs(before[i]).isSameAs(graph.getVertex(before[i].getVertexName()));
        }
        graph.fit(batch(8, 2));
    }
}
