package io.github.dl4jfuse.updater;

import org.nd4j.linalg.learning.config.IUpdater;

/** The state of one block of parameters, whose steps a listener conducts together with those of the other blocks. */
public interface CoordinatedUpdater {

    /** Returns the configuration. */
    IUpdater getConfig();

    /** Takes up the state for a block of {@code n} parameters, before the first gradient has come. */
    void prepare(long n);

    /**
     * Announces that a listener conducts the next step, and takes back what was announced of a step that never came. Holds for
     * one step, so that a listener that is taken off is missed at once.
     */
    void conductNextStep();

    /** Makes the next step zero, with the state as it is. */
    void holdNextStep();

    /** Takes up what others have put into the state since it was read; returns whether there was anything. */
    boolean followState();

    /** Returns whether both may take part in one step; rates and decays may differ. */
    boolean stepsWith(CoordinatedUpdater other);

    /**
     * Returns whether the listener may leave out what it cannot do for this network's configuration, instead of refusing the
     * network.
     */
    default boolean isAutomatic() {
        return false;
    }
}
