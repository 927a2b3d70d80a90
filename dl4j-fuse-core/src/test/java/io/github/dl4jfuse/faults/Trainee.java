package io.github.dl4jfuse.faults;

import io.github.dl4jfuse.listener.FuseListener;
import io.github.dl4jfuse.listener.LfsoListener;
import io.github.dl4jfuse.switching.SwitchCriterion;
import io.github.dl4jfuse.updater.Adapted;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** An updater, with or without its listener. */
enum Trainee {
    ADAM(() -> new Adam(1e-3), null),
    ADAPTED(Adapted::new, FuseListener::new),
    ADAPTED_ALONE(Adapted::new, null),
    ADAPTED_OVER_EPOCHS(() -> Adapted.overEpochs(Run.EPOCHS), FuseListener::new),
    ADAPTED_ADAM(() -> new Adapted(new Adam(1e-3)), FuseListener::new),
    FUSE_PV(FusePv::new, FuseListener::new),
    FUSE_PV_ALONE(FusePv::new, null),
    FUSE_PV_SWITCHED(
            () -> FusePv.builder()
                    .switchCriterion(SwitchCriterion.iteration(Run.SWITCH))
                    .build(),
            FuseListener::new),
    FUSE(() -> new Fuse(0.5), FuseListener::new),
    FUSE_ALONE(() -> new Fuse(0.5), null),
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
