package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.TOLERANCE;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgreesWithItsTwin;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.evaluate;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.output;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.twin;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** LSTMs of ours. */
class AttachedLstmTest {

    private static final int INPUTS = 4;
    private static final int CLASSES = 3;
    private static final LayerWorkspaceMgr ALONE = LayerWorkspaceMgr.noWorkspaces();

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static LSTM.Builder lstm(int units) {
        return new LSTM.Builder().nOut(units).activation(Activation.TANH).forgetGateBiasInit(0.7);
    }

    private static MultiLayerConfiguration stack(org.deeplearning4j.nn.conf.layers.Layer... layers) {
        return stack(RNNFormat.NCW, layers);
    }

    private static MultiLayerConfiguration stack(RNNFormat format, org.deeplearning4j.nn.conf.layers.Layer... layers) {
        var list = builder(new Sgd(0.1)).list();
        for (var layer : layers) {
            list.layer(layer);
        }
        boolean last = layers[layers.length - 1] instanceof LastTimeStep;
        return list.layer(
                        last
                                ? output()
                                : new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                        .nOut(CLASSES)
                                        .activation(Activation.SOFTMAX)
                                        .build())
                .setInputType(InputType.recurrent(INPUTS, format))
                .build();
    }

    static List<MultiLayerConfiguration> stacks() {
        return List.of(
                stack(lstm(5).build()),
                stack(lstm(5).build(), lstm(3).build()),
                stack(new LastTimeStep(lstm(5).build())),
                stack(lstm(17).build(), new LastTimeStep(lstm(1).build())));
    }

