package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.WeightNoise;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Reproduces: noise on biases, meant for training, is put on them in use, too. See docs/upstream.md. */
public final class BiasNoiseInUse {

    private BiasNoiseInUse() {}

    public static void main(String[] args) {
        for (boolean biases : new boolean[] {false, true}) {
            MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                    .seed(1)
                    .list()
                    .layer(new OutputLayer.Builder()
                            .nIn(4)
                            .nOut(3)
                            .activation(Activation.SOFTMAX)
                            .weightNoise(new WeightNoise(new NormalDistribution(0, 0.5), biases, true))
                            .build())
                    .build());
            network.init();
            INDArray features = Nd4j.ones(DataType.FLOAT, 1, 4);
            System.out.printf(
                    "applyToBias = %-6s output() twice: %s and %s%n",
                    biases + ",", network.output(features), network.output(features));
        }
    }
}
