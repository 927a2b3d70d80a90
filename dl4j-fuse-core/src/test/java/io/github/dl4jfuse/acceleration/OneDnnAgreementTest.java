package io.github.dl4jfuse.acceleration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.deeplearning4j.config.DL4JSystemProperties;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers on oneDNN against DL4J's own code: outputs, gradients, training. */
class OneDnnAgreementTest {

    private static final long SEED = 31;

    /** Relative to the largest element; float rounding over a few hundred summands. */
    private static final double TOLERANCE = 2e-5;

    /** What DL4J's own code does not do in NHWC either. */
    private static final List<String> ONLY_NCHW = List.of("local response norm", "batch norm locked");

    private record Case(String name, Supplier<Layer> layer, CNN2DFormat format, int height, int width, int batch) {
        @Override
        public String toString() {
            return name + " " + format + " " + height + "x" + width + " batch " + batch;
        }
    }

    /** The same numbers, lying in memory in another way. */
    enum View {
        /** As somebody gets it who turns NCHW into NHWC without a copy, or back. */
        OTHER_FORMAT {
            @Override
            INDArray of(INDArray array) {
                return array.permute(0, 2, 3, 1).dup('c').permute(0, 3, 1, 2);
            }
        },
        /** The same for the other direction. */
        OTHER_FORMAT_BACK {
            @Override
            INDArray of(INDArray array) {
                return array.permute(0, 3, 1, 2).dup('c').permute(0, 2, 3, 1);
            }
        },
        F_ORDER {
            @Override
            INDArray of(INDArray array) {
                return array.dup('f');
            }
        },
        EVERY_SECOND_EXAMPLE {
            @Override
            INDArray of(INDArray array) {
                return part(array, 0, NDArrayIndex.interval(0, 2, 2 * array.size(0)), 2 * array.size(0));
            }
        },
        CUT_OUT {
            @Override
            INDArray of(INDArray array) {
                return part(array, 2, NDArrayIndex.interval(1, array.size(2) + 1), array.size(2) + 3);
            }
        };

        abstract INDArray of(INDArray array);

        private static INDArray part(INDArray array, int dimension, INDArrayIndex index, long size) {
            long[] shape = array.shape().clone();
            shape[dimension] = size;
            INDArrayIndex[] indices = NDArrayIndex.allFor(array);
            indices[dimension] = index;
            return Nd4j.valueArrayOf(shape, 7.0, array.dataType()).get(indices).assign(array);
        }
    }

    @BeforeAll
    static void needsOneDnn() {
        Acceleration.Outcome outcome = Acceleration.outcome();
        assumeTrue(outcome != null && outcome.state() == Acceleration.State.ON, () -> "no oneDNN here: " + outcome);
    }

    private static ConvolutionLayer.Builder convolution(int height, int width) {
        return new ConvolutionLayer.Builder(height, width).nOut(5);
    }

    private static SubsamplingLayer.Builder pooling(PoolingType type) {
        return new SubsamplingLayer.Builder(type).kernelSize(3, 2).stride(2, 1).pnorm(2);
    }

