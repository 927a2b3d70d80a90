package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.network.NetworkParameter;
import io.github.dl4jfuse.network.StochasticLayers;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network in evaluation mode, stage by stage: inputs forwards, and cotangents of the outputs backwards. A stack of k
 * cotangents for a batch of b examples is an array of k b rows, one cotangent after the other. Dropout and weight noise are
 * off, BatchNorm uses its running statistics, so that examples do not see each other.
 */
final class LayerGraph {

    /** Index of the first network input among the {@link LayerNode#inputs}; the next ones count on downwards. */
    private static final int FEATURES = -1;

    private final Model model;
    private final List<LayerNode> stages = new ArrayList<>();
    private int examples;
    private long widest;

    LayerGraph(Model model) {
        this.model = model;
        List<NetworkParameter> parameters = NetworkParameter.of(model);
        if (model instanceof MultiLayerNetwork network) {
            Layer[] layers = network.getLayers();
            for (int i = 0; i < layers.length; i++) {
                InputPreProcessor before = network.getLayerWiseConfigurations().getInputPreProcess(i);
                add(NodeFactory.of(layers[i], layers[i], before, i == layers.length - 1, parameters), i - 1);
            }
        } else {
            addVertices((ComputationGraph) model, parameters);
        }
        for (LayerNode stage : stages) {
            stage.needsCotangent = stage.isTrained();
            for (int input : stage.inputs) {
                stage.passesOn |= input >= 0 && stages.get(input).needsCotangent;
            }
            stage.needsCotangent |= stage.passesOn;
        }
    }

    private void addVertices(ComputationGraph graph, List<NetworkParameter> parameters) {
        if (graph.getNumOutputArrays() != 1) {
            throw new IllegalStateException("The geometry of the outputs is understood for one output, this graph has "
                    + graph.getNumOutputArrays() + ".");
        }
        GraphVertex[] vertices = graph.getVertices();
        int[] places = new int[vertices.length];
        List<String> inputNames = graph.getConfiguration().getNetworkInputs();
        String outputName = graph.getConfiguration().getNetworkOutputs().get(0);
        for (int index : graph.topologicalSortOrder()) {
            GraphVertex vertex = vertices[index];
            if (vertex.isInputVertex()) {
                places[index] = FEATURES - inputNames.indexOf(vertex.getVertexName());
                continue;
            }
            VertexIndices[] from = vertex.getInputVertices();
            int[] inputs = new int[from.length];
            for (int i = 0; i < from.length; i++) {
                inputs[i] = places[from[i].getVertexIndex()];
            }
            places[index] = stages.size();
            boolean last = vertex.getVertexName().equals(outputName);
            LayerNode stage = vertex instanceof LayerVertex layerVertex
                    ? NodeFactory.of(vertex.getLayer(), vertex, layerVertex.getLayerPreProcessor(), last, parameters)
                    : new LayerNode.OfVertex(vertex, parameters);
            add(stage, inputs);
        }
        if (!vertices[graph.topologicalSortOrder()[vertices.length - 1]]
                .getVertexName()
                .equals(outputName)) {
            throw new IllegalStateException(
                    "The graph has vertices behind its output \"" + outputName + "\": remove them.");
        }
    }

    private void add(LayerNode stage, int... inputs) {
        stage.inputs = inputs;
        stages.add(stage);
    }

    List<LayerNode> stages() {
        return stages;
    }

    /** Returns the stage that gives the outputs. */
    OutputNode output() {
        return (OutputNode) stages.get(stages.size() - 1);
    }

    /** Returns the most numbers that a stage makes of an example, after {@link #forward}. */
    long widest() {
        return widest;
    }

    /** Computes the outputs x, [b, Q], and keeps what a backward pass needs. */
    INDArray forward(INDArray[] features) {
        examples = (int) features[0].size(0);
        widest = 0;
        List<StochasticLayers> noise = stages.stream()
                .filter(stage -> stage.layer() != null)
                .flatMap(stage -> StochasticLayers.switchOff(stage.layer()).stream())
                .toList();
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray[] outputs = new INDArray[stages.size()];
            for (int i = 0; i < outputs.length; i++) {
                LayerNode stage = stages.get(i);
                INDArray[] inputs = new INDArray[stage.inputs.length];
                for (int j = 0; j < inputs.length; j++) {
                    int from = stage.inputs[j];
                    inputs[j] = from >= 0
                            ? outputs[from]
                            : features[FEATURES - from].castTo(model.params().dataType());
                }
                outputs[i] = stage.forward(inputs, examples);
                widest = Math.max(widest, outputs[i].length() / examples);
            }
            return outputs[outputs.length - 1];
        } finally {
            noise.forEach(StochasticLayers::restore);
        }
    }

    /**
     * Takes a stack of cotangents backwards, after {@link #forward}.
     *
     * @param cotangents [k b, Q]
     * @param known is told of each trained stage with a formula of its own, with the cotangents of its pre-activations
     * @param others is told of each other trained stage, with DL4J's gradient summed over the batch; k must be 1
     */
    void backward(INDArray cotangents, BiConsumer<LayerNode, INDArray> known, BiConsumer<LayerNode, Gradient> others) {
        List<StochasticLayers> noise = stages.stream()
                .filter(stage -> stage.layer() != null)
                .flatMap(stage -> StochasticLayers.switchOff(stage.layer()).stream())
                .toList();
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray[] pending = new INDArray[stages.size()];
            pending[pending.length - 1] = cotangents;
            for (int i = pending.length - 1; i >= 0; i--) {
                LayerNode stage = stages.get(i);
                if (pending[i] == null || !stage.needsCotangent) {
                    continue;
                }
                INDArray[] passed = stage.backward(pending[i], examples, known, others);
                pending[i] = null;
                for (int j = 0; stage.passesOn && j < stage.inputs.length; j++) {
                    int to = stage.inputs[j];
                    if (to >= 0 && stages.get(to).needsCotangent) {
                        pending[to] = pending[to] == null ? passed[j] : pending[to].add(passed[j]);
                    }
                }
            }
        } finally {
            noise.forEach(StochasticLayers::restore);
        }
    }
}
