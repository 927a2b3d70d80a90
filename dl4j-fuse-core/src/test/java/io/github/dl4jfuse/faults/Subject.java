package io.github.dl4jfuse.faults;

import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A small network, and data that it can learn. */
enum Subject {
    CLASSIFIER,
    REGRESSION,
    BATCH_NORM,
    CONVOLUTION,
    GRAPH,
    SEQUENCES;

    static final int CLASSES = 3;

    private static final int INPUTS = 6;
    private static final int SIDE = 5;
    private static final int TIMES = 4;

    Model network(IUpdater updater, long seed, DataType type) {
        NeuralNetConfiguration.Builder builder = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .dataType(type)
                .updater(updater)
                .activation(seed % 2 == 0 ? Activation.TANH : Activation.RELU);
        Model model = switch (this) {
            case CLASSIFIER -> stack(builder, dense(INPUTS, 8), dense(8, 6), classes(6));
            case REGRESSION ->
                stack(
                        builder,
                        dense(INPUTS, 8),
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nIn(8)
                                .nOut(CLASSES)
                                .activation(Activation.IDENTITY)
                                .build());
            case BATCH_NORM -> stack(builder, dense(INPUTS, 8), norm(8), dense(8, 6), classes(6));
            case CONVOLUTION -> convolution(builder);
            case GRAPH -> graph(builder);
            case SEQUENCES ->
                stack(
                        builder,
                        new LSTM.Builder()
                                .nIn(INPUTS)
                                .nOut(5)
                                .activation(Activation.TANH)
                                .build(),
                        new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                .nIn(5)
                                .nOut(CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        };
        model.init();
        return model;
    }

    private static Layer dense(int inputs, int outputs) {
        return new DenseLayer.Builder().nIn(inputs).nOut(outputs).build();
    }

    private static Layer norm(int width) {
        return new BatchNormalization.Builder().nIn(width).nOut(width).build();
    }

    private static OutputLayer classes(int inputs) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(inputs)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static Model stack(NeuralNetConfiguration.Builder builder, Layer... layers) {
        return new MultiLayerNetwork(builder.list(layers).build());
    }

    private static Model convolution(NeuralNetConfiguration.Builder builder) {
        return new MultiLayerNetwork(builder.list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(3).build())
                .layer(classes(27))
                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                .build());
    }

    private static Model graph(NeuralNetConfiguration.Builder builder) {
        return new ComputationGraph(builder.graphBuilder()
                .addInputs("in")
                .addLayer("left", dense(INPUTS, 5), "in")
                .addLayer("right", dense(INPUTS, 4), "in")
                .addLayer("norm", norm(4), "right")
                .addLayer("out", classes(9), "left", "norm")
                .setOutputs("out")
                .build());
    }

    /** Returns a batch whose labels a hidden linear map makes of the inputs, with little noise. */
    DataSet batch(int examples, long seed, DataType type) {
        Random random = new Random(seed);
        long[] shape = switch (this) {
            case CONVOLUTION -> new long[] {examples, 1, SIDE, SIDE};
            case SEQUENCES -> new long[] {examples, INPUTS, TIMES};
            default -> new long[] {examples, INPUTS};
        };
        int times = this == SEQUENCES ? TIMES : 1;
        int each = this == CONVOLUTION ? SIDE * SIDE : INPUTS;
        INDArray features = Nd4j.zeros(DataType.DOUBLE, examples, each, times);
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, examples, CLASSES, times);
        for (int i = 0; i < examples; i++) {
            for (int t = 0; t < times; t++) {
                double[] outputs = new double[CLASSES];
                for (int j = 0; j < each; j++) {
                    double x = random.nextGaussian();
                    features.putScalar(i, j, t, x);
                    outputs[j % CLASSES] += x / Math.sqrt(each);
                }
                for (int c = 0; c < CLASSES; c++) {
                    boolean largest = outputs[c] == Math.max(outputs[0], Math.max(outputs[1], outputs[2]));
                    labels.putScalar(i, c, t, this == REGRESSION ? Math.sin(2 * outputs[c]) : largest ? 1 : 0);
                }
            }
        }
        INDArray shaped = this == SEQUENCES ? labels : labels.reshape('c', examples, CLASSES);
        return new DataSet(features.reshape('c', shape).castTo(type), shaped.castTo(type));
    }

    static void fit(Model model, DataSet data) {
        if (model instanceof MultiLayerNetwork network) {
            network.fit(data);
        } else {
            ((ComputationGraph) model).fit(data);
        }
    }

    /** Returns the loss in training mode: for a while BatchNorm's running statistics remember a fault, under Adam too. */
    static double score(Model model, DataSet data) {
        return model instanceof MultiLayerNetwork network
                ? network.score(data, true)
                : ((ComputationGraph) model).score(data, true);
    }

    static void setLearningRate(Model model, double rate) {
        if (model instanceof MultiLayerNetwork network) {
            network.setLearningRate(rate);
        } else {
            ((ComputationGraph) model).setLearningRate(rate);
        }
    }
}
