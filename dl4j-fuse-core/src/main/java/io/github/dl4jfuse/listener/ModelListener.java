package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.ListenerOrder;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What our listeners have in common: each lives beside its network, and comes first in its list. Serializable for DL4J's and Spark's type checks alone, so
 * that an attempt ends in a sentence of ours and not in the name of a class.
 */
abstract class ModelListener extends BaseTrainingListener implements Serializable {

    private static final long serialVersionUID = 1;

    private static final int LAST = 3;

    private final transient ListenerOrder order = new ListenerOrder(this, other -> rank(other) > rank(this));

    private static int rank(TrainingListener listener) {
        return listener instanceof ModelListener own ? own.rank() : LAST;
    }

    /** What completes a step (0) comes first, then what moves on from it (1), then what looks at it (2), then all others. */
    abstract int rank();

    /** Returns what was counted so far. */
    public abstract OptimizerReport statistics();

    @Override
    public void onForwardPass(Model current, List<INDArray> activations) {
        order.onPass(current);
    }

    @Override
    public void onForwardPass(Model current, Map<String, INDArray> activations) {
        order.onPass(current);
    }

    /** To be called in onGradientCalculation. */
    final void keepOrder(Model current) {
        order.onGradientCalculation(current);
    }

    private void writeObject(ObjectOutputStream out) throws NotSerializableException {
        String name = getClass().getSimpleName();
        throw new NotSerializableException(
                getClass().getName() + " (" + name + " belongs to one network of this process and"
                        + " cannot be serialized. Models are saved without listeners, by ModelSerializer. On Spark, train with the"
                        + " updater alone, or let a TrainingHook give each worker's network a new " + name + ")");
    }
}
