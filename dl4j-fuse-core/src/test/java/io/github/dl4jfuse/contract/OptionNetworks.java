package io.github.dl4jfuse.contract;

import static io.github.dl4jfuse.contract.DenseNetworks.VECTORS;
import static io.github.dl4jfuse.contract.DenseNetworks.dense;
import static io.github.dl4jfuse.contract.DenseNetworks.softmax;
import static io.github.dl4jfuse.contract.Network.Group.OPTIONS;

import io.github.dl4jfuse.contract.Network.Cause;
import io.github.dl4jfuse.updater.Lfso;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.CacheMode;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.MinMaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.NonNegativeConstraint;
import org.deeplearning4j.nn.conf.constraint.UnitNormConstraint;
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.conf.weightnoise.WeightNoise;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Options of layers and of whole networks. */
final class OptionNetworks {

    private OptionNetworks() {}

    private static DenseLayer.Builder hidden() {
        return new DenseLayer.Builder().nOut(8);
    }

    /** A hidden layer with an option. */
    private static Network layer(String name, Consumer<DenseLayer.Builder> option) {
        DenseLayer.Builder builder = hidden();
        option.accept(builder);
        return Network.stack(name, OPTIONS, VECTORS, builder.build(), dense(6), softmax());
    }

    /** An option of the whole network. */
    private static Network network(String name, Consumer<NeuralNetConfiguration.Builder> option) {
        return Network.stack(name, OPTIONS, VECTORS, dense(8), dense(6), softmax())
                .with(option);
    }

    private static Network dropout(String name, IDropout dropout) {
        return Network.stack(
                        name,
                        OPTIONS,
                        VECTORS,
                        dense(8),
                        new DenseLayer.Builder().nOut(8).dropOut(dropout).build(),
                        softmax())
                .because(Cause.NOISE);
    }

    static List<Network> all() {
        List<Network> all = new ArrayList<>();
        all.add(layer("max-norm", b -> b.constrainWeights(new MaxNormConstraint(0.8, 1))));
        all.add(layer("min-max-norm", b -> b.constrainWeights(new MinMaxNormConstraint(0.3, 0.9, 1))));
        all.add(layer("unit-norm", b -> b.constrainWeights(new UnitNormConstraint(1))));
        all.add(layer("non-negative", b -> b.constrainWeights(new NonNegativeConstraint())));
        all.add(layer("max-norm-bias", b -> b.constrainBias(new MaxNormConstraint(0.1, 0))));
        all.add(layer("min-max-norm-by-halves", b -> b.constrainWeights(new MinMaxNormConstraint(0.3, 0.9, 0.5, 1)))
                .because(Cause.CONSTRAINTS));
        all.add(dropout("dropout", new Dropout(0.8)));
        all.add(dropout("alpha-dropout", new AlphaDropout(0.8)));
        all.add(dropout("gaussian-dropout", new GaussianDropout(0.2)));
        all.add(dropout("gaussian-noise", new GaussianNoise(0.1)));
        all.add(Network.stack(
                        "spatial-dropout",
                        OPTIONS,
                        Data.of(InputType.convolutional(6, 6, 2), Data::classes, 2, 6, 6),
                        new ConvolutionLayer.Builder(3, 3).nOut(4).build(),
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(4)
                                .convolutionMode(ConvolutionMode.Same)
                                .dropOut(new SpatialDropout(0.8))
                                .build(),
                        softmax())
                .because(Cause.NOISE));
        all.add(layer("drop-connect", b -> b.weightNoise(new DropConnect(0.8))).because(Cause.NOISE));
        all.add(layer(
                        "weight-noise",
                        b -> b.weightNoise(new WeightNoise(
                                new org.deeplearning4j.nn.conf.distribution.NormalDistribution(0, 0.05))))
                .because(Cause.NOISE));
        for (GradientNormalization kind : GradientNormalization.values()) {
            if (kind != GradientNormalization.None) {
                all.add(network(
                                "clip-" + kind,
                                b -> b.gradientNormalization(kind).gradientNormalizationThreshold(0.5))
                        .because(Cause.CLIPPING));
            }
        }
        all.add(layer("l1", b -> b.l1(1e-3)));
        all.add(layer("l2", b -> b.l2(1e-2)));
        all.add(layer("l1-bias", b -> b.l1Bias(1e-3)));
        all.add(layer("l2-bias", b -> b.l2Bias(1e-2)));
        all.add(layer("weight-decay", b -> b.weightDecay(1e-2)).because(Cause.DECAY));
        all.add(layer("weight-decay-without-rate", b -> b.weightDecay(1e-4, false))
                .because(Cause.DECAY));
        all.add(layer("weight-decay-bias", b -> b.weightDecayBias(1e-2)).because(Cause.DECAY));
        all.add(network("not-by-batch-size", b -> b.miniBatch(false)).because(Cause.LONG_STEPS));
        all.add(network("cache-mode", b -> b.cacheMode(CacheMode.DEVICE)));
        all.add(network("weight-init", b -> b.weightInit(WeightInit.RELU).biasInit(0.1)));
        all.add(updaters(
                        "layer-rate",
                        updater -> List.of(
                                hidden().updater(withRate(updater, 5e-4)).build(), dense(6), softmax()))
                .because(Cause.OTHER_SETTINGS));
        all.add(updaters(
                        "layer-rate-zero",
                        updater ->
                                List.of(hidden().updater(withRate(updater, 0)).build(), dense(6), softmax()))
                .because(Cause.OTHER_SETTINGS)
                .frozen(0)
                .nearly());
        all.add(updaters(
                        "bias-rate",
                        updater -> List.of(
                                hidden().biasUpdater(withRate(updater, 5e-4)).build(), dense(6), softmax()))
                .because(Cause.OTHER_SETTINGS));
        all.add(updaters(
                        "layer-adam",
                        updater -> List.of(hidden().updater(new Adam(1e-3)).build(), dense(6), softmax()))
                .because(Cause.OTHER_UPDATER));
        all.add(updaters(
                        "bias-sgd",
                        updater -> List.of(hidden().biasUpdater(new Sgd(1e-2)).build(), dense(6), softmax()))
                .because(Cause.OTHER_UPDATER));
        all.add(Network.stack(
                "few-squares",
                OPTIONS,
                VECTORS.labelled(Data.numbers(-1, 2)),
                dense(8),
                new OutputLayer.Builder(LossFunction.MSE)
                        .activation(Activation.IDENTITY)
                        .nOut(Data.CLASSES)
                        .build()));
        return List.copyOf(all);
    }

    private static Network updaters(
            String name, java.util.function.Function<IUpdater, List<org.deeplearning4j.nn.conf.layers.Layer>> layers) {
        return Network.stack(name, OPTIONS, VECTORS, layers);
    }

    /** The same updater with another rate; Lfso has none. */
    private static IUpdater withRate(IUpdater updater, double rate) {
        IUpdater other = updater.clone();
        if (other instanceof Lfso) { // which has none, but a factor
            other.setLrAndSchedule(Double.NaN, new FixedSchedule(rate / 1e-3));
        } else {
            other.setLrAndSchedule(rate, null);
        }
        return other;
    }
}
