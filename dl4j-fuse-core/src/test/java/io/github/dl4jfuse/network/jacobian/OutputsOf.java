package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.network.NetworkParameter;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks of all kinds of layers, with features for them. */
@SuppressWarnings("ImmutableEnumChecker") // constants of a test
enum OutputsOf {
    DENSE(() -> layers(InputType.feedForward(5), softmax(), dense(6), dense(4)), 5),
    TANH_OUTPUT(
            () -> layers(
                    InputType.feedForward(5),
                    new OutputLayer.Builder(LossFunction.MSE)
                            .nOut(3)
                            .activation(Activation.TANH)
                            .build(),
                    dense(6)),
            5),
    WITHOUT_BIAS(
            () -> layers(
                    InputType.feedForward(5),
                    new OutputLayer.Builder(LossFunction.L2)
                            .nOut(3)
                            .activation(Activation.IDENTITY)
                            .hasBias(false)
                            .build(),
                    new DenseLayer.Builder().nOut(6).hasBias(false).build()),
            5),
    LAYER_NORM(
            () -> layers(
                    InputType.feedForward(5),
                    softmax(),
                    new DenseLayer.Builder().nOut(6).hasLayerNorm(true).build()),
            5),
    LOSS_LAYER(
            () -> layers(
                    InputType.feedForward(5),
                    new LossLayer.Builder(LossFunction.MCXENT)
                            .activation(Activation.SOFTMAX)
                            .build(),
                    dense(6),
                    dense(3)),
            5),
    CONVOLUTION(
            () -> layers(
                    InputType.convolutional(7, 6, 2),
                    softmax(),
                    new ConvolutionLayer.Builder(3, 3)
                            .convolutionMode(ConvolutionMode.Same)
                            .nOut(3)
                            .build(),
                    new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build(),
                    new ConvolutionLayer.Builder(2, 2)
                            .stride(1, 2)
                            .nOut(4)
                            .activation(Activation.IDENTITY)
                            .build(),
                    new BatchNormalization(),
                    new ActivationLayer(Activation.SIGMOID),
                    dense(5)),
            2,
            7,
            6),
    FROZEN_CONVOLUTION(
            () -> layers(
                    InputType.convolutional(5, 4, 1),
                    softmax(),
                    new ConvolutionLayer.Builder(2, 2).nOut(2).build(),
                    new FrozenLayer.Builder()
                            .layer(new ConvolutionLayer.Builder(2, 2).nOut(3).build())
                            .build()),
            1,
            5,
            4),
    CHANNELS_LAST(
            () -> layers(
                    InputType.convolutional(5, 4, 2, CNN2DFormat.NHWC),
                    softmax(),
                    new ConvolutionLayer.Builder(2, 2)
                            .nOut(3)
                            .dataFormat(CNN2DFormat.NHWC)
                            .build(),
                    new BatchNormalization.Builder()
                            .dataFormat(CNN2DFormat.NHWC)
                            .build()),
            5,
            4,
            2),
    AVERAGE_POOLING(
            () -> layers(
                    InputType.convolutional(6, 6, 1),
                    softmax(),
                    new ConvolutionLayer.Builder(3, 3).nOut(3).hasBias(false).build(),
                    new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.AVG)
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .build()),
            1,
            6,
            6),
    BATCH_NORM(
            () -> layers(
                    InputType.feedForward(5),
                    softmax(),
                    dense(6),
                    new BatchNormalization.Builder().useLogStd(true).build(),
                    dense(4),
                    new BatchNormalization.Builder().lockGammaBeta(true).build()),
            5),
    LSTM_LAST_STEP(
            () -> layers(
                    InputType.recurrent(3, 5),
                    softmax(),
                    new LastTimeStep(new LSTM.Builder().nOut(4).build()),
                    dense(4)),
            3,
            5),
    LSTM_POOLED(
            () -> layers(
                    InputType.recurrent(3, 5),
                    softmax(),
                    new LSTM.Builder().nOut(4).build(),
                    new GlobalPoolingLayer.Builder().build()),
            3,
            5),
    LSTM_BEFORE_FROZEN(
            () -> layers(
                    InputType.recurrent(3, 5),
                    softmax(),
                    new LastTimeStep(new LSTM.Builder().nOut(4).build()),
                    new FrozenLayer.Builder().layer(dense(4)).build()),
            3,
            5),
    DENSE_IN_TIME(
            () -> layers(
                    InputType.recurrent(3, 5),
                    softmax(),
                    dense(4),
                    new LSTM.Builder().nOut(3).build(),
                    new GlobalPoolingLayer.Builder().build()),
            3,
            5),
    /** Without a trained recurrent layer, so that it is the dense one's rows, examples times steps, that have no formula. */
    DENSE_IN_TIME_BEFORE_FROZEN(
            () -> layers(
                    InputType.recurrent(3, 5),
                    softmax(),
                    dense(4),
                    new FrozenLayer.Builder()
                            .layer(new LSTM.Builder().nOut(3).build())
                            .build(),
                    new GlobalPoolingLayer.Builder().build()),
            3,
            5),
    /** One layer for both inputs, so that its rows are twice the examples. */
    SHARED(OutputsOf::shared, 5),
    EMBEDDING(
            () -> layers(
                    null,
                    new OutputLayer.Builder(LossFunction.MCXENT)
                            .activation(Activation.SOFTMAX)
                            .nIn(4)
                            .nOut(3)
                            .build(),
                    new EmbeddingLayer.Builder()
                            .nIn(7)
                            .nOut(4)
                            .hasBias(true)
                            .activation(Activation.TANH)
                            .build()),
            1),
    FROZEN(
            () -> layers(
                    InputType.feedForward(5),
                    softmax(),
                    dense(4),
                    new FrozenLayer.Builder().layer(dense(6)).build(),
                    dense(4)),
            5),
    GRAPH(OutputsOf::graph, 5);

    final Supplier<Model> model;
    final long[] shape;

    OutputsOf(Supplier<Model> model, long... shape) {
        this.model = model;
        this.shape = shape;
    }

    DataSet data() {
        Random random = new Random(NetworkOutputsTest.SEED);
        long[] all = new long[shape.length + 1];
        all[0] = NetworkOutputsTest.EXAMPLES;
        System.arraycopy(shape, 0, all, 1, shape.length);
        INDArray features = Nd4j.zeros(DataType.DOUBLE, all);
        INDArray flat = features.reshape(features.length());
        for (int i = 0; i < flat.length(); i++) {
            flat.putScalar(i, this == EMBEDDING ? random.nextInt(7) : random.nextGaussian());
        }
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, NetworkOutputsTest.EXAMPLES, 3);
        for (int i = 0; i < NetworkOutputsTest.EXAMPLES; i++) {
            labels.putScalar(i, random.nextInt(3), 1);
        }
        return new DataSet(features, labels);
    }

    static DenseLayer dense(int size) {
        return new DenseLayer.Builder().nOut(size).build();
    }

    static OutputLayer softmax() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .activation(Activation.SOFTMAX)
                .nOut(3)
                .build();
    }

    static NeuralNetConfiguration.Builder builder() {
        return new NeuralNetConfiguration.Builder()
                .seed(NetworkOutputsTest.SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1))
                .activation(Activation.TANH);
    }

    static MultiLayerNetwork layers(
            InputType input,
            org.deeplearning4j.nn.conf.layers.Layer last,
            org.deeplearning4j.nn.conf.layers.Layer... layers) {
        var list = builder().list();
        List.of(layers).forEach(list::layer);
        list.layer(last);
        if (input != null) {
            list.setInputType(input);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        disturb(network);
        return network;
    }

    /** Makes biases and BatchNorm's statistics something else than 0 and 1. */
    private static void disturb(Model model) {
        Random random = new Random(NetworkOutputsTest.SEED);
        for (NetworkParameter parameter : NetworkParameter.of(model)) {
            INDArray values = parameter.values();
            INDArray flat = parameter.slice(parameters(model));
            for (long i = 0; i < flat.length(); i++) {
                flat.putScalar(i, flat.getDouble(i) + (values.length() > 12 ? 0.2 : 0.3) * random.nextDouble());
            }
        }
    }

    private static ComputationGraph graph() {
        ComputationGraph graph = new ComputationGraph(builder()
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(5))
                .addLayer("left", dense(4), "in")
                .addLayer("right", dense(4), "in")
                .addLayer("norm", new BatchNormalization(), "right")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Product), "left", "norm")
                .addLayer("out", softmax(), "sum", "left")
                .setOutputs("out")
                .build());
        graph.init();
        disturb(graph);
        return graph;
    }

    private static ComputationGraph shared() {
        ComputationGraph graph = new ComputationGraph(builder()
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(5))
                .addVertex("half", new ScaleVertex(0.5), "in")
                .addVertex("both", new StackVertex(), "in", "half")
                .addLayer("dense", dense(4), "both")
                .addVertex("first", new UnstackVertex(0, 2), "dense")
                .addVertex("second", new UnstackVertex(1, 2), "dense")
                .addLayer("out", softmax(), "first", "second")
                .setOutputs("out")
                .build());
        graph.init();
        disturb(graph);
        return graph;
    }

    static INDArray parameters(Model model) {
        return model.params().reshape(model.numParams());
    }
}
