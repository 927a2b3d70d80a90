package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;

/** Reproduces: {@code ComputationGraph.numParams()} leaves out the parameters of vertices. See docs/upstream.md. */
public final class VertexParametersNotCounted {

    private VertexParametersNotCounted() {}

    public static void main(String[] args) {
        ComputationGraph graph = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .seed(1)
                .weightInit(WeightInit.XAVIER)
                .graphBuilder()
                .addInputs("in")
                .addVertex(
                        "attention",
                        new AttentionVertex.Builder()
                                .nInKeys(4)
                                .nInValues(4)
                                .nInQueries(4)
                                .nOut(4)
                                .nHeads(1)
                                .projectInput(true)
                                .weightInit(WeightInit.XAVIER)
                                .build(),
                        "in",
                        "in",
                        "in")
                .addLayer(
                        "out",
                        new RnnOutputLayer.Builder()
                                .nOut(2)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        "attention")
                .setOutputs("out")
                .setInputTypes(InputType.recurrent(4, 5))
                .build());
        graph.init();
        System.out.println(
                "params().length():                       " + graph.params().length());
        System.out.println("numParams():                             " + graph.numParams());
        System.out.println("numParams() of the vertex \"attention\":   "
                + graph.getVertex("attention").numParams());
    }
}
