package io.github.dl4jfuse.contract;

import static io.github.dl4jfuse.contract.DenseNetworks.VECTORS;
import static io.github.dl4jfuse.contract.DenseNetworks.dense;
import static io.github.dl4jfuse.contract.Network.Group.LOSSES;

import io.github.dl4jfuse.contract.Data.Labels;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossFMeasure;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossMixtureDensity;
import org.nd4j.linalg.lossfunctions.impl.LossMultiLabel;

/** Each loss function of DL4J. */
final class LossNetworks {

    private static final Labels REALS = Data.numbers(-1, 2);
    private static final Labels POSITIVE = Data.numbers(0.5, 3);
    private static final Labels BITS = Data.either(1, 0);
    private static final Labels SIGNS = Data.either(1, -1);

    private LossNetworks() {}

    private static Network loss(LossFunction loss, Activation activation, Labels labels) {
        return loss(
                loss.name().toLowerCase(Locale.ROOT).replace('_', '-'), loss.getILossFunction(), activation, labels);
    }

    private static Network loss(String name, ILossFunction loss, Activation activation, Labels labels) {
        return loss(name, loss, activation, labels, Data.CLASSES);
    }

    private static Network loss(String name, ILossFunction loss, Activation activation, Labels labels, int outputs) {
        return Network.stack(
                        "loss-" + name,
                        LOSSES,
                        VECTORS.labelled(labels),
                        dense(8),
                        new OutputLayer.Builder(loss)
                                .activation(activation)
                                .nOut(outputs)
                                .build())
                .unchecked();
    }

    static List<Network> all() {
        return List.of(
                loss(LossFunction.MSE, Activation.IDENTITY, REALS),
                loss("mse-tanh", new LossMSE(), Activation.TANH, SIGNS),
                loss("mse-weighted", new LossMSE(Nd4j.createFromArray(1.0, 2.0, 0.5)), Activation.IDENTITY, REALS),
                loss(LossFunction.L1, Activation.IDENTITY, REALS),
                loss(LossFunction.L2, Activation.IDENTITY, REALS),
                loss(LossFunction.SQUARED_LOSS, Activation.IDENTITY, REALS),
                loss(LossFunction.MEAN_ABSOLUTE_ERROR, Activation.IDENTITY, REALS),
                loss(LossFunction.MEAN_ABSOLUTE_PERCENTAGE_ERROR, Activation.IDENTITY, POSITIVE),
                loss(LossFunction.MEAN_SQUARED_LOGARITHMIC_ERROR, Activation.SOFTPLUS, POSITIVE),
                loss(LossFunction.XENT, Activation.SIGMOID, BITS),
                loss(LossFunction.MCXENT, Activation.SOFTMAX, Data::classes),
                loss("mcxent-shares", new LossMCXENT(), Activation.SOFTMAX, Data::shares),
                loss(
                        "mcxent-weighted",
                        new LossMCXENT(Nd4j.createFromArray(1.0, 2.0, 0.5)),
                        Activation.SOFTMAX,
                        Data::classes),
                loss(LossFunction.SPARSE_MCXENT, Activation.SOFTMAX, Data::indices),
                loss(LossFunction.NEGATIVELOGLIKELIHOOD, Activation.SOFTMAX, Data::classes),
                loss(LossFunction.KL_DIVERGENCE, Activation.SOFTMAX, Data::shares),
                loss(LossFunction.RECONSTRUCTION_CROSSENTROPY, Activation.SIGMOID, Data::shares),
                loss(LossFunction.COSINE_PROXIMITY, Activation.IDENTITY, REALS),
                loss(LossFunction.HINGE, Activation.IDENTITY, SIGNS),
                loss(LossFunction.SQUARED_HINGE, Activation.IDENTITY, SIGNS),
                loss(LossFunction.POISSON, Activation.SOFTPLUS, POSITIVE),
                loss(LossFunction.WASSERSTEIN, Activation.TANH, SIGNS),
                loss("f-measure", new LossFMeasure(), Activation.SOFTMAX, twoClasses(), 2)
                        .inFloat(),
                loss("multi-label", new LossMultiLabel(), Activation.TANH, BITS).inFloat(),
                loss(
                                "mixture-density",
                                LossMixtureDensity.builder()
                                        .gaussians(2)
                                        .labelWidth(3)
                                        .build(),
                                Activation.IDENTITY,
                                REALS,
                                2 * (3 + 2))
                        .inFloat());
    }

    private static Labels twoClasses() {
        return (clouds, random, type) -> {
            var labels = Nd4j.zeros(type, clouds.length, 2);
            for (int i = 0; i < clouds.length; i++) {
                labels.putScalar(i, clouds[i] == 0 ? 0 : 1, 1);
            }
            return labels;
        };
    }
}
