package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.listener.LfsoListener;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.GaussNewton;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** The updaters, each with its listener and alone; Adam is what they are measured by. */
enum Contestant {
    ADAM(() -> new Adam(1e-3), null, "new Adam()"),
    PRECONDITIONED(Preconditioned::adam, CurvatureListener::new, "Preconditioned.adam()"),
    PRECONDITIONED_OVER_EPOCHS(
            () -> Preconditioned.adam().overEpochs(20), CurvatureListener::new, "Preconditioned.adam().overEpochs(20)"),
    PRECONDITIONED_DAMPED(
            () -> Preconditioned.adam().withDamping(10),
            CurvatureListener::new,
            "Preconditioned.adam().withDamping(10)"),
    PRECONDITIONED_ADAM(
            () -> Preconditioned.of(new Adam(1e-3)), CurvatureListener::new, "Preconditioned.of(new Adam())"),
    PRECONDITIONED_FUSE(
            () -> Preconditioned.of(Fuse.ofTheta(0.5)), CurvatureListener::new, "Preconditioned.of(Fuse.ofTheta(0.5))"),
    FUSE_PV(FusePv::new, CurvatureListener::new, "new FusePv()"),
    FUSE_PV_SWITCHED(
            () -> FusePv.builder().switchCriterion(SwitchCriterion.epoch(2)).build(),
            CurvatureListener::new,
            "FusePv, switch after 2 epochs"),
    FUSE(() -> Fuse.ofTheta(0.5), CurvatureListener::new, "Fuse.ofTheta(0.5)"),
    LFSO(Lfso::new, LfsoListener::new, "new Lfso()"),
    PRECONDITIONED_ALONE(Preconditioned::adam, null, "Preconditioned.adam(), alone"),
    FUSE_PV_ALONE(FusePv::new, null, "new FusePv(), alone"),
    FUSE_ALONE(() -> Fuse.ofTheta(0.5), null, "Fuse.ofTheta(0.5), alone"),
    LFSO_ALONE(Lfso::new, null, "new Lfso(), alone"),
    GAUSS_NEWTON(GaussNewton::onBatches, GaussNewtonListener::new, "GaussNewton.onBatches()"),
    GAUSS_NEWTON_ALONE(GaussNewton::onBatches, null, "GaussNewton.onBatches(), alone");

    /** What the contract's strictest part is about. */
    static final Contestant DEFAULT = PRECONDITIONED;

    private final Supplier<IUpdater> updater;
    private final Supplier<TrainingListener> listener;
    private final String title;

    Contestant(Supplier<IUpdater> updater, Supplier<TrainingListener> listener, String title) {
        this.updater = updater;
        this.listener = listener;
        this.title = title;
    }

    /** All but Adam. */
    static List<Contestant> ours() {
        return Stream.of(values()).filter(c -> c != ADAM).toList();
    }

    IUpdater updater() {
        return updater.get();
    }

    /** Returns the listener that completes the updater, a new one, or none. */
    List<TrainingListener> listeners() {
        return listener == null ? List.of() : List.of(listener.get());
    }

    boolean hasListener() {
        return listener != null;
    }

    /** Returns whether nothing may ever be refused: what does not fit is left to Adam. */
    boolean isAutomatic() {
        return switch (this) {
            case PRECONDITIONED, PRECONDITIONED_OVER_EPOCHS, PRECONDITIONED_DAMPED, PRECONDITIONED_ADAM, FUSE_PV ->
                true;
            default -> !hasListener();
        };
    }

    /** Returns whether it is for some networks by design, so that a refusal needs a sentence and no cause in the catalogue. */
    boolean isSelective() {
        return this == GAUSS_NEWTON;
    }

    boolean isOfGaussNewton() {
        return this == GAUSS_NEWTON || this == GAUSS_NEWTON_ALONE;
    }

    /** Returns whether what the network is about can be said with this updater; GaussNewton has no rates that could differ. */
    boolean suits(Network network) {
        return !isOfGaussNewton() || !network.toString().matches("layer-rate.*|bias-rate");
    }

    /** Returns whether something of its steps on one batch is the listener's and is not saved: curvature pairs, the count. */
    boolean forgetsOneBatch() {
        return isAutomatic() && hasListener() && this != PRECONDITIONED_ADAM;
    }

    boolean hasMetric() {
        return hasListener() && name().startsWith("PRECONDITIONED");
    }

    /** Returns whether a training on one batch shows something that another updater's does not show. */
    boolean stepsOnOneBatch() {
        return switch (this) {
            case PRECONDITIONED, PRECONDITIONED_FUSE, FUSE_PV, FUSE_PV_SWITCHED, FUSE, LFSO, GAUSS_NEWTON -> true;
            default -> false;
        };
    }

    /** Returns the updater that this one has to equal to the last bit, or null. */
    IUpdater equalTo(Batches batches) {
        return switch (this) {
            case PRECONDITIONED_ALONE -> new Adam(Preconditioned.DEFAULT_RATE);
            case FUSE_PV_ALONE, FUSE_ALONE, GAUSS_NEWTON_ALONE -> new Adam(1e-3);
            case FUSE_PV -> batches == Batches.MANY ? new Adam(1e-3) : null;
            default -> null;
        };
    }

    String title() {
        return title;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** What a training sees: mini-batches in turn, or the same batch again and again. */
    enum Batches {
        MANY,
        ONE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
