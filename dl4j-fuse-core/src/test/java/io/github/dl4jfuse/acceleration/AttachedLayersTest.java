package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.TOLERANCE;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgreesWithItsTwin;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.evaluate;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.images;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.twin;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Layers of ours in a network, beside a twin in double precision and beside DL4J's own. */
class AttachedLayersTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    static List<MultiLayerConfiguration> shapes() {
        List<MultiLayerConfiguration> all = new ArrayList<>();
        Sgd sgd = new Sgd(0.1);
        for (Activation activation :
                new Activation[] {Activation.IDENTITY, Activation.RELU, Activation.TANH, Activation.SIGMOID}) {
            all.add(images(sgd, activation));
        }
        for (ConvolutionMode mode : new ConvolutionMode[] {ConvolutionMode.Truncate, ConvolutionMode.Same}) {
            for (int kernel : new int[] {1, 2, 3}) {
                for (int stride : new int[] {1, 2}) {
                    for (int dilation : new int[] {1, 2}) {
                        all.add(stack(
                                sgd,
                                convolution(kernel, 4, Activation.TANH)
                                        .stride(stride, stride)
                                        .dilation(dilation, dilation)
                                        .convolutionMode(mode)
                                        .hasBias(kernel != 2)
                                        .build()));
                    }
                }
            }
        }
        all.add(stack(
                sgd,
                new ConvolutionLayer.Builder(new int[] {3, 2}, new int[] {2, 1}, new int[] {1, 0})
                        .nOut(17)
                        .activation(Activation.RELU)
                        .build()));
        for (PoolingType type : new PoolingType[] {PoolingType.MAX, PoolingType.AVG}) {
            all.add(stack(sgd, convolution(1, 3, Activation.TANH).build(), pooling(type, 2, 2, 0)));
            all.add(stack(sgd, convolution(1, 3, Activation.TANH).build(), pooling(type, 3, 2, 1)));
            all.add(stack(sgd, convolution(1, 3, Activation.TANH).build(), pooling(type, 3, 1, 0)));
        }
        all.add(stack(
                sgd,
                convolution(1, 3, Activation.TANH).build(),
                new SubsamplingLayer.Builder(PoolingType.AVG)
                        .kernelSize(3, 3)
                        .padding(1, 1)
                        .avgPoolIncludePadInDivisor(true)
                        .build()));
        all.add(stack(sgd, new BatchNormalization.Builder().useLogStd(false).build()));
        all.add(stack(sgd, new DenseLayer.Builder().nOut(6).hasBias(false).build()));
        for (Activation activation : new Activation[] {Activation.RELU, Activation.TANH, Activation.SIGMOID}) {
            all.add(stack(
                    sgd,
                    new ActivationLayer(activation),
                    convolution(2, 5, Activation.IDENTITY).build(),
                    new BatchNormalization(),
                    new ActivationLayer(activation),
                    pooling(PoolingType.AVG, 2, 2, 0),
                    new DenseLayer.Builder()
                            .nOut(6)
                            .activation(Activation.IDENTITY)
                            .build(),
                    new ActivationLayer(activation)));
        }
        // Layers of DL4J's between and behind ours.
        all.add(stack(
                sgd,
                convolution(2, 3, Activation.SOFTPLUS).build(),
                convolution(2, 4, Activation.RELU).build(),
                new ActivationLayer(Activation.ELU),
                convolution(2, 3, Activation.RELU).build()));
        return all;
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void outputsAndGradientsAreThoseOfTheDoubleTwin(MultiLayerConfiguration conf) {
        for (int examples : new int[] {1, 6}) {
            MultiLayerNetwork network = network(conf);
            assertThat(Acceleration.attach(network).layers()).isNotEmpty();
            assertAgreesWithItsTwin(network, batch(examples, SEED + examples));
        }
    }

    /** Of inputs or weights that are NaN or infinite the loss is not finite, as with DL4J's layers, and good examples stay good. */
    @ParameterizedTest
    @CsvSource({"NaN, RELU", "Infinity, RELU", "NaN, TANH", "NaN, SIGMOID"})
    void notANumberIsNeverHidden(double bad, Activation activation) {
        MultiLayerConfiguration conf = stack(
                new Sgd(0.1),
                new ActivationLayer(activation),
                convolution(3, 5, activation).build(),
                pooling(PoolingType.MAX, 2, 2, 0),
                new DenseLayer.Builder().nOut(7).activation(activation).build());
        for (String where : List.of("features", "1_W", "1_b", "3_W", "3_b")) {
            MultiLayerNetwork network = network(conf);
            MultiLayerNetwork plain = network(conf);
            assertThat(Acceleration.attach(network).layers()).hasSize(5);
            DataSet data = batch(4, SEED);
            for (MultiLayerNetwork each : List.of(network, plain)) {
                (where.equals("features") ? data.getFeatures() : each.getParam(where)).putScalar(0, bad);
                evaluate(each, data);
            }
            assertThat(Double.isFinite(network.score()))
                    .as("%s in %s, DL4J's score %s", bad, where, plain.score())
                    .isEqualTo(Double.isFinite(plain.score()));
            double[] ours = network.output(data.getFeatures()).sum(1).toDoubleVector();
            double[] dl4js = plain.output(data.getFeatures()).sum(1).toDoubleVector();
            for (int i = 0; i < ours.length; i++) {
                assertThat(Double.isNaN(ours[i]))
                        .as("%s in %s, example %d", bad, where, i)
                        .isEqualTo(Double.isNaN(dl4js[i]));
            }
        }
    }

