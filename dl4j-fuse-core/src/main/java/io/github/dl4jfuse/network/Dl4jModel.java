package io.github.dl4jfuse.network;

import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.api.Updater;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.recurrent.MaskZeroLayer;
import org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.util.TimeSeriesUtils;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** What a {@link MultiLayerNetwork} and a {@link ComputationGraph} both have, and DL4J has no common name for. */
public final class Dl4jModel {

    /**
     * What a network holds of a batch.
     *
     * @param layerMasks of a MultiLayerNetwork, which keeps no others
     * @param inputMasks of a graph, null for none
     * @param labelMasks of a graph, null for none
     */
    record Batch(
            INDArray[] inputs,
            INDArray[] labels,
            INDArray[] layerMasks,
            INDArray[] inputMasks,
            INDArray[] labelMasks,
            double score) {}

    private static final INDArray[] NONE = {};

    private final MultiLayerNetwork network; // or null
    private final ComputationGraph graph; // or null

    private Dl4jModel(Model model) {
        network = model instanceof MultiLayerNetwork layers ? layers : null;
        graph = model instanceof ComputationGraph vertices ? vertices : null;
    }

    /**
     * Returns what both have in common.
     *
     * @throws IllegalStateException if it is neither
     */
    public static Dl4jModel of(Model model) {
        if (!isNetwork(model)) {
            throw new IllegalStateException("This works with a MultiLayerNetwork or a ComputationGraph, not with a "
                    + (model == null ? "null" : model.getClass().getName()) + ".");
        }
        return new Dl4jModel(model);
    }

    /** Returns whether it is one of the two. */
    public static boolean isNetwork(Model model) {
        return model instanceof MultiLayerNetwork || model instanceof ComputationGraph;
    }

    /** Returns the number of steps completed. */
    public int iteration() {
        return network != null ? network.getIterationCount() : graph.getIterationCount();
    }

    /** Returns the number of epochs completed. */
    public int epoch() {
        return network != null ? network.getEpochCount() : graph.getEpochCount();
    }

    /** Returns whether it has parameters. */
    public boolean isInitialised() {
        return network != null ? network.isInitCalled() : graph.getVertices() != null;
    }

    /** Returns whether gradients are those of truncated backpropagation through time. */
    public boolean usesTruncatedBackprop() {
        BackpropType type = network != null
                ? network.getLayerWiseConfigurations().getBackpropType()
                : graph.getConfiguration().getBackpropType();
        return type == BackpropType.TruncatedBPTT;
    }

    /** Returns the layers. */
    public List<Layer> layers() {
        return List.of(network != null ? network.getLayers() : graph.getLayers());
    }

    /** Returns what owns parameters, layers or vertices, in the order of the flat vector. */
    List<Trainable> owners() {
        if (network != null) {
            return List.of(network.getLayers());
        }
        GraphVertex[] vertices = graph.getVertices();
        return Arrays.stream(graph.topologicalSortOrder())
                .<Trainable>mapToObj(index -> vertices[index])
                .toList();
    }

    /** Returns the layers by what the updater knows them as: in a graph, vertices. */
    Map<Trainable, Layer> layersByOwner() {
        Map<Trainable, Layer> layers = new IdentityHashMap<>();
        layers().forEach(layer -> layers.put(layer, layer));
        if (graph != null) {
            for (GraphVertex vertex : graph.getVertices()) {
                if (vertex.hasLayer()) {
                    layers.put(vertex, vertex.getLayer());
                }
            }
        }
        return layers;
    }

    /** Returns DL4J's updater, which is made if there is none yet. */
    BaseMultiLayerUpdater<?> updater() {
        return network != null ? (BaseMultiLayerUpdater<?>) network.getUpdater() : graph.getUpdater();
    }

    /** Returns the listeners in their order. */
    Collection<TrainingListener> listeners() {
        Collection<TrainingListener> all = network != null ? network.getListeners() : graph.getListeners();
        return all == null ? List.of() : all;
    }

    void setListeners(List<TrainingListener> listeners) {
        if (network != null) {
            network.setListeners(listeners);
        } else {
            graph.setListeners(listeners);
        }
    }

    /** Adds a listener behind those that are there. */
    public void addListener(TrainingListener listener) {
        if (network != null) {
            network.addListeners(listener);
        } else {
            graph.addListeners(listener);
        }
    }

    void setScore(double score) {
        if (network != null) {
            network.setScore(score);
        } else {
            graph.setScore(score);
        }
    }

    /** Gives it a gradient array if it has none yet. */
    public void initialiseGradients() {
        if (network != null && network.getGradientsViewArray() == null) {
            network.initGradientsView();
        } else if (graph != null && graph.getGradientsViewArray() == null) {
            graph.initGradientsView();
        }
    }

    /** Returns whether {@link #score} on the batch that it holds is one forward pass. */
    boolean hasForwardPass() {
        return network != null;
    }