    private static DataSet batch(MultiLayerNetwork network, int examples, int times, long seed) {
        Random random = new Random(seed);
        INDArray features = Nd4j.create(DataType.FLOAT, examples, INPUTS, times);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, 2 * random.nextGaussian());
        }
        boolean last = network.getLayer(network.getnLayers() - 2) instanceof BaseWrapperLayer;
        INDArray labels = last
                ? Nd4j.create(DataType.FLOAT, examples, CLASSES)
                : Nd4j.create(DataType.FLOAT, examples, CLASSES, times);
        for (int example = 0; example < examples; example++) {
            for (int t = 0; t < (last ? 1 : times); t++) {
                int label = random.nextInt(CLASSES);
                labels.putScalar(last ? new int[] {example, label} : new int[] {example, label, t}, 1);
            }
        }
        return new DataSet(features, labels);
    }

    @ParameterizedTest
    @MethodSource("stacks")
    void outputsAndGradientsAreThoseOfTheDoubleTwin(MultiLayerConfiguration conf) {
        MultiLayerNetwork network = network(conf);
        assertThat(Acceleration.attach(network).layers()).contains("layer0");
        for (int examples : new int[] {1, 6}) {
            for (int times : new int[] {1, 2, 9}) {
                assertAgreesWithItsTwin(network, batch(network, examples, times, SEED + examples));
            }
        }
    }

    /** Where gates are wide open or shut. */
    @Test
    void largeNumbersGoThroughTheGatesAsInDouble() {
        MultiLayerNetwork network = network(stacks().get(1));
        Acceleration.attach(network);
        DataSet data = batch(network, 6, 9, SEED);
        for (double scale : new double[] {1e-4, 10, 1000}) {
            DataSet scaled = new DataSet(data.getFeatures().mul(scale), data.getLabels());
            assertAgreesWithItsTwin(network, scaled);
        }
    }

    @Test
    void throughAShutGateComesNothing() {
        MultiLayerNetwork network = network(stacks().get(0));
        Acceleration.attach(network);
        for (int unit = 0; unit < 5; unit++) {
            network.getLayer(0).getParam("b").putScalar(2 * 5 + unit, -1000); // of the output gates
        }
        INDArray x = batch(network, 6, 9, SEED).getFeatures();
        assertThat(network.getLayer(0).activate(x, false, ALONE).amaxNumber().doubleValue())
                .isZero();
    }

    static List<Object[]> courses() {
        List<Object[]> all = new ArrayList<>();
        for (WorkspaceMode mode : new WorkspaceMode[] {WorkspaceMode.ENABLED, WorkspaceMode.NONE}) {
            all.add(new Object[] {mode, stacks().get(1)});
            all.add(new Object[] {mode, stacks().get(3)});
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("courses")
    void twentyStepsAreThoseOfDl4j(WorkspaceMode mode, MultiLayerConfiguration conf) {
        conf.setTrainingWorkspaceMode(mode);
        conf.setInferenceWorkspaceMode(mode);
        MultiLayerNetwork network = network(conf);
        MultiLayerNetwork plain = network(conf);
        Layer before = network.getLayer(0);
        Acceleration.attach(network);
        assertThat(network.getLayer(0)).isNotSameAs(before);
        INDArray kept = network.output(batch(network, 8, 9, -1).getFeatures());
        INDArray copy = kept.dup();
        for (int step = 0; step < 20; step++) {
            boolean smaller = step % 5 == 4;
            DataSet data = batch(network, smaller ? 3 : 8, smaller ? 4 : 9, step);
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
        assertThat(network.getLayer(0)).isSameAs(before);
        network.fit(batch(network, 8, 9, 1));
    }

    /** As recurrent layers and iterators of DL4J's give them. */
    @Test
    void sequencesMayLieInMemoryInAnyWay() {
        MultiLayerNetwork network = network(stacks().get(1));
        Acceleration.attach(network);
        INDArray x = batch(network, 4, 7, SEED).getFeatures();
        INDArray expected = network.output(x).castTo(DataType.DOUBLE);
        INDArray last = x.permute(0, 2, 1).dup('c').permute(0, 2, 1);
        INDArray part = Nd4j.concat(2, x, x).get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(7, 14));
        for (INDArray view : List.of(last, x.dup('f'), part, x.castTo(DataType.DOUBLE))) {
            assertThat(difference(network.output(view), expected)).isLessThan(1e-6);
        }
    }

    /** What a forward pass keeps is for its input and parameters alone. */
    @Test
    void gradientsBelongToTheLastInput() {
        MultiLayerNetwork network = network(stacks().get(0));
        MultiLayerNetwork twin = twin(network);
        Acceleration.attach(network);
        DataSet first = batch(network, 6, 9, 1);
        DataSet second = batch(network, 6, 9, 2);
        INDArray epsilon = Nd4j.rand(DataType.FLOAT, 6, 5, 9);
        for (MultiLayerNetwork each : List.of(network, twin)) {
            evaluate(each, first); // makes room for gradients
            each.getLayer(0).activate(first.getFeatures().castTo(each.params().dataType()), true, ALONE);
            each.getLayer(0).setInput(second.getFeatures().castTo(each.params().dataType()), ALONE);
        }
        assertBackwardPassesAgree(network, twin, epsilon);
        for (MultiLayerNetwork each : List.of(network, twin)) {
            each.params().muli(2);
        }
        assertBackwardPassesAgree(network, twin, epsilon);
    }

    @Test
    void oneTimeSaysNothingAboutRecurrentWeights() {
        MultiLayerNetwork network = network(stacks().get(0));
        Acceleration.attach(network);
        evaluate(network, batch(network, 6, 9, 1));
        assertThat(recurrent(network)).isPositive();
        evaluate(network, batch(network, 6, 1, 1));
        assertThat(recurrent(network)).isZero();
    }

    private static double recurrent(MultiLayerNetwork network) {
        return network.gradient().getGradientFor("0_RW").amaxNumber().doubleValue();
    }

    private static void assertBackwardPassesAgree(MultiLayerNetwork network, MultiLayerNetwork twin, INDArray epsilon) {
        var ours = network.getLayer(0).backpropGradient(epsilon, ALONE);
        var exact = twin.getLayer(0).backpropGradient(epsilon.castTo(DataType.DOUBLE), ALONE);
        AttachedNetworks.assertGradientsAgree(ours.getFirst(), exact.getFirst());
        assertThat(difference(ours.getSecond(), exact.getSecond())).isLessThan(TOLERANCE);
    }

    @Test
    void whatLearnsNothingPassesGradientsOn() {
        MultiLayerNetwork network =
                network(stack(lstm(5).build(), new FrozenLayerWithBackprop(lstm(4).build()), lstm(3).build()));
        assertThat(Acceleration.attach(network).layers()).hasSize(4);
        MultiLayerNetwork twin = twin(network);
        DataSet data = batch(network, 6, 5, SEED);
        evaluate(network, data);
        evaluate(twin, data);
        for (String key : List.of("0_W", "0_RW", "0_b", "2_W")) {
            assertThat(difference(
                            network.gradient().getGradientFor(key),
                            twin.gradient().getGradientFor(key)))
                    .as(key)
                    .isLessThan(TOLERANCE);
        }
    }

    /** DL4J's networks tell the inner layer of LastTimeStep alone its mask. */
    @Test
    void masksAreDl4js() {
        MultiLayerNetwork network = network(stacks().get(3));
        MultiLayerNetwork plain = network(stacks().get(3));
        Acceleration.attach(network);
        INDArray mask = Nd4j.ones(DataType.FLOAT, 6, 9);
        mask.putScalar(2, 8, 0);
        mask.putScalar(2, 7, 0);
        DataSet data = batch(network, 6, 9, SEED);
        data.setFeaturesMaskArray(mask);
        INDArray unmasked = network.output(data.getFeatures());
        for (int step = 0; step < 3; step++) {
            network.fit(data);
            plain.fit(data);
        }
        assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-5);
        INDArray masked = network.output(data.getFeatures(), false, mask, null);
        assertThat(difference(
                        masked,
                        plain.output(data.getFeatures(), false, mask, null).castTo(DataType.DOUBLE)))
                .isLessThan(1e-5);
        assertThat(masked).isNotEqualTo(unmasked);
        Layer layer = network.getLayer(0);
        layer.setMaskArray(mask);
        INDArray y = layer.activate(data.getFeatures(), false, ALONE);
        assertThat(y.getDouble(2, 1, 8)).isZero();
        assertThat(y.getDouble(2, 1, 6)).isNotZero();
    }

    @Test
    void partsOfSequencesAreDl4js() {
        MultiLayerConfiguration conf = stacks().get(1);
        conf.setBackpropType(BackpropType.TruncatedBPTT);
        conf.setTbpttFwdLength(4);
        conf.setTbpttBackLength(4);
        MultiLayerNetwork network = network(conf);
        MultiLayerNetwork plain = network(conf);
        Acceleration.attach(network);
        for (int step = 0; step < 4; step++) {
            network.fit(batch(network, 6, 12, step));
            plain.fit(batch(network, 6, 12, step));
        }
        assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-5);
        INDArray x = batch(network, 6, 12, SEED).getFeatures();
        INDArray whole = network.output(x);
        for (int part = 0; part < 3; part++) {
            var times = NDArrayIndex.interval(4 * part, 4 * part + 4);
            if (part == 2) {
                Acceleration.detach(network); // states stay
            }
            assertThat(difference(
                            network.rnnTimeStep(x.get(NDArrayIndex.all(), NDArrayIndex.all(), times)),
                            whole.get(NDArrayIndex.all(), NDArrayIndex.all(), times)
                                    .castTo(DataType.DOUBLE)))
                    .as("part %d", part)
                    .isLessThan(1e-5);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void notANumberIsNeverHidden(boolean ofWeights) {
        for (MultiLayerConfiguration conf : stacks()) {
            MultiLayerNetwork network = network(conf);
            Acceleration.attach(network);
            DataSet data = batch(network, 4, 3, SEED);
            if (ofWeights) {
                network.getLayer(0).getParam("RW").putScalar(3, Double.NaN);
            } else {
                data.getFeatures().putScalar(5, Double.NaN);
            }
            evaluate(network, data);
            assertThat(network.score()).isNaN();
            assertThat(network.gradient().getGradientFor("0_W").isNaN().any()).isTrue();
        }
    }

    @Test
    void dropoutIsDl4js() {
        MultiLayerNetwork network = network(stack(
                lstm(5).build(),
                lstm(4).dropOut(new AttachedConvolution1DTest.Doubling()).build()));
        Acceleration.attach(network);
        assertAgreesWithItsTwin(network, batch(network, 6, 5, SEED));
    }

    @Test
    void whatIsNotCoveredIsSaid() {
        String functions = "its activation functions are not SIGMOID for the gates and TANH";
        assertLeft(stack(RNNFormat.NWC, lstm(5).dataFormat(RNNFormat.NWC).build()), "its sequences are in NWC");
        assertLeft(stack(lstm(5).gateActivationFunction(Activation.HARDSIGMOID).build()), functions);
        assertLeft(stack(lstm(5).activation(Activation.SOFTSIGN).build()), functions);
        assertLeft(stack(lstm(5).weightNoise(new DropConnect(0.5)).build()), "its weights have noise");
        assertLeft(stack(new LastTimeStep(lstm(5).activation(Activation.RELU).build())), functions);
        assertLeft(
                stack(new MaskZeroLayer(lstm(5).build(), 0)),
                "what it holds always has a mask, and masked sequences are DL4J's");
        assertLeft(stack(new Bidirectional(lstm(5).build())), "DL4J has no way to exchange the layers that it holds");
        assertLeft(stack(new GravesLSTM.Builder().nOut(5).build()), "its gates read the cells, too");
    }

    private static void assertLeft(MultiLayerConfiguration conf, String reason) {
        assertThat(Acceleration.attach(network(conf)).left()).containsEntry("layer0", reason);
    }
}
