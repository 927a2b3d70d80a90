package io.github.dl4jfuse.acceleration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.updater.Preconditioned;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers of ours in a network, beside a twin in double precision and beside DL4J's own. */
class AttachedLayersTest {

    private static final long SEED = 20261128;

    /** Relative to the largest element. */
    private static final double TOLERANCE = 2e-5;

    @BeforeAll
    static void onlyWhereTheyRun() {
        MultiLayerNetwork small = network(images(new Sgd(0.1), Activation.RELU));
        assumeTrue(!Acceleration.attach(small).layers().isEmpty(), "no layers on oneDNN here");
    }

    private static NeuralNetConfiguration.Builder builder(IUpdater updater) {
        return new NeuralNetConfiguration.Builder().seed(SEED).updater(updater).biasInit(0.1);
    }

    private static ConvolutionLayer.Builder convolution(int kernel, int channels, Activation activation) {
        return new ConvolutionLayer.Builder(kernel, kernel).nOut(channels).activation(activation);
    }

    private static SubsamplingLayer pooling(PoolingType type, int kernel, int stride, int padding) {
        return new SubsamplingLayer.Builder(type)
                .kernelSize(kernel, kernel)
                .stride(stride, stride)
                .padding(padding, padding)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** One of each layer. */
    private static MultiLayerConfiguration images(IUpdater updater, Activation activation) {
        return images(updater, activation, null);
    }

    private static MultiLayerConfiguration images(IUpdater updater, Activation activation, IDropout dropout) {
        return stack(
                updater,
                convolution(3, 5, activation).build(),
                new BatchNormalization(),
                pooling(PoolingType.MAX, 2, 2, 0),
                convolution(2, 4, activation).dropOut(dropout).build(),
                new DenseLayer.Builder()
                        .nOut(7)
                        .activation(activation)
                        .dropOut(dropout)
                        .build());
    }

    private static MultiLayerConfiguration stack(IUpdater updater, org.deeplearning4j.nn.conf.layers.Layer... layers) {
        var list = builder(updater).list();
        for (var layer : layers) {
            list.layer(layer);
        }
        return list.layer(output())
                .setInputType(InputType.convolutional(9, 8, 2))
                .build();
    }

    private static MultiLayerNetwork network(MultiLayerConfiguration conf) {
        MultiLayerNetwork network = new MultiLayerNetwork(conf.clone());
        network.init();
        return network;
    }

    private static DataSet batch(int examples, long seed) {
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
    private static MultiLayerNetwork twin(MultiLayerNetwork network) {
        MultiLayerConfiguration conf = network.getLayerWiseConfigurations().clone();
        conf.setDataType(DataType.DOUBLE);
        conf.getConfs().forEach(each -> each.setDataType(DataType.DOUBLE));
        MultiLayerNetwork twin = new MultiLayerNetwork(conf);
        twin.init();
        twin.setParams(network.params().castTo(DataType.DOUBLE));
        return twin;
    }

    private static void evaluate(MultiLayerNetwork network, DataSet data) {
        DataType type = network.params().dataType();
        network.setInput(data.getFeatures().castTo(type));
        network.setLabels(data.getLabels().castTo(type));
        network.computeGradientAndScore();
    }

    private static double difference(INDArray ours, INDArray exact) {
        INDArray difference =
                ours.castTo(DataType.DOUBLE).dup('c').reshape(exact.shape()).sub(exact);
        return difference.amaxNumber().doubleValue()
                / Math.max(exact.amaxNumber().doubleValue(), 1e-6);
    }

    private static void assertAgreesWithItsTwin(MultiLayerNetwork network, DataSet data) {
        MultiLayerNetwork twin = twin(network);
        for (boolean training : new boolean[] {false, true}) {
            assertThat(difference(
                            network.output(data.getFeatures(), training),
                            twin.output(data.getFeatures().castTo(DataType.DOUBLE), training)))
                    .as("output, training %s, seed %d", training, SEED)
                    .isLessThan(TOLERANCE);
        }
        evaluate(network, data);
        evaluate(twin, data);
        double largest = twin.gradient().gradient().amaxNumber().doubleValue();
        for (Map.Entry<String, INDArray> each :
                twin.gradient().gradientForVariable().entrySet()) {
            INDArray exact = each.getValue();
            // What batch normalization takes away, such as the bias before it, has a gradient of rounding alone.
            if (exact.amaxNumber().doubleValue() > 1e-9 * largest) {
                assertThat(difference(network.gradient().getGradientFor(each.getKey()), exact))
                        .as("gradient of %s, seed %d", each.getKey(), SEED)
                        .isLessThan(TOLERANCE);
            }
        }
        assertThat(Math.abs(network.score() - twin.score())).isLessThan(TOLERANCE * Math.abs(twin.score()));
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
            assertThat(Acceleration.attach(network).layers()).hasSize(4);
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
                assertThat(Double.isNaN(ours[i])).as("%s in %s, example %d", bad, where, i).isEqualTo(Double.isNaN(dl4js[i]));
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
        MultiLayerNetwork network = network(images(new Sgd(0.1), activation, new GaussianNoise(0.5)));
        MultiLayerNetwork plain = network(images(new Sgd(0.1), activation, new GaussianNoise(0.5)));
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
        assertThat(Acceleration.attach(network).layers()).hasSize(3);
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

    @Test
    void theSameBitsFromRunToRun() {
        float[][] runs = new float[2][];
        for (int run = 0; run < runs.length; run++) {
            MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
            Acceleration.attach(network);
            for (int step = 0; step < 10; step++) {
                network.fit(batch(8, step));
            }
            runs[run] = network.params().data().asFloat();
        }
        assertThat(runs[0]).isEqualTo(runs[1]);
    }

    @Test
    void networksInThreadsDoNotDisturbEachOther() {
        List<float[]> runs = IntStream.range(0, 6)
                .parallel()
                .mapToObj(run -> {
                    MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
                    Acceleration.attach(network);
                    for (int step = 0; step < 10; step++) {
                        network.fit(batch(8 + step % 2, step));
                    }
                    return network.params().data().asFloat();
                })
                .toList();
        for (float[] run : runs) {
            assertThat(run).isEqualTo(runs.get(0));
        }
    }

    /** Attached before the updater exists, after it, or in the middle: the same metric and the same bits from there on. */
    @Test
    void ourUpdatersFindTheirLayers() {
        float[][] runs = new float[2][];
        for (int run = 0; run < runs.length; run++) {
            MultiLayerNetwork network = network(images(Preconditioned.adam(), Activation.RELU));
            if (run == 0) {
                Acceleration.attach(network);
            }
            DL4JFuse.attach(network);
            if (run == 1) {
                network.getUpdater();
                Acceleration.attach(network);
            }
            for (int step = 0; step < 12; step++) {
                network.fit(batch(8, step % 4));
                if (step == 5) {
                    network.setLearningRate(2e-3);
                }
            }
            runs[run] = network.params().data().asFloat();
        }
        assertThat(runs[0]).isEqualTo(runs[1]);
    }

    @Test
    void theMetricIsFedAsByDl4jsLayers() {
        // Not behind batch normalization: a bias there has a gradient of rounding alone, of which Adam makes steps.
        MultiLayerConfiguration conf = stack(
                Preconditioned.adam(),
                convolution(3, 5, Activation.TANH).build(),
                pooling(PoolingType.AVG, 2, 2, 0),
                new DenseLayer.Builder().nOut(7).activation(Activation.TANH).build());
        List<MultiLayerNetwork> networks = List.of(network(conf), network(conf));
        networks.forEach(DL4JFuse::attach);
        networks.get(0).fit(batch(8, 0)); // attached with an updater and a metric that are there
        networks.get(1).fit(batch(8, 0));
        Acceleration.attach(networks.get(0));
        for (int step = 1; step < 12; step++) {
            networks.get(0).fit(batch(8, step % 4));
            networks.get(1).fit(batch(8, step % 4));
        }
        assertThat(difference(networks.get(0).params(), networks.get(1).params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-3);
    }

    @Test
    void savedModelsHoldNothingOfIt(@TempDir Path folder) throws IOException {
        MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
        Acceleration.attach(network);
        network.fit(batch(8, 1));
        File file = folder.resolve("net.zip").toFile();
        ModelSerializer.writeModel(network, file, true);
        MultiLayerNetwork back = ModelSerializer.restoreMultiLayerNetwork(file, true);
        MultiLayerNetwork clone = network.clone();
        for (MultiLayerNetwork each : List.of(back, clone)) {
            for (Layer layer : each.getLayers()) {
                assertThat(layer.getClass().getPackageName()).startsWith("org.deeplearning4j");
            }
            Acceleration.attach(each);
            each.fit(batch(8, 2));
        }
        network.fit(batch(8, 2));
        assertThat(back.params().data().asFloat())
                .isEqualTo(network.params().data().asFloat());
        assertThat(clone.params().data().asFloat())
                .isEqualTo(network.params().data().asFloat());
    }

    @Test
    void detachedItIsDl4jsAgain() {
        MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
        MultiLayerNetwork plain = network(images(new Adam(1e-2), Activation.RELU));
        Layer first = network.getLayer(0);
        assertThat(Acceleration.attach(network).layers()).hasSize(5);
        assertThat(network.getLayer("layer0")).isSameAs(network.getLayer(0)).isNotSameAs(first);
        assertThat(Acceleration.attach(network).layers()).as("a second time").hasSize(5);
        Acceleration.detach(network);
        Acceleration.detach(network);
        assertThat(network.getLayer(0)).isSameAs(first).isSameAs(network.getLayer("layer0"));
        for (int step = 0; step < 3; step++) {
            network.fit(batch(8, step));
            plain.fit(batch(8, step));
        }
        assertThat(network.params().data().asFloat())
                .isEqualTo(plain.params().data().asFloat());
    }

    @Test
    void frozenLayersStayFrozen() {
        MultiLayerConfiguration conf = stack(
                new Sgd(0.1),
                new FrozenLayer(convolution(3, 4, Activation.RELU).build()),
                convolution(2, 4, Activation.RELU).build());
        MultiLayerNetwork network = network(conf);
        assertThat(Acceleration.attach(network).layers()).hasSize(1);
        INDArray frozen = network.getParam("0_W").dup();
        INDArray trained = network.getParam("1_W").dup();
        network.fit(batch(8, 1));
        assertThat(network.getParam("0_W")).isEqualTo(frozen);
        assertThat(network.getParam("1_W")).isNotEqualTo(trained);
    }

    /** A network whose first layer is fed twice, with a sum and a branch whose gradients DL4J adds in place. */
    @Test
    void graphs() {
        ComputationGraphConfiguration conf = builder(new Sgd(0.05))
                .graphBuilder()
                .addInputs("in")
                .addLayer(
                        "a",
                        convolution(3, 4, Activation.TANH)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        "in")
                .addLayer(
                        "b",
                        convolution(3, 4, Activation.TANH)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        "a")
                .addLayer(
                        "c",
                        convolution(3, 4, Activation.RELU)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        "b")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "c")
                .addLayer("norm", new BatchNormalization(), "sum")
                .addLayer("pool", pooling(PoolingType.AVG, 2, 2, 0), "norm")
                .addLayer(
                        "dense",
                        new DenseLayer.Builder()
                                .nOut(6)
                                .activation(Activation.TANH)
                                .build(),
                        "pool")
                .addLayer("out", output(), "dense")
                .setOutputs("out")
                .setInputTypes(InputType.convolutional(9, 8, 2))
                .build();
        ComputationGraph graph = new ComputationGraph(conf.clone());
        ComputationGraph plain = new ComputationGraph(conf.clone());
        graph.init();
        plain.init();
        assertThat(Acceleration.attach(graph).layers())
                .containsExactlyInAnyOrder("a", "b", "c", "norm", "pool", "dense");
        assertThat(graph.getLayer("a")).isSameAs(graph.getVertex("a").getLayer());
        for (int step = 0; step < 10; step++) {
            graph.fit(batch(8, step));
            plain.fit(batch(8, step));
        }
        assertThat(difference(graph.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
        Acceleration.detach(graph);
        assertThat(graph.getLayer("a").getClass()).isEqualTo(plain.getLayer("a").getClass());
        graph.fit(batch(8, 11));
    }

    @Test
    void aListenerSeesEveryActivationAndMayEvaluate() {
        MultiLayerNetwork network = network(images(new Sgd(0.05), Activation.TANH));
        MultiLayerNetwork plain = network(images(new Sgd(0.05), Activation.TANH));
        Acceleration.attach(network);
        for (MultiLayerNetwork each : List.of(network, plain)) {
            each.setListeners(new BaseTrainingListener() {
                @Override
                public void iterationDone(Model model, int iteration, int epoch) {
                    each.score(batch(5, 9), true);
                    each.output(batch(8, 10).getFeatures());
                }

                @Override
                public void onForwardPass(Model model, List<INDArray> activations) {
                    assertThat(activations).hasSize(6);
                    assertThat(activations.get(1).shape()).containsExactly(8, 5, 7, 6);
                }
            });
            for (int step = 0; step < 5; step++) {
                each.fit(batch(8, step));
            }
        }
        assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
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

    @Test
    void whatIsNotCoveredIsSaidAndLeftAlone() {
        MultiLayerConfiguration conf = images(new Sgd(0.1), Activation.RELU);
        conf.setDataType(DataType.DOUBLE);
        conf.getConfs().forEach(each -> each.setDataType(DataType.DOUBLE));
        MultiLayerNetwork inDouble = network(conf);
        assertThat(Acceleration.attach(inDouble).reason()).contains("in DOUBLE");
        MultiLayerNetwork none = network(stack(
                new Sgd(0.1),
                new DenseLayer.Builder().nOut(3).activation(Activation.SOFTPLUS).build()));
        Layer before = none.getLayer(0);
        assertThat(Acceleration.attach(none).layers()).isEmpty();
        assertThat(none.getLayer(0)).isSameAs(before);
        assertThatThrownBy(() -> Acceleration.attach(new MultiLayerNetwork(conf)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("call init() first");
        assertThatThrownBy(() -> Acceleration.attach(before)).hasMessageContaining("not in a org.deeplearning4j");
        assertThat(before.activate(Nd4j.ones(DataType.FLOAT, 2, 144), false, LayerWorkspaceMgr.noWorkspaces())
                        .shape())
                .containsExactly(2, 3);
    }
}