    /** Returns DL4J's score of a network that {@link #hasForwardPass} on the batch that it holds, with the noise of training. */
    double forwardScore() {
        return network.score(new DataSet(network.getInput(), network.getLabels()), true);
    }

    /** Returns what it has been evaluated on last. */
    Batch held() {
        if (network != null) {
            INDArray[] masks = Arrays.stream(network.getLayers())
                    .map(layer -> masksByItself(layer) ? null : layer.getMaskArray())
                    .toArray(INDArray[]::new);
            INDArray[] input = {network.getInput()};
            return new Batch(input, new INDArray[] {network.getLabels()}, masks, null, null, network.score());
        }
        INDArray[] labels = new INDArray[graph.getNumOutputArrays()];
        Arrays.setAll(labels, i -> labels(graph.getOutputLayer(i))); // a graph shows its own to nobody
        return new Batch(
                graph.getInputs().clone(),
                labels,
                NONE,
                graph.getInputMaskArrays(),
                graph.getLabelMaskArrays(),
                graph.score());
    }

    private static boolean masksByItself(Layer layer) {
        return layer instanceof MaskZeroLayer
                || (layer instanceof BaseWrapperLayer wrapper && masksByItself(wrapper.getUnderlying()));
    }

    private static INDArray labels(Layer layer) {
        Layer inner = layer;
        while (inner instanceof BaseWrapperLayer wrapper) {
            inner = wrapper.getUnderlying();
        }
        return inner instanceof IOutputLayer output ? output.getLabels() : null;
    }

    /** Makes a batch its own again, so that the next evaluation is made on it. */
    @SuppressWarnings("ReferenceEquality") // equal arrays are other memory
    void hold(Batch batch) {
        if (network == null) {
            graph.setInputs(batch.inputs.clone());
            if (Arrays.stream(batch.labels).noneMatch(Objects::isNull)) {
                graph.setLabels(batch.labels.clone());
            }
            if (graph.getInputMaskArrays() != batch.inputMasks || graph.getLabelMaskArrays() != batch.labelMasks) {
                graph.setLayerMaskArrays(batch.inputMasks, batch.labelMasks);
            }
            return;
        }
        if (network.getInput() != batch.inputs[0]) {
            network.setInput(batch.inputs[0]);
        }
        network.setLabels(batch.labels[0]);
        Layer[] layers = network.getLayers();
        for (int i = 0; i < layers.length; i++) {
            if (layers[i].getMaskArray() != batch.layerMasks[i] && !masksByItself(layers[i])) {
                layers[i].setMaskArray(asItWasSet(layers[i], batch.layerMasks[i], batch.labels[0]));
            }
        }
    }

    /** Undoes what a recurrent output layer makes of a mask for each single output. */
    private static INDArray asItWasSet(Layer layer, INDArray mask, INDArray labels) {
        return layer instanceof RnnOutputLayer && mask != null && mask.size(1) > 1
                ? TimeSeriesUtils.reshape2dTo3d(mask, labels.size(0), LayerWorkspaceMgr.noWorkspaces(), ArrayType.INPUT)
                : mask;
    }

    /** Returns whether layers hold masks now; a graph's are not asked for. */
    boolean isMasked() {
        return network != null && layers().stream().anyMatch(layer -> layer.getMaskArray() != null);
    }

    /** Returns what puts DL4J's updater back as it is now: evaluations of other data may throw it away, with its state. */
    Runnable keepUpdater() {
        Updater updater = network == null ? null : network.getUpdater(false);
        return updater == null ? () -> {} : () -> network.setUpdater(updater);
    }

    /** Evaluates loss and raw gradient on other data. */
    void evaluate(MultiDataSet batch) {
        if (network != null) {
            try {
                network.setInput(batch.getFeatures(0));
                network.setLabels(batch.getLabels(0));
                if (batch.hasMaskArrays()) {
                    network.setLayerMaskArrays(
                            first(batch.getFeaturesMaskArrays()), first(batch.getLabelsMaskArrays()));
                }
                network.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
            } finally {
                network.clearLayerMaskArrays();
                network.clear();
            }
            return;
        }
        try {
            graph.setInputs(batch.getFeatures());
            graph.setLabels(batch.getLabels());
            if (batch.hasMaskArrays()) {
                graph.setLayerMaskArrays(batch.getFeaturesMaskArrays(), batch.getLabelsMaskArrays());
            }
            graph.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
        } finally {
            graph.clearLayerMaskArrays();
            graph.clear();
        }
    }

    /** Returns DL4J's score on other data by a forward pass, with the noise of training. */
    double score(MultiDataSet batch) {
        if (graph != null) {
            return graph.score(batch, true);
        }
        return network.score(
                new DataSet(
                        batch.getFeatures(0),
                        batch.getLabels(0),
                        first(batch.getFeaturesMaskArrays()),
                        first(batch.getLabelsMaskArrays())),
                true);
    }

    private static INDArray first(INDArray[] arrays) {
        return arrays == null ? null : arrays[0];
    }
}
