package io.github.dl4jfuse.tools.rivals;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * Shows a layer's weights to its updater. DL4J hands weights to a regularisation and not to an updater; it calls the
 * regularisations of a block's variables in order, and then the block's updater, in the same thread.
 */
final class DecayPoint implements Regularization {

    private static final ThreadLocal<List<INDArray>> SHOWN = ThreadLocal.withInitial(ArrayList::new);
    private static final long serialVersionUID = 1;

    /** Returns what this thread was shown since the last call. */
    static List<INDArray> take() {
        List<INDArray> shown = List.copyOf(SHOWN.get());
        SHOWN.remove();
        return shown;
    }

    @Override
    public ApplyStep applyStep() {
        return ApplyStep.BEFORE_UPDATER;
    }

    @Override
    public void apply(INDArray param, INDArray gradView, double lr, int iteration, int epoch) {
        SHOWN.get().add(param);
    }

    /** Decay that no loss contains adds nothing to the score. */
    @Override
    public double score(INDArray param, int iteration, int epoch) {
        return 0;
    }

    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public Regularization clone() {
        return new DecayPoint();
    }
}
