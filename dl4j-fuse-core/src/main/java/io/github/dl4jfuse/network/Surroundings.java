package io.github.dl4jfuse.network;

import io.github.dl4jfuse.updater.CoordinatedUpdater;
import io.github.dl4jfuse.updater.PreconditionedUpdater;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;

/** Who trains a model, and who else listens to it. */
public final class Surroundings {

    private Surroundings() {}

    /** Returns the listeners of a network, in their order. */
    public static Collection<TrainingListener> listeners(Model model) {
        return Dl4jModel.isNetwork(model) ? Dl4jModel.of(model).listeners() : List.of();
    }

    /** Returns the updaters of this kind, one for each block of parameters that has it. */
    public static <U extends GradientUpdater<?>> Stream<U> updaters(Model model, Class<U> kind) {
        return Dl4jModel.of(model).updater().getUpdaterBlocks().stream()
                .map(UpdaterBlock::getGradientUpdater)
                .filter(kind::isInstance)
                .map(kind::cast);
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
        Dl4jModel.of(model).updater(); // makes the optimizer
        return model.getOptimizer().getGradientsAccumulator() != null;
    }

    /** Tells our updaters of a network that it is known that the next step has no more than their own rule. */
    public static void excuseNextStep(Model model) {
        for (UpdaterBlock block : Dl4jModel.of(model).updater().getUpdaterBlocks()) {
            GradientUpdater<?> updater = block.getGradientUpdater();
            if (updater instanceof PreconditionedUpdater adapted) {
                adapted.conductNextStep();
            } else if (updater instanceof CoordinatedUpdater conducted) {
                conducted.conductNextStep();
            }
        }
    }

    /** Returns the layers that let gradients pass though frozen, and whose l1, l2 or weight decay DL4J applies all the same. */
    public static Set<String> frozenButPenalised(Model model) {
        return Dl4jModel.of(model).updater().getUpdaterBlocks().stream()
                .flatMap(block -> block.getLayersAndVariablesInBlock().stream())
                .filter(p -> NetworkParameter.isFrozen(p.getLayer()))
                .filter(Surroundings::isPenalised)
                .map(p -> p.getLayer().getConfig().getLayerName())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static boolean isPenalised(UpdaterBlock.ParamState p) {
        List<Regularization> all = p.getLayer().getConfig().getRegularizationByParam(p.getParamName());
        return all != null && !all.isEmpty();
    }
}
