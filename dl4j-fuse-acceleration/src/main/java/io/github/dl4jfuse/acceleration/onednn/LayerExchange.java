package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.FastUpdater;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.layers.AbstractLayer;
import org.deeplearning4j.nn.layers.ActivationLayer;
import org.deeplearning4j.nn.layers.OutputLayer;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.layers.convolution.subsampling.SubsamplingLayer;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** Puts layers of ours in the place of DL4J's in a network, and takes them out again. */
public final class LayerExchange {

    private LayerExchange() {}

    /** Which of DL4J's layers, exactly, which of them are not covered and why, and what takes the place of the others. */
    private record Kind<L extends Layer>(Class<L> type, Function<L, String> obstacle, Function<L, Layer> maker) {

        String obstacle(Layer layer) {
            return obstacle.apply(type.cast(layer));
        }

        Layer make(Layer layer) {
            return maker.apply(type.cast(layer));
        }
    }

    private static final Map<Class<?>, Kind<?>> KINDS = Stream.of(
                    new Kind<>(ConvolutionLayer.class, FastConvolution::obstacle, FastConvolution::new),
                    new Kind<>(SubsamplingLayer.class, FastPooling::obstacle, FastPooling::new),
                    new Kind<>(BatchNormalization.class, FastBatchNorm::obstacle, FastBatchNorm::new),
                    new Kind<>(ActivationLayer.class, FastActivation::obstacle, FastActivation::new),
                    new Kind<>(DenseLayer.class, FastDense::obstacle, FastDense::new),
                    new Kind<>(OutputLayer.class, FastOutput::obstacle, FastOutput::new))
            .collect(Collectors.toMap(Kind::type, kind -> kind));

    /** Returns why a layer of DL4J's has none of ours, a sentence without its beginning, or null where it has. */
    private static String obstacle(Layer layer) {
        if (layer instanceof FastLayer) {
            return null;
        }
        Kind<?> kind = KINDS.get(layer.getClass());
        return kind == null ? "there is none of ours for a " + layer.getClass().getSimpleName() : kind.obstacle(layer);
    }

    /** Returns the layer of ours for one of DL4J's, or itself where there is none. */
    private static Layer fast(Layer layer) {
        return layer instanceof FastLayer || obstacle(layer) != null
                ? layer
                : carryOver(layer, KINDS.get(layer.getClass()).make(layer));
    }

    /** Returns why layers of a network are DL4J's, by their names, in their order. */
    public static Map<String, String> obstacles(Layer[] layers) {
        Map<String, String> obstacles = new LinkedHashMap<>();
        for (Layer layer : layers) {
            String obstacle = obstacle(layer);
            if (obstacle != null) {
                obstacles.put(layer.conf().getLayer().getLayerName(), obstacle);
            }
        }
        return obstacles;
    }

    /** Returns the layer of DL4J's that one of ours stands for, or itself. */
    private static Layer original(Layer layer) {
        if (!(layer instanceof FastLayer fast)) {
            return layer;
        }
        fast.exchanged().free();
        return carryOver(layer, fast.exchanged().original());
    }

    /** Gives a layer what another one of the same configuration has. */
    private static Layer carryOver(Layer from, Layer to) {
        to.setIndex(from.getIndex());
        to.setListeners(from.getListeners());
        to.setIterationCount(from.getIterationCount());
        to.setEpochCount(from.getEpochCount());
        to.setCacheMode(from.conf().getCacheMode());
        to.setMaskArray(from.getMaskArray());
        ((AbstractLayer<?>) to).setInputModificationAllowed(((AbstractLayer<?>) from).isInputModificationAllowed());
        if (from.conf().getLayer() instanceof FeedForwardLayer && from.params() != null) {
            to.setParamTable(from.paramTable());
            to.setParamsViewArray(from.params());
            if (from.getGradientsViewArray() != null) {
                to.setBackpropGradientsViewArray(from.getGradientsViewArray());
            }
        }
        if (from instanceof IOutputLayer output && output.getLabels() != null) {
            ((IOutputLayer) to).setLabels(output.getLabels());
        }
        return to;
    }

    /** Returns why oneDNN cannot be called here, a sentence without its beginning, or null. */
    public static String obstacle() {
        return OneDnn.obstacle();
    }

    /** Exchanges what is covered in a network in float. */
    public static void attach(MultiLayerNetwork network) {
        exchange(network, LayerExchange::fast);
        Layer[] layers = network.getLayers();
        for (int i = 0; i < layers.length; i++) {
            boolean next = i + 1 < layers.length && isPlain(network, i + 1) && takesImages(layers[i + 1]);
            boolean previous = i > 0 && isPlain(network, i) && takesImages(layers[i]) && takesImages(layers[i - 1]);
            if (layers[i] instanceof FastLayer fast) {
                fast.exchanged().neighbours().set(next, previous, i == 0);
                fast.exchanged().setBeforeBackward(() -> FastUpdater.attach(network));
            }
        }
        keepInputs(layers);
        FastUpdater.renew(network, true);
    }

