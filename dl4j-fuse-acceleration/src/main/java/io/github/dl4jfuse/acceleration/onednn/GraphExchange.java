package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.FastUpdater;
import java.util.Arrays;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.graph.vertex.impl.MergeVertex;

/**
 * {@link LayerExchange} for graphs, whose sums and mergers of images are exchanged too, where all that comes in comes from ours.
 *
 * <p>A vertex hands out images with their channels last if all that follow it take them so. Gradients it gets so from a single follower
 * alone: those of several DL4J adds, which takes twenty times longer in that order than a copy into c order and back.
 */
public final class GraphExchange {

    private GraphExchange() {}

    /** Exchanges what is covered in a graph in float. */
    public static void attach(ComputationGraph graph) {
        exchangeLayers(graph, LayerExchange::fast);
        for (int index : graph.topologicalSortOrder()) {
            put(graph, fast(graph, graph.getVertices()[index]));
        }
        boolean[] idle = idle(graph);
        for (GraphVertex vertex : graph.getVertices()) {
            if (layer(vertex) instanceof FastLayer fast) {
                fast.exchanged()
                        .neighbours()
                        .set(handsOutImages(graph, vertex), getsGradients(graph, vertex, 0), isFirst(vertex, idle));
                fast.exchanged().neighbours().freeze(LayerExchange.isFrozen(vertex.getLayer()));
                fast.exchanged().setBeforeBackward(() -> FastUpdater.attach(graph));
            } else if (vertex instanceof FastVertex fast) {
                for (int i = 0; i < vertex.getNumInputArrays(); i++) {
                    fast.neighbours(i).set(handsOutImages(graph, vertex), getsGradients(graph, vertex, i), false);
                }
            }
        }
        LayerExchange.keepInputs(graph.getLayers());
        FastUpdater.renew(graph, true);
    }

    /** Puts DL4J's layers and vertices back; what they may modify stays as it is, which costs memory alone. */
    public static void detach(ComputationGraph graph) {
        exchangeLayers(graph, LayerExchange::original);
        for (GraphVertex vertex : graph.getVertices().clone()) {
            if (vertex instanceof FastVertex fast) {
                for (int i = 0; i < vertex.getNumInputArrays(); i++) {
                    fast.neighbours(i).free();
                }
                put(graph, fast.original());
            }
        }
        FastUpdater.renew(graph, false);
    }

    private static void exchangeLayers(ComputationGraph graph, UnaryOperator<Layer> by) {
        Layer[] layers = graph.getLayers();
        for (GraphVertex vertex : graph.getVertices()) {
            if (!(vertex instanceof LayerVertex holder)) {
                continue;
            }
            Layer before = holder.getLayer();
            Layer after = by.apply(before);
            if (after == before) {
                continue;
            }
            holder.setLayer(after);
            for (int i = 0; i < layers.length; i++) {
                if (layers[i] == before) {
                    layers[i] = after;
                }
            }
        }
    }

    /** Returns the vertex of ours for one of DL4J's, or itself where there is none. */
    private static GraphVertex fast(ComputationGraph graph, GraphVertex vertex) {
        var conf = graph.getConfiguration().getVertices().get(vertex.getVertexName());
        boolean sum = vertex.getClass() == ElementWiseVertex.class
                && ((org.deeplearning4j.nn.conf.graph.ElementWiseVertex) conf).getOp()
                        == org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op.Add;
        boolean merge = vertex.getClass() == MergeVertex.class
                && ((org.deeplearning4j.nn.conf.graph.MergeVertex) conf).getMergeAxis() == FastMerge.AXIS;
        if (!sum && !merge
                || !Arrays.stream(vertex.getInputVertices()).allMatch(input -> givesImages(vertexAt(graph, input)))) {
            return vertex;
        }
        return sum ? new FastSum((ElementWiseVertex) vertex) : new FastMerge((MergeVertex) vertex);
    }

    /** Puts a vertex in the place of the one of its name. */
    @SuppressWarnings("unchecked") // there is no setter
    private static void put(ComputationGraph graph, GraphVertex vertex) {
        graph.getVertices()[vertex.getVertexIndex()] = vertex;
        ((Map<String, GraphVertex>) LayerExchange.hidden(ComputationGraph.class, "verticesMap", graph))
                .put(vertex.getVertexName(), vertex);
    }

    private static GraphVertex vertexAt(ComputationGraph graph, VertexIndices indices) {
        return graph.getVertices()[indices.getVertexIndex()];
    }

    private static Layer layer(GraphVertex vertex) {
        return vertex.hasLayer() ? LayerExchange.inner(vertex.getLayer()) : null;
    }

    private static VertexIndices[] outputs(GraphVertex vertex) {
        return vertex.getOutputVertices() == null ? new VertexIndices[0] : vertex.getOutputVertices();
    }

    /** Returns for each vertex whether nobody needs gradients behind it, as neither it nor what comes before learns. */
    private static boolean[] idle(ComputationGraph graph) {
        boolean[] idle = new boolean[graph.getVertices().length];
        for (int index : graph.topologicalSortOrder()) {
            GraphVertex vertex = graph.getVertices()[index];
            boolean first = vertex.isInputVertex() || isFirst(vertex, idle);
            idle[index] = vertex.hasLayer()
                    ? LayerExchange.isIdle(vertex.getLayer(), first)
                    : vertex instanceof FrozenVertex || first && learnsNothing(vertex);
        }
        return idle;
    }

    private static boolean learnsNothing(GraphVertex vertex) {
        return vertex.numParams() == 0 && (vertex instanceof FastVertex || LayerExchange.isDl4js(vertex.getClass()));
    }

    private static boolean isFirst(GraphVertex vertex, boolean[] idle) {
        return Arrays.stream(vertex.getInputVertices()).allMatch(input -> idle[input.getVertexIndex()]);
    }

    private static boolean givesImages(GraphVertex vertex) {
        return vertex instanceof FastVertex || vertex.hasLayer() && LayerExchange.givesImages(vertex.getLayer());
    }

    private static boolean takesImages(GraphVertex vertex) {
        return vertex instanceof FastVertex
                || vertex instanceof LayerVertex holder
                        && holder.getLayerPreProcessor() == null
                        && LayerExchange.takesImages(holder.getLayer());
    }

    private static boolean handsOutImages(ComputationGraph graph, GraphVertex vertex) {
        VertexIndices[] next = outputs(vertex);
        return givesImages(vertex)
                && next.length > 0
                && Arrays.stream(next).allMatch(each -> takesImages(vertexAt(graph, each)))
                && !graph.getConfiguration().getNetworkOutputs().contains(vertex.getVertexName());
    }

    /** Whether the vertex at one of the inputs takes gradients with their channels last. */
    private static boolean getsGradients(ComputationGraph graph, GraphVertex vertex, int input) {
        GraphVertex before = vertexAt(graph, vertex.getInputVertices()[input]);
        return handsOutImages(graph, before) && outputs(before).length == 1;
    }
}
