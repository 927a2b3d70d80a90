package io.github.dl4jfuse.updater;

import java.util.Objects;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * When FUSE-PV goes from Adam to L-BFGS: on a fixed batch, at an epoch, at an iteration, below a gradient norm, or below a
 * loss.
 *
 * <p>The epoch, gradient and loss criteria are those of Jiang et al., <i>FUSE: First-Order and Second-Order Unified
 * SynthEsis in Stochastic Optimization</i> (2025). The paper's code compares single batches; we compare moving averages
 * over batches (decay {@value #AVERAGE_DECAY}), because one lucky batch should not switch. The other two are ours: the
 * iteration criterion for loops that call {@code fit(DataSet)} and never end an epoch; the fixed batch criterion because
 * an L-BFGS step fits the batch in hand, which helps only where every step has the same one.
 *
 * <p>Immutable; part of a model's JSON and YAML.
 */
public final class SwitchCriterion implements SwitchRule {

    /** Decay per batch of the moving averages of loss and gradient norm. */
    public static final double AVERAGE_DECAY = 0.9;

    /** Default number of steps on one batch after which it counts as fixed. */
    public static final int DEFAULT_FIXED_BATCH_STEPS = 10;

    private static final long serialVersionUID = 1;

    /** The quantity that is compared with the threshold. */
    public enum Kind {
        /** Steps in a row on one batch. */
        FIXED_BATCH,
        /** Epochs completed. */
        EPOCH,
        /** Steps taken. */
        ITERATION,
        /** Average norm of the batch's gradient. */
        GRADIENT_NORM,
        /** Average loss of the batch. */
        LOSS
    }

    @JsonProperty("kind")
    private final Kind kind;

    @JsonProperty("threshold")
    private final double threshold;

    private SwitchCriterion(Kind kind, double threshold) {
        this.kind = kind;
        this.threshold = threshold;
    }

    @JsonCreator
    static SwitchCriterion of(@JsonProperty("kind") Kind kind, @JsonProperty("threshold") double threshold) {
        Objects.requireNonNull(
                kind, "A switch criterion needs a kind: FIXED_BATCH, EPOCH, ITERATION, GRADIENT_NORM or LOSS.");
        boolean count = kind == Kind.EPOCH || kind == Kind.ITERATION || kind == Kind.FIXED_BATCH;
        if (count && !(threshold >= 0 && threshold == Math.rint(threshold))) {
            throw new IllegalArgumentException("The switch comes after a whole number of "
                    + (kind == Kind.EPOCH ? "epochs" : kind == Kind.ITERATION ? "iterations" : "steps on one batch")
                    + ", 0 or more, not after " + threshold + ".");
        }
        if (kind == Kind.GRADIENT_NORM && !(threshold > 0)) {
            throw new IllegalArgumentException("The gradient norm to switch at is positive, not " + threshold + ".");
        }
        if (Double.isNaN(threshold)) {
            throw new IllegalArgumentException("The loss to switch at is a number, not NaN.");
        }
        return new SwitchCriterion(kind, threshold);
    }

    /**
     * Switches once {@code steps} steps in a row were taken on one and the same batch, and back as soon as another one
     * comes. The default of {@code FusePv} with {@value #DEFAULT_FIXED_BATCH_STEPS} steps; take more where many batches are
     * trained on several times in a row each.
     */
    public static SwitchCriterion fixedBatch(int steps) {
        return of(Kind.FIXED_BATCH, steps);
    }

    /** Switches once {@code epochs} epochs are complete (0: from the start). */
    public static SwitchCriterion epoch(int epochs) {
        return of(Kind.EPOCH, epochs);
    }

    /** Switches once {@code iterations} steps are done (0: from the start). */
    public static SwitchCriterion iteration(int iterations) {
        return of(Kind.ITERATION, iterations);
    }

    /** Switches once the average norm of the batch gradient is at most {@code norm} (the paper's code: 0.5). */
    public static SwitchCriterion gradientNorm(double norm) {
        return of(Kind.GRADIENT_NORM, norm);
    }

    /** Switches once the average batch loss is below {@code loss} (the paper's code: 2.0 for ten classes). */
    public static SwitchCriterion loss(double loss) {
        return of(Kind.LOSS, loss);
    }

    /** Returns what is compared. */
    public Kind kind() {
        return kind;
    }

    /** Returns with what it is compared. */
    public double threshold() {
        return threshold;
    }

    /** Returns whether L-BFGS is due. Without an observation of the loss or the gradient, it isn't. */
    @Override
    public boolean isMet(TrainingProgress progress) {
        return switch (kind) {
            case FIXED_BATCH -> progress.sameBatchSteps() > 0 && progress.sameBatchSteps() >= threshold;
            case EPOCH -> progress.epoch() >= threshold;
            case ITERATION -> progress.iteration() >= threshold;
            case GRADIENT_NORM -> progress.gradientNorm() <= threshold;
            case LOSS -> progress.loss() < threshold;
        };
    }

    /** Returns whether it looks at averages of gradient norm and loss. */
    @Override
    public boolean needsAverages() {
        return kind == Kind.GRADIENT_NORM || kind == Kind.LOSS;
    }

    /** Says the condition in words, for example "epoch 5 was reached". */
    @Override
    public String describe() {
        return switch (kind) {
            case FIXED_BATCH -> "the batch has been the same for " + (int) threshold + " steps";
            case EPOCH -> "epoch " + (int) threshold + " was reached";
            case ITERATION -> "iteration " + (int) threshold + " was reached";
            case GRADIENT_NORM -> "the average gradient norm fell to " + threshold;
            case LOSS -> "the average loss fell below " + threshold;
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SwitchCriterion that
                && kind == that.kind
                && Double.compare(threshold, that.threshold) == 0;
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, threshold);
    }

    @Override
    public String toString() {
        return kind + "(" + threshold + ")";
    }
}
