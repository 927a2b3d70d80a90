package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.Dl4jModel;
import io.github.dl4jfuse.network.LayerInputs;
import io.github.dl4jfuse.network.Surroundings;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.LfsoUpdater;
import org.deeplearning4j.nn.api.Model;

/** The one line that completes an updater of this project. */
public final class DL4JFuse {

    private DL4JFuse() {}

    /**
     * Adds the listener that completes the network's updater: a {@link CurvatureListener} for {@code Preconditioned}, {@code
     * FusePv} and {@code Fuse}, an {@link LfsoListener} for {@code Lfso}. All other listeners stay; where it is there already, nothing
     * happens.
     *
     * <pre>
     *   net.init();
     *   DL4JFuse.attach(net);
     * </pre>
     *
     * @param model a MultiLayerNetwork or ComputationGraph, initialised
     * @throws IllegalStateException if it is neither, is not initialised, has no such updater, or has both kinds of them
     */
    public static void attach(Model model) {
        Dl4jModel network = Dl4jModel.of(model);
        if (!network.isInitialised()) {
            throw new IllegalStateException("The network has no parameters yet: call init() first.");
        }
        boolean curvature =
                LayerInputs.isPreconditioned(model) || TrainingNetwork.isTrainedBy(model, FuseUpdater.class);
        boolean measured = TrainingNetwork.isTrainedBy(model, LfsoUpdater.class);
        if (curvature && measured) {
            throw new IllegalStateException(
                    "Some layers are trained by Lfso, and some by Preconditioned, FusePv or Fuse: the step"
                            + " of a network has one conductor, so give all of them the same updater.");
        }
        if (!curvature && !measured) {
            throw new IllegalStateException(
                    "No trainable parameter of this network is under an updater of dl4j-fuse: configure"
                            + " .updater(Preconditioned.adam()), for example.");
        }
        Class<? extends ModelListener> kind = curvature ? CurvatureListener.class : LfsoListener.class;
        if (Surroundings.listeners(model).stream().noneMatch(kind::isInstance)) {
            network.addListener(curvature ? new CurvatureListener() : new LfsoListener());
        }
    }
}
