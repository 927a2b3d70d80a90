package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedFacility.dense;
import static io.github.dl4jfuse.acceleration.AttachedFacility.images;
import static io.github.dl4jfuse.acceleration.AttachedFacility.results;
import static io.github.dl4jfuse.acceleration.AttachedFacility.settings;
import static io.github.dl4jfuse.acceleration.AttachedFacility.train;
import static io.github.dl4jfuse.acceleration.AttachedFacility.trained;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.atIndex;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.CacheMode;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.NonNegativeConstraint;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.conf.weightnoise.WeightNoise;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/** Each option of a configuration that concerns training works with attached layers as with DL4J's. */
class AttachedOptionsTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    static List<AttachedFacility> options() {
        List<AttachedFacility> all = new ArrayList<>();
        for (IDropout dropout : List.of(
                new Dropout(0.6),
                new AlphaDropout(0.6),
                new GaussianDropout(0.4),
                new GaussianNoise(0.3),
                new SpatialDropout(0.6))) {
            String name = dropout.getClass().getSimpleName();
            all.add(trained(name + " before images", noisy(2, dropout)));
            all.add(trained(name + " as a layer", noisy(1, dropout)));
            all.add(trained(
                    name + " as the first layer",
                    stack(
                            settings(),
                            new DropoutLayer.Builder(dropout).build(),
                            convolution(2, 4, Activation.TANH).build())));
            all.add(new AttachedFacility(
                    name + " as a layer, off for a while", attach -> offForAWhile(attach, noisy(1, dropout), dropout)));
            if (!(dropout instanceof SpatialDropout)) {
                all.add(trained(name + " as a layer of vectors", noisy(4, dropout)));
                all.add(trained(name + " before vectors", noisy(3, dropout)));
            }
        }
        for (IWeightNoise noise : List.of(
                new DropConnect(0.6),
                new WeightNoise(new NormalDistribution(0, 0.1)),
                new WeightNoise(new NormalDistribution(1, 0.1), true, false))) {
            all.add(trained(noise.toString(), images(settings().weightNoise(noise))));
        }
        for (GradientNormalization each : GradientNormalization.values()) {
            all.add(trained(
                    each.toString(),
                    images(settings().gradientNormalization(each).gradientNormalizationThreshold(0.05))));
        }
        all.add(trained("l1 and l2", images(settings().l1(0.01).l2(0.05).l1Bias(0.02))));
        all.add(trained("weight decay", images(settings().weightDecay(0.05))));
        all.add(trained(
                "constraints",
                images(settings()
                        .constrainWeights(new MaxNormConstraint(0.5, 1))
                        .constrainBias(new NonNegativeConstraint()))));
        all.add(trained("sums instead of means", images(builder(new Sgd(0.002)).miniBatch(false))));
        all.add(trained("momentum", images(builder(new Nesterovs(0.01, 0.9)))));
        all.add(trained("caches", images(settings().cacheMode(CacheMode.DEVICE))));
        all.add(
                trained( // without convolutions, whose gradients DL4J's line search takes in another order
                        "line search",
                        stack(
                                settings()
                                        .optimizationAlgo(OptimizationAlgorithm.LINE_GRADIENT_DESCENT)
                                        .maxNumLineSearchIterations(3),
                                dense(7),
                                dense(5))));
        all.add(trained(
                "frozen layers behind",
                stack(
                        settings(),
                        convolution(2, 4, Activation.TANH).build(),
                        new FrozenLayerWithBackprop(
                                convolution(2, 3, Activation.TANH).build()),
                        dense(6),
                        new FrozenLayerWithBackprop(dense(5)))));
        return all;
    }

    @ParameterizedTest
    @MethodSource("options")
    void attachedItIsAsBefore(AttachedFacility facility) {
        facility.assertThatItIsAsBefore();
    }

    private static List<INDArray> offForAWhile(Consumer<Model> attach, MultiLayerConfiguration conf, IDropout dropout) {
        MultiLayerNetwork network = network(conf);
        attach.accept(network);
        for (IDropout each : new IDropout[] {dropout, null, dropout}) {
            network.getLayer(1).conf().getLayer().setIDropout(each);
            train(network, 2);
        }
        return results(network);
    }

    /** Of a dropout layer with images on both sides. */
    @Test
    void whatIsKeptIsNotTouchedInUse() {
        MultiLayerNetwork network = network(noisy(1, new Dropout(0.5)));
        var before = network.getLayer(1);
        assertThat(Acceleration.attach(network).left()).isEmpty();
        List<INDArray> activations = network.feedForward(batch(4, 1).getFeatures());
        List<INDArray> copies = activations.stream().map(INDArray::dup).toList();
        assertThat(activations.get(2).stride())
                .isEqualTo(activations.get(1).stride())
                .contains(1, atIndex(1));
        assertThat(activations.get(2)).isEqualTo(activations.get(1));
        network.output(batch(4, 2).getFeatures());
        network.fit(batch(4, 3));
        assertThat(activations).isEqualTo(copies);
        Acceleration.detach(network);
        assertThat(network.getLayer(1)).isSameAs(before);
        network.fit(batch(4, 3));
    }

    /** Layers 1 and 4 are dropout layers, 2 is a convolution, 3 dense; one of them has the dropout. */
    private static MultiLayerConfiguration noisy(int layer, IDropout dropout) {
        var images = convolution(2, 3, Activation.TANH);
        var vectors = new DenseLayer.Builder().nOut(5).activation(Activation.TANH);
        return stack(
                settings(),
                convolution(2, 4, Activation.TANH).build(),
                new DropoutLayer.Builder(layer == 1 ? dropout : null).build(),
                (layer == 2 ? images.dropOut(dropout) : images).build(),
                (layer == 3 ? vectors.dropOut(dropout) : vectors).build(),
                new DropoutLayer.Builder(layer == 4 ? dropout : null).build());
    }
}
