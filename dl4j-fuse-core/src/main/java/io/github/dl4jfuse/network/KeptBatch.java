package io.github.dl4jfuse.network;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Inputs, labels, masks and score of a training step. Whatever else evaluates the network before the step is over (a listener
 * that looks at a test set) leaves its own data there: they are kept from the backward pass on, and put back before the network
 * is evaluated again. Holds references, valid until the step ends.
 */
public final class KeptBatch {

    private static final INDArray[] NONE = {};
    private static final Dl4jModel.Batch EMPTY = new Dl4jModel.Batch(NONE, NONE, NONE, null, null, Double.NaN);

    private final Model model;
    private final Dl4jModel network;
    private Dl4jModel.Batch seen = EMPTY; // by the last backward pass, which may be one of somebody's evaluations
    private Dl4jModel.Batch batch = EMPTY; // of the step in progress

    /** Of a MultiLayerNetwork or ComputationGraph. */
    public KeptBatch(Model model) {
        this.model = model;
        network = Dl4jModel.of(model);
    }

    /** Keeps what the network has been evaluated on; to be called in onBackwardPass. */
    public void keep() {
        seen = network.held();
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
        return batch.inputs().clone();
    }

    /** Returns the labels, one array for each of the network's outputs; null for one that has none. */
    public INDArray[] labels() {
        return batch.labels().clone();
    }

    /** Returns whether there are masks; where nothing was kept, whether the network has some now. */
    @SuppressWarnings("ReferenceEquality") // one constant
    public boolean isMasked() {
        if (batch != EMPTY) {
            return masks().length > 0;
        }
        return network.isMasked();
    }

    /** Returns the masks of inputs and labels that there are, in an order that is always the same. */
    public INDArray[] masks() {
        return Stream.of(batch.layerMasks(), batch.inputMasks(), batch.labelMasks())
                .filter(Objects::nonNull)
                .flatMap(Arrays::stream)
                .filter(Objects::nonNull)
                .toArray(INDArray[]::new);
    }

    /** Returns inputs, labels and masks, as far as there are any: batches that have the same are the same. */
    public INDArray[] arrays() {
        return Stream.of(batch.inputs(), batch.labels(), masks())
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
        network.setScore(batch.score());
    }

    /** Makes the batch the network's again, so that the next evaluation is made on it. */
    @SuppressWarnings("ReferenceEquality") // one constant
    void putDataBack() {
        if (batch != EMPTY) {
            network.hold(batch);
        }
    }
}
