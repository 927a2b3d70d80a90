package io.github.dl4jfuse.updater;

import java.util.Objects;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonIgnore;
import org.nd4j.shade.jackson.annotation.JsonTypeInfo;

/**
 * FUSE-PV: Adam first, L-BFGS once a criterion is met; by default where every step has the same batch. A drop-in for
 * {@link Adam}:
 *
 * <pre>
 *   .updater(new FusePv())                    // was: .updater(new Adam(1e-3))
 *   net.setListeners(new CurvatureListener());     // the L-BFGS phase needs it
 * </pre>
 *
 * <p>Until the switch the parameters are those of DL4J's Adam, bit for bit. After it a step is x ← x + t p with
 * p = -H g over all parameters of the network (see {@code LbfgsHistory}); t starts at 1 (at min(1, 1/|g|) without
 * curvature pairs) and is cut back until the loss of the batch in hand decreases enough (see
 * {@code ArmijoBacktracking}); the pair (s, y) comes from two gradients of that same batch.
 *
 * <p>By default, where every step has the same batch and the loss is a sum of few squares, Gauss-Newton steps come before
 * those (see {@code CurvatureListener}).
 *
 * <p>An updater sees gradients alone: no loss, no parameters, no second gradient of the same batch. Differences between
 * the gradients of two batches are mostly noise, so without the listener {@code FusePv} stays with Adam and says so
 * once in the log.
 *
 * <p>Where the data fit into one evaluation, the training can also be finished by the solver itself, with Wolfe conditions and
 * a curvature that never changes its batch: {@code LbfgsSolver.minimize(new NetworkObjective(net, data))}.
 *
 * <p>Source: Jiang et al., <i>FUSE: First-Order and Second-Order Unified SynthEsis in Stochastic Optimization</i>
 * (2025), the practical version, which is {@code SwitchCriterion.epoch(}{@value #PUBLISHED_SWITCH_EPOCH}{@code )}; on
 * mini-batches it ends behind Adam (docs/experiments.md), so the default is another one. Our choices, where the paper is
 * silent: the switch is latched unless the criterion is a fixed batch, pairs never mix batches,
 * Powell damping, Armijo instead of Wolfe conditions (damping keeps H positive definite without them), no step where no
 * trial step is good enough, Adam's step on a batch much smaller than the others.
 *
 * <p>Memory: see {@link AdamLbfgsConfig}; the listener adds 1 number for each parameter (the last good parameters) and 4 more in
 * the L-BFGS phase.
 */
public final class FusePv extends AdamLbfgsConfig {

    /** The epoch of the paper's code for its epoch criterion, which the paper found slightly better than the other two. */
    public static final int PUBLISHED_SWITCH_EPOCH = 5;

    /** Default of m where pairs are not saved with the model, as long as they take at most {@link #UNSAVED_NUMBERS}. */
    public static final int UNSAVED_PAIRS = 100;

    /** Limit of the numbers in s and y together beyond which m falls to {@link #memory()}. */
    public static final long UNSAVED_NUMBERS = 20_000_000;

    /** Default number of epochs before the gradient norm and loss criteria are looked at. */
    public static final int DEFAULT_WARM_UP_EPOCHS = 3;

    private static final long serialVersionUID = 1;

    @JsonTypeInfo(use = JsonTypeInfo.Id.CLASS, defaultImpl = SwitchCriterion.class) // models of before name no class
    private SwitchRule switchCriterion = SwitchCriterion.fixedBatch(SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS);

    private int warmUpEpochs = DEFAULT_WARM_UP_EPOCHS;
    private boolean latched = true;

    /** All defaults: DL4J's Adam with rate 1e-3, L-BFGS on fixed batches. */
    public FusePv() {}

    /** Defaults with another learning rate for the Adam phase. */
    public static FusePv ofRate(double learningRate) {
        FusePv fusePv = new FusePv();
        fusePv.setLrAndSchedule(learningRate, null);
        fusePv.validate();
        return fusePv;
    }

