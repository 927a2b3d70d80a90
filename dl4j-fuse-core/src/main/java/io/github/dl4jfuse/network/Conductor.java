package io.github.dl4jfuse.network;

import io.github.dl4jfuse.updater.CoordinatedUpdater;
import io.github.dl4jfuse.updater.Preconditioned;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;

/**
 * Who conducts the steps of a network, and what it refuses.
 *
 * @param listener its class
 * @param updaters what it works with
 * @param remedy how to configure that
 * @param differs which settings may differ between layers
 * @param withoutTrials what to use where no batch can be evaluated twice
 */
record Conductor(String listener, String updaters, String remedy, String differs, String withoutTrials) {

    static final Conductor FUSE = new Conductor(
            "CurvatureListener",
            "Preconditioned, FusePv and Fuse",
            "Preconditioned.adam()",
            "only Adam's constants may differ",
            "Preconditioned.adam(), which then keeps to Adam in the metric of the layers' inputs");
    static final Conductor LFSO =
            new Conductor("LfsoListener", "Lfso", "new Lfso()", "none may differ", "Lfso without the listener");

    /** Returns DL4J's updater of a network. */
    BaseMultiLayerUpdater<?> updater(Model model) {
        if (!Dl4jModel.isNetwork(model)) {
            throw new IllegalStateException(listener + " trains a MultiLayerNetwork or a ComputationGraph, not a "
                    + model.getClass().getName() + ".");
        }
        return Dl4jModel.of(model).updater();
    }

    /** Returns what to throw where nothing is trained by what it works with. */
    IllegalStateException nothingToConduct() {
        return new IllegalStateException(listener + " works with " + updaters
                + ", but no trainable parameter of this network is trained so: configure .updater("
                + remedy + ") or remove the listener.");
    }

    private String otherUpdater(UpdaterBlock block) {
        UpdaterBlock.ParamState first = block.getLayersAndVariablesInBlock().get(0);
        return listener + " needs " + updaters + " for all trainable parameters, but "
                + first.getParamName() + " of layer \""
                + first.getLayer().getConfig().getLayerName() + "\" uses "
                + nameOf(block.getGradientUpdater().getConfig())
                + ": give it the same (rates may differ), freeze the layer, or remove the listener.";
    }

    private static String nameOf(Object config) {
        return config instanceof Preconditioned adapted
                ? "Preconditioned with " + adapted.rule().getClass().getSimpleName()
                : config.getClass().getSimpleName();
    }

    /**
     * Returns why steps that span all parameters make no sense, or null.
     *
     * @param states of the blocks that it conducts
     * @param foreign a block of trainable parameters under another updater, or null
     */
    String refusal(Model model, List<? extends CoordinatedUpdater> states, UpdaterBlock foreign) {
        if (foreign != null) {
            return otherUpdater(foreign);
        }
        for (CoordinatedUpdater other : states) {
            if (!other.stepsWith(states.get(0))) {
                return "The layers use " + updaters + " with different settings ("
                        + states.get(0).getConfig() + " and " + other.getConfig()
                        + "): a step spans all layers, so " + differs + ".";
            }
        }
        for (Layer layer : Dl4jModel.of(model).layers()) {
            var config = layer.getConfig();
            if (config != null
                    && layer.numParams() > 0
                    && config.getGradientNormalization() != null
                    && config.getGradientNormalization() != GradientNormalization.None) {
                return "Layer \"" + config.getLayerName() + "\" uses gradient normalization "
                        + config.getGradientNormalization()
                        + ". A clipped gradient is not the gradient of the loss, so step acceptance would be wrong:"
                        + " remove .gradientNormalization(..), the line search limits the step already.";
            }
        }
        if (model.conf().getOptimizationAlgo() != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
            return listener + " does its own line search and needs optimizationAlgo("
                    + "STOCHASTIC_GRADIENT_DESCENT), DL4J's default, not "
                    + model.conf().getOptimizationAlgo() + ".";
        }
        if (Dl4jModel.of(model).usesTruncatedBackprop()) {
            return listener + " evaluates a batch twice, which truncated backpropagation"
                    + " through time does not allow (the recurrent state moves on): use BackpropType.Standard, or "
                    + withoutTrials + ".";
        }
        if (Constraints.anyPartial(model)) {
            return "A MinMaxNormConstraint with a rate below 1 moves the weights once more after each step, so no step of "
                    + listener + " stays what it was when it was accepted: give it the rate 1.";
        }
        return null;
    }
}
