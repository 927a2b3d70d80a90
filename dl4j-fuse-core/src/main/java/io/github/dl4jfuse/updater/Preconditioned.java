package io.github.dl4jfuse.updater;

import io.github.dl4jfuse.linalg.Precision;
import io.github.dl4jfuse.precondition.InputPreconditioner;
import io.github.dl4jfuse.precondition.PreconditionerFactory;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.annotation.JsonTypeInfo;

/**
 * Another updater's rule in the metric of each layer's inputs ({@code InputPreconditioner}); by default that of {@link FusePv},
 * which is Adam, and Gauss-Newton and L-BFGS steps where every step has the same batch.
 *
 * <pre>
 *   .updater(new Preconditioned())                     // was: new Adam(1e-3)
 *   net.setListeners(new CurvatureListener());       // measures the layers' inputs now and then, conducts L-BFGS
 * </pre>
 *
 * <p>Each layer's gradient G̃ = [dW; db] becomes T G̃, the rule turns that into a step u, and T u is what DL4J subtracts. A
 * warm-up scales step i = 0, 1, .. by min(1, (i + 1) / n), n = {@value #WARM_UP_STEPS} for batches of up to b = {@value #WARM_UP_BATCH}
 * examples and {@value #WARM_UP_STEPS} √(b / examples) for larger ones, which say more with each step. Without the listener, and for
 * layers that have no metric, T is the identity and the rule is the plain one, bit for bit, without the warm-up. A gradient
 * that is not finite gives no step.
 *
 * <p>This is Adam preconditioned by the input side of K-FAC (Martens, Grosse 2015; Benzing, <i>Gradient descent on neurons
 * and its link to approximate second-order optimization</i>, 2022), with a metric of low rank; combining it with Adam so is
 * ours.
 *
 * <p>Memory: one more number for each parameter than the rule itself, which also limits the rank of the metric where layers
 * have fewer than about ten outputs. Saved and restored with the model.
 */
public final class Preconditioned implements IUpdater {

    /** Number of steps until the step has its full length, with batches of up to {@value #WARM_UP_BATCH}. */
    public static final int WARM_UP_STEPS = 50;

    /** Batches larger than this need fewer steps of the warm-up. */
    public static final int WARM_UP_BATCH = 128;

    /** Adam's default rate in the metric. */
    public static final double DEFAULT_RATE = 3e-3;

    private static final long serialVersionUID = 1;

    private IUpdater rule;
    private double damping = InputPreconditioner.DEFAULT_DAMPING;

    @JsonTypeInfo(use = JsonTypeInfo.Id.CLASS)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private PreconditionerFactory preconditioner; // null for InputPreconditioner of the rank that fits

    private Preconditioned() {} // JSON

    private Preconditioned(IUpdater rule, double damping, PreconditionerFactory preconditioner) {
        this.rule = Objects.requireNonNull(rule, "The rule must not be null.").clone();
        this.damping = damping;
        this.preconditioner = preconditioner;
        validate();
    }

    /** Adam, that is {@link FusePv}, with rate {@value #DEFAULT_RATE}, for trainings whose end is not known. */
    public static Preconditioned adam() {
        return adam(DEFAULT_RATE);
    }

    /** Adam, that is {@link FusePv}, with another rate, positive. */
    public static Preconditioned adam(double rate) {
        return of(FusePv.ofRate(rate));
    }

    /** A copy of another rule, one of DL4J's or {@link FusePv} or {@link Fuse}. */
    public static Preconditioned of(IUpdater rule) {
        return new Preconditioned(rule, InputPreconditioner.DEFAULT_DAMPING, null);
    }

    /**
     * Returns the same with a rate that falls from twice what it is to 0 over so many epochs, epoch by epoch, so that it is as large
     * on average: for trainings whose end is known. A schedule of the rule is replaced.
     *
     * @throws IllegalArgumentException if there is no epoch, or the rule has no rate
     */
    public Preconditioned overEpochs(int epochs) {
        if (epochs < 1) {
            throw new IllegalArgumentException("A training has at least one epoch, not " + epochs + ".");
        }
        if (!rule.hasLearningRate()) {
            throw new IllegalArgumentException(rule + " has no learning rate that could fall.");
        }
        double rate = rule.getLearningRate(0, 0);
        Map<Integer, Double> rates =
                new TreeMap<>(); // DL4J's PolySchedule rises: it has 1 + i / n where 1 - i / n belongs
        for (int epoch = 0; epoch <= epochs; epoch++) {
            rates.put(epoch, 2 * rate * (epochs - epoch) / epochs);
        }
        Preconditioned copy = clone();
        copy.rule.setLrAndSchedule(Double.NaN, new MapSchedule(ScheduleType.EPOCH, rates));
        return copy;
    }

