package io.github.dl4jfuse.examples.upstream;

import java.util.Random;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Reproduces: DL4J's {@code OptimizationAlgorithm.LBFGS} stops moving after a few iterations on a small smooth problem
 * (150 examples, full batch, 67 parameters) that plain gradient descent goes on improving. See docs/upstream.md.
 */
public final class LbfgsFreezes {

    private static final int[] CHECKPOINTS = {0, 1, 2, 5, 20, 100};

    private LbfgsFreezes() {}

    public static void main(String[] args) {
        DataSet data = data();
        for (OptimizationAlgorithm algorithm : new OptimizationAlgorithm[] {
            OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT, OptimizationAlgorithm.LBFGS
        }) {
            MultiLayerNetwork network = network(algorithm);
            StringBuilder scores = new StringBuilder();
            INDArray before = network.params().dup();
            int iteration = 0;
            for (int checkpoint : CHECKPOINTS) {
                for (; iteration < checkpoint; iteration++) {
                    before = network.params().dup();
                    network.fit(data);
                }
                scores.append(String.format(" %d: %.3f", checkpoint, network.score(data)));
            }
            System.out.printf(
                    "%-28s loss after iteration%s; last step |dx| = %s%n",
                    algorithm, scores, network.params().sub(before).norm2Number());
        }
    }

    private static MultiLayerNetwork network(OptimizationAlgorithm algorithm) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(12345)
                .optimizationAlgo(algorithm)
                .updater(new Sgd(1.0))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(8)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(8)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        return network;
    }

    /** Three Gaussian clouds of 50 points each. */
    private static DataSet data() {
        Random random = new Random(1);
        INDArray features = Nd4j.zeros(150, 4);
        INDArray labels = Nd4j.zeros(150, 3);
        for (int i = 0; i < 150; i++) {
            labels.putScalar(i, i % 3, 1);
            for (int j = 0; j < 4; j++) {
                features.putScalar(i, j, random.nextGaussian() + (j == i % 3 ? 2 : 0));
            }
        }
        return new DataSet(features, labels);
    }
}
