package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Reproduces: dropout and noise on one branch of a graph also change what the other branch computes its gradient from. See
 * docs/upstream.md.
 */
public final class NoiseOnAnotherBranch {

    private static final double STEP = 1e-6;

    private NoiseOnAnotherBranch() {}

    public static void main(String[] args) {
        for (boolean allowed : new boolean[] {true, false}) {
            ComputationGraph graph = graph();
            if (!allowed) {
                graph.getLayer("noisy").allowInputModification(false);
            }
            double gradient = gradient(graph);
            INDArray weights = graph.getLayer("plain").getParam("W");
            double weight = weights.getDouble(0);
            double[] scores = new double[2];
            for (int i = 0; i < 2; i++) {
                weights.putScalar(0, weight + (2 * i - 1) * STEP);
                gradient(graph);
                scores[i] = graph.score();
            }
            System.out.printf(
                    "input modification %-9s gradient %.6f, by difference of the score %.6f%n",
                    allowed ? "as is:" : "off:", gradient, (scores[1] - scores[0]) / (2 * STEP));
        }
    }

    /** Returns the gradient for a weight of the branch without noise; the noise is the same each time. */
    private static double gradient(ComputationGraph graph) {
        Nd4j.getRandom().setSeed(1);
        graph.setInputs(Nd4j.linspace(DataType.DOUBLE, -1, 0.125, 20).reshape(5, 4));
        graph.setLabels(Nd4j.ones(DataType.DOUBLE, 5, 1));
        graph.computeGradientAndScore();
        return graph.gradient().getGradientFor("plain_W").getDouble(0) / 5; // the score is a mean
    }

    private static ComputationGraph graph() {
        ComputationGraph graph = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .activation(Activation.TANH)
                .graphBuilder()
                .addInputs("in")
                .addLayer("first", new DenseLayer.Builder().nIn(4).nOut(3).build(), "in")
                .addLayer("plain", new DenseLayer.Builder().nIn(3).nOut(2).build(), "first")
                .addLayer(
                        "noisy",
                        new DenseLayer.Builder()
                                .nIn(3)
                                .nOut(2)
                                .dropOut(new GaussianNoise(1))
                                .build(),
                        "first")
                .addVertex("both", new MergeVertex(), "plain", "noisy")
                .addLayer(
                        "out",
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nIn(4)
                                .nOut(1)
                                .activation(Activation.IDENTITY)
                                .build(),
                        "both")
                .setOutputs("out")
                .build());
        graph.init();
        return graph;
    }
}
