package io.github.dl4jfuse.network.jacobian;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.network.NetworkParameter;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonLoss;
import io.github.dl4jfuse.optim.gaussnewton.OutputJacobian;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.optim.gaussnewton.SquaredLoss;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class NetworkOutputsTest {

    private static final long SEED = 20261124;
    private static final int EXAMPLES = 4;

    /** Networks of all kinds of layers, with features for them. */
    @SuppressWarnings("ImmutableEnumChecker") // constants of a test
    enum Kind {
        DENSE(() -> layers(InputType.feedForward(5), softmax(), dense(6), dense(4)), 5),
        TANH_OUTPUT(
                () -> layers(
                        InputType.feedForward(5),
                        new OutputLayer.Builder(LossFunction.MSE)
                                .nOut(3)
                                .activation(Activation.TANH)
                                .build(),
                        dense(6)),
                5),
        WITHOUT_BIAS(
                () -> layers(
                        InputType.feedForward(5),
                        new OutputLayer.Builder(LossFunction.L2)
                                .nOut(3)
                                .activation(Activation.IDENTITY)
                                .hasBias(false)
                                .build(),
                        new DenseLayer.Builder().nOut(6).hasBias(false).build()),
                5),
        LAYER_NORM(
                () -> layers(
                        InputType.feedForward(5),
                        softmax(),
                        new DenseLayer.Builder().nOut(6).hasLayerNorm(true).build()),
                5),
        LOSS_LAYER(
                () -> layers(
                        InputType.feedForward(5),
                        new LossLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        dense(6),
                        dense(3)),
                5),
        CONVOLUTION(
                () -> layers(
                        InputType.convolutional(7, 6, 2),
                        softmax(),
                        new ConvolutionLayer.Builder(3, 3)
                                .convolutionMode(ConvolutionMode.Same)
                                .nOut(3)
                                .build(),
                        new SubsamplingLayer.Builder()
                                .kernelSize(2, 2)
                                .stride(2, 2)
                                .build(),
                        new ConvolutionLayer.Builder(2, 2)
                                .stride(1, 2)
                                .nOut(4)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new BatchNormalization(),
                        new ActivationLayer(Activation.SIGMOID),
                        dense(5)),
                2,
                7,
                6),
        FROZEN_CONVOLUTION(
                () -> layers(
                        InputType.convolutional(5, 4, 1),
                        softmax(),
                        new ConvolutionLayer.Builder(2, 2).nOut(2).build(),
                        new FrozenLayer.Builder()
                                .layer(new ConvolutionLayer.Builder(2, 2)
                                        .nOut(3)
                                        .build())
                                .build()),
                1,
                5,
                4),
        CHANNELS_LAST(
                () -> layers(
                        InputType.convolutional(5, 4, 2, CNN2DFormat.NHWC),
                        softmax(),
                        new ConvolutionLayer.Builder(2, 2)
                                .nOut(3)
                                .dataFormat(CNN2DFormat.NHWC)
                                .build(),
                        new BatchNormalization.Builder()
                                .dataFormat(CNN2DFormat.NHWC)
                                .build()),
                5,
                4,
                2),
        AVERAGE_POOLING(
                () -> layers(
                        InputType.convolutional(6, 6, 1),
                        softmax(),
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(3)
                                .hasBias(false)
                                .build(),
                        new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.AVG)
                                .kernelSize(2, 2)
                                .stride(2, 2)
                                .build()),
                1,
                6,
                6),
        BATCH_NORM(
                () -> layers(
                        InputType.feedForward(5),
                        softmax(),
                        dense(6),
                        new BatchNormalization.Builder().useLogStd(true).build(),
                        dense(4),
                        new BatchNormalization.Builder().lockGammaBeta(true).build()),
                5),
        LSTM_LAST_STEP(
                () -> layers(
                        InputType.recurrent(3, 5),
                        softmax(),
                        new LastTimeStep(new LSTM.Builder().nOut(4).build()),
                        dense(4)),
                3,
                5),
        LSTM_POOLED(
                () -> layers(
                        InputType.recurrent(3, 5),
                        softmax(),
                        new LSTM.Builder().nOut(4).build(),
                        new GlobalPoolingLayer.Builder().build()),
                3,
                5),
        LSTM_BEFORE_FROZEN(
                () -> layers(
                        InputType.recurrent(3, 5),
                        softmax(),
                        new LastTimeStep(new LSTM.Builder().nOut(4).build()),
                        new FrozenLayer.Builder().layer(dense(4)).build()),
                3,
                5),
        DENSE_IN_TIME(
                () -> layers(
                        InputType.recurrent(3, 5),
                        softmax(),
                        dense(4),
                        new LSTM.Builder().nOut(3).build(),
                        new GlobalPoolingLayer.Builder().build()),
                3,
                5),
        /** Without a trained recurrent layer, so that it is the dense one's rows, examples times steps, that have no formula. */
        DENSE_IN_TIME_BEFORE_FROZEN(
                () -> layers(
                        InputType.recurrent(3, 5),
                        softmax(),
                        dense(4),
                        new FrozenLayer.Builder()
                                .layer(new LSTM.Builder().nOut(3).build())
                                .build(),
                        new GlobalPoolingLayer.Builder().build()),
                3,
                5),
        /** One layer for both inputs, so that its rows are twice the examples. */
        SHARED(NetworkOutputsTest::shared, 5),
        EMBEDDING(
                () -> layers(
                        null,
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .nIn(4)
                                .nOut(3)
                                .build(),
                        new EmbeddingLayer.Builder()
                                .nIn(7)
                                .nOut(4)
                                .hasBias(true)
                                .activation(Activation.TANH)
                                .build()),
                1),
        FROZEN(
                () -> layers(
                        InputType.feedForward(5),
                        softmax(),
                        dense(4),
                        new FrozenLayer.Builder().layer(dense(6)).build(),
                        dense(4)),
                5),
        GRAPH(NetworkOutputsTest::graph, 5);

        final Supplier<Model> model;
        final long[] shape;

        Kind(Supplier<Model> model, long... shape) {
            this.model = model;
            this.shape = shape;
        }

        DataSet data() {
            Random random = new Random(SEED);
            long[] all = new long[shape.length + 1];
            all[0] = EXAMPLES;
            System.arraycopy(shape, 0, all, 1, shape.length);
            INDArray features = Nd4j.zeros(DataType.DOUBLE, all);
            INDArray flat = features.reshape(features.length());
            for (int i = 0; i < flat.length(); i++) {
                flat.putScalar(i, this == EMBEDDING ? random.nextInt(7) : random.nextGaussian());
            }
            INDArray labels = Nd4j.zeros(DataType.DOUBLE, EXAMPLES, 3);
            for (int i = 0; i < EXAMPLES; i++) {
                labels.putScalar(i, random.nextInt(3), 1);
            }
            return new DataSet(features, labels);
        }
    }

    private static final Set<Kind> WITHOUT_FORMULA = EnumSet.of(
            Kind.LAYER_NORM,
            Kind.CHANNELS_LAST,
            Kind.LSTM_LAST_STEP,
            Kind.LSTM_POOLED,
            Kind.LSTM_BEFORE_FROZEN,
            Kind.DENSE_IN_TIME,
            Kind.DENSE_IN_TIME_BEFORE_FROZEN,
            Kind.SHARED);

    private static Model create(Kind kind) {
        Model model = kind.model.get();
        assumeTrue(
                kind != Kind.LAYER_NORM || model.params().rank() == 1,
                "DL4J 1.0.0-M1.1, whose parameters have rank 2, fails in its own layer norm.");
        return model;
    }

    private static DenseLayer dense(int size) {
        return new DenseLayer.Builder().nOut(size).build();
    }

    private static OutputLayer softmax() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .activation(Activation.SOFTMAX)
                .nOut(3)
                .build();
    }

    private static NeuralNetConfiguration.Builder builder() {
        return new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1))
                .activation(Activation.TANH);
    }

    private static MultiLayerNetwork layers(
            InputType input,
            org.deeplearning4j.nn.conf.layers.Layer last,
            org.deeplearning4j.nn.conf.layers.Layer... layers) {
        var list = builder().list();
        List.of(layers).forEach(list::layer);
        list.layer(last);
        if (input != null) {
            list.setInputType(input);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        disturb(network);
        return network;
    }

    /** Makes biases and BatchNorm's statistics something else than 0 and 1. */
    private static void disturb(Model model) {
        Random random = new Random(SEED);
        for (NetworkParameter parameter : NetworkParameter.of(model)) {
            INDArray values = parameter.values();
            INDArray flat = parameter.slice(parameters(model));
            for (long i = 0; i < flat.length(); i++) {
                flat.putScalar(i, flat.getDouble(i) + (values.length() > 12 ? 0.2 : 0.3) * random.nextDouble());
            }
        }
    }

    private static ComputationGraph graph() {
        ComputationGraph graph = new ComputationGraph(builder()
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(5))
                .addLayer("left", dense(4), "in")
                .addLayer("right", dense(4), "in")
                .addLayer("norm", new BatchNormalization(), "right")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Product), "left", "norm")
                .addLayer("out", softmax(), "sum", "left")
                .setOutputs("out")
                .build());
        graph.init();
        disturb(graph);
        return graph;
    }

    private static ComputationGraph shared() {
        ComputationGraph graph = new ComputationGraph(builder()
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(5))
                .addVertex("half", new ScaleVertex(0.5), "in")
                .addVertex("both", new StackVertex(), "in", "half")
                .addLayer("dense", dense(4), "both")
                .addVertex("first", new UnstackVertex(0, 2), "dense")
                .addVertex("second", new UnstackVertex(1, 2), "dense")
                .addLayer("out", softmax(), "first", "second")
                .setOutputs("out")
                .build());
        graph.init();
        disturb(graph);
        return graph;
    }

    private static INDArray parameters(Model model) {
        return model.params().reshape(model.numParams());
    }

    /** D by central differences of outputs along each parameter. */
    private static double[][] differences(NetworkOutputs outputs) {
        INDArray point = outputs.start();
        double h = 1e-5;
        double[][] columns = new double[(int) point.length()][];
        for (int k = 0; k < columns.length; k++) {
            double[][] x = new double[2][];
            for (int j = 0; j < 2; j++) {
                INDArray moved = point.dup();
                moved.putScalar(k, moved.getDouble(k) + (j == 0 ? -h : h));
                x[j] = outputs.outputs(moved);
            }
            columns[k] = new double[x[0].length];
            for (int i = 0; i < x[0].length; i++) {
                columns[k][i] = (x[1][i] - x[0][i]) / (2 * h);
            }
        }
        return columns;
    }

    private static double[] random(int n) {
        return new Random(SEED).doubles(n, -1, 1).toArray();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void productsAndGramAreThoseOfTheJacobianByDifferences(Kind kind) {
        Model model = create(kind);
        NetworkOutputs outputs = new NetworkOutputs(model, kind.data());
        INDArray before = parameters(model).dup();
        double[][] columns = differences(outputs);
        for (NetworkParameter parameter : NetworkParameter.of(model)) {
            for (long k = parameter.from(); !parameter.isTrained() && k < parameter.to(); k++) {
                columns[(int) k] = new double[outputs.rows()];
            }
        }
        INDArray dense = Nd4j.create(columns).transpose(); // [n, K]
        double size = dense.norm2Number().doubleValue();
        OutputJacobian jacobian = outputs.linearise(outputs.start());

        int n = outputs.rows();
        INDArray v = Nd4j.createFromArray(random((int) outputs.parameters()));
        INDArray pushed = Nd4j.createFromArray(jacobian.push(v));
        assertClose(pushed, dense.mmul(v.reshape(v.length(), 1)).reshape(n), "D v");
        double[] u = random(n);
        assertClose(
                jacobian.pull(u),
                dense.transpose().mmul(Nd4j.createFromArray(u).reshape(n, 1)).reshape(v.length()),
                "D' u");
        assertClose(Nd4j.createFromArray(jacobian.gram(n)).reshape(n, n), dense.mmul(dense.transpose()), "D D'");
        assertClose(jacobian.jacobian(n), dense, "D");
        assertThat(size).isPositive();
        assertThat(parameters(model)).isEqualTo(before);
        assertThat(jacobian.hasGram())
                .as("whether all trained layers have a formula: %s", outputs.withoutFormula())
                .isEqualTo(!WITHOUT_FORMULA.contains(kind));
    }

    private static void assertClose(INDArray actual, INDArray expected, String what) {
        double error = actual.sub(expected).norm2Number().doubleValue();
        assertThat(error / expected.norm2Number().doubleValue())
                .as("relative error of %s, seed %d", what, SEED)
                .isLessThan(1e-6);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void outputsAreThoseOfDl4j(Kind kind) {
        Model model = create(kind);
        DataSet data = kind.data();
        NetworkOutputs outputs = new NetworkOutputs(model, data);
        INDArray expected = model instanceof MultiLayerNetwork network
                ? network.output(data.getFeatures(), false)
                : ((ComputationGraph) model).outputSingle(false, data.getFeatures());
        INDArray x = Nd4j.createFromArray(outputs.outputs(outputs.start())).reshape('c', EXAMPLES, 3);
        INDArray actual = kind == Kind.TANH_OUTPUT || kind == Kind.WITHOUT_BIAS
                ? x
                : Activation.SOFTMAX.getActivationFunction().getActivation(x, false);
        assertThat(actual.equalsWithEps(expected, 1e-10)).isTrue();
        double score = model instanceof MultiLayerNetwork network
                ? network.score(data, false)
                : ((ComputationGraph) model).score(data, false);
        assertThat(outputs.loss().at(outputs.outputs(outputs.start())).value()).isCloseTo(score, within(1e-9));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void partsOfABatchAreThoseExamples(Kind kind) {
        NetworkOutputs all = new NetworkOutputs(create(kind), kind.data());
        double[] x = all.outputs(all.start());
        NetworkOutputs some = all.some(new int[] {3, 1});
        double[] expected = {x[9], x[10], x[11], x[3], x[4], x[5]};
        assertThat(some.outputs(some.start())).containsExactly(expected, within(1e-12));
        NetworkOutputs first = all.first(8); // rows, so two examples
        assertThat(first.outputs(first.start())).containsExactly(Arrays.copyOf(x, 6), within(1e-12));
        double mean = (first.loss().at(Arrays.copyOf(x, 6)).value()
                        + all.some(new int[] {2, 3})
                                .loss()
                                .at(Arrays.copyOfRange(x, 6, 12))
                                .value())
                / 2;
        assertThat(mean).isCloseTo(all.loss().at(x).value(), within(1e-12));
    }

    /** A squared loss that could be anything. */
    @SuppressWarnings("serial")
    private static final class OwnLoss extends LossL2 implements GaussNewtonLoss {

        @Override
        public OutputLoss outputLoss(INDArray labels) {
            return new SquaredLoss(labels.dup('c').reshape(labels.length()).toDoubleVector(), EXAMPLES, 3, 2);
        }
    }

    @Test
    void aLossWithAGeometryOfItsOwnIsNotTakenOnAPart() {
        Model model = layers(
                InputType.feedForward(5),
                new OutputLayer.Builder(new OwnLoss())
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build(),
                dense(6));
        NetworkOutputs outputs = new NetworkOutputs(model, Kind.DENSE.data());
        assertThat(outputs.hasOwnGeometry()).isTrue();
        assertThat(outputs.first(3)).isSameAs(outputs);
        double score = ((MultiLayerNetwork) model).score(Kind.DENSE.data(), false);
        assertThat(outputs.loss().at(outputs.outputs(outputs.start())).value()).isCloseTo(score, within(1e-9));
    }

    /** The limits are those that the Java virtual machine and JavaCPP name, given here. */
    @Test
    void aBatchThatDoesNotFitIsRefused() {
        MemoryNeed need = new NetworkOutputs(create(Kind.DENSE), Kind.DENSE.data()).need();
        int n = 3 * EXAMPLES;
        assertThat(need.heap()).as("three matrices").isGreaterThanOrEqualTo(3L * n * n * Double.BYTES);
        assertThat(need.offHeap())
                .as("a matrix, and cotangents of 6 + 4 + 3 units")
                .isGreaterThanOrEqualTo((long) n * n * Double.BYTES + n * 13L * Double.BYTES);
        assertThat(need.require(need.heap(), need.offHeap())).isEqualTo(need.heap() + need.offHeap());
        assertThat(need.require(need.heap(), Long.MAX_VALUE)).isPositive();
        for (boolean heap : new boolean[] {true, false}) {
            assertThatThrownBy(() -> need.require(need.heap() - (heap ? 1 : 0), need.offHeap() - (heap ? 0 : 1)))
                    .as("one byte less of %s", heap ? "heap" : "native memory")
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("4 examples with 3 outputs needs about")
                    .hasMessageContaining("-Xmx");
        }
    }

    @Test
    void dropoutIsOff() {
        DataSet data = TestNetworks.DENSE.batch(1, EXAMPLES, DataType.DOUBLE);
        Model plain = TestNetworks.DENSE.create(new Sgd(1), DataType.DOUBLE, TestNetworks.PLAIN);
        Model noisy = TestNetworks.DENSE.create(
                new Sgd(1), DataType.DOUBLE, TestNetworks.Options.network(builder -> builder.dropOut(0.5)));
        NetworkOutputs ofPlain = new NetworkOutputs(plain, data);
        NetworkOutputs ofNoisy = new NetworkOutputs(noisy, data);
        double[] u = random(ofPlain.rows());
        assertThat(ofNoisy.linearise(ofNoisy.start()).pull(u))
                .isEqualTo(ofPlain.linearise(ofPlain.start()).pull(u));
        INDArray once = ((MultiLayerNetwork) noisy).output(data.getFeatures(), true);
        assertThat(((MultiLayerNetwork) noisy).output(data.getFeatures(), true))
                .as("and on again afterwards")
                .isNotEqualTo(once);
    }

    @Test
    void refusesWhatIsNotUnderstood() {
        DataSet data = TestNetworks.DENSE.batch(1, EXAMPLES, DataType.DOUBLE);
        MultiLayerNetwork sequence = new MultiLayerNetwork(builder()
                .list()
                .layer(new RnnOutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.TANH)
                        .build())
                .build());
        sequence.init();
        assertThatThrownBy(() -> new NetworkOutputs(sequence, data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("LastTimeStep");
        MultiLayerNetwork hinge = new MultiLayerNetwork(builder()
                .list()
                .layer(new OutputLayer.Builder(LossFunction.HINGE)
                        .nIn(64)
                        .nOut(3)
                        .activation(Activation.TANH)
                        .build())
                .build());
        hinge.init();
        assertThatThrownBy(() -> new NetworkOutputs(hinge, data).loss())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("MCXENT");
        MultiLayerNetwork weighted = new MultiLayerNetwork(builder()
                .list()
                .layer(new OutputLayer.Builder(new LossMCXENT(Nd4j.createFromArray(1.0, 2.0, 1.0)))
                        .nIn(64)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        weighted.init();
        assertThatThrownBy(() -> new NetworkOutputs(weighted, data).loss())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("weighted losses");
        DataSet masked =
                new DataSet(data.getFeatures(), data.getLabels(), null, Nd4j.ones(DataType.DOUBLE, EXAMPLES, 1));
        assertThatThrownBy(() -> new NetworkOutputs(TestNetworks.DENSE.network(new Sgd(1), DataType.DOUBLE), masked))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("masks");
    }
}
