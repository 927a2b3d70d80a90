package io.github.dl4jfuse.step;

import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Batches that L-BFGS steps under a published switch, each of which fits its batch, are not to fit. */
public final class UnusualBatches {

    /** A batch of fewer examples than this share of the largest so far takes no L-BFGS step. */
    public static final double SMALL_BATCH = 0.5;

    /** A batch with more than so many times the average loss or norm of the gradient takes no L-BFGS step. */
    public static final double OUTLIER = 10;

    private static final Logger log = LoggerFactory.getLogger(UnusualBatches.class);

    private final CurvatureCounters counter;
    private boolean saidSmallBatch;
    private boolean saidOutlier;

    UnusualBatches(CurvatureCounters counter) {
        this.counter = counter;
    }

    private static boolean areAllFixed(TrainingNetwork<FuseUpdater> network) {
        return network.updaters().get(0).getConfig().isAutomatic();
    }

    boolean isSmall(TrainingNetwork<FuseUpdater> network, int examples) {
        return !areAllFixed(network)
                && examples < SMALL_BATCH * network.updaters().get(0).largestBatch();
    }

    /** Returns in what the batch is far from those before it, or null. */
    String outlier(TrainingNetwork<FuseUpdater> network, double gradientNorm) {
        FuseUpdater first = network.updaters().get(0);
        if (areAllFixed(network)) {
            return null;
        }
        if (isFar(network.score(), first.averageLoss())) {
            return String.format(
                    Locale.ROOT, "its loss is %.4g, where %.4g is the average", network.score(), first.averageLoss());
        }
        if (isFar(gradientNorm, first.averageGradientNorm())) {
            return String.format(
                    Locale.ROOT,
                    "the norm of its gradient is %.4g, where %.4g is the average",
                    gradientNorm,
                    first.averageGradientNorm());
        }
        return null;
    }

    /**
     * Takes loss and gradient into the averages.
     *
     * @param clipped so that one outlier does not hide the next, while data that have changed for good are ordinary after some
     *     steps
     */
    void observe(TrainingNetwork<FuseUpdater> network, double gradientNorm, boolean clipped) {
        if (areAllFixed(network)) {
            return;
        }
        FuseUpdater first = network.updaters().get(0);
        double norm = clipped ? clip(gradientNorm, first.averageGradientNorm()) : gradientNorm;
        double loss = clipped ? clip(network.score(), first.averageLoss()) : network.score();
        network.updaters().forEach(updater -> updater.observe(norm, loss));
    }

    private static double clip(double value, double average) {
        return isFar(value, average) ? OUTLIER * average : value;
    }

    private static boolean isFar(double value, double average) {
        return average > 0 && value > OUTLIER * average;
    }

    /**
     * Returns whether the batch is to be left to Adam, and counts it.
     *
     * @param outlier see {@link #outlier}
     */
    boolean passesOver(TrainingNetwork<FuseUpdater> network, int examples, String outlier) {
        if (isSmall(network, examples)) {
            counter.smallBatches++;
            saySmall(network, examples);
            return true;
        }
        if (outlier != null) {
            counter.outliers++;
            sayFar(network, outlier);
            return true;
        }
        return false;
    }

    private void saySmall(TrainingNetwork<FuseUpdater> network, int examples) {
        if (!saidSmallBatch) {
            saidSmallBatch = true;
            log.info(
                    "Iteration {} takes no L-BFGS step but Adam's: its {} examples, where batches have up to {}, would be fitted"
                            + " at the cost of all others. Said once; statistics() counts on.",
                    network.iteration(),
                    examples,
                    Math.round(network.updaters().get(0).largestBatch()));
        }
    }

    private void sayFar(TrainingNetwork<FuseUpdater> network, String outlier) {
        if (!saidOutlier) {
            saidOutlier = true;
            log.info(
                    "Iteration {} takes no L-BFGS step but Adam's: {}. To fit this batch would spoil what follows. Look for"
                            + " outliers in the data, or steps that are too long. Said once; statistics() counts on.",
                    network.iteration(),
                    outlier);
        }
    }
}
