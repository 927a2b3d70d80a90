package io.github.dl4jfuse.tools.networks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * What a network is made from: the configuration of a {@link MultiLayerNetwork} or of a {@link ComputationGraph}, and the weights
 * that it starts with where they are not random.
 *
 * <p>It never changes: what returns another architecture copies the configuration first.
 */
public final class Architecture {

    private final MultiLayerConfiguration layers; // or null
    private final ComputationGraphConfiguration graph; // or null
    private final Map<String, INDArray> weights;
    private final String origin;

    private Architecture(
            MultiLayerConfiguration layers,
            ComputationGraphConfiguration graph,
            Map<String, INDArray> weights,
            String origin) {
        this.layers = layers;
        this.graph = graph;
        this.weights = weights;
        this.origin = origin;
    }

    /** Takes a copy of a configuration of layers in a row. */
    public static Architecture of(MultiLayerConfiguration layers) {
        return new Architecture(layers.clone(), null, Map.of(), "");
    }

    /**
     * Takes a copy of the configuration of a network.
     *
     * @throws IllegalArgumentException if it is neither a MultiLayerNetwork nor a ComputationGraph
     */
    public static Architecture of(Model network) {
        if (network instanceof MultiLayerNetwork row) {
            return of(row.getLayerWiseConfigurations());
        }
        if (network instanceof ComputationGraph its) {
            return of(its.getConfiguration());
        }
        throw new IllegalArgumentException("A network is a MultiLayerNetwork or a ComputationGraph, not a "
                + network.getClass().getName() + ".");
    }

    /** Takes a copy of a configuration of a graph. */
    public static Architecture of(ComputationGraphConfiguration graph) {
        return new Architecture(null, graph.clone(), Map.of(), "");
    }

    /**
     * Returns the architecture with weights that do not depend on the seed.
     *
     * @param from what they come from, in words: with the configuration, it tells one network from another
     * @param given arrays by the names of DL4J's parameter table, such as "0_W"; other parameters stay random
     */
    public Architecture startingWith(String from, Map<String, INDArray> given) {
        Map<String, INDArray> copies = new LinkedHashMap<>();
        given.forEach((name, array) -> copies.put(name, array.dup()));
        return new Architecture(layers, graph, copies, from);
    }

    /** Returns the architecture with another seed of the random weights. */
    public Architecture withSeed(long seed) {
        return changed(conf -> conf.setSeed(seed));
    }

    /** Returns the architecture with one updater in all layers; frozen ones stay as they are. */
    public Architecture withUpdater(IUpdater updater) {
        return changed(conf -> Networks.setUpdater(conf.getLayer(), updater));
    }

    /** Returns the architecture with another optimisation algorithm of DL4J's. */
    public Architecture withAlgorithm(OptimizationAlgorithm algorithm) {
        return changed(conf -> conf.setOptimizationAlgo(algorithm));
    }

    /** Returns the architecture with layers changed by the caller, who gets them as {@link #layers} has them. */
    public Architecture with(Consumer<List<Layer>> change) {
        Architecture copy = changed(conf -> {});
        change.accept(copy.layers());
        return copy;
    }

    private Architecture changed(Consumer<NeuralNetConfiguration> change) {
        Architecture copy = new Architecture(
                layers == null ? null : layers.clone(), graph == null ? null : graph.clone(), weights, origin);
        copy.configurations().forEach(change);
        if (graph != null) {
            change.accept(copy.graph.getDefaultConfiguration()); // where a graph looks for seed and algorithm
        }
        return copy;
    }

    /** Returns the configurations of the layers in order, those of a graph's outputs last. */
    public List<Layer> layers() {
        return configurations().stream().map(NeuralNetConfiguration::getLayer).toList();
    }

    private List<NeuralNetConfiguration> configurations() {
        if (layers != null) {
            return layers.getConfs();
        }
        List<NeuralNetConfiguration> inner = new ArrayList<>();
        List<NeuralNetConfiguration> outputs = new ArrayList<>();
        for (Map.Entry<String, GraphVertex> vertex : graph.getVertices().entrySet()) {
            if (vertex.getValue() instanceof LayerVertex holder) {
                boolean ends = graph.getNetworkOutputs().contains(vertex.getKey());
                (ends ? outputs : inner).add(holder.getLayerConf());
            }
        }
        inner.addAll(outputs);
        return inner;
    }

    /** Returns the number of units of the last layer; 1 where it has none of its own. */
    public int outputUnits() {
        List<Layer> all = layers();
        return all.get(all.size() - 1) instanceof FeedForwardLayer last ? (int) last.getNOut() : 1;
    }

    /** Returns the number of arrays that make an example's input. */
    public int inputs() {
        return graph == null ? 1 : graph.getNetworkInputs().size();
    }

    /** Returns the number of arrays that make an example's output. */
    public int outputs() {
        return graph == null ? 1 : graph.getNetworkOutputs().size();
    }

    /** Returns what the weights that do not depend on the seed come from; empty where all are random. */
    public String origin() {
        return origin;
    }

    /**
     * Returns the configuration as DL4J writes it.
     *
     * @throws RuntimeException DL4J's, where it cannot write a layer
     */
    public String json() {
        return layers != null ? layers.toJson() : graph.toJson();
    }

    /**
     * Returns a copy of the configuration of layers in a row.
     *
     * @throws IllegalStateException if this is a graph
     */
    public MultiLayerConfiguration rowOfLayers() {
        if (layers == null) {
            throw new IllegalStateException(
                    "The network is a ComputationGraph, and here only layers in a row are taken.");
        }
        return layers.clone();
    }

    /** Returns a new network, initialised; equal architectures give equal weights. */
    public Model build() {
        Model network;
        if (layers != null) {
            network = new MultiLayerNetwork(layers.clone());
        } else {
            network = new ComputationGraph(graph.clone());
        }
        network.init();
        weights.forEach((name, array) -> network.getParam(name).assign(array));
        return network;
    }
}
