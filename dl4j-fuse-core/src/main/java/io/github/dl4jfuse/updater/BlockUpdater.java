package io.github.dl4jfuse.updater;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One block of parameters, as far as all updaters here are alike: the memory of the state, which is taken up when the first gradient
 * says how many parameters there are; the mark that a listener conducts a step; and the guard against gradients that are not
 * finite, which is always on.
 */
abstract class BlockUpdater<C extends IUpdater> implements GradientUpdater<C> {

    private static final Logger log = LoggerFactory.getLogger(BlockUpdater.class);
    private static final OncePerNetwork SKIPS = new OncePerNetwork();

    private final C config;
    private final String key;
    private INDArray view;
    private boolean bound;
    private boolean conducted;

    /**
     * Of a configuration.
     *
     * @param key of the state in SameDiff's maps, which is written into saved models
     */
    BlockUpdater(C config, String key) {
        this.config = config;
        this.key = key;
    }

    /** Takes up the parts of the state of a block of n parameters; outside of workspaces, and only once for a state. */
    abstract void bind(INDArray state, long n);

    /** Forgets parts of a state that is no longer the block's. */
    abstract void unbind();

    /**
     * Replaces the gradient by the update that DL4J then subtracts.
     *
     * @param alone whether no listener conducts this step
     */
    abstract void step(INDArray gradient, int iteration, int epoch, boolean alone);

    @Override
    public final C getConfig() {
        return config;
    }

    @Override
    public final void setStateViewArray(
            INDArray viewArray, long[] gradientShape, char gradientOrder, boolean initialize) {
        if (initialize) {
            viewArray.assign(0);
        }
        view = viewArray.reshape(viewArray.length());
        bound = false;
        unbind();
    }

    @Override
    public final void setState(Map<String, INDArray> stateMap, boolean initialize) {
        INDArray saved = stateMap.get(key);
        if (saved == null || stateMap.size() != 1) {
            throw new IllegalStateException(config.getClass().getSimpleName() + "'s state has the one key " + key
                    + ", but these were given: " + stateMap.keySet());
        }
        setStateViewArray(saved, saved.shape(), saved.ordering(), initialize);
    }

    @Override
    public final Map<String, INDArray> getState() {
        return Map.of(key, view);
    }

    final INDArray state() {
        return view;
    }

    final boolean isBound() {
        return bound;
    }

    final void bind(long n) {
        if (!bound) {
            // The updater runs inside a workspace; the views are kept beyond it.
            try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                bind(view, n);
            }
            bound = true;
        }
    }

    @Override
    public final void applyUpdater(INDArray gradient, int iteration, int epoch) {
        bind(gradient.length());
        boolean alone = !conducted;
        conducted = false;
        step(gradient, iteration, epoch, alone);
    }

    /** Announces that a listener conducts the next step. Holds for one step. */
    public void conductNextStep() {
        conducted = true;
    }

    /** Returns whether the squares of a gradient add up to a finite number. */
    boolean isUsable(INDArray gradient) {
        return Double.isFinite(Nd4j.getBlasWrapper().dot(gradient, gradient));
    }

    /** Makes the update zero, and says so once, where the gradient is not usable; returns whether that was so. */
    final boolean leavesOut(INDArray gradient, int iteration) {
        if (isUsable(gradient)) {
            return false;
        }
        if (SKIPS.isFirst(gradient, config)) {
            log.warn(
                    "The updater left out the step of iteration {}: the gradient is not finite (NaN or infinite). Look for bad"
                            + " values in the data{}. Said once.",
                    iteration,
                    config.hasLearningRate() ? " or a learning rate that is too high" : "");
        }
        gradient.assign(0);
        return true;
    }
}
