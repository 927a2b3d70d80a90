package io.github.dl4jfuse.acceleration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks with one of each layer of ours, twins in double precision, and what they are compared by. */
final class AttachedNetworks {

    private AttachedNetworks() {}

    static final long SEED = 20261128;

    /** Relative to the largest element. */
    static final double TOLERANCE = 2e-5;

    static NeuralNetConfiguration.Builder builder(IUpdater updater) {
        return new NeuralNetConfiguration.Builder().seed(SEED).updater(updater).biasInit(0.1);
    }

    static ConvolutionLayer.Builder convolution(int kernel, int channels, Activation activation) {
        return new ConvolutionLayer.Builder(kernel, kernel).nOut(channels).activation(activation);
    }

    static SubsamplingLayer pooling(PoolingType type, int kernel, int stride, int padding) {
        return new SubsamplingLayer.Builder(type)
                .kernelSize(kernel, kernel)
                .stride(stride, stride)
                .padding(padding, padding)
                .build();
    }

    static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** One of each layer. */
    static MultiLayerConfiguration images(IUpdater updater, Activation activation) {
        return stack(
                updater,
                convolution(3, 5, activation).build(),
                new BatchNormalization(),
                pooling(PoolingType.MAX, 2, 2, 0),
                convolution(2, 4, activation).build(),
                new DenseLayer.Builder().nOut(7).activation(activation).build());
    }

    static MultiLayerConfiguration stack(IUpdater updater, org.deeplearning4j.nn.conf.layers.Layer... layers) {
        return stack(builder(updater), InputType.convolutional(9, 8, 2), layers);
    }

    static MultiLayerConfiguration stack(
            IUpdater updater, InputType input, org.deeplearning4j.nn.conf.layers.Layer... layers) {
        return stack(builder(updater), input, layers);
    }

    static MultiLayerConfiguration stack(
            NeuralNetConfiguration.Builder settings, org.deeplearning4j.nn.conf.layers.Layer... layers) {
        return stack(settings, InputType.convolutional(9, 8, 2), layers);
    }

    private static MultiLayerConfiguration stack(
            NeuralNetConfiguration.Builder settings,
            InputType input,
            org.deeplearning4j.nn.conf.layers.Layer... layers) {
        var list = settings.list();
        for (var layer : layers) {
            list.layer(layer);
        }
        return list.layer(output()).setInputType(input).build();
    }

    static MultiLayerNetwork network(MultiLayerConfiguration conf) {
        MultiLayerNetwork network = new MultiLayerNetwork(conf.clone());
        network.init();
        return network;
    }

    static DataSet batch(int examples, long seed) {
        Random random = new Random(seed);
        INDArray features = Nd4j.create(DataType.FLOAT, examples, 2, 9, 8);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, random.nextGaussian());
        }
        INDArray labels = Nd4j.create(DataType.FLOAT, examples, 3);
        for (int i = 0; i < examples; i++) {
            labels.putScalar(i, random.nextInt(3), 1);
        }
        return new DataSet(features, labels);
    }

    /** The same network in double precision, with DL4J's layers. */
    static MultiLayerNetwork twin(MultiLayerNetwork network) {
        MultiLayerConfiguration conf = network.getLayerWiseConfigurations().clone();
        conf.setDataType(DataType.DOUBLE);
        conf.getConfs().forEach(each -> each.setDataType(DataType.DOUBLE));
        MultiLayerNetwork twin = new MultiLayerNetwork(conf);
        twin.init();
        twin.setParams(network.params().castTo(DataType.DOUBLE));
        return twin;
    }

    static void evaluate(MultiLayerNetwork network, DataSet data) {
        DataType type = network.params().dataType();
        network.setInput(data.getFeatures().castTo(type));
        network.setLabels(data.getLabels().castTo(type));
        network.computeGradientAndScore();
    }

    static double difference(INDArray ours, INDArray exact) {
        INDArray difference =
                ours.castTo(DataType.DOUBLE).dup('c').reshape(exact.shape()).sub(exact);
        return difference.amaxNumber().doubleValue()
                / Math.max(exact.amaxNumber().doubleValue(), 1e-6);
    }

    static void assertAgreesWithItsTwin(MultiLayerNetwork network, DataSet data) {
        assertAgrees(network, data, twin(network), data);
    }

    /** With a network in double precision that is to compute the same of its own form of the data. */
    static void assertAgrees(MultiLayerNetwork network, DataSet data, MultiLayerNetwork twin, DataSet twinData) {
        for (boolean training : new boolean[] {false, true}) {
            assertThat(difference(
                            network.output(data.getFeatures(), training),
                            twin.output(twinData.getFeatures().castTo(DataType.DOUBLE), training)))
                    .as("output, training %s, seed %d", training, SEED)
                    .isLessThan(TOLERANCE);
        }
        evaluate(network, data);
        evaluate(twin, twinData);
        assertGradientsAgree(network.gradient(), twin.gradient());
        assertThat(Math.abs(network.score() - twin.score())).isLessThan(TOLERANCE * Math.abs(twin.score()));
    }

    static void assertGradientsAgree(Gradient ours, Gradient exact) {
        double largest = exact.gradient().amaxNumber().doubleValue();
        for (Map.Entry<String, INDArray> each : exact.gradientForVariable().entrySet()) {
            INDArray expected = each.getValue();
            // What batch normalization takes away, such as the bias before it, has a gradient of rounding alone.
            if (expected.amaxNumber().doubleValue() > 1e-9 * largest) {
                assertThat(difference(ours.getGradientFor(each.getKey()), expected))
                        .as("gradient of %s, seed %d", each.getKey(), SEED)
                        .isLessThan(TOLERANCE);
            }
        }
    }

    /** Skips a test class where layers of ours cannot be had. */
    static void assumeThatThereAreAny() {
        MultiLayerNetwork small = network(images(new Sgd(0.1), Activation.RELU));
        assumeTrue(!Acceleration.attach(small).layers().isEmpty(), "no layers on oneDNN here");
    }
}
