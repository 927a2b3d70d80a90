package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedFacility.dense;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** LSTMs of ours and layers around them, with masks and truncated backpropagation through time, are as DL4J's. */
class AttachedSequencesTest {

    private static final int EXAMPLES = 5;
    private static final int INPUTS = 6;
    private static final int TIMES = 12;

    private enum Masks {
        NONE,
        OF_FEATURES,
        OF_LABELS,
        OF_BOTH
    }

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    static List<AttachedFacility> facilities() {
        List<AttachedFacility> all = new ArrayList<>();
        for (Masks masks : Masks.values()) {
            all.add(trained("time by time, masks: " + masks, masks, around().layer(outputs())));
            all.add(trained(
                    "dropout time by time, masks: " + masks,
                    masks,
                    list(WorkspaceMode.ENABLED)
                            .layer(dense(7))
                            .layer(new DenseLayer.Builder()
                                    .nOut(6)
                                    .activation(Activation.RELU)
                                    .dropOut(new Dropout(0.7))
                                    .build())
                            .layer(outputs())));
            all.add(trained("truncated, masks: " + masks, masks, truncated(around().layer(outputs()))));
        }
        all.add(trained(
                "pooled over time",
                Masks.OF_FEATURES,
                list(WorkspaceMode.ENABLED)
                        .layer(dense(7))
                        .layer(new GlobalPoolingLayer())
                        .layer(dense(5))
                        .layer(output())));
        all.add(trained(
                "the last time",
                Masks.OF_FEATURES,
                list(WorkspaceMode.ENABLED)
                        .layer(dense(7))
                        .layer(new Bidirectional(Bidirectional.Mode.ADD, lstm(4)))
                        .layer(new LastTimeStep(lstm(5)))
                        .layer(dense(5))
                        .layer(output())));
        all.add(new AttachedFacility("dropout layers", AttachedSequencesTest::dropoutLayers));
        all.add(trained(
                "an image at each time",
                Masks.NONE,
                truncated(list(WorkspaceMode.ENABLED)
                        .inputPreProcessor(0, new RnnToCnnPreProcessor(3, 2, 1))
                        .layer(new ConvolutionLayer.Builder(2, 2)
                                .nOut(3)
                                .activation(Activation.TANH)
                                .build())
                        .inputPreProcessor(1, new CnnToRnnPreProcessor(2, 1, 3))
                        .layer(lstm(4))
                        .layer(outputs()))));
        all.add(trained(
                "without workspaces",
                Masks.NONE,
                truncated(around(WorkspaceMode.NONE).layer(outputs()))));
        all.add(new AttachedFacility("attached in the middle of a sequence", AttachedSequencesTest::inTheMiddle));
        all.add(new AttachedFacility("step by step", AttachedSequencesTest::stepByStep));
        all.add(new AttachedFacility("a graph", AttachedSequencesTest::graph));
        all.add(new AttachedFacility("gradients by request", AttachedSequencesTest::gradients));
        return all;
    }

    @ParameterizedTest
    @MethodSource("facilities")
    void attachedItIsAsBefore(AttachedFacility facility) {
        facility.assertThatItIsAsBefore();
    }

    private static ListBuilder list(WorkspaceMode mode) {
        return builder(new Nesterovs(0.05, 0.9))
                .trainingWorkspaceMode(mode)
                .inferenceWorkspaceMode(mode)
                .list()
                .setInputType(InputType.recurrent(INPUTS));
    }

    private static ListBuilder around() {
        return around(WorkspaceMode.ENABLED);
    }

    private static ListBuilder around(WorkspaceMode mode) {
        return list(mode).layer(dense(7)).layer(lstm(4)).layer(dense(5));
    }

    private static LSTM lstm(int units) {
        return new LSTM.Builder().nOut(units).activation(Activation.TANH).build();
    }

    private static ListBuilder truncated(ListBuilder list) {
        list.backpropType(BackpropType.TruncatedBPTT).tBPTTLength(4);
        return list;
    }

