package io.github.dl4jfuse.network;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
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
record NetworkParameter(Trainable owner, String name, long from, long to) {

    /** Returns all parameter arrays in the order of the flat vector. */
    static List<NetworkParameter> of(Model model) {
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
        List<Trainable> owners = new ArrayList<>();
        if (model instanceof MultiLayerNetwork network) {
            owners.addAll(List.of(network.getLayers()));
        } else {
            ComputationGraph graph = (ComputationGraph) model;
            GraphVertex[] vertices = graph.getVertices();
            for (int index : graph.topologicalSortOrder()) {
                owners.add(vertices[index]);
            }
        }
        owners.removeIf(owner -> owner.numParams() == 0);
        return owners;
    }

    /** Returns the array itself. */
    INDArray values() {
        return owner.paramTable(false).get(name);
    }

    /** Returns its part of a flat vector. */
    INDArray slice(INDArray flat) {
        return flat.get(interval(from, to));
    }

    /** Returns whether an optimiser may move it: not frozen, and no statistic that DL4J passes off as a gradient. */
    boolean isTrained() {
        IUpdater updater = owner.getConfig().getUpdaterByParam(name);
        return updater != null && !(updater instanceof NoOp) && owner.updaterDivideByMinibatch(name);
    }

    /** Returns its penalties. */
    List<Regularization> regularizations() {
        List<Regularization> all = owner.getConfig().getRegularizationByParam(name);
        return all == null ? List.of() : all;
    }
}
