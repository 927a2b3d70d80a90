package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgrees;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgreesWithItsTwin;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.evaluate;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.twin;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Zero padding and global pooling of ours. */
class AttachedImagesTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static GlobalPoolingLayer global(PoolingType type, boolean collapse) {
        return new GlobalPoolingLayer.Builder(type).collapseDimensions(collapse).build();
    }

    /** Every layer is ours but the last. */
    static List<MultiLayerConfiguration> stacks() {
        Sgd sgd = new Sgd(0.05);
        List<MultiLayerConfiguration> all = new ArrayList<>();
        for (PoolingType type : new PoolingType[] {PoolingType.MAX, PoolingType.AVG, PoolingType.SUM}) {
            for (boolean collapse : new boolean[] {true, false}) {
                all.add(stack(
                        sgd,
                        new ZeroPaddingLayer(1, 2, 0, 3),
                        convolution(3, 5, Activation.TANH).build(),
                        new ZeroPaddingLayer(2, 1),
                        convolution(2, 4, Activation.TANH).stride(2, 2).build(),
                        global(type, collapse),
                        new DenseLayer.Builder()
                                .nOut(7)
                                .activation(Activation.TANH)
                                .build()));
                // What follows gets what images of one place are, and c order.
                all.add(stack(sgd, new ActivationLayer(Activation.TANH), global(type, collapse)));
            }
        }
        // One channel, one row: arrays of which both orders are true.
        all.add(stack(
                sgd,
                convolution(1, 1, Activation.TANH).build(),
                new ZeroPaddingLayer(0, 1, 2, 0),
                pooling(PoolingType.AVG, 9, 1, 0),
                new ZeroPaddingLayer(0, 0, 1, 1),
                global(PoolingType.AVG, true)));
        all.add(stack(
                sgd,
                new ZeroPaddingLayer(1, 1),
                convolution(3, 17, Activation.RELU).build(),
                new BatchNormalization(),
                new ActivationLayer(Activation.RELU),
                new ZeroPaddingLayer(1, 0),
                pooling(PoolingType.MAX, 2, 2, 0),
                global(PoolingType.MAX, true)));
        return all;
    }

    @ParameterizedTest
    @MethodSource("stacks")
    void outputsAndGradientsAreThoseOfTheDoubleTwin(MultiLayerConfiguration conf) {
        for (int examples : new int[] {1, 6}) {
            MultiLayerNetwork network = network(conf);
            assertThat(Acceleration.attach(network).layers()).hasSize(network.getnLayers());
            assertAgreesWithItsTwin(network, batch(examples, SEED + examples));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = WorkspaceMode.class,
            names = {"ENABLED", "NONE"})
    void twentyStepsAreThoseOfDl4j(WorkspaceMode mode) {
        for (MultiLayerConfiguration conf : List.of(stacks().get(0), stacks().get(6))) {
            conf.setTrainingWorkspaceMode(mode);
            conf.setInferenceWorkspaceMode(mode);
            MultiLayerNetwork network = network(conf);
            MultiLayerNetwork plain = network(conf);
            Acceleration.attach(network);
            INDArray kept = network.output(batch(8, -1).getFeatures());
            INDArray copy = kept.dup();
            for (int step = 0; step < 20; step++) {
                DataSet data = batch(step % 5 == 4 ? 3 : 8, step); // the last batch is smaller
                network.fit(data);
                plain.fit(data);
                assertThat(difference(
                                network.output(data.getFeatures()),
                                plain.output(data.getFeatures()).castTo(DataType.DOUBLE)))
                        .as("step %d", step)
                        .isLessThan(1e-4);
            }
            assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                    .isLessThan(1e-4);
            assertThat(kept).isEqualTo(copy);
        }
    }

    private static MultiLayerConfiguration stackIn(CNN2DFormat format, Activation activation, PoolingType type) {
        return stack(
                new Sgd(0.05),
                InputType.convolutional(9, 8, 2, format),
                new ZeroPaddingLayer(1, 2, 0, 3),
                convolution(3, 5, activation).stride(2, 1).dilation(1, 2).build(),
                new BatchNormalization(),
                new ActivationLayer(activation),
                convolution(2, 4, activation)
                        .convolutionMode(ConvolutionMode.Same)
                        .build(),
                pooling(type, 2, 1, 1),
                global(type, true),
                new DenseLayer.Builder().nOut(7).activation(activation).build());
    }

    /** The twin works on the same images in NCHW, as DL4J's gradient is wrong for NHWC and RELU. */
    @ParameterizedTest
    @CsvSource({"RELU, MAX", "RELU, AVG", "TANH, AVG", "SIGMOID, MAX", "TANH, MAX"})
    void imagesInNhwcAreLikeThoseInNchw(Activation activation, PoolingType type) {
        for (int examples : new int[] {1, 6}) {
            MultiLayerNetwork network = network(stackIn(CNN2DFormat.NHWC, activation, type));
            MultiLayerNetwork other = network(stackIn(CNN2DFormat.NCHW, activation, type));
            other.setParams(network.params());
            assertThat(Acceleration.attach(network).layers()).hasSize(9);
            DataSet data = batch(examples, SEED + examples);
            INDArray last = data.getFeatures().permute(0, 2, 3, 1);
            for (INDArray features : List.of(last, last.dup('c'))) {
                assertAgrees(network, new DataSet(features, data.getLabels()), twin(other), data);
            }
            INDArray between = network.feedForward(last.dup('c')).get(2);
            assertThat(between.stride())
                    .as("c order")
                    .isEqualTo(Nd4j.create(between.shape()).stride());
        }
    }

    @Test
    void imagesKeepTheirChannelsLastUntilAnotherLayerTakesThem() {
        MultiLayerNetwork network = network(stacks().get(0));
        Acceleration.attach(network);
        List<INDArray> activations = network.feedForward(batch(3, SEED).getFeatures());
        for (int layer : new int[] {1, 2, 3, 4}) {
            assertThat(activations.get(layer).stride(1))
                    .as("layer %d", layer - 1)
                    .isEqualTo(1);
        }
        assertThat(activations.get(5).shape()).containsExactly(3, 4);
    }

    /** Also where NaN comes first, which DL4J's global pooling does not see. */
    @ParameterizedTest
    @EnumSource(
            value = PoolingType.class,
            names = {"MAX", "AVG", "SUM"})
    void notANumberIsNeverHidden(PoolingType type) {
        MultiLayerConfiguration conf = stack(new Sgd(0.1), new ZeroPaddingLayer(1, 2), global(type, true));
        MultiLayerNetwork network = network(conf);
        assertThat(Acceleration.attach(network).layers()).hasSize(3);
        for (long place : new long[] {0, 5, 71, 72, 143}) {
            DataSet data = batch(4, SEED);
            data.getFeatures().putScalar(place, Double.NaN);
            evaluate(network, data);
            assertThat(network.score()).isNaN();
            double[] sums = network.output(data.getFeatures()).sum(1).toDoubleVector();
            assertThat(Arrays.stream(sums).mapToObj(Double::isNaN)).containsExactly(true, false, false, false);
        }
    }

    @Test
    void detachedTheyAreDl4jsAgain() {
        MultiLayerNetwork network = network(stacks().get(0));
        Layer[] before = network.getLayers().clone();
        Acceleration.attach(network);
        network.fit(batch(8, 1));
        Acceleration.detach(network);
        assertThat(network.getLayers()).containsExactly(before);
        network.fit(batch(8, 2));
    }

    @Test
    void whatIsNotCoveredIsSaid() {
        MultiLayerNetwork network = network(stack(
                new Sgd(0.1),
                convolution(3, 5, Activation.TANH).build(),
                new GlobalPoolingLayer.Builder(PoolingType.PNORM).pnorm(2).build()));
        assertThat(Acceleration.attach(network).left()).containsEntry("layer1", "its pooling is PNORM");
        assertAgreesWithItsTwin(network, batch(4, SEED));
    }
}