    /** One for each time. */
    private static RnnOutputLayer outputs() {
        return new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static AttachedFacility trained(String name, Masks masks, ListBuilder conf) {
        return new AttachedFacility(name, attach -> {
            MultiLayerNetwork network = network(conf);
            attach.accept(network);
            train(network, 4, masks);
            INDArray features = batch(network, SEED, masks).getFeatures();
            return List.of(network.params(), network.output(features), network.output(features, false, mask(1), null));
        });
    }

    private static MultiLayerNetwork network(ListBuilder conf) {
        MultiLayerNetwork network = new MultiLayerNetwork(conf.build().clone());
        network.init();
        return network;
    }

    private static void train(MultiLayerNetwork network, int steps, Masks masks) {
        for (int step = 0; step < steps; step++) {
            Nd4j.getRandom().setSeed(SEED + step);
            network.fit(batch(network, step, masks));
        }
    }

    private static DataSet batch(MultiLayerNetwork network, long seed, Masks masks) {
        boolean ofSequences = network.getOutputLayer().conf().getLayer() instanceof RnnOutputLayer;
        DataSet data = batch(seed, ofSequences);
        if (masks == Masks.OF_FEATURES || masks == Masks.OF_BOTH) {
            data.setFeaturesMaskArray(mask(seed));
        }
        if (masks == Masks.OF_LABELS || masks == Masks.OF_BOTH) {
            data.setLabelsMaskArray(mask(seed + 1));
        }
        return data;
    }

    private static DataSet batch(long seed, boolean ofSequences) {
        Random random = new Random(seed);
        INDArray features = Nd4j.create(DataType.FLOAT, EXAMPLES, INPUTS, TIMES);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, random.nextGaussian());
        }
        INDArray labels = ofSequences
                ? Nd4j.create(DataType.FLOAT, EXAMPLES, 3, TIMES)
                : Nd4j.create(DataType.FLOAT, EXAMPLES, 3);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int time = 0; time < (ofSequences ? TIMES : 1); time++) {
                int[] where = ofSequences ? new int[] {i, random.nextInt(3), time} : new int[] {i, random.nextInt(3)};
                labels.putScalar(where, 1);
            }
        }
        return new DataSet(features, labels);
    }

    /** Sequences of several lengths. */
    private static INDArray mask(long seed) {
        Random random = new Random(seed);
        INDArray mask = Nd4j.create(DataType.FLOAT, EXAMPLES, TIMES);
        for (int i = 0; i < EXAMPLES; i++) {
            int length = 1 + random.nextInt(TIMES);
            mask.get(NDArrayIndex.point(i), NDArrayIndex.interval(0, length)).assign(1);
        }
        return mask;
    }

    /** DL4J's refuse masks of features. */
    private static List<INDArray> dropoutLayers(Consumer<Model> attach) {
        MultiLayerNetwork network = network(list(WorkspaceMode.ENABLED)
                .layer(lstm(4))
                .layer(new DropoutLayer.Builder(0.6).build())
                .layer(lstm(5))
                .layer(new DropoutLayer.Builder(0.7).build())
                .layer(outputs()));
        attach.accept(network);
        train(network, 4, Masks.OF_LABELS);
        return List.of(network.params(), network.output(batch(1, true).getFeatures()));
    }

    /** Between parts of one sequence the network is attached, then detached, then attached again. */
    private static List<INDArray> inTheMiddle(Consumer<Model> attach) {
        MultiLayerNetwork network = network(truncated(around().layer(outputs())));
        network.setListeners(new BaseTrainingListener() {
            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                if (iteration % 2 == 0) {
                    attach.accept(model);
                } else {
                    Acceleration.detach(model);
                }
            }
        });
        train(network, 3, Masks.OF_BOTH);
        return List.of(network.params());
    }

    private static List<INDArray> stepByStep(Consumer<Model> attach) {
        MultiLayerNetwork network = network(around().layer(outputs()));
        attach.accept(network);
        train(network, 2, Masks.NONE);
        INDArray features = batch(3, true).getFeatures();
        List<INDArray> results = new ArrayList<>();
        for (int sequence = 0; sequence < 2; sequence++) {
            network.rnnClearPreviousState();
            for (int time = 0; time < 3; time++) {
                results.add(network.rnnTimeStep(features.get(
                        NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(4 * time, 4 * time + 4))));
            }
        }
        assertThat(results.get(3)).isEqualTo(results.get(0));
        results.addAll(network.rnnActivateUsingStoredState(features, false, false));
        return results;
    }

    private static List<INDArray> graph(Consumer<Model> attach) {
        ComputationGraph graph = new ComputationGraph(builder(new Nesterovs(0.05, 0.9))
                .graphBuilder()
                .addInputs("in")
                .addLayer("lstm", lstm(4), "in") // DL4J cuts only what has no preprocessor
                .addLayer("dense", dense(7), "lstm")
                .addLayer("behind", dense(5), "dense")
                .addLayer("out", outputs(), "behind")
                .setOutputs("out")
                .backpropType(BackpropType.TruncatedBPTT)
                .tBPTTLength(4)
                .setInputTypes(InputType.recurrent(INPUTS))
                .build());
        graph.init();
        attach.accept(graph);
        for (int step = 0; step < 4; step++) {
            DataSet data = batch(step, true);
            data.setFeaturesMaskArray(mask(step));
            data.setLabelsMaskArray(mask(step));
            graph.fit(data);
        }
        INDArray features = batch(SEED, true).getFeatures();
        List<INDArray> results = new ArrayList<>(List.of(graph.params(), graph.outputSingle(features)));
        for (int time = 0; time < TIMES; time += 4) {
            results.add(graph.rnnTimeStep(features.get(
                    NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(time, time + 4)))[0]);
        }
        return results;
    }

    private static List<INDArray> gradients(Consumer<Model> attach) {
        MultiLayerNetwork network = network(around().layer(outputs()));
        attach.accept(network);
        DataSet data = batch(1, true);
        var asked = network.calculateGradients(data.getFeatures(), data.getLabels(), mask(1), mask(2));
        return List.of(asked.getFirst().gradient(), asked.getSecond());
    }
}
