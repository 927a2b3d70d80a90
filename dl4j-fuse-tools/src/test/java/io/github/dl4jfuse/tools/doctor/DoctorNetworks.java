package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.tools.networks.Networks;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks whose layers are measured. */
final class DoctorNetworks {

    static final int EXAMPLES = 4;

    private DoctorNetworks() {}

    /** Images of 3 x 10 x 8: convolution 3 x 3 to 5 channels, pooling, dense 6 with an activation that stays DL4J's, three classes. */
    static MultiLayerNetwork convolutional() {
        return Networks.network(
                Networks.builder(1, WeightInit.XAVIER, Activation.RELU)
                        .list()
                        .layer(new ConvolutionLayer.Builder(3, 3)
                                .name("conv")
                                .nOut(5)
                                .build())
                        .layer(Networks.pooling())
                        .layer(new DenseLayer.Builder()
                                .name("dense")
                                .nOut(6)
                                .activation(Activation.ELU)
                                .build())
                        .layer(Networks.classes(3).name("out").build())
                        .setInputType(InputType.convolutional(10, 8, 3))
                        .build(),
                new Adam());
    }

    /** Four inputs, a frozen dense layer of 5 in front, dense 6, three classes. */
    static MultiLayerNetwork frozen() {
        return Networks.network(
                Networks.builder(1, WeightInit.XAVIER, Activation.TANH)
                        .list()
                        .layer(new FrozenLayer.Builder()
                                .layer(new DenseLayer.Builder().nIn(4).nOut(5).build())
                                .build())
                        .layer(new DenseLayer.Builder().nIn(5).nOut(6).build())
                        .layer(Networks.classes(3).nIn(6).build())
                        .build(),
                new Adam());
    }

    /** Two numbers at each of 7 times: the last step of an LSTM of 3 units, three classes. */
    static MultiLayerNetwork recurrent() {
        return Networks.network(
                Networks.builder(1, WeightInit.XAVIER, Activation.TANH)
                        .list()
                        .layer(new LastTimeStep(
                                new LSTM.Builder().nIn(2).nOut(3).build()))
                        .layer(Networks.classes(3).nIn(3).build())
                        .build(),
                new Adam());
    }

    /** Two inputs of 4 numbers, a dense layer each, merged, and a classifier. */
    static ComputationGraph graph() {
        ComputationGraph graph = new ComputationGraph(Networks.builder(1, WeightInit.XAVIER, Activation.RELU)
                .updater(new Adam())
                .graphBuilder()
                .addInputs("left", "right")
                .addLayer("a", new DenseLayer.Builder().nIn(4).nOut(5).build(), "left")
                .addLayer("b", new DenseLayer.Builder().nIn(4).nOut(6).build(), "right")
                .addLayer("out", Networks.classes(3).nIn(11).build(), "a", "b")
                .setOutputs("out")
                .build());
        graph.init();
        return graph;
    }

    /** Doubles, which attached layers do not take. */
    static MultiLayerNetwork doubles() {
        return Networks.network(
                Networks.dense(
                        Networks.builder(1, WeightInit.XAVIER, Activation.TANH).dataType(DataType.DOUBLE),
                        4,
                        new int[] {5},
                        new OutputLayer.Builder(LossFunction.MSE).nOut(2).activation(Activation.IDENTITY)),
                new Adam());
    }

    /** Random examples with classes in turn. */
    static MultiDataSet batch(long[]... shapes) {
        Nd4j.getRandom().setSeed(7);
        INDArray[] features = new INDArray[shapes.length];
        for (int i = 0; i < shapes.length; i++) {
            features[i] = Nd4j.rand(shapes[i]);
        }
        INDArray labels = Nd4j.zeros(EXAMPLES, 3);
        for (int i = 0; i < EXAMPLES; i++) {
            labels.putScalar(i, i % 3, 1);
        }
        return new MultiDataSet(features, new INDArray[] {labels});
    }
}
