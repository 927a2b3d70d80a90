package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Reproduces: batch normalization takes an activation function and never applies it. See docs/upstream.md. */
public final class BatchNormWithoutActivation {

    private BatchNormWithoutActivation() {}

    public static void main(String[] args) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(new BatchNormalization.Builder()
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder()
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(8, 8, 3))
                .build());
        network.init();
        Nd4j.getRandom().setSeed(1);
        INDArray normalized =
                network.feedForward(Nd4j.randn(DataType.FLOAT, 4, 3, 8, 8)).get(1);
        System.out.printf(
                "BatchNormalization with RELU: smallest output %.3f%n",
                normalized.minNumber().doubleValue());
    }
}
