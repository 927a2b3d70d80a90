package io.github.dl4jfuse.updater;

import io.github.dl4jfuse.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.search.ArmijoBacktracking;
import io.github.dl4jfuse.switching.SwitchCriterion;
import io.github.dl4jfuse.switching.TrainingProgress;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * FUSE-PV: Adam first, L-BFGS once a criterion is met. A drop-in for {@link Adam}:
 *
 * <pre>
 *   .updater(new FusePv())                    // was: .updater(new Adam(1e-3))
 *   net.setListeners(new FuseListener());     // the L-BFGS phase needs it
 * </pre>
 *
 * <p>Until the switch the parameters are those of DL4J's Adam, bit for bit. After it a step is x ← x + t p with
 * p = -H g over all parameters of the network (see {@link LbfgsHistory}); t starts at 1 (at min(1, 1/|g|) without
 * curvature pairs) and is cut back until the loss of the batch in hand decreases enough (see
 * {@link ArmijoBacktracking}); the pair (s, y) comes from two gradients of that same batch.
 *
 * <p>An updater sees gradients alone: no loss, no parameters, no second gradient of the same batch. Differences between
 * the gradients of two batches are mostly noise, so without the listener {@code FusePv} stays with Adam and says so
 * once in the log.
 *
 * <p>Source: Jiang et al., <i>FUSE: First-Order and Second-Order Unified SynthEsis in Stochastic Optimization</i>
 * (2025), the practical version. Our choices, where the paper is silent: the switch is latched, pairs never mix batches,
 * Powell damping, Armijo instead of Wolfe conditions (damping keeps H positive definite without them), no step where no
 * trial step is good enough, none on a batch much smaller than the others.
 *
 * <p>Memory: 2 + 2m numbers for each parameter (Adam: 2) in the updater state, so models saved with their updater grow
 * by that much; the listener adds 1 (the last good parameters) and 4 more in the L-BFGS phase. DL4J addresses updater state by int, which limits a network to
 * 2³¹ / (2 + 2m) parameters.
 */
public final class FusePv implements IUpdater {

    /** Default of m, the number of curvature pairs kept. */
    public static final int DEFAULT_MEMORY = 10;

    /** Default of the switch: the paper's epoch criterion, which it found slightly better than the other two. */
    public static final int DEFAULT_SWITCH_EPOCH = 5;

    /** Default number of epochs before the gradient norm and loss criteria are looked at. */
    public static final int DEFAULT_WARM_UP_EPOCHS = 3;

    /** Default of the most evaluations of loss and gradient in one L-BFGS step, as in the paper's code. */
    public static final int DEFAULT_MAX_EVALUATIONS = 4;

    private static final long serialVersionUID = 1;

    private double learningRate = Adam.DEFAULT_ADAM_LEARNING_RATE;
    private ISchedule learningRateSchedule;
    private double beta1 = Adam.DEFAULT_ADAM_BETA1_MEAN_DECAY;
    private double beta2 = Adam.DEFAULT_ADAM_BETA2_VAR_DECAY;
    private double epsilon = Adam.DEFAULT_ADAM_EPSILON;
    private SwitchCriterion switchCriterion = SwitchCriterion.epoch(DEFAULT_SWITCH_EPOCH);
    private int warmUpEpochs = DEFAULT_WARM_UP_EPOCHS;
    private boolean latched = true;
    private int memory = DEFAULT_MEMORY;
    private int maxEvaluations = DEFAULT_MAX_EVALUATIONS;
    private double sufficientDecrease = ArmijoBacktracking.DEFAULT_SUFFICIENT_DECREASE;

    /** All defaults: DL4J's Adam with rate 1e-3, L-BFGS from epoch {@value #DEFAULT_SWITCH_EPOCH}. */
    public FusePv() {}

    /** Defaults with another learning rate for the Adam phase. */
    public FusePv(double learningRate) {
        this.learningRate = learningRate;
        validate();
    }

