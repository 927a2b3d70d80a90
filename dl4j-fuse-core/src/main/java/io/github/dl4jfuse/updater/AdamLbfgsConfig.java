package io.github.dl4jfuse.updater;

import io.github.dl4jfuse.linalg.Precision;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonIgnore;

/**
 * What {@link FusePv} and {@link Fuse} have in common: an Adam, an L-BFGS history, and Adam's share θ of each step,
 *
 * <pre>
 *   x ← x + θ d + (1 - θ) t p
 * </pre>
 *
 * with d the step of DL4J's Adam, p the L-BFGS direction over all parameters of the network and t the step
 * length that the search accepts on the batch in hand. They differ in how θ is chosen.
 *
 * <p>Memory: 2 + 2m numbers for each parameter (Adam: 2) in the updater state, so models saved with their updater grow by
 * that much; 2 where the L-BFGS phase {@linkplain #isAutomatic comes by itself}. DL4J addresses updater state by int, which
 * limits a network to 2³¹ / (2 + 2m) parameters.
 */
public abstract sealed class AdamLbfgsConfig implements IUpdater permits Fuse, FusePv {

    /** Default of m, the number of curvature pairs kept. */
    public static final int DEFAULT_MEMORY = 10;

    /** Default of the most evaluations of loss and gradient in one L-BFGS step, as in the paper's code. */
    public static final int DEFAULT_MAX_EVALUATIONS = 4;

    private static final long serialVersionUID = 1;

    private double learningRate = Adam.DEFAULT_ADAM_LEARNING_RATE;
    private ISchedule learningRateSchedule;
    private double beta1 = Adam.DEFAULT_ADAM_BETA1_MEAN_DECAY;
    private double beta2 = Adam.DEFAULT_ADAM_BETA2_VAR_DECAY;
    private double epsilon = Adam.DEFAULT_ADAM_EPSILON;
    private int memory = DEFAULT_MEMORY;
    private int maxEvaluations = DEFAULT_MAX_EVALUATIONS;
    private double sufficientDecrease = ArmijoBacktracking.DEFAULT_SUFFICIENT_DECREASE;
    private boolean measuredSteps;

    AdamLbfgsConfig() {}

    AdamLbfgsConfig(AdamLbfgsConfig other) {
        learningRate = other.learningRate;
        learningRateSchedule = other.learningRateSchedule == null ? null : other.learningRateSchedule.clone();
        beta1 = other.beta1;
        beta2 = other.beta2;
        epsilon = other.epsilon;
        memory = other.memory;
        maxEvaluations = other.maxEvaluations;
        sufficientDecrease = other.sufficientDecrease;
        measuredSteps = other.measuredSteps;
    }

    /**
     * Returns θ, Adam's share of the next step, in [0, 1].
     *
     * @param progress where the training stands
     * @param curvature whether the step before had an L-BFGS part
     */
    public abstract double adamShare(TrainingProgress progress, boolean curvature);

    /** Returns in words why θ is what it is, for the log. */
    public abstract String reason(TrainingProgress progress);

    /** Returns whether this step would have an L-BFGS part if there were a listener, as far as an updater can know. */
    abstract boolean missesListener(TrainingProgress progress);

    /**
     * Returns whether the L-BFGS phase comes and goes by itself, on fixed batches only. Then its pairs are no part of the
     * state, and where it makes no sense (dropout, gradient clipping, ..) there is none, instead of an exception.
     */
    @JsonIgnore
    public boolean isAutomatic() {
        return false;
    }

    /** Returns whether θ may lie between 0 and 1, so that a step consists of both. */
    public abstract boolean blends();

    /** Returns whether the other updater differs in nothing but Adam's constants, so that both share one history. */
    public boolean sharesCurvaturePhaseWith(AdamLbfgsConfig other) {
        return memory == other.memory
                && maxEvaluations == other.maxEvaluations
                && sufficientDecrease == other.sufficientDecrease
                && measuredSteps == other.measuredSteps;
    }

    /** The Adam. */
    Adam adam() {
        Adam adam = new Adam(learningRate, beta1, beta2, epsilon);
        adam.setLrAndSchedule(learningRate, learningRateSchedule);
        return adam;
    }

    /** Returns m, the number of curvature pairs kept. */
    public int memory() {
        return memory;
    }

    /** Returns the most evaluations of one L-BFGS step. */
    public int maxEvaluations() {
        return maxEvaluations;
    }

    /** Returns Armijo's c₁. */
    public double sufficientDecrease() {
        return sufficientDecrease;
    }

    /** Returns whether first trial steps are measured on the steps before. */
    public boolean measuredSteps() {
        return measuredSteps;
    }

    /** Returns how many pairs the state holds. */
    int savedPairs() {
        return isAutomatic() ? 0 : memory;
    }

    @Override
    public long stateSize(long numParams) {
        validate();
        return FuseState.size(savedPairs(), numParams);
    }

    @Override
    public GradientUpdater<AdamLbfgsConfig> instantiate(INDArray viewArray, boolean initializeViewArray) {
        Precision.require(this, viewArray);
        validate();
        FuseUpdater updater = new FuseUpdater(this);
        if (viewArray != null) { // SameDiff hands the view over later
            updater.setStateViewArray(viewArray, viewArray.shape(), viewArray.ordering(), initializeViewArray);
        }
        return updater;
    }

    @Override
    public GradientUpdater<AdamLbfgsConfig> instantiate(
            Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        updaterState.values().forEach(state -> Precision.require(this, state));
        validate();
        FuseUpdater updater = new FuseUpdater(this);
        updater.setState(updaterState, initializeStateArrays);
        return updater;
    }

