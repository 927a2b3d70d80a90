package io.github.dl4jfuse.updater;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of {@link GaussNewton} for one block of n parameters, {@code m (n) | v (n)}, Adam's moments. A step that a listener
 * conducts is what it has put in the gradient's place.
 *
 * <p>Not thread-safe, like all of DL4J's updaters.
 */
public final class GaussNewtonUpdater extends BlockUpdater<GaussNewton> {

    private static final Logger log = LoggerFactory.getLogger(GaussNewtonUpdater.class);
    private static final String STATE_KEY = "GAUSS_NEWTON"; // is written into saved SameDiff models
    private static final OncePerNetwork MISSES_LISTENER = new OncePerNetwork();

    private final AdamUpdater adam = AdamRule.of(new Adam());
    private INDArray moments;

    GaussNewtonUpdater(GaussNewton config) {
        super(config, STATE_KEY);
    }

    @Override
    void bind(INDArray state, long n) {
        if (state.length() != 2 * n) {
            throw new IllegalStateException("The updater state has " + state.length() + " numbers, which does not fit "
                    + n + " parameters: was the model saved with another updater?");
        }
        FiniteState.require(state);
        moments = state;
    }

    @Override
    void unbind() {
        moments = null;
    }

    @Override
    void step(INDArray gradient, int iteration, int epoch, boolean alone) {
        if (!alone) {
            return;
        }
        if (MISSES_LISTENER.isFirst(gradient, getConfig())) {
            log.warn(
                    "GaussNewton trains by plain Adam: its steps need a GaussNewtonListener, and none conducts iteration {}. Add"
                            + " net.addListeners(new GaussNewtonListener()); net.setListeners(..) takes off those that are"
                            + " there. Pretraining, SameDiff and gradients of your own have none. Said once.",
                    iteration);
        }
        if (leavesOut(gradient, iteration)) {
            return;
        }
        long n = gradient.length();
        INDArray m = moments.get(interval(0, n)).reshape(gradient.ordering(), gradient.shape());
        INDArray v = moments.get(interval(n, 2 * n)).reshape(gradient.ordering(), gradient.shape());
        adam.setState(Map.of(AdamUpdater.M_STATE, m, AdamUpdater.V_STATE, v), false);
        adam.applyUpdater(gradient, iteration, epoch);
    }
}
