package io.github.dl4jfuse.network;

import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.LfsoUpdater;
import io.github.dl4jfuse.updater.PreconditionedUpdater;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Forgets what updaters remember of past gradients, after the parameters have been moved by something else.
 *
 * <p>The state of DL4J's own updaters (moments, momentum, sums of squares) is set to zero; step counts are DL4J's and stay, so
 * Adam's first update after that is up to 3.2 times its rate ((1 - β₁) / √(1 - β₂)), as its bias correction is over. {@code FusePv} and
 * {@code Fuse} lose their moments and keep phase and curvature pairs, whose steps CurvatureListener accepts or drops; {@code Preconditioned}
 * resets its rule so and forgets its metric, which sees the next batch.
 */
public final class UpdaterReset {

    private UpdaterReset() {}

    /** Resets all updater blocks of a MultiLayerNetwork or ComputationGraph that has taken a step. */
    public static void reset(Model model) {
        for (UpdaterBlock block : Dl4jModel.of(model).updater().getUpdaterBlocks()) {
            INDArray view = block.getUpdaterView();
            if (block.getGradientUpdater() instanceof FuseUpdater fuse) {
                fuse.resetMoments();
            } else if (block.getGradientUpdater() instanceof LfsoUpdater lfso) {
                lfso.reset();
            } else if (block.getGradientUpdater() instanceof PreconditionedUpdater adapted) {
                adapted.reset();
            } else if (view != null) {
                view.assign(0);
            }
        }
    }
}
