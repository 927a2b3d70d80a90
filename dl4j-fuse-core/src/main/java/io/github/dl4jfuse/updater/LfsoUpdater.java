package io.github.dl4jfuse.updater;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.optim.MeasuredSmoothness;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of {@link Lfso} for one block of parameters: {@code header | m (n) | v (n)}, the moments as far as the direction has
 * them. The header is there once for each variable, as DL4J sums the sizes; the first is used. The step length stands in the header of
 * every block, the same in all.
 *
 * <p>Not thread-safe, like all of DL4J's updaters.
 */
public final class LfsoUpdater extends BlockUpdater<Lfso> implements CoordinatedUpdater {

    /** Header slots of each variable; those not named below are zero and kept for later use. */
    static final int HEADER = 8;

    private static final int RATE = 0;
    private static final int SLOPE = 1;
    private static final int CURVATURE = 2;
    private static final int STEPS = 3;
    private static final int AVERAGE_LOSS = 4;
    private static final int LARGEST_LOSS = 5;
    private static final int TRUST = 6;
    private static final int SHORT_TRIALS = 7;

    private static final Logger log = LoggerFactory.getLogger(LfsoUpdater.class);
    private static final String STATE_KEY = "LFSO";
    private static final OncePerNetwork GUESSES = new OncePerNetwork();

    private final Lfso config;
    private final AdamUpdater adam = AdamRule.of(Lfso.adam());
    private StateScalars header;
    private INDArray moments;
    private boolean held;

    LfsoUpdater(Lfso config) {
        super(config, STATE_KEY);
        this.config = config;
    }

    @Override
    public boolean stepsWith(CoordinatedUpdater other) {
        return other instanceof LfsoUpdater that && config.equals(that.config);
    }

    @Override
    public void prepare(long n) {
        bind(n);
        header.read();
    }

    @Override
    public boolean followState() {
        return header.follow();
    }

    @Override
    void bind(INDArray view, long n) {
        long headers = view.length() - config.moments() * n;
        if (n < 1 || headers < HEADER || headers % HEADER != 0) {
            throw new IllegalStateException("The updater state has " + view.length() + " numbers, which does not fit "
                    + n + " parameters with the direction " + config.direction()
                    + ": was the model saved with another one?");
        }
        FiniteState.require(view);
        StateScalars found = new StateScalars(view.get(interval(0, HEADER)));
        if (found.get(RATE) < 0) {
            throw FiniteState.damaged("has the step length " + found.get(RATE));
        }
        header = found;
        moments = config.moments() == 0 ? null : view.get(interval(headers, view.length()));
    }

    @Override
    void unbind() {
        header = null;
    }

    /** Replaces the gradient by the step η σ d, or by zero when the step is held or the gradient is not finite. */
    @Override
    void step(INDArray gradient, int iteration, int epoch, boolean alone) {
        boolean hold = held;
        held = false;
        if (hold) {
            gradient.assign(0);
            return;
        }
        if (alone) {
            sayOnceThatItDoesNotMeasure(gradient, iteration);
        }
        if (leavesOut(gradient, iteration)) {
            return;
        }
        direct(gradient, iteration, epoch);
        gradient.muli(measured().rate() * config.factor(iteration, epoch));
    }

    private void direct(INDArray gradient, int iteration, int epoch) {
        long n = gradient.length();
        switch (config.direction()) {
            case GRADIENT -> {}
            case MOMENTUM -> {
                double beta = Adam.DEFAULT_ADAM_BETA1_MEAN_DECAY;
                INDArray m = moments.reshape(gradient.ordering(), gradient.shape());
                gradient.muli(1 - beta);
                m.muli(beta).addi(gradient);
                gradient.addi(m.mul(beta)).divi(1 - Math.pow(beta, iteration + 2.0));
            }
            case ADAM -> {
                INDArray m = moments.get(interval(0, n)).reshape(gradient.ordering(), gradient.shape());
                INDArray v = moments.get(interval(n, 2 * n)).reshape(gradient.ordering(), gradient.shape());
                adam.setState(Map.of(AdamUpdater.M_STATE, m, AdamUpdater.V_STATE, v), false);
                adam.applyUpdater(gradient, iteration, epoch);
            }
        }
    }

    private void sayOnceThatItDoesNotMeasure(INDArray gradient, int iteration) {
        if (GUESSES.isFirst(gradient, config)) {
            log.warn(
                    "Lfso takes {} {} for the step length: measuring needs an LfsoListener, which evaluates a batch twice, and"
                            + " none conducts iteration {}. Add net.addListeners(new LfsoListener()); net.setListeners(..)"
                            + " takes off those that are there. Pretraining, SameDiff and gradients of your own have"
                            + " none. Said once.",
                    isCalibrated() ? "what it measured last," : "its first guess",
                    measured().rate(),
                    iteration);
        }
    }

    @Override
    public void conductNextStep() {
        super.conductNextStep();
        held = false;
    }

    /** Makes the next {@link #applyUpdater} give a zero update and leave the moments alone. */
    @Override
    public void holdNextStep() {
        held = true;
    }

    /** Sets the moments to zero, as at the start. */
    public void resetMoments() {
        if (moments != null) {
            moments.assign(0);
        }
    }

    /** Forgets moments and measurements, as at the start. */
    public void reset() {
        state().assign(0);
        if (header != null) {
            header.read();
        }
    }

    /** Returns what was measured so far: the first guess at the start. */
    public MeasuredSmoothness measured() {
        double rate = header.get(RATE);
        return rate == 0
                ? MeasuredSmoothness.guess(config.firstGuess())
                : new MeasuredSmoothness(rate, header.get(SLOPE), header.get(CURVATURE));
    }

    /** Returns whether something was measured. */
    public boolean isCalibrated() {
        return header.get(RATE) != 0;
    }

    /** Saves what was measured. */
    public void setMeasured(MeasuredSmoothness value) {
        header.set(RATE, value.rate());
        header.set(SLOPE, value.slope());
        header.set(CURVATURE, value.curvature());
    }

    /** Returns how many steps were taken since the first measurement. */
    public long steps() {
        return (long) header.get(STEPS);
    }

    /** Saves how many steps were taken. */
    public void setSteps(long count) {
        header.set(STEPS, count);
    }

    /**
     * Returns by how much the loss falls along a short step for each unit that the gradient promises: 1 unless found otherwise,
     * and 0 where it does not fall at all, so that there is nothing to measure.
     */
    public double trust() {
        return 1 + header.get(TRUST);
    }

    /** Saves it. */
    public void setTrust(double value) {
        header.set(TRUST, value - 1);
    }

    /** Returns how many trials in a row fell short of the share that they should achieve. */
    public int shortTrials() {
        return (int) header.get(SHORT_TRIALS);
    }

    /** Saves how many. */
    public void setShortTrials(int count) {
        header.set(SHORT_TRIALS, count);
    }

    /** Returns the moving average of |loss|, 0 before the first batch. */
    public double averageLoss() {
        return header.get(AVERAGE_LOSS);
    }

    /** Returns the largest value that the moving average had. */
    public double largestLoss() {
        return header.get(LARGEST_LOSS);
    }

    /** Saves the average of |loss| and its largest value. */
    public void setLosses(double average, double largest) {
        header.set(AVERAGE_LOSS, average);
        header.set(LARGEST_LOSS, largest);
    }
}