    /**
     * Returns the same with another damping δ of the metric ({@code InputPreconditioner}), positive, default
     * {@value InputPreconditioner#DEFAULT_DAMPING}. The larger, the more of the inputs' own metric stays: training is slower and small
     * data sets are overfitted less. 10 to 30 is worth a try where the test error counts and examples are few.
     */
    public Preconditioned withDamping(double delta) {
        return new Preconditioned(rule, delta, preconditioner);
    }

    /**
     * Returns the same with preconditioners of one's own in place of {@code InputPreconditioner}; the damping is then without
     * meaning and has to be the default.
     */
    public Preconditioned withPreconditioner(PreconditionerFactory factory) {
        return new Preconditioned(
                rule, damping, Objects.requireNonNull(factory, "The factory of preconditioners must not be null."));
    }

    /** A model's JSON may say anything, so what was read is checked, too. */
    private void validate() {
        if (rule == null) {
            throw new IllegalArgumentException("Preconditioned has no rule: name one, for example FusePv or Adam.");
        }
        if (!(damping > 0 && damping < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("The damping of the metric is a positive number, not " + damping
                    + "; for no metric at all take the rule itself, without Preconditioned.");
        }
        if (preconditioner != null && damping != InputPreconditioner.DEFAULT_DAMPING) {
            throw new IllegalArgumentException("The damping " + damping
                    + " is that of Preconditioned's own metric, which is not used here: give it to " + preconditioner
                    + ".");
        }
        if (rule instanceof Lfso) {
            throw new IllegalArgumentException(
                    "Lfso measures how far its own steps may go, which a metric would stretch: take it"
                            + " without Preconditioned, or FusePv, Adam, Nesterovs or another of DL4J's rules within.");
        }
        if (rule instanceof GaussNewton) {
            throw new IllegalArgumentException(
                    "GaussNewton's steps have a metric of their own, that of the outputs: take it without Preconditioned.");
        }
        if (rule instanceof Preconditioned) {
            throw new IllegalArgumentException(
                    "Preconditioned has a metric already; take FusePv, Adam, Nesterovs or another of DL4J's rules.");
        }
    }

    /** Returns the rule. */
    public IUpdater rule() {
        return rule;
    }

    /** Returns δ. */
    public double damping() {
        return damping;
    }

    /** Returns what makes the layers' preconditioners, null for {@code InputPreconditioner} of the rank that fits. */
    public PreconditionerFactory preconditioner() {
        return preconditioner;
    }

    @Override
    public long stateSize(long numParams) {
        validate();
        return rule.stateSize(numParams) + numParams;
    }

    @Override
    public GradientUpdater<Preconditioned> instantiate(INDArray viewArray, boolean initializeViewArray) {
        validate();
        Precision.require(this, viewArray);
        PreconditionedUpdater updater = new PreconditionedUpdater(this);
        if (viewArray != null) {
            updater.setStateViewArray(viewArray, viewArray.shape(), viewArray.ordering(), initializeViewArray);
        }
        return updater;
    }

    @Override
    public GradientUpdater<Preconditioned> instantiate(
            Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        validate();
        updaterState.values().forEach(state -> Precision.require(this, state));
        PreconditionedUpdater updater = new PreconditionedUpdater(this);
        updater.setState(updaterState, initializeStateArrays);
        return updater;
    }

    @Override
    public double getLearningRate(int iteration, int epoch) {
        return rule.getLearningRate(iteration, epoch);
    }

    @Override
    public boolean hasLearningRate() {
        return rule.hasLearningRate();
    }

    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        rule.setLrAndSchedule(lr, lrSchedule);
    }

    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public Preconditioned clone() {
        return new Preconditioned(rule, damping, preconditioner);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Preconditioned that
                && rule.equals(that.rule)
                && Double.compare(damping, that.damping) == 0
                && Objects.equals(preconditioner, that.preconditioner);
    }

    @Override
    public int hashCode() {
        return Objects.hash(rule, damping, preconditioner);
    }

    @Override
    public String toString() {
        return "Preconditioned(rule=" + rule + ", "
                + (preconditioner == null ? "damping=" + damping : "preconditioner=" + preconditioner) + ")";
    }
}