    /** Defaults with a learning rate schedule for the Adam phase. */
    public FusePv(ISchedule learningRateSchedule) {
        setLrAndSchedule(Double.NaN, Objects.requireNonNull(learningRateSchedule, "The schedule must not be null."));
    }

    private FusePv(FusePv other) {
        learningRate = other.learningRate;
        learningRateSchedule = other.learningRateSchedule == null ? null : other.learningRateSchedule.clone();
        beta1 = other.beta1;
        beta2 = other.beta2;
        epsilon = other.epsilon;
        switchCriterion = other.switchCriterion;
        warmUpEpochs = other.warmUpEpochs;
        latched = other.latched;
        memory = other.memory;
        maxEvaluations = other.maxEvaluations;
        sufficientDecrease = other.sufficientDecrease;
    }

    /** Returns a builder that starts at the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The Adam of the first phase. */
    Adam adam() {
        Adam adam = new Adam(learningRate, beta1, beta2, epsilon);
        adam.setLrAndSchedule(learningRate, learningRateSchedule);
        return adam;
    }

    /**
     * Returns whether the switch to L-BFGS is due; once it has happened and is latched, it stays whatever this says.
     */
    public boolean isSwitchDue(TrainingProgress progress) {
        boolean warm = switch (switchCriterion.kind()) {
            case EPOCH, ITERATION -> true;
            case GRADIENT_NORM, LOSS -> progress.epoch() >= warmUpEpochs;
        };
        return warm && switchCriterion.isMet(progress);
    }

    public SwitchCriterion switchCriterion() {
        return switchCriterion;
    }

    public int warmUpEpochs() {
        return warmUpEpochs;
    }

    public boolean latched() {
        return latched;
    }

    public int memory() {
        return memory;
    }

    public int maxEvaluations() {
        return maxEvaluations;
    }

    public double sufficientDecrease() {
        return sufficientDecrease;
    }

    /** Returns whether the other updater differs in nothing but Adam's constants, so that both share one L-BFGS phase. */
    public boolean sharesCurvaturePhaseWith(FusePv other) {
        return switchCriterion.equals(other.switchCriterion)
                && warmUpEpochs == other.warmUpEpochs
                && latched == other.latched
                && memory == other.memory
                && maxEvaluations == other.maxEvaluations
                && sufficientDecrease == other.sufficientDecrease;
    }

    @Override
    public long stateSize(long numParams) {
        return FusePvState.size(memory, numParams);
    }

    @Override
    public GradientUpdater<FusePv> instantiate(INDArray viewArray, boolean initializeViewArray) {
        validate();
        FusePvUpdater updater = new FusePvUpdater(this);
        if (viewArray != null) { // SameDiff hands the view over later
            updater.setStateViewArray(viewArray, viewArray.shape(), viewArray.ordering(), initializeViewArray);
        }
        return updater;
    }