    static Stream<Case> cases() {
        List<Object[]> layers = List.of(
                new Object[] {
                    "conv 3x3", (Supplier<Layer>) () -> convolution(3, 3).build()
                },
                new Object[] {
                    "conv 1x1", (Supplier<Layer>) () -> convolution(1, 1).build()
                },
                new Object[] {
                    "conv 3x2 stride 2,1",
                    (Supplier<Layer>) () -> convolution(3, 2).stride(2, 1).build()
                },
                new Object[] {
                    "conv 3x3 same",
                    (Supplier<Layer>) () -> convolution(3, 3)
                            .convolutionMode(ConvolutionMode.Same)
                            .build()
                },
                new Object[] {
                    "conv 4x3 same stride 2",
                    (Supplier<Layer>) () -> convolution(4, 3)
                            .stride(2, 2)
                            .convolutionMode(ConvolutionMode.Same)
                            .build()
                },
                new Object[] {
                    "conv 3x3 pad 1,2",
                    (Supplier<Layer>) () -> convolution(3, 3).padding(1, 2).build()
                },
                new Object[] {
                    "conv 3x3 dilation 2,1",
                    (Supplier<Layer>) () -> convolution(3, 3).dilation(2, 1).build()
                },
                new Object[] {
                    "conv 3x3 same dilation 2",
                    (Supplier<Layer>) () -> convolution(3, 3)
                            .dilation(2, 2)
                            .convolutionMode(ConvolutionMode.Same)
                            .build()
                },
                new Object[] {
                    "conv 3x3 no bias",
                    (Supplier<Layer>) () -> convolution(3, 3).hasBias(false).build()
                },
                new Object[] {
                    "max pooling",
                    (Supplier<Layer>) () -> pooling(PoolingType.MAX).build()
                },
                new Object[] {
                    "max pooling same",
                    (Supplier<Layer>) () -> pooling(PoolingType.MAX)
                            .convolutionMode(ConvolutionMode.Same)
                            .build()
                },
                new Object[] {
                    "max pooling pad 1",
                    (Supplier<Layer>)
                            () -> pooling(PoolingType.MAX).padding(1, 1).build()
                },
                new Object[] {
                    "average pooling",
                    (Supplier<Layer>) () -> pooling(PoolingType.AVG).build()
                },
                new Object[] {
                    "average pooling same",
                    (Supplier<Layer>) () -> pooling(PoolingType.AVG)
                            .convolutionMode(ConvolutionMode.Same)
                            .build()
                },
                new Object[] {
                    "average pooling pad 1",
                    (Supplier<Layer>)
                            () -> pooling(PoolingType.AVG).padding(1, 1).build()
                },
                new Object[] {
                    "average pooling of what is there, pad 1",
                    (Supplier<Layer>) () -> {
                        SubsamplingLayer layer =
                                pooling(PoolingType.AVG).padding(1, 1).build();
                        layer.setAvgPoolIncludePadInDivisor(true);
                        return layer;
                    }
                },
                new Object[] {
                    "p-norm pooling",
                    (Supplier<Layer>) () -> pooling(PoolingType.PNORM).build()
                },
                new Object[] {"batch norm", (Supplier<Layer>) () -> new BatchNormalization()},
                new Object[] {
                    "batch norm locked",
                    (Supplier<Layer>) () -> new BatchNormalization.Builder()
                            .lockGammaBeta(true)
                            .gamma(1.5)
                            .beta(0.3)
                            .build()
                },
                new Object[] {"local response norm", (Supplier<Layer>) () -> new LocalResponseNormalization()});
        return layers.stream()
                .flatMap(layer -> Stream.of(CNN2DFormat.NCHW, CNN2DFormat.NHWC)
                        .filter(format -> format == CNN2DFormat.NCHW || !ONLY_NCHW.contains(layer[0]))
                        .flatMap(format -> Stream.of(new int[] {8, 8, 6}, new int[] {9, 7, 1}, new int[] {7, 10, 3})
                                .map(size -> new Case(
                                        (String) layer[0], supplier(layer[1]), format, size[0], size[1], size[2]))));
    }

    @SuppressWarnings("unchecked")
    private static Supplier<Layer> supplier(Object layer) {
        return (Supplier<Layer>) layer;
    }