    /** Values are kept for derivatives, and whatever comes behind may hand them on to a layer that would put noise on them in place. */
    private static void keepInputs(Layer[] layers) {
        if (!names(layers).isEmpty()) {
            for (Layer layer : layers) {
                layer.allowInputModification(false);
            }
        }
    }

    /** Puts DL4J's layers back. */
    public static void detach(MultiLayerNetwork network) {
        exchange(network, LayerExchange::original);
        Layer[] layers = network.getLayers();
        for (int i = 1; i < layers.length; i++) {
            layers[i].allowInputModification(true); // as init() does
        }
        FastUpdater.renew(network, false);
    }

    private static boolean isPlain(MultiLayerNetwork network, int layer) {
        return network.getLayerWiseConfigurations().getInputPreProcess(layer) == null;
    }

    /** Dropout works in place on what it gets, and DL4J's is slow where neighbours are not. */
    private static boolean takesImages(Layer layer) {
        return layer instanceof FastLayer
                && !(layer instanceof FastDense)
                && !(layer instanceof FastOutput)
                && layer.conf().getLayer().getIDropout() == null;
    }

    /** Returns the names of the layers of ours. */
    public static List<String> names(Layer[] layers) {
        List<String> names = new ArrayList<>();
        for (Layer layer : layers) {
            if (layer instanceof FastLayer) {
                names.add(layer.conf().getLayer().getLayerName());
            }
        }
        return names;
    }

    private static void exchange(MultiLayerNetwork network, UnaryOperator<Layer> by) {
        Layer[] layers = network.getLayers();
        Map<String, Layer> byName = layersByName(network);
        for (int i = 0; i < layers.length; i++) {
            Layer before = layers[i];
            Layer after = by.apply(before);
            if (after != before) {
                layers[i] = after;
                byName.replaceAll((name, layer) -> layer == before ? after : layer);
            }
        }
    }

    /** There is no setter. */
    @SuppressWarnings("unchecked")
    private static Map<String, Layer> layersByName(MultiLayerNetwork network) {
        try {
            Field field = MultiLayerNetwork.class.getDeclaredField("layerMap");
            field.setAccessible(true);
            return (Map<String, Layer>) field.get(network);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This release of Deeplearning4j keeps its layers elsewhere.", e);
        }
    }

    /** Exchanges what is covered in a graph in float. */
    public static void attach(ComputationGraph graph) {
        exchange(graph, LayerExchange::fast);
        FastUpdater.renew(graph, true);
        for (GraphVertex vertex : graph.getVertices()) {
            if (vertex.getLayer() instanceof FastLayer fast) {
                fast.exchanged()
                        .neighbours()
                        .set(
                                nextTakesImages(graph, vertex),
                                previousTakesImages(graph, (LayerVertex) vertex),
                                isFirst(graph, vertex));
                fast.exchanged().setBeforeBackward(() -> FastUpdater.attach(graph));
            }
        }
        keepInputs(graph.getLayers());
    }

    /** Puts DL4J's layers back; what they may modify stays as it is, which costs memory alone. */
    public static void detach(ComputationGraph graph) {
        exchange(graph, LayerExchange::original);
        FastUpdater.renew(graph, false);
    }

    private static VertexIndices[] outputs(GraphVertex vertex) {
        return vertex.getOutputVertices() == null ? new VertexIndices[0] : vertex.getOutputVertices();
    }

    private static boolean isFirst(ComputationGraph graph, GraphVertex vertex) {
        return Arrays.stream(vertex.getInputVertices())
                .allMatch(input -> graph.getVertices()[input.getVertexIndex()].isInputVertex());
    }

    /** Whether a vertex has one follower, which takes images as they come: where there are several, DL4J adds their gradients. */
    private static boolean nextTakesImages(ComputationGraph graph, GraphVertex vertex) {
        VertexIndices[] next = outputs(vertex);
        return next.length == 1
                && graph.getVertices()[next[0].getVertexIndex()] instanceof LayerVertex follower
                && follower.getLayerPreProcessor() == null
                && takesImages(follower.getLayer());
    }

    private static boolean previousTakesImages(ComputationGraph graph, LayerVertex vertex) {
        VertexIndices[] inputs = vertex.getInputVertices();
        if (inputs == null || inputs.length != 1 || vertex.getLayerPreProcessor() != null) {
            return false;
        }
        GraphVertex before = graph.getVertices()[inputs[0].getVertexIndex()];
        return before.hasLayer()
                && takesImages(before.getLayer())
                && takesImages(vertex.getLayer())
                && outputs(before).length == 1;
    }

    private static void exchange(ComputationGraph graph, UnaryOperator<Layer> by) {
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
}
