package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedFacility.STEPS;
import static io.github.dl4jfuse.acceleration.AttachedFacility.assertDl4js;
import static io.github.dl4jfuse.acceleration.AttachedFacility.dense;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.output;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/** Graphs of all shapes, and each thing to do with one, are attached as they were before. */
class AttachedGraphsTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    static List<AttachedFacility> shapes() {
        return List.of(
                trained(
                        "the input goes to two layers",
                        graph -> graph.addLayer("a", conv(3), "in")
                                .addLayer("b", conv(3), "in")
                                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "b")
                                .addLayer("out", output(), "sum")),
                trained(
                        "a first layer's output goes three ways",
                        graph -> graph.addLayer("a", conv(3), "in")
                                .addLayer("b", conv(3), "a")
                                .addLayer("c", pooling(PoolingType.MAX, 2, 1, 0), "a")
                                .addLayer("d", dense(5), "a")
                                .addLayer("e", dense(5), "b")
                                .addLayer("f", dense(5), "c")
                                .addVertex("all", new MergeVertex(), "d", "e", "f")
                                .addLayer("out", output(), "all")),
                trained(
                        "images merged",
                        graph -> graph.addLayer("a", conv(3), "in")
                                .addLayer("b", conv(2), "in")
                                .addVertex("all", new MergeVertex(), "a", "b")
                                .addLayer("c", conv(3), "all")
                                .addVertex("product", new ElementWiseVertex(ElementWiseVertex.Op.Product), "a", "c")
                                .addLayer("out", output(), "product")),
                trained(
                        "one layer for two inputs",
                        graph -> graph.addLayer("a", conv(3), "in")
                                .addVertex("twice", new StackVertex(), "a", "a")
                                .addLayer("b", conv(4), "twice")
                                .addVertex("one", new UnstackVertex(0, 2), "b")
                                .addVertex("other", new UnstackVertex(1, 2), "b")
                                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Average), "one", "other")
                                .addLayer("out", output(), "sum")),
                trained(
                        "a vector in parts",
                        graph -> graph.addLayer("a", dense(6), "in")
                                .addVertex("first", new SubsetVertex(0, 2), "a")
                                .addVertex("last", new SubsetVertex(3, 5), "a")
                                .addLayer("b", dense(4), "first")
                                .addVertex("scaled", new ScaleVertex(0.5), "last")
                                .addLayer("c", dense(4), "scaled")
                                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Max), "b", "c")
                                .addLayer("out", output(), "sum")),
                trained(
                        "noise behind a vertex that changes nothing",
                        graph -> graph.addLayer("a", dense(6), "in")
                                .addVertex("same", new ReshapeVertex(-1, 6), "a")
                                .addLayer("b", noisy(5), "same")
                                .addLayer("out", output(), "b")),
                trained(
                        "noise behind a vertex that flattens",
                        graph -> graph.addLayer("a", conv(3), "in")
                                .addVertex(
                                        "flat", new PreprocessorVertex(new CnnToFeedForwardPreProcessor(9, 8, 3)), "a")
                                .addLayer("b", noisy(5), "flat")
                                .addLayer("out", output(), "b")),
                trained(
                        "noise behind layers that do nothing",
                        graph -> graph.addLayer("a", dense(6), "in")
                                .addLayer("none", nothing(), "a")
                                .addLayer("b", noisy(5), "none")
                                .addLayer("out", output(), "b")),
                new AttachedFacility("noise behind a branch", AttachedGraphsTest::noisyBranch));
    }

    static List<AttachedFacility> facilities() {
        return List.of(
                new AttachedFacility("attached and detached in turn", AttachedGraphsTest::inTurn),
                new AttachedFacility("copies and another rate", AttachedGraphsTest::copied),
                new AttachedFacility("transfer learning", AttachedGraphsTest::transferred),
                new AttachedFacility("external errors", AttachedGraphsTest::externalErrors),
                new AttachedFacility("what listeners see", AttachedGraphsTest::seen),
                new AttachedFacility("predictions of all kinds", AttachedGraphsTest::predicted),
                new AttachedFacility("without workspaces", AttachedGraphsTest::withoutWorkspaces));
    }

    @ParameterizedTest
    @MethodSource({"shapes", "facilities"})
    void attachedItIsAsBefore(AttachedFacility facility) {
        facility.assertThatItIsAsBefore();
    }

    private static org.deeplearning4j.nn.conf.layers.Layer conv(int channels) {
        return convolution(3, channels, Activation.TANH)
                .convolutionMode(ConvolutionMode.Same)
                .build();
    }

    /** In place, where DL4J allows it, on what its input is. */
    private static DenseLayer noisy(int outputs) {
        return new DenseLayer.Builder()
                .nOut(outputs)
                .activation(Activation.TANH)
                .dropOut(new GaussianNoise(0.5))
                .build();
    }

    /** Hands on its very input. */
    private static DropoutLayer nothing() {
        return new DropoutLayer.Builder((IDropout) null).build();
    }

    private static ComputationGraph graph(IUpdater updater, WorkspaceMode mode, UnaryOperator<GraphBuilder> shape) {
        GraphBuilder empty = builder(updater)
                .trainingWorkspaceMode(mode)
                .inferenceWorkspaceMode(mode)
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(9, 8, 2));
        ComputationGraph graph =
                new ComputationGraph(shape.apply(empty).setOutputs("out").build());
        graph.init();
        return graph;
    }

    /** Two branches, a sum, and what comes behind. */
    private static ComputationGraph branched(IUpdater updater, WorkspaceMode mode) {
        return graph(
                updater,
                mode,
                graph -> graph.addLayer("a", conv(3), "in")
                        .addLayer("b", conv(3), "a")
                        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "b")
                        .addLayer("pool", pooling(PoolingType.AVG, 2, 2, 0), "sum")
                        .addLayer("dense", dense(6), "pool")
                        .addLayer("out", output(), "dense"));
    }

    private static ComputationGraph branched() {
        return branched(new Nesterovs(0.01, 0.9), WorkspaceMode.ENABLED);
    }

    private static AttachedFacility trained(String name, UnaryOperator<GraphBuilder> shape) {
        return new AttachedFacility(name, attach -> {
            ComputationGraph graph = graph(new Sgd(0.05), WorkspaceMode.ENABLED, shape);
            attach.accept(graph);
            return results(train(graph, STEPS));
        });
    }

    private static ComputationGraph train(ComputationGraph graph, int steps) {
        for (int step = 0; step < steps; step++) {
            Nd4j.getRandom().setSeed(SEED + step);
            graph.fit(batch(step % 3 == 2 ? 5 : 8, step));
        }
        return graph;
    }

    private static List<INDArray> results(ComputationGraph graph) {
        return List.of(graph.params(), graph.outputSingle(batch(6, SEED).getFeatures()));
    }

    /** DL4J would put the noise on the other branch's input as well, before its backward pass. */
    private static List<INDArray> noisyBranch(Consumer<Model> attach) {
        ComputationGraph graph = graph(
                new Sgd(0.05),
                WorkspaceMode.ENABLED,
                shape -> shape.addLayer("a", dense(6), "in")
                        .addLayer("b", dense(5), "a")
                        .addLayer("c", noisy(5), "a")
                        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Subtract), "b", "c")
                        .addLayer("out", output(), "sum"));
        graph.getLayer("c").allowInputModification(false);
        attach.accept(graph);
        return results(train(graph, STEPS));
    }

    private static List<INDArray> inTurn(Consumer<Model> attach) {
        ComputationGraph graph = train(branched(), 2);
        for (int turn = 0; turn < 2; turn++) {
            attach.accept(graph);
            attach.accept(graph);
            train(graph, 3);
            Acceleration.detach(graph);
            Acceleration.detach(graph);
            train(graph, 1);
            assertDl4js(graph.getLayers());
        }
        return results(graph);
    }

    private static List<INDArray> copied(Consumer<Model> attach) {
        ComputationGraph graph = branched();
        attach.accept(graph);
        train(graph, 3);
        List<INDArray> results = new ArrayList<>();
        try {
            ByteArrayOutputStream saved = new ByteArrayOutputStream();
            ModelSerializer.writeModel(graph, saved, true);
            ComputationGraph back =
                    ModelSerializer.restoreComputationGraph(new ByteArrayInputStream(saved.toByteArray()), true);
            for (ComputationGraph copy : List.of(back, graph.clone())) {
                assertDl4js(copy.getLayers());
                attach.accept(copy);
                copy.setLearningRate(0.003);
                results.addAll(results(train(copy, 3)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        graph.setLearningRate("dense", 0.003);
        results.addAll(results(train(graph, 3)));
        return results;
    }

    private static List<INDArray> transferred(Consumer<Model> attach) {
        ComputationGraph graph = branched();
        attach.accept(graph);
        train(graph, 3);
        ComputationGraph other = new TransferLearning.GraphBuilder(graph)
                .fineTuneConfiguration(new FineTuneConfiguration.Builder()
                        .updater(new Sgd(0.05))
                        .build())
                .setFeatureExtractor("sum")
                .build();
        assertDl4js(other.getLayers());
        attach.accept(other);
        INDArray frozen = other.getLayer("b").getParam("W").dup();
        train(other, STEPS);
        assertThat(other.getLayer("b").getParam("W")).isEqualTo(frozen);
        return results(other);
    }

    private static List<INDArray> externalErrors(Consumer<Model> attach) {
        ComputationGraph graph = graph(
                new Sgd(0.05),
                WorkspaceMode.ENABLED,
                shape -> shape.addLayer("a", conv(3), "in")
                        .addLayer("b", conv(3), "a")
                        .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "b")
                        .addLayer("out", dense(3), "sum"));
        attach.accept(graph);
        List<INDArray> results = new ArrayList<>();
        for (int step = 0; step < 4; step++) {
            DataSet data = batch(8, step);
            Map<String, INDArray> all = graph.feedForward(new INDArray[] {data.getFeatures()}, true, false);
            Gradient gradient = graph.backpropGradient(all.get("out").sub(data.getLabels()));
            results.add(gradient.gradient().dup());
            graph.getUpdater().update(gradient, step, 0, 8, LayerWorkspaceMgr.noWorkspaces());
            graph.params().subi(gradient.gradient());
        }
        results.addAll(results(graph));
        return results;
    }

    /** Activations between forward and backward pass, and each layer's input when the backward pass is over. */
    private static List<INDArray> seen(Consumer<Model> attach) {
        ComputationGraph graph = branched();
        attach.accept(graph);
        List<INDArray> results = new ArrayList<>();
        graph.setListeners(new BaseTrainingListener() {
            @Override
            public void onForwardPass(Model model, Map<String, INDArray> activations) {
                new TreeMap<>(activations)
                        .values()
                        .forEach(each -> results.add(each.dup().detach()));
            }

            @Override
            public void onBackwardPass(Model model) {
                for (Layer layer : graph.getLayers()) {
                    results.add(layer.input().dup().detach());
                }
            }
        });
        train(graph, 3);
        return results;
    }

    private static List<INDArray> predicted(Consumer<Model> attach) {
        ComputationGraph graph = branched();
        attach.accept(graph);
        List<DataSet> batches = List.of(batch(8, 1), batch(8, 2), batch(3, 3));
        graph.fit(new ExistingDataSetIterator(batches), 2);
        DataSet data = batch(7, SEED);
        List<INDArray> results = new ArrayList<>(results(graph));
        for (boolean training : new boolean[] {false, true}) {
            results.addAll(List.of(graph.output(training, data.getFeatures())));
            results.add(graph.scoreExamples(data, training));
            results.addAll(new TreeMap<>(graph.feedForward(data.getFeatures(), training)).values());
            results.addAll(
                    List.of(graph.output(List.of("a", "pool"), training, new INDArray[] {data.getFeatures()}, null)));
            results.add(Nd4j.scalar(graph.score(data, training)));
        }
        results.add(
                Nd4j.scalar(graph.evaluate(new ExistingDataSetIterator(batches)).accuracy()));
        return results;
    }

    private static List<INDArray> withoutWorkspaces(Consumer<Model> attach) {
        ComputationGraph graph = branched(new Sgd(0.05), WorkspaceMode.NONE);
        attach.accept(graph);
        return results(train(graph, STEPS));
    }
}
