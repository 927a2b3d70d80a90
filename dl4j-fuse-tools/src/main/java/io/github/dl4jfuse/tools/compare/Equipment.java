package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.tools.rivals.EvaluationWeights;
import io.github.dl4jfuse.tools.rivals.LayerUpdaters;
import io.github.dl4jfuse.tools.rivals.Rival;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * What a contestant puts into a network for one run.
 *
 * @param settings all of it in words, for the record
 * @param updaters sets updaters, regularisation and dropout of the layers
 * @param listeners listeners that belong to the method, beside those that {@code DL4JFuse.attach} adds
 * @param evaluation gives the weights that are evaluated where these are not those in training, otherwise null
 */
public record Equipment(
        String settings, LayerUpdaters updaters, List<TrainingListener> listeners, EvaluationWeights evaluation) {

    /** One updater for all parameters. */
    public static Equipment of(IUpdater updater, TrainingListener... listeners) {
        return new Equipment(String.valueOf(updater), all(updater), List.of(listeners), null);
    }

    /** One updater of ours for all parameters at a setting, decay and dropout included. */
    static Equipment of(Setting setting, IUpdater updater) {
        return of(
                setting,
                new Rival(
                        layers -> {
                            all(updater).apply(layers);
                            if (setting.decay() > 0) {
                                decay(layers, setting.decay());
                            }
                        },
                        null));
    }

    private static LayerUpdaters all(IUpdater updater) {
        return layers -> layers.forEach(layer -> Networks.setUpdater(layer, updater));
    }

    /** A rival at a setting, dropout included. */
    static Equipment of(Setting setting, Rival rival) {
        LayerUpdaters updaters = layers -> {
            rival.updaters().apply(layers);
            if (setting.dropout() > 0) {
                drop(layers, setting.dropout());
            }
        };
        return new Equipment(setting.toString(), updaters, List.of(), rival.evaluation());
    }

    /** Adds decoupled decay to the weights, beside what the network has of its own. */
    private static void decay(List<Layer> layers, double coefficient) {
        for (Layer layer : layers) {
            if (layer instanceof BaseLayer base) {
                List<Regularization> all = new ArrayList<>(base.getRegularization());
                all.add(new WeightDecay(coefficient, true));
                base.setRegularization(all);
            }
        }
    }

    /** Drops inputs of dense and output layers; the first layer keeps its own, which are the data. */
    private static void drop(List<Layer> layers, double share) {
        for (Layer layer : layers.subList(1, layers.size())) {
            if (layer instanceof DenseLayer || layer instanceof BaseOutputLayer) {
                layer.setIDropout(new Dropout(1 - share)); // DL4J counts what is kept
            }
        }
    }
}
