package io.github.dl4jfuse.updater;

import io.github.dl4jfuse.optim.MeasuredSmoothness;
import java.util.Arrays;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.AdamUpdater;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of {@link FusePv} or {@link Fuse} for one block of parameters, and its Adam step.
 *
 * <p>DL4J makes one for each block of neighbouring parameters with equal updater configuration. The L-BFGS phase spans
 * all blocks, so whoever conducts it ({@code CurvatureListener}) asks each block to {@linkplain #holdNextStep hold} its step or
 * take a share of it, and keeps what must be saved with the model in the blocks' state: phase, curvature pairs, averages.
 *
 * <p>Not thread-safe, like all of DL4J's updaters.
 */
public final class FuseUpdater extends BlockUpdater<AdamLbfgsConfig> implements CoordinatedUpdater {

    private static final Logger log = LoggerFactory.getLogger(FuseUpdater.class);
    private static final String STATE_KEY = "FUSE_PV"; // for both, and written into saved SameDiff models

    /** Share of the distance from the largest batch to a smaller one that is forgotten with each. */
    private static final double FORGETTING = 1.0 / 16;

    private static final OncePerNetwork STAYS_WITH_ADAM = new OncePerNetwork();
    private static final OncePerNetwork LEAVES_THE_PHASE = new OncePerNetwork();

    private final AdamLbfgsConfig config;
    private final AdamUpdater adam;
    private FuseState state;
    private long[] momentShape;
    private boolean wrapped;
    private double share = 1;

    FuseUpdater(AdamLbfgsConfig config) {
        super(config, STATE_KEY);
        this.config = config;
        adam = AdamRule.of(config.adam());
    }

    /**
     * Replaces the gradient by the update that DL4J then subtracts: Adam's, or zero when the step is held. A gradient
     * that is not finite gives no update and leaves the moments as they are, whoever conducts; within Preconditioned it was looked at
     * before.
     */
    @Override
    void step(INDArray gradient, int iteration, int epoch, boolean alone) {
        double ofThisStep = share;
        share = 1;
        if (ofThisStep == 0) {
            gradient.assign(0);
            return;
        }
        if (alone && !wrapped) {
            sayOnceThatItStays(gradient, iteration, epoch);
        }
        if (!wrapped && leavesOut(gradient, iteration)) {
            return;
        }
        shapeMoments(gradient);
        adam.applyUpdater(gradient, iteration, epoch);
        if (ofThisStep < 1) {
            gradient.muli(ofThisStep);
        }
    }

    @Override
    void bind(INDArray view, long n) {
        FiniteState.require(view);
        state = new FuseState(view, n, config.savedPairs());
    }

    @Override
    void unbind() {
        state = null;
        momentShape = null;
    }

    private void shapeMoments(INDArray gradient) {
        if (!Arrays.equals(gradient.shape(), momentShape)) {
            momentShape = gradient.shape();
            try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                INDArray m = state.firstMoment.reshape(gradient.ordering(), momentShape);
                INDArray v = state.secondMoment.reshape(gradient.ordering(), momentShape);
                adam.setState(Map.of(AdamUpdater.M_STATE, m, AdamUpdater.V_STATE, v), false);
            }
        }
    }

    private void sayOnceThatItStays(INDArray gradient, int iteration, int epoch) {
        String name = config.getClass().getSimpleName();
        if (inCurvaturePhase()) {
            if (LEAVES_THE_PHASE.isFirst(gradient, config)) {
                log.warn(
                        "{} is in its L-BFGS phase, but no CurvatureListener conducts iteration {}: it goes on with plain Adam"
                                + " until there is one. Add net.addListeners(new CurvatureListener());"
                                + " net.setListeners(..) takes off those that are there. Said once.",
                        name,
                        iteration);
            }
        } else if (config.missesListener(new TrainingProgress(iteration, epoch, Double.NaN, Double.NaN, 0))
                && STAYS_WITH_ADAM.isFirst(gradient, config)) {
            log.warn(
                    "{} stays with plain Adam: L-BFGS steps need a CurvatureListener, and none conducts iteration {}. Add"
                            + " net.addListeners(new CurvatureListener()); net.setListeners(..) takes off those that are there."
                            + " Pretraining, SameDiff and gradients of your own have none. Said once.",
                    name,
                    iteration);
        }
    }

    /** Announces that this is the rule inside {@link Preconditioned}, which says itself that a listener is missing. */
    void setWrapped() {
        wrapped = true;
    }

    @Override
    public void conductNextStep() {
        super.conductNextStep();
        share = 1;
    }

    /** Makes the next {@link #applyUpdater} give a zero update and leave the state alone. */
    @Override
    public void holdNextStep() {
        share = 0;
    }

    /** Makes the next {@link #applyUpdater} give this share of Adam's update; 0 holds it. */
    public void takeShareOfNextStep(double theta) {
        share = theta;
    }

    @Override
    public void prepare(long n) {
        bind(n);
        state.header.read();
    }

    @Override
    public boolean followState() {
        return state.header.follow();
    }

    @Override
    public boolean stepsWith(CoordinatedUpdater other) {
        return other instanceof FuseUpdater that && config.sharesCurvaturePhaseWith(that.config);
    }

    @Override
    public boolean isAutomatic() {
        return config.isAutomatic();
    }

    /** Returns whether the next {@link #applyUpdater} gives a zero update. */
    boolean holdsNextStep() {
        return share == 0;
    }

    /** Returns the rows of s, memory · n numbers, slot by slot; null where pairs are not saved. */
    public INDArray sRows() {
        return state.sRows;
    }

    /** Returns the rows of y, likewise. */
    public INDArray yRows() {
        return state.yRows;
    }

    /** Sets Adam's moments to zero, as at the start. */
    public void resetMoments() {
        state.firstMoment.assign(0);
        state.secondMoment.assign(0);
    }

    /** Returns whether the saved phase is L-BFGS. */
    public boolean inCurvaturePhase() {
        return !config.isAutomatic() && state.header.get(FuseState.PHASE) == 1;
    }

    /** Saves the phase. */
    public void setCurvaturePhase(boolean curvature) {
        state.header.set(FuseState.PHASE, curvature ? 1 : 0);
    }

    /** Returns how many curvature pairs are saved. */
    public int historySize() {
        return (int) state.header.get(FuseState.HISTORY_SIZE);
    }

    /** Returns the slot where the next pair goes. */
    public int historyNextSlot() {
        return (int) state.header.get(FuseState.HISTORY_NEXT);
    }

    /**
     * Saves how far the ring of pairs is filled.
     *
     * @param loss where the last pair was made, by which other pairs that are put into the state are noticed
     */
    public void setHistory(int size, int nextSlot, double loss) {
        state.header.set(FuseState.HISTORY_SIZE, size);
        state.header.set(FuseState.HISTORY_NEXT, nextSlot);
        state.header.set(FuseState.HISTORY_LOSS, Double.isFinite(loss) ? loss : 0);
    }

    /** Returns the moving average of the batch gradient's norm, NaN before the first batch. */
    public double averageGradientNorm() {
        return average(FuseState.AVERAGE_GRADIENT_NORM);
    }

    /** Returns the moving average of the batch loss, NaN before the first batch. */
    public double averageLoss() {
        return average(FuseState.AVERAGE_LOSS);
    }

    private double average(int slot) {
        return state.header.get(FuseState.OBSERVED) == 0 ? Double.NaN : state.header.get(slot);
    }

    /** Takes a batch's gradient norm and loss into the moving averages. */
    public void observe(double gradientNorm, double loss) {
        double old = state.header.get(FuseState.OBSERVED) == 0 ? 0 : SwitchCriterion.AVERAGE_DECAY;
        updateAverage(FuseState.AVERAGE_GRADIENT_NORM, old, gradientNorm);
        updateAverage(FuseState.AVERAGE_LOSS, old, loss);
        state.header.set(FuseState.OBSERVED, 1);
    }

    private void updateAverage(int slot, double decay, double value) {
        state.header.set(slot, decay * state.header.get(slot) + (1 - decay) * value);
    }

    /** Returns the smoothness measured along L-BFGS steps: the guess 1 at the start. */
    public MeasuredSmoothness measured() {
        double length = state.header.get(FuseState.STEP_LENGTH);
        return length == 0
                ? MeasuredSmoothness.guess(1)
                : new MeasuredSmoothness(
                        length, state.header.get(FuseState.SLOPE), state.header.get(FuseState.CURVATURE));
    }

    /** Saves what was measured. */
    public void setMeasured(MeasuredSmoothness value) {
        state.header.set(FuseState.STEP_LENGTH, value.rate());
        state.header.set(FuseState.SLOPE, value.slope());
        state.header.set(FuseState.CURVATURE, value.curvature());
    }

    /** Returns the number of examples of the largest batch of late. */
    public double largestBatch() {
        return state.header.get(FuseState.LARGEST_BATCH);
    }

    /** Takes a batch into the largest of late, which falls towards batches that stay smaller. */
    public void seeBatch(int examples) {
        double fallen = largestBatch() - (largestBatch() - examples) * FORGETTING;
        state.header.set(FuseState.LARGEST_BATCH, Math.max(examples, fallen));
    }
}
