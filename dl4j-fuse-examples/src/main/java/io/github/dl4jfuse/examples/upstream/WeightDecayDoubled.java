package io.github.dl4jfuse.examples.upstream;

import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Reproduces: weight decay that is set on the network's builder is applied twice; set on each layer, once. See
 * docs/upstream.md.
 */
public final class WeightDecayDoubled {

    private WeightDecayDoubled() {}

    public static void main(String[] args) {
        print("weightDecay(0.1) on the network's builder", builder -> builder.weightDecay(0.1), layer -> {});
        print("weightDecay(0.1) on the layer", builder -> {}, layer -> layer.weightDecay(0.1));
    }

    private static void print(
            String name, Consumer<NeuralNetConfiguration.Builder> network, Consumer<OutputLayer.Builder> layer) {
        NeuralNetConfiguration.Builder builder =
                new NeuralNetConfiguration.Builder().seed(1).updater(new Adam());
        network.accept(builder);
        OutputLayer.Builder output =
                new OutputLayer.Builder(LossFunction.MCXENT).nIn(4).nOut(3).activation(Activation.SOFTMAX);
        layer.accept(output);
        MultiLayerNetwork made =
                new MultiLayerNetwork(builder.list().layer(output.build()).build());
        made.init();
        System.out.printf(
                "%-43s penalty %.4f from %d regularization(s)%n",
                name + ":",
                made.calcRegularizationScore(true),
                made.getLayer(0).getConfig().getRegularizationByParam("W").size());
    }
}
