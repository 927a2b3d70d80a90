package io.github.dl4jfuse.network;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.recurrent.MaskZeroLayer;
import org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.util.TimeSeriesUtils;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Inputs, labels, masks and score of a training step. Whatever else evaluates the network before the step is over (a listener
 * that looks at a test set) leaves its own data there: they are kept from the backward pass on, and put back before the network
 * is evaluated again. Holds references, valid until the step ends.
 */
public final class KeptBatch {

    /**
     * What a network holds of a batch.
     *
     * @param layerMasks of a MultiLayerNetwork, which keeps no others
     * @param inputMasks of a graph, null for none
     * @param labelMasks of a graph, null for none
     */
    private record Batch(
            INDArray[] inputs,
            INDArray[] labels,
            INDArray[] layerMasks,
            INDArray[] inputMasks,
            INDArray[] labelMasks,
            double score) {}

    private static final INDArray[] NONE = {};
    private static final Batch EMPTY = new Batch(NONE, NONE, NONE, null, null, Double.NaN);

    private final Model model;
    private Batch seen = EMPTY; // by the last backward pass, which may be one of somebody's evaluations
    private Batch batch = EMPTY; // of the step in progress

    /** Of a MultiLayerNetwork or ComputationGraph. */
    public KeptBatch(Model model) {
        this.model = model;
    }

    /** Keeps what the network has been evaluated on; to be called in onBackwardPass. */
    public void keep() {
        if (model instanceof MultiLayerNetwork network) {
            INDArray[] masks = Arrays.stream(network.getLayers())
                    .map(layer -> masksByItself(layer) ? null : layer.getMaskArray())
                    .toArray(INDArray[]::new);
            INDArray[] input = {network.getInput()};
            seen = new Batch(input, new INDArray[] {network.getLabels()}, masks, null, null, network.score());
        } else {
            ComputationGraph graph = (ComputationGraph) model;
            INDArray[] labels = new INDArray[graph.getNumOutputArrays()];
            Arrays.setAll(labels, i -> labels(graph.getOutputLayer(i))); // a graph shows its own to nobody
            seen = new Batch(
                    graph.getInputs().clone(),
                    labels,
                    NONE,
                    graph.getInputMaskArrays(),
                    graph.getLabelMaskArrays(),
                    graph.score());
        }
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

    /** Takes what was kept last for the batch of a step, and makes it the network's; to be called in onGradientCalculation. */
    public void begin() {
        batch = seen;
        seen = EMPTY;
        if (Double.isFinite(model.score())) {
            putBack();
        } else {
            putDataBack(); // whoever says that the loss is not finite is believed
        }
    }

    /** Lets go of the batch when its step is over. */
    public void end() {
        batch = EMPTY;
    }

    /** Returns the inputs, one array for each of the network's. */
    public INDArray[] inputs() {
        return batch.inputs.clone();
    }

    /** Returns the labels, one array for each of the network's outputs; null for one that has none. */
    public INDArray[] labels() {
        return batch.labels.clone();
    }

    /** Returns whether there are masks; where nothing was kept, whether the network has some now. */
    @SuppressWarnings("ReferenceEquality") // one constant
    public boolean isMasked() {
        if (batch != EMPTY) {
            return masks().length > 0;
        }
        return model instanceof MultiLayerNetwork network
                && Arrays.stream(network.getLayers()).anyMatch(layer -> layer.getMaskArray() != null);
    }

    /** Returns the masks of inputs and labels that there are, in an order that is always the same. */
    public INDArray[] masks() {
        return Stream.of(batch.layerMasks, batch.inputMasks, batch.labelMasks)
                .filter(Objects::nonNull)
                .flatMap(Arrays::stream)
                .filter(Objects::nonNull)
                .toArray(INDArray[]::new);
    }

    /** Returns inputs, labels and masks, as far as there are any: batches that have the same are the same. */
    public INDArray[] arrays() {
        return Stream.of(batch.inputs, batch.labels, masks())
                .flatMap(Arrays::stream)
                .filter(Objects::nonNull)
                .toArray(INDArray[]::new);
    }

    /** Makes the batch the network's again, with the score that it had when the step began. */
    @SuppressWarnings("ReferenceEquality") // one constant
    public void putBack() {
        putDataBack();
        if (batch == EMPTY) {
            return;
        }
        if (model instanceof MultiLayerNetwork network) {
            network.setScore(batch.score);
        } else {
            ((ComputationGraph) model).setScore(batch.score);
        }
    }

    /** Makes the batch the network's again, so that the next evaluation is made on it. */
    @SuppressWarnings("ReferenceEquality") // one constant
    void putDataBack() {
        if (batch == EMPTY) {
            return;
        }
        if (model instanceof MultiLayerNetwork network) {
            putBack(network);
        } else {
            putBack((ComputationGraph) model);
        }
    }

    @SuppressWarnings("ReferenceEquality") // equal arrays are other memory
    private void putBack(MultiLayerNetwork network) {
        if (network.getInput() != batch.inputs[0]) {
            network.setInput(batch.inputs[0]);
        }
        network.setLabels(batch.labels[0]);
        Layer[] layers = network.getLayers();
        for (int i = 0; i < layers.length; i++) {
            if (layers[i].getMaskArray() != batch.layerMasks[i] && !masksByItself(layers[i])) {
                layers[i].setMaskArray(asItWasSet(layers[i], batch.layerMasks[i]));
            }
        }
    }

    /** Undoes what a recurrent output layer makes of a mask for each single output. */
    private INDArray asItWasSet(Layer layer, INDArray mask) {
        return layer instanceof RnnOutputLayer && mask != null && mask.size(1) > 1
                ? TimeSeriesUtils.reshape2dTo3d(
                        mask, batch.labels[0].size(0), LayerWorkspaceMgr.noWorkspaces(), ArrayType.INPUT)
                : mask;
    }

    @SuppressWarnings("ReferenceEquality") // equal arrays are other memory
    private void putBack(ComputationGraph graph) {
        graph.setInputs(batch.inputs.clone());
        if (Arrays.stream(batch.labels).noneMatch(Objects::isNull)) {
            graph.setLabels(batch.labels.clone());
        }
        if (graph.getInputMaskArrays() != batch.inputMasks || graph.getLabelMaskArrays() != batch.labelMasks) {
            graph.setLayerMaskArrays(batch.inputMasks, batch.labelMasks);
        }
    }
}
