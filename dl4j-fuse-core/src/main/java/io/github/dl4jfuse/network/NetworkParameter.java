package io.github.dl4jfuse.network;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.Regularization;

/**
 * A parameter array of a layer or vertex.
 *
 * @param owner whose it is
 * @param name its key in the owner's table
 * @param from where it begins in the flat vector of all parameters
 * @param to where it ends
 */
public record NetworkParameter(Trainable owner, String name, long from, long to) {

    /** Iterations, and epochs, at which a learning rate is looked at. */
    private static final int[] MOMENTS = {0, 1, 1_000, 1_000_000};

    /** Returns all parameter arrays in the order of the flat vector. */
    public static List<NetworkParameter> of(Model model) {
        List<NetworkParameter> all = new ArrayList<>();
        long from = 0;
        for (Trainable owner : owners(model)) {
            for (var entry : owner.paramTable(false).entrySet()) {
                long to = from + entry.getValue().length();
                all.add(new NetworkParameter(owner, entry.getKey(), from, to));
                from = to;
            }
        }
        return all;
    }

    private static List<Trainable> owners(Model model) {
        List<Trainable> owners = new ArrayList<>(Dl4jModel.of(model).owners());
        owners.removeIf(owner -> owner.numParams() == 0);
        return owners;
    }

    /** Returns the array itself. */
    public INDArray values() {
        return owner.paramTable(false).get(name);
    }

    /** Returns its part of a flat vector. */
    public INDArray slice(INDArray flat) {
        return flat.get(interval(from, to));
    }

    /** Returns whether an optimiser may move it. */
    public boolean isTrained() {
        return mayMove(owner, name);
    }

    /**
     * Returns whether an optimiser may move a parameter: it is not frozen, no statistic that DL4J passes off as a gradient, not
     * there for pretraining alone, and has a learning rate other than zero for good.
     */
    static boolean mayMove(Trainable owner, String name) {
        TrainingConfig config = owner.getConfig();
        IUpdater updater = config.getUpdaterByParam(name);
        return updater != null
                && !(updater instanceof NoOp)
                && owner.updaterDivideByMinibatch(name)
                && !config.isPretrainParam(name)
                && !isFrozen(owner)
                && !standsStill(updater);
    }

    /**
     * Returns whether it lies in a frozen layer. Where the frozen layer lets gradients pass, DL4J shows the configuration of the
     * layer inside, with its updater and penalties.
     */
    public static boolean isFrozen(Trainable owner) {
        if (owner instanceof GraphVertex vertex) {
            return vertex.hasLayer() && isFrozen(vertex.getLayer());
        }
        return owner instanceof FrozenLayer
                || owner instanceof FrozenLayerWithBackprop
                || (owner instanceof BaseWrapperLayer wrapper && isFrozen(wrapper.getUnderlying()));
    }

    /** Returns whether the rate is zero, now and for good: a schedule may begin with zero or end there. */
    private static boolean standsStill(IUpdater updater) {
        return updater.hasLearningRate()
                && Arrays.stream(MOMENTS).allMatch(moment -> updater.getLearningRate(moment, moment) == 0);
    }

    /** Returns what the penalties of parameters add to DL4J's score. */
    public static double penalty(List<NetworkParameter> parameters, int iteration, int epoch) {
        double penalty = 0;
        for (NetworkParameter parameter : parameters) {
            for (Regularization r : parameter.regularizations()) {
                penalty += r.score(parameter.values(), iteration, epoch);
            }
        }
        return penalty;
    }

    /** Returns its penalties, none in a frozen layer, where DL4J's score has none either. */
    List<Regularization> regularizations() {
        if (isFrozen(owner)) {
            return List.of();
        }
        List<Regularization> all = owner.getConfig().getRegularizationByParam(name);
        return all == null ? List.of() : all;
    }
}