    /** Defaults with a learning rate schedule for the Adam phase. */
    public static FusePv ofRate(ISchedule learningRateSchedule) {
        FusePv fusePv = new FusePv();
        fusePv.setLrAndSchedule(
                Double.NaN, Objects.requireNonNull(learningRateSchedule, "The schedule must not be null."));
        return fusePv;
    }

    private FusePv(FusePv other) {
        super(other);
        switchCriterion = other.switchCriterion;
        warmUpEpochs = other.warmUpEpochs;
        latched = other.latched;
    }

    /** Returns a builder that starts at the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns whether the switch to L-BFGS is due; once it has happened and is latched, it stays whatever this says.
     */
    public boolean isSwitchDue(TrainingProgress progress) {
        boolean warm = !switchCriterion.needsAverages() || progress.epoch() >= warmUpEpochs;
        return warm && switchCriterion.isMet(progress);
    }

    /** Returns 1 before the switch and 0 after it. */
    @Override
    public double adamShare(TrainingProgress progress, boolean curvature) {
        return isSwitchDue(progress) || (curvature && latched && !isAutomatic()) ? 0 : 1;
    }

    @Override
    public String reason(TrainingProgress progress) {
        return switchCriterion.describe();
    }

    @Override
    boolean missesListener(TrainingProgress progress) {
        return switchCriterion.needsAverages() || isAutomatic() || isSwitchDue(progress);
    }

    @Override
    @JsonIgnore
    public boolean isAutomatic() {
        return switchCriterion instanceof SwitchCriterion criterion
                && criterion.kind() == SwitchCriterion.Kind.FIXED_BATCH;
    }

    @Override
    public boolean blends() {
        return false;
    }

    /** Returns when it switches. */
    public SwitchRule switchCriterion() {
        return switchCriterion;
    }

    /** Returns how many epochs pass before averages are looked at. */
    public int warmUpEpochs() {
        return warmUpEpochs;
    }

    /** Returns whether it stays with L-BFGS once it has switched. */
    public boolean latched() {
        return latched;
    }

    @Override
    public boolean sharesCurvaturePhaseWith(AdamLbfgsConfig other) {
        return other instanceof FusePv that
                && super.sharesCurvaturePhaseWith(that)
                && switchCriterion.equals(that.switchCriterion)
                && warmUpEpochs == that.warmUpEpochs
                && latched == that.latched;
    }

    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public FusePv clone() {
        return new FusePv(this);
    }

    @Override
    void validate() {
        super.validate();
        require(switchCriterion != null, "switchCriterion", switchCriterion, "a criterion");
        require(warmUpEpochs >= 0, "warmUpEpochs", warmUpEpochs, ">= 0");
    }

    @Override
    public String toString() {
        return describe(
                "switchCriterion=" + switchCriterion + ", warmUpEpochs=" + warmUpEpochs + ", latched=" + latched);
    }

    /** Builds a {@link FusePv}. */
    public static final class Builder extends AdamLbfgsConfig.Builder<Builder, FusePv> {

        private Builder() {
            super(new FusePv());
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * When to switch, a {@link SwitchCriterion} or an own rule; default {@code SwitchCriterion.fixedBatch(}{@value
         * SwitchCriterion#DEFAULT_FIXED_BATCH_STEPS}{@code )}.
         */
        public Builder switchCriterion(SwitchRule value) {
            built.switchCriterion = value;
            return this;
        }

        /**
         * Number of epochs before a gradient norm or loss criterion may switch; default
         * {@value FusePv#DEFAULT_WARM_UP_EPOCHS}, 0 or more.
         */
        public Builder warmUpEpochs(int value) {
            built.warmUpEpochs = value;
            return this;
        }

        /**
         * Whether L-BFGS is for good once it was reached; default true, and without effect on a fixed batch criterion. If
         * false, every batch goes by the criterion, as
         * in the paper's code: back to Adam (with its moments as they were) when it is no longer met.
         */
        public Builder latched(boolean value) {
            built.latched = value;
            return this;
        }
    }
}