    /** A transposed array, and one within a larger one. */
    @Test
    void inputsMayLieInMemoryInAnyWay() {
        MultiLayerNetwork network = network(images(new Sgd(0.1), Activation.TANH));
        Acceleration.attach(network);
        DataSet data = batch(4, SEED);
        INDArray expected = network.output(data.getFeatures()).dup();
        INDArray last = data.getFeatures().permute(0, 2, 3, 1).dup('c').permute(0, 3, 1, 2);
        INDArray swapped = data.getFeatures().permute(0, 1, 3, 2).dup('c').permute(0, 1, 3, 2);
        INDArray within = Nd4j.concat(0, data.getFeatures(), data.getFeatures())
                .get(org.nd4j.linalg.indexing.NDArrayIndex.interval(4, 8));
        for (INDArray view : List.of(last, swapped, within)) {
            assertThat(difference(network.output(view), expected.castTo(DataType.DOUBLE)))
                    .isLessThan(1e-6);
        }
    }

    /** DL4J's next layer works in place on what it gets, from which our derivative is taken. */
    @ParameterizedTest
    @ValueSource(strings = {"TANH", "RELU", "SIGMOID"})
    void noiseBehindALayerDoesNotReachItsDerivative(Activation activation) {
        MultiLayerConfiguration conf = stack(
                new Sgd(0.1),
                convolution(3, 5, activation).build(),
                convolution(2, 4, activation).dropOut(new GaussianNoise(0.5)).build(),
                new DenseLayer.Builder().nOut(7).activation(activation).build(),
                new DenseLayer.Builder()
                        .nOut(5)
                        .activation(activation)
                        .dropOut(new GaussianNoise(0.5))
                        .build());
        MultiLayerNetwork network = network(conf);
        MultiLayerNetwork plain = network(conf);
        Acceleration.attach(network);
        DataSet data = batch(16, SEED);
        for (MultiLayerNetwork each : List.of(network, plain)) {
            Nd4j.getRandom().setSeed(SEED);
            evaluate(each, data);
        }
        assertThat(difference(
                        network.gradient().gradient(),
                        plain.gradient().gradient().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
    }

    @Test
    void dropoutAndWeightNoiseAreDl4js() {
        var noisy = stack(
                new Sgd(0.1),
                convolution(3, 5, Activation.RELU)
                        .dropOut(0.7)
                        .weightNoise(new DropConnect(0.7))
                        .build(),
                convolution(2, 4, Activation.TANH).dropOut(0.7).build(),
                new DenseLayer.Builder()
                        .nOut(7)
                        .weightNoise(new DropConnect(0.6))
                        .dropOut(0.6)
                        .build());
        MultiLayerNetwork network = network(noisy);
        MultiLayerNetwork plain = network(noisy);
        assertThat(Acceleration.attach(network).layers()).hasSize(4);
        DataSet data = batch(16, SEED);
        for (MultiLayerNetwork each : List.of(network, plain)) {
            Nd4j.getRandom().setSeed(SEED);
            for (int step = 0; step < 5; step++) {
                each.fit(data);
            }
        }
        assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ENABLED", "NONE"})
    void twentyStepsAreThoseOfDl4j(WorkspaceMode mode) {
        MultiLayerConfiguration conf = stack(
                new Sgd(0.05),
                convolution(3, 5, Activation.TANH).build(),
                pooling(PoolingType.AVG, 2, 2, 0),
                convolution(2, 4, Activation.TANH).build(),
                new DenseLayer.Builder().nOut(7).activation(Activation.TANH).build());
        conf.setTrainingWorkspaceMode(mode);
        conf.setInferenceWorkspaceMode(mode);
        MultiLayerNetwork network = network(conf);
        MultiLayerNetwork plain = network(conf);
        Acceleration.attach(network);
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
    }

    @Test
    void outputsKeepTheirNumbers() {
        MultiLayerNetwork network = network(images(new Sgd(0.1), Activation.TANH));
        Acceleration.attach(network);
        INDArray first = network.output(batch(4, 1).getFeatures());
        INDArray copy = first.dup();
        List<INDArray> all = network.feedForward(batch(4, 1).getFeatures());
        List<INDArray> copies = all.stream().map(INDArray::dup).toList();
        network.output(batch(4, 2).getFeatures());
        network.fit(batch(4, 3));
        assertThat(first).isEqualTo(copy);
        for (int i = 0; i < all.size(); i++) {
            assertThat(all.get(i).sub(copies.get(i)).amaxNumber().doubleValue()).isZero();
        }
    }

    /** External errors: a network used as a layer needs the gradient with respect to its input. */
    @Test
    void theInputsGradientIsThere() {
        MultiLayerNetwork network = network(images(new Sgd(0.1), Activation.TANH));
        MultiLayerNetwork twin = twin(network);
        Acceleration.attach(network);
        INDArray[] gradients = new INDArray[2];
        int i = 0;
        for (MultiLayerNetwork each : List.of(network, twin)) {
            DataType type = each.params().dataType();
            DataSet data = batch(4, SEED);
            gradients[i++] = each.calculateGradients(
                            data.getFeatures().castTo(type), data.getLabels().castTo(type), null, null)
                    .getSecond()
                    .castTo(DataType.DOUBLE);
        }
        assertThat(difference(gradients[0], gradients[1])).isLessThan(TOLERANCE);
    }

    @Test
    void sizesOfBatchesMayVaryWithoutEnd() {
        MultiLayerNetwork network = network(images(new Sgd(0.01), Activation.RELU));
        Acceleration.attach(network);
        for (int examples = 1; examples <= 40; examples++) {
            network.fit(batch(examples, examples));
        }
        assertAgreesWithItsTwin(network, batch(7, SEED));
    }
}