    @Override
    public double getLearningRate(int iteration, int epoch) {
        return learningRateSchedule == null ? learningRate : learningRateSchedule.valueAt(iteration, epoch);
    }

    @Override
    public boolean hasLearningRate() {
        return true;
    }

    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        learningRate = lr;
        learningRateSchedule = lrSchedule;
    }

    @Override
    public abstract AdamLbfgsConfig clone();

    void validate() {
        if (learningRateSchedule == null) {
            require(learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY, "learningRate", learningRate, ">= 0");
        }
        require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "in [0, 1)");
        require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "in [0, 1)");
        require(epsilon > 0, "epsilon", epsilon, "> 0");
        require(memory >= 1, "memory", memory, ">= 1 (for no curvature at all, use DL4J's Adam)");
        require(maxEvaluations >= 1, "maxEvaluations", maxEvaluations, ">= 1");
        require(
                sufficientDecrease > 0 && sufficientDecrease < 1,
                "sufficientDecrease",
                sufficientDecrease,
                "in (0, 1)");
    }

    final void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new IllegalArgumentException(
                    getClass().getSimpleName() + ": " + name + " must be " + range + ", not " + value + ".");
        }
    }

    final boolean sharesAdamWith(AdamLbfgsConfig that) {
        return Double.compare(learningRate, that.learningRate) == 0
                && Objects.equals(learningRateSchedule, that.learningRateSchedule)
                && beta1 == that.beta1
                && beta2 == that.beta2
                && epsilon == that.epsilon;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AdamLbfgsConfig that && sharesAdamWith(that) && sharesCurvaturePhaseWith(that);
    }

    @Override
    public int hashCode() {
        return Objects.hash(learningRate, learningRateSchedule, beta1, beta2, epsilon, memory);
    }

    /** Returns "Name(learningRate=.., what is its own, ..)". */
    final String describe(String own) {
        Object rate = learningRateSchedule == null ? (Object) learningRate : learningRateSchedule;
        return getClass().getSimpleName() + "(learningRate=" + rate + ", beta1=" + beta1 + ", beta2=" + beta2
                + ", epsilon=" + epsilon + ", " + own + ", memory=" + memory + ", maxEvaluations=" + maxEvaluations
                + ", sufficientDecrease=" + sufficientDecrease + ", measuredSteps=" + measuredSteps + ")";
    }

    /**
     * Sets what both updaters have in common; what isn't set keeps its default.
     *
     * @param <B> the builder itself
     * @param <U> what it builds
     */
    public abstract static sealed class Builder<B extends Builder<B, U>, U extends AdamLbfgsConfig>
            permits Fuse.Builder, FusePv.Builder {

        final U built;

        Builder(U built) {
            this.built = built;
        }

        abstract B self();

        private AdamLbfgsConfig settings() {
            return built;
        }

        /** Adam's learning rate; default {@value Adam#DEFAULT_ADAM_LEARNING_RATE}, 0 or more. Not used by L-BFGS. */
        public B learningRate(double value) {
            settings().setLrAndSchedule(value, null);
            return self();
        }

        /** Adam's learning rate as a schedule; default none. */
        public B learningRateSchedule(ISchedule value) {
            settings().setLrAndSchedule(Double.NaN, value);
            return self();
        }

        /** Adam's decay of the first moment; default {@value Adam#DEFAULT_ADAM_BETA1_MEAN_DECAY}, in [0, 1). */
        public B beta1(double value) {
            settings().beta1 = value;
            return self();
        }

        /** Adam's decay of the second moment; default {@value Adam#DEFAULT_ADAM_BETA2_VAR_DECAY}, in [0, 1). */
        public B beta2(double value) {
            settings().beta2 = value;
            return self();
        }

        /** Adam's ε, added to the root of the second moment; default {@value Adam#DEFAULT_ADAM_EPSILON}, positive. */
        public B epsilon(double value) {
            settings().epsilon = value;
            return self();
        }

        /** Number m of curvature pairs kept; default {@value #DEFAULT_MEMORY}, 1 or more. */
        public B memory(int value) {
            settings().memory = value;
            return self();
        }

        /**
         * Most evaluations of loss and gradient in one L-BFGS step beyond the one that DL4J makes; default
         * {@value #DEFAULT_MAX_EVALUATIONS}, 1 or more.
         */
        public B maxEvaluations(int value) {
            settings().maxEvaluations = value;
            return self();
        }

        /** Armijo's c₁; default {@value ArmijoBacktracking#DEFAULT_SUFFICIENT_DECREASE}, in (0, 1). */
        public B sufficientDecrease(double value) {
            settings().sufficientDecrease = value;
            return self();
        }

        /**
         * Whether the step length that an L-BFGS step tries first comes from a measured smoothness oracle (LFSO) along the
         * steps before it; default false, which tries 1.
         *
         * <p>The length is η = 2 (1 - c) S / K with c = {@value MeasuredSmoothness#ORACLE_DECREASE}, where each slope and
         * curvature is divided by that slope: see {@link MeasuredSmoothness}. Every accepted step is a trial, so measuring
         * costs nothing. A step that Armijo's
         * condition refuses is cut back as ever. Steps along the gradient, for want of pairs, are not measured.
         */
        public B measuredSteps(boolean value) {
            settings().measuredSteps = value;
            return self();
        }

        /** Returns the updater, or throws an IllegalArgumentException that names the value out of range. */
        @SuppressWarnings("unchecked") // clone returns the type that it is called on
        public U build() {
            settings().validate();
            return (U) built.clone();
        }
    }
}
