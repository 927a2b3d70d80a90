package io.github.dl4jfuse.network;

import io.github.dl4jfuse.updater.AdaptedUpdater;
import io.github.dl4jfuse.updater.ConductedUpdater;
import java.util.Collection;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.GradientUpdater;

/** Who trains a model, and who else listens to it. */
public final class Surroundings {

    private Surroundings() {}

    /** Returns the listeners of a network, in their order. */
    public static Collection<TrainingListener> listeners(Model model) {
        Collection<TrainingListener> all = model instanceof MultiLayerNetwork network
                ? network.getListeners()
                : model instanceof ComputationGraph graph ? graph.getListeners() : null;
        return all == null ? List.of() : all;
    }

    /** Returns whether two networks have one list of listeners, as a graph and its {@code clone()} do. */
    @SuppressWarnings("ReferenceEquality") // equal lists are no fault
    public static boolean haveOneListOfListeners(Model one, Model other) {
        return one instanceof ComputationGraph graph
                && other instanceof ComputationGraph second
                && graph.getListeners() != null
                && graph.getListeners() == second.getListeners();
    }

    /** Returns whether this is a layer of its own, as in pretraining, which has no step of a network. */
    public static boolean isLayer(Model model) {
        return model instanceof Layer && !(model instanceof MultiLayerNetwork);
    }

    /**
     * Returns whether the update of each step goes through an accumulator that several workers share (ParallelWrapper's
     * SHARED_GRADIENTS and CUSTOM, Spark's gradient sharing), where each worker waits for the others.
     */
    public static boolean sharesGradients(Model model) {
        TrainingNetwork.updaterOf(model); // makes the optimizer
        return model.getOptimizer().getGradientsAccumulator() != null;
    }

    /** Tells our updaters of a network that it is known that the next step has no more than their own rule. */
    public static void excuseNextStep(Model model) {
        for (UpdaterBlock block : TrainingNetwork.updaterOf(model).getUpdaterBlocks()) {
            GradientUpdater<?> updater = block.getGradientUpdater();
            if (updater instanceof AdaptedUpdater adapted) {
                adapted.conductNextStep();
            } else if (updater instanceof ConductedUpdater conducted) {
                conducted.conductNextStep();
            }
        }
    }
}