    @Override
    public GradientUpdater<FusePv> instantiate(Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        validate();
        FusePvUpdater updater = new FusePvUpdater(this);
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
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public FusePv clone() {
        return new FusePv(this);
    }

    private void validate() {
        if (learningRateSchedule == null) {
            require(learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY, "learningRate", learningRate, ">= 0");
        }
        require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "in [0, 1)");
        require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "in [0, 1)");
        require(epsilon > 0, "epsilon", epsilon, "> 0");
        require(switchCriterion != null, "switchCriterion", switchCriterion, "a criterion");
        require(warmUpEpochs >= 0, "warmUpEpochs", warmUpEpochs, ">= 0");
        require(memory >= 1, "memory", memory, ">= 1 (for no curvature at all, use DL4J's Adam)");
        require(maxEvaluations >= 1, "maxEvaluations", maxEvaluations, ">= 1");
        require(
                sufficientDecrease > 0 && sufficientDecrease < 1,
                "sufficientDecrease",
                sufficientDecrease,
                "in (0, 1)");
    }

    private static void require(boolean holds, String name, Object value, String range) {
        if (!holds) {
            throw new IllegalArgumentException("FusePv: " + name + " must be " + range + ", not " + value + ".");
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FusePv that
                && Double.compare(learningRate, that.learningRate) == 0
                && Objects.equals(learningRateSchedule, that.learningRateSchedule)
                && beta1 == that.beta1
                && beta2 == that.beta2
                && epsilon == that.epsilon
                && sharesCurvaturePhaseWith(that);
    }

    @Override
    public int hashCode() {
        return Objects.hash(learningRate, learningRateSchedule, beta1, beta2, epsilon, switchCriterion, memory);
    }

    @Override
    public String toString() {
        Object rate = learningRateSchedule == null ? (Object) learningRate : learningRateSchedule;
        return "FusePv(learningRate=" + rate + ", beta1=" + beta1 + ", beta2=" + beta2 + ", epsilon=" + epsilon
                + ", switchCriterion=" + switchCriterion + ", warmUpEpochs=" + warmUpEpochs + ", latched=" + latched
                + ", memory=" + memory + ", maxEvaluations=" + maxEvaluations + ", sufficientDecrease="
                + sufficientDecrease + ")";
    }

    /** Builds a {@link FusePv}; what isn't set keeps its default. */
    public static final class Builder {

        private final FusePv built = new FusePv();

        private Builder() {}

        /** Adam's learning rate; default {@value Adam#DEFAULT_ADAM_LEARNING_RATE}, 0 or more. Not used by L-BFGS. */
        public Builder learningRate(double value) {
            built.setLrAndSchedule(value, null);
            return this;
        }

        /** Adam's learning rate as a schedule; default none. */
        public Builder learningRateSchedule(ISchedule value) {
            built.setLrAndSchedule(Double.NaN, value);
            return this;
        }

        /** Adam's decay of the first moment; default {@value Adam#DEFAULT_ADAM_BETA1_MEAN_DECAY}, in [0, 1). */
        public Builder beta1(double value) {
            built.beta1 = value;
            return this;
        }

        /** Adam's decay of the second moment; default {@value Adam#DEFAULT_ADAM_BETA2_VAR_DECAY}, in [0, 1). */
        public Builder beta2(double value) {
            built.beta2 = value;
            return this;
        }

        /** Adam's ε, added to the root of the second moment; default {@value Adam#DEFAULT_ADAM_EPSILON}, positive. */
        public Builder epsilon(double value) {
            built.epsilon = value;
            return this;
        }

        /** When to switch; default {@code SwitchCriterion.epoch(}{@value FusePv#DEFAULT_SWITCH_EPOCH}{@code )}. */
        public Builder switchCriterion(SwitchCriterion value) {
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
         * Whether L-BFGS is for good once it was reached; default true. If false, every batch goes by the criterion, as
         * in the paper's code: back to Adam (with its moments as they were) when it is no longer met.
         */
        public Builder latched(boolean value) {
            built.latched = value;
            return this;
        }

        /** Number m of curvature pairs kept; default {@value FusePv#DEFAULT_MEMORY}, 1 or more. */
        public Builder memory(int value) {
            built.memory = value;
            return this;
        }

        /**
         * Most evaluations of loss and gradient in one L-BFGS step beyond the one that DL4J makes; default
         * {@value FusePv#DEFAULT_MAX_EVALUATIONS}, 1 or more.
         */
        public Builder maxEvaluations(int value) {
            built.maxEvaluations = value;
            return this;
        }

        /**
         * Armijo's c₁; default {@value ArmijoBacktracking#DEFAULT_SUFFICIENT_DECREASE}, in (0, 1).
         */
        public Builder sufficientDecrease(double value) {
            built.sufficientDecrease = value;
            return this;
        }

        /** Returns the updater, or throws an IllegalArgumentException that names the value out of range. */
        public FusePv build() {
            built.validate();
            return built.clone();
        }
    }
}
