package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgreesWithItsTwin;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.evaluate;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.twin;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer.PoolingType;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
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
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Convolutions and poolings of sequences of ours. */
class AttachedConvolution1DTest {

    private static final int LENGTH = 11;

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static Convolution1DLayer.Builder convolution(int kernel, int outputs, Activation activation) {
        return new Convolution1DLayer.Builder(kernel).nOut(outputs).activation(activation);
    }

    private static MultiLayerConfiguration stack(RNNFormat format, Layer... layers) {
        var list = builder(new Sgd(0.05)).list();
        for (var layer : layers) {
            list.layer(layer);
        }
        return list.layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.recurrent(2, LENGTH, format))
                .build();
    }

    static List<MultiLayerConfiguration> stacks() {
        List<MultiLayerConfiguration> all = new ArrayList<>();
        for (ConvolutionMode mode :
                new ConvolutionMode[] {ConvolutionMode.Truncate, ConvolutionMode.Same, ConvolutionMode.Causal}) {
            for (int kernel : new int[] {1, 2, 3}) {
                for (int stride : new int[] {1, 2}) {
                    for (int dilation : new int[] {1, 2}) {
                        all.add(stack(
                                RNNFormat.NCW,
                                convolution(kernel, 4, Activation.TANH)
                                        .stride(stride)
                                        .dilation(dilation)
                                        .padding(mode == ConvolutionMode.Truncate ? kernel / 2 : 0)
                                        .convolutionMode(mode)
                                        .hasBias(kernel != 2)
                                        .build(),
                                convolution(2, 5, Activation.SIGMOID).build()));
                    }
                }
            }
        }
        for (PoolingType type : new PoolingType[] {PoolingType.MAX, PoolingType.AVG}) {
            for (int kernel : new int[] {1, 2, 3}) {
                for (int stride : new int[] {1, 2}) {
                    for (ConvolutionMode mode :
                            new ConvolutionMode[] {ConvolutionMode.Truncate, ConvolutionMode.Same}) {
                        all.add(pooled(type, kernel, stride, mode));
                    }
                }
            }
        }
        for (Activation activation : new Activation[] {Activation.IDENTITY, Activation.RELU}) {
            all.add(stack(
                    RNNFormat.NCW,
                    convolution(3, 17, activation).build(),
                    convolution(2, 1, Activation.SOFTPLUS).build(), // DL4J's
                    convolution(2, 3, activation).build()));
        }
        return all;
    }

    private static MultiLayerConfiguration pooled(PoolingType type, int kernel, int stride, ConvolutionMode mode) {
        Subsampling1DLayer pooling = new Subsampling1DLayer.Builder(type)
                .kernelSize(kernel)
                .stride(stride)
                .convolutionMode(mode)
                .build();
        return stack(
                RNNFormat.NCW,
                convolution(2, 4, Activation.TANH).build(),
                pooling,
                convolution(1, 3, Activation.TANH).build());
    }

    private static DataSet batch(MultiLayerNetwork network, int examples, long seed) {
        Random random = new Random(seed);
        INDArray features = Nd4j.create(DataType.FLOAT, examples, 2, LENGTH);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, random.nextGaussian());
        }
        INDArray labels = Nd4j.create(network.output(features).shape());
        for (int example = 0; example < examples; example++) {
            for (int t = 0; t < labels.size(2); t++) {
                labels.putScalar(example, random.nextInt(3), t, 1);
            }
        }
        return new DataSet(features, labels);
    }

    @ParameterizedTest
    @MethodSource("stacks")
    void outputsAndGradientsAreThoseOfTheDoubleTwin(MultiLayerConfiguration conf) {
        for (int examples : new int[] {1, 6}) {
            MultiLayerNetwork network = network(conf);
            assertThat(Acceleration.attach(network).layers()).hasSizeGreaterThan(1);
            assertAgreesWithItsTwin(network, batch(network, examples, SEED + examples));
        }
    }

    @ParameterizedTest
    @CsvSource({"ENABLED, false", "NONE, false", "ENABLED, true", "NONE, true"})
    void twentyStepsAreThoseOfDl4j(WorkspaceMode mode, boolean pooled) {
        MultiLayerConfiguration conf = pooled ? pooled(PoolingType.AVG, 3, 2, ConvolutionMode.Same) : stacks().get(8);
        conf.setTrainingWorkspaceMode(mode);
        conf.setInferenceWorkspaceMode(mode);
        MultiLayerNetwork network = network(conf);
        MultiLayerNetwork plain = network(conf);
        var before = network.getLayer(1);
        Acceleration.attach(network);
        assertThat(network.getLayer(1)).isNotSameAs(before);
        INDArray kept = network.output(batch(network, 8, -1).getFeatures());
        INDArray copy = kept.dup();
        for (int step = 0; step < 20; step++) {
            DataSet data = batch(network, step % 5 == 4 ? 3 : 8, step); // the last batch is smaller
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
        Acceleration.detach(network);
        assertThat(network.getLayer(1)).isSameAs(before);
        network.fit(batch(network, 8, 1));
    }

    /** As recurrent layers and iterators of DL4J's give them. */
    @Test
    void sequencesMayLieInMemoryInAnyWay() {
        MultiLayerNetwork network = network(stacks().get(8));
        Acceleration.attach(network);
        INDArray x = batch(network, 4, SEED).getFeatures();
        INDArray expected = network.output(x).castTo(DataType.DOUBLE);
        INDArray last = x.permute(0, 2, 1).dup('c').permute(0, 2, 1);
        for (INDArray view : List.of(last, x.dup('f'))) {
            assertThat(difference(network.output(view), expected)).isLessThan(1e-6);
        }
    }

    /** DL4J's networks do not tell these layers their masks, so whoever sets one is the caller. */
    @Test
    void masksAreDl4js() {
        MultiLayerNetwork network = network(stack(
                RNNFormat.NCW,
                convolution(3, 4, Activation.SIGMOID)
                        .convolutionMode(ConvolutionMode.Same)
                        .build()));
        Acceleration.attach(network);
        INDArray mask = Nd4j.ones(DataType.FLOAT, 4, LENGTH);
        mask.putScalar(2, LENGTH - 1, 0);
        INDArray x = batch(network, 4, SEED).getFeatures();
        network.getLayer(0).setMaskArray(mask);
        INDArray y = network.getLayer(0).activate(x, false, LayerWorkspaceMgr.noWorkspaces());
        assertThat(y.getDouble(2, 1, LENGTH - 1)).isZero();
        assertThat(y.getDouble(2, 1, LENGTH - 2)).isPositive();
        MultiLayerNetwork pools = network(pooled(PoolingType.MAX, 2, 1, ConvolutionMode.Same));
        Acceleration.attach(pools);
        var pooling = pools.getLayer(1);
        pooling.setMaskArray(mask);
        INDArray pooled = pooling.activate(x, false, LayerWorkspaceMgr.noWorkspaces());
        assertThat(pooled.getDouble(2, 1, LENGTH - 1)).isZero();
        assertThat(pooled.getDouble(2, 1, LENGTH - 3)).isNotZero();
    }

    /** Doubles what goes into a layer, in the place of chance. */
    static final class Doubling implements IDropout {

        @Override
        public INDArray applyDropout(
                INDArray input, INDArray result, int iteration, int epoch, LayerWorkspaceMgr workspaces) {
            return result.assign(input).muli(2);
        }

        @Override
        public INDArray backprop(INDArray gradientAtOutput, INDArray gradientAtInput, int iteration, int epoch) {
            return gradientAtInput.assign(gradientAtOutput).muli(2);
        }

        @Override
        public void clear() {}

        @Override
        public IDropout clone() {
            return this;
        }
    }

    /** DL4J leaves dropout out of the gradients that it passes down. */
    @Test
    void dropoutIsPartOfTheGradient() {
        MultiLayerNetwork network = network(stack(
                RNNFormat.NCW,
                convolution(3, 4, Activation.TANH).build(),
                convolution(2, 4, Activation.TANH).dropOut(new Doubling()).build()));
        MultiLayerNetwork twin = twin(network);
        DataSet data = batch(network, 6, SEED);
        Acceleration.attach(network);
        evaluate(network, data);
        evaluate(twin, data);
        for (String key : List.of("0_W", "0_b", "1_W", "2_W")) {
            INDArray dl4js = twin.gradient().getGradientFor(key);
            assertThat(difference(network.gradient().getGradientFor(key), key.startsWith("0") ? dl4js.mul(2) : dl4js))
                    .as(key)
                    .isLessThan(AttachedNetworks.TOLERANCE);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Activation.class,
            names = {"RELU", "TANH", "SIGMOID"})
    void notANumberIsNeverHidden(Activation activation) {
        MultiLayerNetwork network =
                network(stack(RNNFormat.NCW, convolution(3, 4, activation).build()));
        Acceleration.attach(network);
        DataSet data = batch(network, 4, SEED);
        data.getFeatures().putScalar(5, Double.NaN);
        evaluate(network, data);
        assertThat(network.score()).isNaN();
    }

    /** DL4J's largest number never is NaN here. */
    @ParameterizedTest
    @EnumSource(
            value = PoolingType.class,
            names = {"MAX", "AVG"})
    void poolingTakesWhatIsNotFiniteAsDl4jDoes(PoolingType type) {
        INDArray x = Nd4j.arange(2 * 2 * LENGTH).castTo(DataType.FLOAT).reshape(2, 2, LENGTH);
        x.putScalar(0, Double.NaN).putScalar(1, Double.NaN);
        x.putScalar(5, Double.NaN).putScalar(8, Double.NaN);
        x.putScalar(LENGTH, Double.POSITIVE_INFINITY);
        List<float[]> results = new ArrayList<>();
        for (boolean attached : new boolean[] {false, true}) {
            MultiLayerNetwork network =
                    network(stack(RNNFormat.NCW, new Subsampling1DLayer.Builder(type, 2, 2).build()));
            if (attached) {
                Acceleration.attach(network);
            }
            results.add(network.getLayer(0)
                    .activate(x, false, LayerWorkspaceMgr.noWorkspaces())
                    .dup('c')
                    .data()
                    .asFloat());
        }
        assertThat(results.get(1)).isEqualTo(results.get(0));
    }

    @Test
    void whatIsNotCoveredIsSaid() {
        Convolution1DLayer layer =
                convolution(3, 4, Activation.TANH).rnnDataFormat(RNNFormat.NWC).build();
        assertThat(Acceleration.attach(network(stack(RNNFormat.NWC, layer))).left())
                .containsEntry("layer0", "its sequences are in NWC");
        Convolution1DLayer noisy = convolution(3, 4, Activation.TANH)
                .weightNoise(new DropConnect(0.5))
                .build();
        assertThat(Acceleration.attach(network(stack(RNNFormat.NCW, noisy))).left())
                .containsEntry("layer0", "its weights have noise, which DL4J leaves out");
        Subsampling1DLayer padded = new Subsampling1DLayer.Builder(2, 1, 1).build();
        assertThat(Acceleration.attach(network(stack(RNNFormat.NCW, padded))).left())
                .containsEntry("layer0", "it pads sequences, which DL4J's does otherwise than it says");
        Subsampling1DLayer dl4js =
                new Subsampling1DLayer.Builder(PoolingType.PNORM).pnorm(2).build();
        assertThat(Acceleration.attach(network(stack(RNNFormat.NCW, dl4js))).left())
                .containsEntry("layer0", "its pooling is PNORM");
    }
}
