package io.github.dl4jfuse.updater;

import java.util.Locale;
import java.util.Objects;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * FUSE: a convex combination of Adam's step and the L-BFGS step, on every batch. A drop-in for {@link Adam}:
 *
 * <pre>
 *   .updater(Fuse.ofTheta(0.7))               // was: .updater(new Adam(1e-3))
 *   net.setListeners(new CurvatureListener());     // the L-BFGS part needs it
 * </pre>
 *
 * <p>x ← x + θ d<sub>Adam</sub> + (1 - θ) t p, with θ constant or a schedule over iterations or epochs. θ = 1 is DL4J's
 * Adam, bit for bit and at its cost; θ = 0 the L-BFGS phase of {@link FusePv}, where Adam's moments rest. A schedule that
 * comes to 1 drops the curvature pairs. Without the listener all of it is Adam, which is said once in the log.
 *
 * <p>Source: Jiang et al., <i>FUSE: First-Order and Second-Order Unified SynthEsis in Stochastic Optimization</i> (2025).
 * Our choices, where the paper is silent: the default of θ; the step length t is accepted on the batch in hand at x + t p,
 * before blending; the curvature pair belongs to that point too, so that it costs no further evaluation and is damped like
 * FusePv's; a step that is rejected leaves Adam's part alone, θ d<sub>Adam</sub>; a batch much smaller than the others takes Adam's whole step.
 * The blended point itself is not tested: Adam's part may raise the loss of the batch, as Adam may.
 *
 * <p>Memory: see {@link AdamLbfgsConfig}; the listener adds 6 numbers for each parameter.
 */
public final class Fuse extends AdamLbfgsConfig {

    /** Default of θ, halfway; the paper names none. */
    public static final double DEFAULT_THETA = 0.5;

    private static final long serialVersionUID = 1;

    private double theta = DEFAULT_THETA;
    private ISchedule thetaSchedule;

    /** All defaults: θ = {@value #DEFAULT_THETA}, Adam's rate 1e-3. */
    public Fuse() {}

    /** Defaults with another θ, in [0, 1]. */
    public static Fuse ofTheta(double theta) {
        Fuse fuse = new Fuse();
        fuse.theta = theta;
        fuse.validate();
        return fuse;
    }

    /** Defaults with a schedule for θ, whose values must lie in [0, 1]. */
    public static Fuse ofTheta(ISchedule thetaSchedule) {
        Fuse fuse = new Fuse();
        fuse.thetaSchedule = Objects.requireNonNull(thetaSchedule, "The schedule must not be null.");
        return fuse;
    }

    private Fuse(Fuse other) {
        super(other);
        theta = other.theta;
        thetaSchedule = other.thetaSchedule == null ? null : other.thetaSchedule.clone();
    }

    /** Returns a builder that starts at the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns θ.
     *
     * @throws IllegalArgumentException if the schedule gives a number outside [0, 1]
     */
    @Override
    public double adamShare(TrainingProgress progress, boolean curvature) {
        if (thetaSchedule == null) {
            return theta;
        }
        double scheduled = thetaSchedule.valueAt(progress.iteration(), progress.epoch());
        if (!(scheduled >= 0 && scheduled <= 1)) {
            throw new IllegalArgumentException("Fuse: the schedule gives theta " + scheduled + " at iteration "
                    + progress.iteration() + " and epoch " + progress.epoch() + "; its values must lie in [0, 1].");
        }
        return scheduled;
    }

    @Override
    public String reason(TrainingProgress progress) {
        return String.format(Locale.ROOT, "Adam's share is %.4g", adamShare(progress, true));
    }

    @Override
    boolean missesListener(TrainingProgress progress) {
        return adamShare(progress, true) < 1;
    }

    @Override
    public boolean blends() {
        return true;
    }

    @Override
    public boolean sharesCurvaturePhaseWith(AdamLbfgsConfig other) {
        return other instanceof Fuse that
                && super.sharesCurvaturePhaseWith(that)
                && theta == that.theta
                && Objects.equals(thetaSchedule, that.thetaSchedule);
    }

    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public Fuse clone() {
        return new Fuse(this);
    }

    @Override
    void validate() {
        super.validate();
        require(theta >= 0 && theta <= 1, "theta", theta, "in [0, 1]");
    }

    @Override
    public String toString() {
        return describe("theta=" + (thetaSchedule == null ? (Object) theta : thetaSchedule));
    }

    /** Builds a {@link Fuse}. */
    public static final class Builder extends AdamLbfgsConfig.Builder<Builder, Fuse> {

        private Builder() {
            super(new Fuse());
        }

        @Override
        Builder self() {
            return this;
        }

        /** Adam's share θ; default {@value Fuse#DEFAULT_THETA}, in [0, 1]. */
        public Builder theta(double value) {
            built.theta = value;
            built.thetaSchedule = null;
            return this;
        }

        /** θ as a schedule with values in [0, 1]; default none. */
        public Builder thetaSchedule(ISchedule value) {
            built.thetaSchedule = value;
            return this;
        }
    }
}
