package io.github.dl4jfuse.updater;

import io.github.dl4jfuse.linalg.Precision;
import io.github.dl4jfuse.optim.gaussnewton.LevenbergMarquardt;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Damped Gauss-Newton steps on each batch, those of {@code GaussNewtonListener}: for small networks and smooth losses, above all
 * regression, where they go where Adam does not come.
 *
 * <pre>
 *   .updater(GaussNewton.onBatches())
 *   DL4JFuse.attach(net);
 * </pre>
 *
 * <p>The step is taken as the listener gives it; there is no learning rate, and the damping λ follows Levenberg and Marquardt.
 * Without the listener, as in pretraining, in SameDiff and where workers share gradients, the updater is DL4J's Adam with its
 * defaults, to the last bit, and says so once; a gradient that is not finite gives no step then.
 *
 * <p>The listener's damping and momentum are not saved with the model: a training that is resumed begins anew with them. All layers
 * have one step, so there are no rates for some of them; what is to stand still is frozen.
 *
 * <p>Memory: Adam's moments, 2 numbers for each parameter; what a step takes is said by the listener. Immutable.
 *
 * <p>Source: Chen, <i>Geometrically adapted gradient descent</i> (2023), whose Euler steps of size 1 these are, with damping;
 * momentum in batch space is that of SPRING (Goldshlager, Abrahamsen, Lin 2024). Using them on mini-batches is ours.
 */
public final class GaussNewton implements IUpdater {

    /** Default of λ at the start, in units of the mean eigenvalue of the Gram matrix. */
    public static final double DEFAULT_DAMPING = 1e-1;

    private static final long serialVersionUID = 1;

    private double damping = DEFAULT_DAMPING;
    private double momentum;
    private int examplesPerStep; // 0 for all
    private long seed;

    private GaussNewton() {} // JSON

    private GaussNewton(double damping, double momentum, int examplesPerStep, long seed) {
        this.damping = damping;
        this.momentum = momentum;
        this.examplesPerStep = examplesPerStep;
        this.seed = seed;
        validate();
    }

    /** Steps on all examples of each batch, with the default damping. */
    public static GaussNewton onBatches() {
        return new GaussNewton();
    }

    /** Returns the same with another λ at the start, positive, up to {@value LevenbergMarquardt#LARGEST}. */
    public GaussNewton withDamping(double lambda) {
        return new GaussNewton(lambda, momentum, examplesPerStep, seed);
    }

    /**
     * Returns the same with momentum in batch space, from 0 (default: none) to below 1. For a cross-entropy on a few batches that
     * come back .9 keeps them from undoing each other; squared losses want 0.
     */
    public GaussNewton withMomentum(double value) {
        return new GaussNewton(damping, value, examplesPerStep, seed);
    }

    /**
     * Returns the same with steps on so many examples of the batch, drawn anew for each step without replacement: for batches
     * that are the whole data set, where all equations at once are too dear. What a step is worth is judged on them and on the
     * next ones. DL4J computes its own gradient on the whole batch all the same. A loss with a geometry of its own
     * ({@code GaussNewtonLoss}) is taken on all examples, and the log says so.
     *
     * @param examples 1 or more; smaller batches are taken as they are. Default: all
     * @param drawSeed of the draws
     */
    public GaussNewton withExamplesPerStep(int examples, long drawSeed) {
        if (examples < 1) {
            throw new IllegalArgumentException(
                    "GaussNewton: the examples of a step must be at least 1, not " + examples + ".");
        }
        return new GaussNewton(damping, momentum, examples, drawSeed);
    }

    /** A model's JSON may say anything, so what was read is checked, too. */
    private void validate() {
        if (!(damping > 0 && damping <= LevenbergMarquardt.LARGEST)) {
            throw new IllegalArgumentException(
                    "GaussNewton: damping must be in (0, " + LevenbergMarquardt.LARGEST + "], not " + damping + ".");
        }
        if (!(momentum >= 0 && momentum < 1)) {
            throw new IllegalArgumentException("GaussNewton: momentum must be in [0, 1), not " + momentum + ".");
        }
        if (examplesPerStep < 0) {
            throw new IllegalArgumentException(
                    "GaussNewton: the examples of a step must be at least 1, not " + examplesPerStep + ".");
        }
    }

    /** Returns λ at the start. */
    public double damping() {
        return damping;
    }

    /** Returns the momentum in batch space. */
    public double momentum() {
        return momentum;
    }

    /** Returns how many examples of a batch a step is made on, 0 for all. */
    public int examplesPerStep() {
        return examplesPerStep;
    }

    /** Returns the seed by which they are drawn. */
    public long seed() {
        return seed;
    }

    @Override
    public long stateSize(long numParams) {
        validate();
        return 2 * numParams;
    }

    @Override
    public GradientUpdater<GaussNewton> instantiate(INDArray viewArray, boolean initializeViewArray) {
        Precision.require(this, viewArray);
        validate();
        GaussNewtonUpdater updater = new GaussNewtonUpdater(this);
        if (viewArray != null) {
            updater.setStateViewArray(viewArray, viewArray.shape(), viewArray.ordering(), initializeViewArray);
        }
        return updater;
    }

    @Override
    public GradientUpdater<GaussNewton> instantiate(Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        updaterState.values().forEach(state -> Precision.require(this, state));
        validate();
        GaussNewtonUpdater updater = new GaussNewtonUpdater(this);
        updater.setState(updaterState, initializeStateArrays);
        return updater;
    }

    /**
     * Returns Adam's default, by which DL4J multiplies decoupled weight decay: the same coefficient shrinks weights as under Adam,
     * with the listener and without.
     */
    @Override
    public double getLearningRate(int iteration, int epoch) {
        return Adam.DEFAULT_ADAM_LEARNING_RATE;
    }

    /** Returns true, so that who sets a rate hears that there is none. */
    @Override
    public boolean hasLearningRate() {
        return true;
    }

    /** Refuses both: the damping shortens the steps. */
    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        throw new UnsupportedOperationException(
                "GaussNewton has no learning rate: its damping says how far a step goes. withDamping(..) sets the first one.");
    }

    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public GaussNewton clone() {
        return new GaussNewton(damping, momentum, examplesPerStep, seed);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof GaussNewton that
                && damping == that.damping
                && momentum == that.momentum
                && examplesPerStep == that.examplesPerStep
                && seed == that.seed;
    }

    @Override
    public int hashCode() {
        return Objects.hash(damping, momentum, examplesPerStep, seed);
    }

    @Override
    public String toString() {
        return "GaussNewton(damping=" + damping + ", momentum=" + momentum + ", examplesPerStep=" + examplesPerStep
                + ", seed=" + seed + ")";
    }
}