    private static MultiLayerNetwork network(Case the, boolean oneDnn) {
        return withOrWithout(
                oneDnn,
                () -> new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                        .seed(SEED)
                        .updater(new Sgd(0.05))
                        .activation(Activation.TANH)
                        .list()
                        .layer(new ConvolutionLayer.Builder(2, 2).nOut(3).build())
                        .layer(the.layer().get())
                        .layer(new OutputLayer.Builder(LossFunction.MSE)
                                .activation(Activation.IDENTITY)
                                .nOut(4)
                                .build())
                        .setInputType(InputType.convolutional(the.height(), the.width(), 2, the.format()))
                        .build()));
    }

    private static DataSet data(Case the, int batch, long seed) {
        return data(the.format(), batch, the.height(), the.width(), seed);
    }

    private static DataSet data(CNN2DFormat format, int batch, int height, int width, long seed) {
        Nd4j.getRandom().setSeed(seed);
        INDArray features =
                format == CNN2DFormat.NCHW ? Nd4j.randn(batch, 2, height, width) : Nd4j.randn(batch, height, width, 2);
        return new DataSet(features, Nd4j.randn(batch, 4));
    }

    private static void assertClose(String what, INDArray actual, INDArray expected) {
        double scale = Math.max(1e-3, expected.amaxNumber().doubleValue());
        double difference = actual.sub(expected).amaxNumber().doubleValue();
        assertThat(difference / scale)
                .as("%s, relative difference, seed %d", what, SEED)
                .isLessThan(TOLERANCE);
    }

    private static INDArray gradient(MultiLayerNetwork network, DataSet data) {
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
        return network.getGradientsViewArray().dup();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(Case the) {
        MultiLayerNetwork with = network(the, true);
        MultiLayerNetwork without = network(the, false);
        assertThat(with.getLayer(0).getHelper())
                .as("the helper of the first convolution")
                .isNotNull();
        assertThat(without.getLayer(0).getHelper()).isNull();
        assertThat(with.params()).isEqualTo(without.params());
        // Another batch size, then the first again: helpers keep what they prepared for a batch.
        for (int batch : new int[] {the.batch(), the.batch() + 2, the.batch()}) {
            DataSet data = data(the, batch, SEED + batch);
            assertClose("output", with.output(data.getFeatures()), without.output(data.getFeatures()));
            assertClose("gradient", gradient(with, data), gradient(without, data));
        }
        for (int step = 0; step < 20; step++) {
            DataSet data = data(the, the.batch() + 1, SEED + step);
            with.fit(data);
            without.fit(data.copy());
        }
        double scale = without.params().amaxNumber().doubleValue();
        assertThat(with.params().sub(without.params()).amaxNumber().doubleValue() / scale)
                .as("parameters after 20 steps, seed %d", SEED)
                .isLessThan(1e-3);
    }

    static Stream<Arguments> activations() {
        // RRELU draws its slopes anew in every pass
        return Stream.of(Activation.values())
                .filter(activation -> activation != Activation.RRELU)
                .flatMap(activation -> Stream.of(CNN2DFormat.values()).map(format -> arguments(activation, format)));
    }

    /** Some activations work in place, others return an array of their own, with strides of their own. */
    @ParameterizedTest
    @MethodSource("activations")
    void agreesForEveryActivation(Activation activation, CNN2DFormat format) {
        Supplier<MultiLayerNetwork> make = () -> network(
                activation,
                format,
                convolution(2, 2).build(),
                new BatchNormalization(),
                convolution(3, 3).convolutionMode(ConvolutionMode.Same).build(),
                pooling(PoolingType.MAX).build(),
                convolution(1, 1).build());
        assertAgreement(make, data(format, 6, 8, 7, SEED));
    }

    static Stream<Arguments> views() {
        return Stream.of(View.values())
                .flatMap(view -> Stream.of(CNN2DFormat.values()).map(format -> arguments(view, format)));
    }

    /** Every layer with a helper meets the user's array once. */
    @ParameterizedTest
    @MethodSource("views")
    void agreesForViewsAsInput(View view, CNN2DFormat format) {
        for (Layer first : List.of(
                convolution(3, 2).build(),
                convolution(1, 1).convolutionMode(ConvolutionMode.Same).build(),
                pooling(PoolingType.MAX).build(),
                pooling(PoolingType.AVG).build(),
                new BatchNormalization())) {
            DataSet data = data(format, 6, 8, 7, SEED);
            INDArray features = view.of(data.getFeatures());
            assertThat(features).isEqualTo(data.getFeatures());
            assertThat(features.stride()).isNotEqualTo(data.getFeatures().stride());
            data.setFeatures(features);
            assertAgreement(() -> network(Activation.RELU, format, first.clone()), data);
        }
    }

    private static MultiLayerNetwork network(Activation activation, CNN2DFormat format, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Sgd(0.05))
                .activation(activation)
                .list();
        Stream.of(layers).forEach(list::layer);
        return new MultiLayerNetwork(list.layer(new OutputLayer.Builder(LossFunction.MSE)
                        .activation(Activation.IDENTITY)
                        .nOut(4)
                        .build())
                .setInputType(InputType.convolutional(8, 7, 2, format))
                .build());
    }

    private static void assertAgreement(Supplier<MultiLayerNetwork> make, DataSet data) {
        MultiLayerNetwork with = withOrWithout(true, make);
        MultiLayerNetwork without = withOrWithout(false, make);
        assertClose("output", with.output(data.getFeatures()), without.output(data.getFeatures()));
        assertClose("gradient", gradient(with, data), gradient(without, data));
        with.fit(data); // in workspaces, which the gradient above is not
        without.fit(data);
        assertClose("parameters after a step", with.params(), without.params());
    }

    private static MultiLayerNetwork withOrWithout(boolean oneDnn, Supplier<MultiLayerNetwork> network) {
        String before = System.getProperty(DL4JSystemProperties.DISABLE_HELPER_PROPERTY);
        System.setProperty(DL4JSystemProperties.DISABLE_HELPER_PROPERTY, String.valueOf(!oneDnn));
        try {
            MultiLayerNetwork made = network.get();
            made.init();
            return made;
        } finally {
            System.setProperty(DL4JSystemProperties.DISABLE_HELPER_PROPERTY, before);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "Causal") // is for one dimension
    void agreesWhenTheImagesChangeTheirSize(ConvolutionMode mode) {
        Supplier<MultiLayerNetwork> make = () -> new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Sgd(0.05))
                .activation(Activation.TANH)
                .convolutionMode(mode)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3)
                        .nIn(2)
                        .nOut(3)
                        .stride(2, 2)
                        .build())
                .layer(new SubsamplingLayer.Builder(PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(1, 1)
                        .build())
                .layer(new GlobalPoolingLayer.Builder(PoolingType.AVG).build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .activation(Activation.IDENTITY)
                        .nIn(3)
                        .nOut(4)
                        .build())
                .build());
        MultiLayerNetwork with = withOrWithout(true, make);
        MultiLayerNetwork without = withOrWithout(false, make);
        for (int[] size : new int[][] {{9, 9}, {11, 9}, {9, 13}, {15, 15}, {9, 9}, {10, 10}, {12, 9}}) {
            boolean uneven = size[0] % 2 == 0 || size[1] % 2 == 0;
            if (mode == ConvolutionMode.Strict && uneven) {
                continue;
            }
            Nd4j.getRandom().setSeed(SEED);
            DataSet data = new DataSet(Nd4j.randn(3, 2, size[0], size[1]), Nd4j.randn(3, 4));
            assertClose("output", with.output(data.getFeatures()), without.output(data.getFeatures()));
            assertClose("gradient", gradient(with, data), gradient(without, data));
        }
    }

    @Test
    void gradientsInDoubleStayCorrect() {
        MultiLayerNetwork network = withOrWithout(
                true,
                () -> new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                        .seed(SEED)
                        .dataType(DataType.DOUBLE)
                        .updater(new NoOp())
                        .activation(Activation.TANH)
                        .weightInit(new NormalDistribution(0, 0.5))
                        .list()
                        .layer(new ConvolutionLayer.Builder(3, 3)
                                .nOut(3)
                                .convolutionMode(ConvolutionMode.Same)
                                .build())
                        .layer(new BatchNormalization.Builder().useLogStd(false).build())
                        .layer(new SubsamplingLayer.Builder(PoolingType.AVG)
                                .kernelSize(2, 2)
                                .stride(2, 2)
                                .build())
                        .layer(new LocalResponseNormalization())
                        .layer(new OutputLayer.Builder(LossFunction.MSE)
                                .activation(Activation.IDENTITY)
                                .nOut(4)
                                .build())
                        .setInputType(InputType.convolutional(6, 6, 2))
                        .build()));
        Nd4j.getRandom().setSeed(SEED);
        INDArray features = Nd4j.randn(DataType.DOUBLE, 3, 2, 6, 6);
        INDArray labels = Nd4j.randn(DataType.DOUBLE, 3, 4);
        Set<String> notGradients = Set.of("1_mean", "1_var");
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE); // which the check insists on
        try {
            assertThat(GradientCheckUtil.checkGradients(new GradientCheckUtil.MLNConfig()
                            .net(network)
                            .epsilon(1e-6)
                            .maxRelError(1e-5)
                            .minAbsoluteError(1e-9)
                            .input(features)
                            .labels(labels)
                            .excludeParams(notGradients)))
                    .isTrue();
        } finally {
            Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
        }
    }
}
