package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Reproduces: a network's updater takes its own gradient for another network's in every step. See docs/upstream.md. */
public final class GradientTakenForAnothers {

    private GradientTakenForAnothers() {}

    public static void main(String[] args) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .list()
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        network.setInput(Nd4j.ones(DataType.FLOAT, 4, 3));
        network.setLabels(Nd4j.ones(DataType.FLOAT, 4, 2));
        network.computeGradientAndScore();
        // BaseMultiLayerUpdater.update: isExternal = gradient.gradient() != getFlattenedGradientsView()
        boolean external = network.gradient().gradient() != network.getFlattenedGradients();
        boolean sameMemory = network.gradient().gradient().data().pointer().address()
                == network.getFlattenedGradients().data().pointer().address();
        System.out.println("the gradient lies in the network's own array:  " + sameMemory);
        System.out.println("the updater takes it for another network's:    " + external);
    }
}
