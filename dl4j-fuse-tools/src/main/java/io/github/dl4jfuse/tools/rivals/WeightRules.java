package io.github.dl4jfuse.tools.rivals;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * One rule for weights, chosen layer by layer, and one for all else: biases, and gains and shifts of BatchNorm.
 *
 * @param weights chooses
 * @param others for all else
 * @param decay what the weights' regularisation gets in the place of a {@code WeightDecay}, or null for nothing
 */
record WeightRules(Choice weights, IUpdater others, Regularization decay) implements LayerUpdaters {

    /** Chooses a rule for weights. */
    interface Choice {

        /**
         * Chooses.
         *
         * @param number the layer's, different for all
         * @param output whether it is an output layer, or the last with weights before a loss layer
         */
        IUpdater of(Layer layer, int number, boolean output);
    }

    @Override
    public void apply(List<Layer> layers) {
        List<Layer> learning = new ArrayList<>();
        List<Boolean> outputs = new ArrayList<>();
        for (Layer layer : layers) {
            if (isLoss(layer) && !outputs.isEmpty()) {
                outputs.set(outputs.size() - 1, true);
            }
            Layer inner = unwrapped(layer);
            if (inner != null && inner.initializer().numParams(inner) > 0) {
                learning.add(inner);
                outputs.add(inner instanceof BaseOutputLayer || inner instanceof SameDiffOutputLayer);
            }
        }
        for (int i = 0; i < learning.size(); i++) {
            set(learning.get(i), i, outputs.get(i));
        }
    }

    private static boolean isLoss(Layer layer) {
        return layer instanceof LossLayer
                || layer instanceof CnnLossLayer
                || layer instanceof Cnn3DLossLayer
                || layer instanceof RnnLossLayer
                || layer instanceof Yolo2OutputLayer;
    }

    /** Returns the layer with the weights, null if they are frozen; a bidirectional one has two of the same shape. */
    private static Layer unwrapped(Layer layer) {
        if (layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop) {
            return null;
        }
        if (layer instanceof BaseWrapperLayer wrapper) {
            return unwrapped(wrapper.getUnderlying());
        }
        return layer;
    }

    private void set(Layer layer, int number, boolean output) {
        if (layer instanceof Bidirectional both) {
            set(unwrapped(both.getFwd()), number, output);
            set(unwrapped(both.getBwd()), number, output);
        } else if (layer instanceof BatchNormalization norm) {
            norm.setIUpdater(others);
            norm.setBiasUpdater(others);
        } else if (layer instanceof BaseLayer base) {
            base.setIUpdater(weights.of(layer, number, output));
            base.setBiasUpdater(others);
            base.setRegularization(with(decay, base.getRegularization()));
            base.setRegularizationBias(with(null, base.getRegularizationBias()));
        } else if (layer instanceof AbstractSameDiffLayer other) {
            other.setUpdater(weights.of(layer, number, output));
            other.setBiasUpdater(others);
            other.setRegularization(with(decay, other.getRegularization()));
            other.setRegularizationBias(with(null, other.getRegularizationBias()));
        } else {
            throw new IllegalArgumentException("Layer " + layer.getLayerName() + " is a "
                    + layer.getClass().getName() + ", which has no updater that could be set.");
        }
    }

    private static List<Regularization> with(Regularization decay, List<Regularization> before) {
        List<Regularization> result = new ArrayList<>(before == null ? List.of() : before);
        result.removeIf(each -> each instanceof WeightDecay || each instanceof DecayPoint);
        if (decay != null) {
            result.add(decay);
        }
        return result;
    }
}
