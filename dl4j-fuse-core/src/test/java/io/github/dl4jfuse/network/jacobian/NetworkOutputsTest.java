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
import java.util.Random;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
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

    static final long SEED = 20261124;
    static final int EXAMPLES = 4;

    private static final Set<OutputsOf> WITHOUT_FORMULA = EnumSet.of(
            OutputsOf.LAYER_NORM,
            OutputsOf.CHANNELS_LAST,
            OutputsOf.LSTM_LAST_STEP,
            OutputsOf.LSTM_POOLED,
            OutputsOf.LSTM_BEFORE_FROZEN,
            OutputsOf.DENSE_IN_TIME,
            OutputsOf.DENSE_IN_TIME_BEFORE_FROZEN,
            OutputsOf.SHARED);

    private static Model create(OutputsOf kind) {
        Model model = kind.model.get();
        assumeTrue(
                kind != OutputsOf.LAYER_NORM || model.params().rank() == 1,
                "DL4J 1.0.0-M1.1, whose parameters have rank 2, fails in its own layer norm.");
        return model;
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
    @EnumSource(OutputsOf.class)
    void productsAndGramAreThoseOfTheJacobianByDifferences(OutputsOf kind) {
        Model model = create(kind);
        NetworkOutputs outputs = new NetworkOutputs(model, kind.data());
        INDArray before = OutputsOf.parameters(model).dup();
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
        assertThat(OutputsOf.parameters(model)).isEqualTo(before);
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
    @EnumSource(OutputsOf.class)
    void outputsAreThoseOfDl4j(OutputsOf kind) {
        Model model = create(kind);
        DataSet data = kind.data();
        NetworkOutputs outputs = new NetworkOutputs(model, data);
        INDArray expected = model instanceof MultiLayerNetwork network
                ? network.output(data.getFeatures(), false)
                : ((ComputationGraph) model).outputSingle(false, data.getFeatures());
        INDArray x = Nd4j.createFromArray(outputs.outputs(outputs.start())).reshape('c', EXAMPLES, 3);
        INDArray actual = kind == OutputsOf.TANH_OUTPUT || kind == OutputsOf.WITHOUT_BIAS
                ? x
                : Activation.SOFTMAX.getActivationFunction().getActivation(x, false);
        assertThat(actual.equalsWithEps(expected, 1e-10)).isTrue();
        double score = model instanceof MultiLayerNetwork network
                ? network.score(data, false)
                : ((ComputationGraph) model).score(data, false);
        assertThat(outputs.loss().at(outputs.outputs(outputs.start())).value()).isCloseTo(score, within(1e-9));
    }

    @ParameterizedTest
    @EnumSource(OutputsOf.class)
    void partsOfABatchAreThoseExamples(OutputsOf kind) {
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
        Model model = OutputsOf.layers(
                InputType.feedForward(5),
                new OutputLayer.Builder(new OwnLoss())
                        .nOut(3)
                        .activation(Activation.IDENTITY)
                        .build(),
                OutputsOf.dense(6));
        NetworkOutputs outputs = new NetworkOutputs(model, OutputsOf.DENSE.data());
        assertThat(outputs.hasOwnGeometry()).isTrue();
        assertThat(outputs.first(3)).isSameAs(outputs);
        double score = ((MultiLayerNetwork) model).score(OutputsOf.DENSE.data(), false);
        assertThat(outputs.loss().at(outputs.outputs(outputs.start())).value()).isCloseTo(score, within(1e-9));
    }

    /** The limits are those that the Java virtual machine and JavaCPP name, given here. */
    @Test
    void aBatchThatDoesNotFitIsRefused() {
        MemoryNeed need = new NetworkOutputs(create(OutputsOf.DENSE), OutputsOf.DENSE.data()).need();
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
        MultiLayerNetwork sequence = new MultiLayerNetwork(OutputsOf.builder()
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
        MultiLayerNetwork hinge = new MultiLayerNetwork(OutputsOf.builder()
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
        MultiLayerNetwork weighted = new MultiLayerNetwork(OutputsOf.builder()
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
