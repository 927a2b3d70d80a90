package io.github.dl4jfuse.switching;

import java.io.Serializable;
import java.util.Objects;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * When FUSE-PV goes from Adam to L-BFGS: at an epoch, at an iteration, below a gradient norm, or below a loss.
 *
 * <p>The epoch, gradient and loss criteria are those of Jiang et al., <i>FUSE: First-Order and Second-Order Unified
 * SynthEsis in Stochastic Optimization</i> (2025). The paper's code compares single batches; we compare moving averages
 * over batches (decay {@value #AVERAGE_DECAY}), because one lucky batch should not switch. The iteration criterion is
 * ours, for loops that call {@code fit(DataSet)} and never end an epoch.
 *
 * <p>Immutable; part of a model's JSON and YAML.
 */
public final class SwitchCriterion implements Serializable {

    /** Decay per batch of the moving averages of loss and gradient norm. */
    public static final double AVERAGE_DECAY = 0.9;

    private static final long serialVersionUID = 1;

    /** The quantity that is compared with the threshold. */
    public enum Kind {
        EPOCH,
        ITERATION,
        GRADIENT_NORM,
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
        Objects.requireNonNull(kind, "A switch criterion needs a kind: EPOCH, ITERATION, GRADIENT_NORM or LOSS.");
        boolean count = kind == Kind.EPOCH || kind == Kind.ITERATION;
        if (count && !(threshold >= 0 && threshold == Math.rint(threshold))) {
            throw new IllegalArgumentException("The switch comes after a whole number of "
                    + (kind == Kind.EPOCH ? "epochs" : "iterations") + ", 0 or more, not after " + threshold + ".");
        }
        if (kind == Kind.GRADIENT_NORM && !(threshold > 0)) {
            throw new IllegalArgumentException("The gradient norm to switch at is positive, not " + threshold + ".");
        }
        if (Double.isNaN(threshold)) {
            throw new IllegalArgumentException("The loss to switch at is a number, not NaN.");
        }
        return new SwitchCriterion(kind, threshold);
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

    public Kind kind() {
        return kind;
    }

    public double threshold() {
        return threshold;
    }

    /** Returns whether L-BFGS is due. Without an observation of the loss or the gradient, it isn't. */
    public boolean isMet(TrainingProgress progress) {
        return switch (kind) {
            case EPOCH -> progress.epoch() >= threshold;
            case ITERATION -> progress.iteration() >= threshold;
            case GRADIENT_NORM -> progress.gradientNorm() <= threshold;
            case LOSS -> progress.loss() < threshold;
        };
    }

    /** Returns whether it looks at averages of gradient norm and loss. */
    public boolean needsAverages() {
        return kind == Kind.GRADIENT_NORM || kind == Kind.LOSS;
    }

    /** Says the condition in words, for example "epoch 5 was reached". */
    public String describe() {
        return switch (kind) {
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
