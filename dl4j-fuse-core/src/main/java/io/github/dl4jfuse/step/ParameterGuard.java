package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.updater.CoordinatedUpdater;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;

/**
 * Keeps from the parameters what would break them: steps that must not be taken are left out, and what is broken already goes back
 * to the last good parameters, of which it keeps a copy.
 */
public final class ParameterGuard {

    /** Number of batches left out in a row after which it is asked whether the parameters are to blame. */
    public static final int PATIENCE = 3;

    /** Number of steps between two copies of the parameters. */
    public static final int EVERY = 100;

    private final Logger log;
    private INDArray[] copy;
    private INDArray[] held;
    private long sinceCopy;
    private int expectedIteration;
    private int badBatches;
    private boolean suspects;
    private boolean saidBadBatch;
    private boolean saidRollBack;
    private boolean saidBrokenStatistics;

    /** A guard that says what happens in this log. */
    public ParameterGuard(Logger log) {
        this.log = log;
    }

    /** Begins a step. */
    public void begin(TrainingNetwork<?> network) {
        suspects = false;
        if (network.iteration() != expectedIteration) {
            copyAnew(); // steps were taken that it has not seen, and its copy is from before them
        }
        expectedIteration = network.iteration() + 1;
    }

    /** Makes the next step copy the parameters. */
    public void copyAnew() {
        sinceCopy = 0;
    }

    /**
     * Takes a batch as good, and copies the parameters if it is time to.
     *
     * @return false if they are not finite (a saturated activation can hide that in the loss) and there is a copy to go back to: the
     *     step is to be left out
     */
    public boolean passes(TrainingNetwork<?> network) {
        badBatches = 0;
        if (sinceCopy++ % EVERY != 0) {
            return true;
        }
        INDArray[] parameters = network.parameters();
        if (!Double.isFinite(BlockVectors.dot(parameters, parameters))) {
            suspects = copy != null;
            return copy == null;
        }
        if (copy == null) {
            copy = BlockVectors.zerosLike(parameters);
        }
        BlockVectors.assign(copy, parameters);
        return true;
    }

    /**
     * Makes DL4J take no step.
     *
     * @param why the reason, for the log
     */
    public void leaveOut(TrainingNetwork<?> network, String why) {
        if (!saidBadBatch) {
            saidBadBatch = true;
            log.warn(
                    "Iteration {} takes no step: {}. Look for bad values in the data, or steps that are too long. Said"
                            + " once; statistics() counts on.",
                    network.iteration(),
                    why);
        }
        network.clearGradient();
        network.updaters().forEach(CoordinatedUpdater::holdNextStep);
        suspects |= ++badBatches >= PATIENCE;
        if (network.decaysWeights()) { // which DL4J subtracts whatever the update is
            held = BlockVectors.zerosLike(network.parameters());
            BlockVectors.assign(held, network.parameters());
        }
    }

    /** Returns why a step is to be left out, for a loss or a gradient that is not finite. */
    public static String notFinite(double loss) {
        return Double.isFinite(loss)
                ? String.format(Locale.ROOT, "its loss is finite (%.4g) though its gradient is not", loss)
                : "its loss is " + loss;
    }

    /** Undoes what DL4J did to the parameters in a step that was left out. */
    void release(TrainingNetwork<?> network) {
        if (held != null) {
            BlockVectors.assign(network.parameters(), held);
            held = null;
        }
    }

    /** Forgets a step that was left out and never came. */
    void forgetHeld() {
        held = null;
    }

    /** Returns whether it is time to ask whether the parameters are to blame. */
    public boolean suspects() {
        return suspects;
    }

    /**
     * Puts the last good parameters back if the present ones are broken and not the data: if they are not finite, or if all is well
     * with the others in their place.
     *
     * @param isWell evaluates the batch in hand; null where that is impossible, so that finite parameters stay
     * @param cleared what is forgotten with them, for the log
     * @return whether they have come back
     */
    public boolean rollBackIfBroken(TrainingNetwork<?> network, BooleanSupplier isWell, String cleared) {
        suspects = false;
        badBatches = 0;
        double score = network.score();
        try {
            if (copy == null || !putBackIfBroken(network.parameters(), isWell)) {
                return false;
            }
        } finally {
            network.setScore(score);
        }
        if (!saidRollBack) {
            saidRollBack = true;
            log.warn(
                    "Loss, gradient or parameters stayed bad: the parameters went back to the last good ones at iteration {}, with"
                            + " {} cleared. Said once; statistics() counts on.",
                    network.iteration(),
                    cleared);
        }
        return true;
    }

    private boolean putBackIfBroken(INDArray[] parameters, BooleanSupplier isWell) {
        if (!Double.isFinite(BlockVectors.dot(parameters, parameters))) {
            BlockVectors.assign(parameters, copy);
            return true;
        }
        if (isWell == null) {
            return false;
        }
        INDArray[] present = BlockVectors.zerosLike(parameters);
        BlockVectors.assign(present, parameters);
        BlockVectors.assign(parameters, copy);
        boolean cured = false;
        try {
            cured = isWell.getAsBoolean();
        } finally {
            if (!cured) {
                BlockVectors.assign(parameters, present);
            }
        }
        return cured;
    }

    /** Says once that BatchNorm's running statistics are held. */
    public void sayOnceThatStatistics(boolean areHeld) {
        if (areHeld && !saidBrokenStatistics) {
            saidBrokenStatistics = true;
            log.warn(
                    "The running statistics of BatchNorm are left as they were: mean or variance of a batch are NaN or infinite."
                            + " Look for bad values in the data. Said once.");
        }
    }

    /** Returns the bytes of the copy that is held. */
    public long bytes() {
        return copy == null ? 0 : BlockVectors.length(copy) * copy[0].dataType().width();
    }
}
