package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Reproduces: in use an activation layer overwrites the activations of the layer before it. See docs/upstream.md. */
public final class ActivationOverwrites {

    private ActivationOverwrites() {}

    public static void main(String[] args) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new ActivationLayer(Activation.RELU))
                .layer(new OutputLayer.Builder()
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        INDArray features = Nd4j.ones(DataType.FLOAT, 1, 4);
        System.out.println("dense layer, feedForwardToLayer(0, ..): "
                + network.feedForwardToLayer(0, features).get(1));
        System.out.println("dense layer, feedForward(..):           "
                + network.feedForward(features).get(1));
    }
}
