package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.network.NetworkParameter;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/** The output layer: x is what its loss is a simple function of, logits for a softmax, otherwise activations. */
final class OutputNode extends FactoredNodes.Dense {

    final ILossFunction loss;

    OutputNode(
            Layer layer,
            Trainable owner,
            InputPreProcessor before,
            List<NetworkParameter> parameters,
            ILossFunction loss) {
        super(layer, owner, before, parameters);
        this.loss = loss;
    }

    boolean isSoftmax() {
        return conf().getActivationFn() instanceof ActivationSoftmax;
    }

    /** Returns whether x is linear in the weights. */
    boolean isLinear() {
        return activation() instanceof ActivationIdentity;
    }

    @Override
    IActivation activation() {
        return isSoftmax() ? new ActivationIdentity() : conf().getActivationFn();
    }
}
