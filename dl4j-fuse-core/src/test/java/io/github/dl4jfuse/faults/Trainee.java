package io.github.dl4jfuse.faults;

import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.LfsoListener;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** An updater, with or without its listener. */
enum Trainee {
    ADAM(() -> new Adam(1e-3), null),
    PRECONDITIONED(Preconditioned::adam, CurvatureListener::new),
    PRECONDITIONED_ALONE(Preconditioned::adam, null),
    PRECONDITIONED_OVER_EPOCHS(() -> Preconditioned.adam().overEpochs(Run.EPOCHS), CurvatureListener::new),
    PRECONDITIONED_ADAM(() -> Preconditioned.of(new Adam(1e-3)), CurvatureListener::new),
    FUSE_PV(FusePv::new, CurvatureListener::new),
    FUSE_PV_ALONE(FusePv::new, null),
    FUSE_PV_SWITCHED(
            () -> FusePv.builder()
                    .switchCriterion(SwitchCriterion.iteration(Run.SWITCH))
                    .build(),
            CurvatureListener::new),
    FUSE(() -> Fuse.ofTheta(0.5), CurvatureListener::new),
    FUSE_ALONE(() -> Fuse.ofTheta(0.5), null),
    LFSO(Lfso::new, LfsoListener::new),
    LFSO_ALONE(Lfso::new, null);

    private final Supplier<IUpdater> updater;
    private final Supplier<TrainingListener> listener;

    Trainee(Supplier<IUpdater> updater, Supplier<TrainingListener> listener) {
        this.updater = updater;
        this.listener = listener;
    }

    IUpdater updater() {
        return updater.get();
    }

    /** Returns a new listener of its own, or none. */
    List<TrainingListener> listeners() {
        return listener == null ? List.of() : List.of(listener.get());
    }
}
