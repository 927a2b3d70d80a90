package io.github.dl4jfuse.updater;

import io.github.dl4jfuse.linalg.Precision;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Steps without a learning rate to tune: the step length comes from smoothness measured on the batches of the training.
 *
 * <pre>
 *   .updater(new Lfso())                    // was: new Adam(1e-3); or new Lfso(Lfso.Direction.MOMENTUM), ..
 *   net.setListeners(new LfsoListener());   // measures; one for each network
 * </pre>
 *
 * <p>A step is x ← x - η σ d with d one of {@link Direction}, σ = 1 or a schedule, and η from {@link MeasuredSmoothness}:
 * now and then the listener evaluates the loss of the batch in hand a second time, after the step, and η becomes the length
 * with which steps achieve the share {@link #decrease} of what the slope promises, averaged over batches. One η for the
 * whole network.
 *
 * <p>Where the number of steps is known beforehand, give a schedule that falls from 1 to 0: on mini-batches the step length
 * that lowers the loss of each batch is longer than the one at which the loss of all comes to rest.
 *
 * <p>An updater alone sees no loss. Without the listener η stays at the first guess and the log says so once.
 *
 * <p>Some of DL4J's gradients are not those of its loss (docs/upstream.md). Where trials keep falling short of what the gradient
 * promises however short they are, the slope is measured along a short step instead; and where the loss does not fall there either,
 * η is the first guess from then on. Both are said once.
 *
 * <p>Source: the principle of Berahas, Roberts, Roosta, <i>Non-Uniform Smoothness for Gradient Descent</i> (TMLR 2024).
 * They treat exact oracles and full gradients; directions, averaging and calibration are ours.
 *
 * <p>Memory: 0 numbers for each parameter for GRADIENT, 1 for MOMENTUM, 2 for ADAM; the listener adds 4. Saved and restored
 * with the model.
 */
public final class Lfso implements IUpdater {

    /** Which way a step goes. */
    public enum Direction {
        /** d = g. */
        GRADIENT,
        /**
         * Nesterov's, as DL4J's {@code Nesterovs} takes it, as a mean of gradients: d = (β m + (1 - β) g) / (1 - βᵗ⁺¹) after m ← β m
         * + (1 - β) g, with β = {@value Adam#DEFAULT_ADAM_BETA1_MEAN_DECAY}.
         */
        MOMENTUM,
        /** Adam's step with rate 1. */
        ADAM
    }

    /** Default direction. */
    public static final Direction DEFAULT_DIRECTION = Direction.ADAM;

    /** Default of the first guess of η, which the first batch corrects. */
    public static final double DEFAULT_FIRST_GUESS = 1e-3;

    private static final long serialVersionUID = 1;

    private Direction direction = DEFAULT_DIRECTION;
    private double firstGuess = DEFAULT_FIRST_GUESS;
    private double decrease = MeasuredSmoothness.DEFAULT_DECREASE;
    private ISchedule schedule;

    /** Adam's direction. */
    public Lfso() {}

    /** The given direction. */
    public Lfso(Direction direction) {
        this(direction, null);
    }

    /**
     * The given direction and schedule.
     *
     * @param schedule σ, without units: 1 is the measured step length, and a schedule that falls from 1 to 0 anneals; null for 1
     */
    public Lfso(Direction direction, ISchedule schedule) {
        this(direction, schedule, DEFAULT_FIRST_GUESS, defaultDecrease(schedule));
    }

    /**
     * All settings.
     *
     * @param firstGuess positive; does not matter as long as it is right by 15 powers of ten or so
     * @param decrease c, in (0, 1): a larger share makes shorter steps; default {@value MeasuredSmoothness#DEFAULT_DECREASE}, with a
     *     schedule {@value MeasuredSmoothness#DEFAULT_DECREASE_ANNEALED}
     */
    public Lfso(Direction direction, ISchedule schedule, double firstGuess, double decrease) {
        this.direction = Objects.requireNonNull(direction, "The direction must not be null.");
        this.schedule = schedule;
        this.firstGuess = firstGuess;
        this.decrease = decrease;
        validate();
    }

    private static double defaultDecrease(ISchedule schedule) {
        return schedule == null ? MeasuredSmoothness.DEFAULT_DECREASE : MeasuredSmoothness.DEFAULT_DECREASE_ANNEALED;
    }

    /** A model's JSON may say anything, so what was read is checked, too. */
    private void validate() {
        if (direction == null) {
            throw new IllegalArgumentException("Lfso has no direction: name GRADIENT, MOMENTUM or ADAM.");
        }
        if (!(firstGuess > 0 && firstGuess < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("Lfso: firstGuess must be positive and finite, not " + firstGuess + ".");
        }
        if (!(decrease > 0 && decrease < 1)) {
            throw new IllegalArgumentException("Lfso: decrease must be in (0, 1), not " + decrease + ".");
        }
    }

    /** Returns the direction. */
    public Direction direction() {
        return direction;
    }

    /** Returns the first guess of η. */
    public double firstGuess() {
        return firstGuess;
    }

    /** Returns c. */
    public double decrease() {
        return decrease;
    }

    /** Returns σ, 1 without a schedule. */
    public double factor(int iteration, int epoch) {
        return schedule == null ? 1 : schedule.valueAt(iteration, epoch);
    }

    /** DL4J's Adam, of rate 1. */
    static Adam adam() {
        return new Adam(
                1, Adam.DEFAULT_ADAM_BETA1_MEAN_DECAY, Adam.DEFAULT_ADAM_BETA2_VAR_DECAY, Adam.DEFAULT_ADAM_EPSILON);
    }

    /** Moments for each parameter. */
    int moments() {
        return switch (direction) {
            case GRADIENT -> 0;
            case MOMENTUM -> 1;
            case ADAM -> 2;
        };
    }

    @Override
    public long stateSize(long numParams) {
        validate();
        return moments() * numParams + LfsoUpdater.HEADER;
    }

    @Override
    public GradientUpdater<Lfso> instantiate(INDArray viewArray, boolean initializeViewArray) {
        Precision.require(this, viewArray);
        validate();
        LfsoUpdater updater = new LfsoUpdater(this);
        if (viewArray != null) { // SameDiff hands the view over later
            updater.setStateViewArray(viewArray, viewArray.shape(), viewArray.ordering(), initializeViewArray);
        }
        return updater;
    }

    @Override
    public GradientUpdater<Lfso> instantiate(Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        updaterState.values().forEach(state -> Precision.require(this, state));
        validate();
        LfsoUpdater updater = new LfsoUpdater(this);
        updater.setState(updaterState, initializeStateArrays);
        return updater;
    }

    /**
     * Returns the first guess times σ, by which DL4J multiplies decoupled weight decay; it would take 1 if there were no rate. It is
     * the step length itself without the listener, which refuses such decay. What was measured stands in the updater's state:
     * {@code LfsoListener.statistics()} tells it.
     */
    @Override
    public double getLearningRate(int iteration, int epoch) {
        return firstGuess * factor(iteration, epoch);
    }

    /** Returns true, so that weight decay is multiplied by {@link #getLearningRate}, and who sets a rate hears of it. */
    @Override
    public boolean hasLearningRate() {
        return true;
    }

    /** Takes the schedule as σ; a number is refused, also from {@code net.setLearningRate(..)}, for there is no rate to set. */
    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        if (!Double.isNaN(lr)) {
            throw new UnsupportedOperationException(
                    "Lfso has no learning rate: its steps come from measured smoothness. A"
                            + " schedule, which multiplies them, can be set.");
        }
        schedule = lrSchedule;
    }

    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public Lfso clone() {
        return new Lfso(direction, schedule == null ? null : schedule.clone(), firstGuess, decrease);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Lfso that
                && direction == that.direction
                && firstGuess == that.firstGuess
                && decrease == that.decrease
                && Objects.equals(schedule, that.schedule);
    }

    @Override
    public int hashCode() {
        return Objects.hash(direction, firstGuess, decrease, schedule);
    }

    @Override
    public String toString() {
        return "Lfso(direction=" + direction + ", schedule=" + schedule + ", firstGuess=" + firstGuess + ", decrease="
                + decrease + ")";
    }
}
