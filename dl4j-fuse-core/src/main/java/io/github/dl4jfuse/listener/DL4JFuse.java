package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.Dl4jModel;
import io.github.dl4jfuse.network.LayerInputs;
import io.github.dl4jfuse.network.Surroundings;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.GaussNewtonUpdater;
import io.github.dl4jfuse.updater.LfsoUpdater;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;

/** The one line that completes an updater of this project, and what its listeners report. */
public final class DL4JFuse {

    private DL4JFuse() {}

    /**
     * Adds the listener that completes the network's updater: a {@link CurvatureListener} for {@code Preconditioned}, {@code
     * FusePv} and {@code Fuse}, an {@link LfsoListener} for {@code Lfso}, a {@link GaussNewtonListener} for {@code GaussNewton}. All
     * other listeners stay; where it is there already, nothing happens. Where the module dl4j-fuse-acceleration is on the class path,
     * its layers take the place of DL4J's, as {@code Acceleration.attach(net)} does: the same training in less time.
     *
     * <pre>
     *   net.init();
     *   DL4JFuse.attach(net);
     * </pre>
     *
     * @param model a MultiLayerNetwork or ComputationGraph, initialised
     * @throws IllegalStateException if it is neither, is not initialised, has no such updater, or has several kinds of them
     */
    public static void attach(Model model) {
        Dl4jModel network = Dl4jModel.of(model);
        if (!network.isInitialised()) {
            throw new IllegalStateException("The network has no parameters yet: call init() first.");
        }
        Map<Class<? extends ModelListener>, Supplier<ModelListener>> due = new LinkedHashMap<>();
        if (LayerInputs.isPreconditioned(model) || TrainingNetwork.isTrainedBy(model, FuseUpdater.class)) {
            due.put(CurvatureListener.class, CurvatureListener::new);
        }
        if (TrainingNetwork.isTrainedBy(model, LfsoUpdater.class)) {
            due.put(LfsoListener.class, LfsoListener::new);
        }
        if (TrainingNetwork.isTrainedBy(model, GaussNewtonUpdater.class)) {
            due.put(GaussNewtonListener.class, GaussNewtonListener::new);
        }
        if (due.isEmpty()) {
            throw new IllegalStateException(
                    "No trainable parameter of this network is under an updater of dl4j-fuse: configure"
                            + " .updater(Preconditioned.adam()), for example.");
        }
        if (due.size() > 1) {
            throw new IllegalStateException(
                    "Lfso, GaussNewton, and Preconditioned, FusePv or Fuse train parts of this network: the step of a network"
                            + " has one conductor, so give all layers the same updater.");
        }
        due.forEach((kind, listener) -> {
            if (Surroundings.listeners(model).stream().noneMatch(kind::isInstance)) {
                network.addListener(listener.get());
            }
        });
        FastLayers.attach(model);
    }

    /** Returns the reports of this project's listeners on a network, in their order; none where there is none of them. */
    public static List<OptimizerReport> reports(Model model) {
        return Surroundings.listeners(model).stream()
                .filter(ModelListener.class::isInstance)
                .map(listener -> ((ModelListener) listener).statistics())
                .toList();
    }
}
