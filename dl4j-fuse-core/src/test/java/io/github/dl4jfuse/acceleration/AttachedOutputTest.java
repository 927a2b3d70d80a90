package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.TOLERANCE;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgreesWithItsTwin;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertGradientsAgree;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.evaluate;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.twin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;

/** Output layers of ours: loss and gradient, beside a twin in double precision and beside DL4J's own. */
class AttachedOutputTest {

    private static final int INPUTS = 4;

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static MultiLayerConfiguration with(OutputLayer.Builder output) {
        return with(InputType.convolutional(9, 8, 2), 6, output.nOut(3).build());
    }

    private static MultiLayerConfiguration with(InputType input, int units, Layer last) {
        return builder(new Sgd(0.1))
                .l2(1e-3)
                .list()
                .layer(new DenseLayer.Builder()
                        .nOut(units)
                        .activation(Activation.TANH)
                        .build())
                .layer(last)
                .setInputType(input)
                .validateOutputLayerConfig(false) // sigmoid with MCXENT is another formula
                .build();
    }

    private static MultiLayerConfiguration withLossAlone(LossFunction loss, Activation activation) {
        return with(
                InputType.convolutional(9, 8, 2),
                3,
                new LossLayer.Builder(loss).activation(activation).build());
    }

    private static RnnOutputLayer.Builder ofSequences(LossFunction loss, Activation activation) {
        return new RnnOutputLayer.Builder(loss).nOut(3).activation(activation);
    }

    private static MultiLayerConfiguration with(RnnOutputLayer.Builder output) {
        return with(InputType.recurrent(INPUTS), 6, output.build());
    }

    private static MultiLayerNetwork attached(MultiLayerConfiguration conf) {
        MultiLayerNetwork network = network(conf);
        assertThat(Acceleration.attach(network).layers()).hasSize(2);
        return network;
    }

    @ParameterizedTest
    @CsvSource({
        "MCXENT, SOFTMAX",
        "NEGATIVELOGLIKELIHOOD, SOFTMAX",
        "MCXENT, SIGMOID",
        "XENT, SIGMOID",
        "MSE, IDENTITY",
        "SQUARED_LOSS, TANH",
        "MEAN_ABSOLUTE_ERROR, IDENTITY",
        "KL_DIVERGENCE, SOFTMAX",
        "HINGE, IDENTITY",
        "POISSON, SOFTPLUS"
    })
    void lossAndGradientAreThoseOfTheDoubleTwin(LossFunction loss, Activation activation) {
        for (int examples : new int[] {1, 6}) {
            for (boolean bias : new boolean[] {true, false}) {
                OutputLayer.Builder output = new OutputLayer.Builder(loss);
                output.activation(activation).hasBias(bias);
                assertAgreesWithItsTwin(attached(with(output)), batch(examples, SEED));
            }
            assertLossAloneAgrees(attached(withLossAlone(loss, activation)), batch(examples, SEED));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "MCXENT, SOFTMAX",
        "NEGATIVELOGLIKELIHOOD, SOFTMAX",
        "MCXENT, SIGMOID",
        "XENT, SIGMOID",
        "MSE, IDENTITY",
        "SQUARED_LOSS, TANH",
        "MEAN_ABSOLUTE_ERROR, IDENTITY",
        "KL_DIVERGENCE, SOFTMAX",
        "HINGE, IDENTITY",
        "POISSON, SOFTPLUS"
    })
    void ofSequencesTheyAreSoWithAndWithoutMasks(LossFunction loss, Activation activation) {
        for (int examples : new int[] {1, 5}) {
            for (int times : new int[] {1, 4}) {
                DataSet data = sequences(examples, times);
                INDArray ofTimes =
                        Nd4j.rand(DataType.FLOAT, examples, times).gt(0.4).castTo(DataType.FLOAT);
                ofTimes.putScalar(0, 1);
                INDArray ofNumbers =
                        Nd4j.rand(DataType.FLOAT, examples, 3, times).gt(0.4).castTo(DataType.FLOAT);
                ofNumbers.putScalar(0, 1);
                assertSequencesAgree(loss, activation, data, null);
                if (examples * times == 1) {
                    continue; // DL4J takes a mask of one number for one of outputs
                }
                assertSequencesAgree(loss, activation, data, ofTimes);
                if (activation != Activation.SOFTMAX) { // DL4J has no such masks there
                    assertSequencesAgree(loss, activation, data, ofNumbers);
                }
            }
        }
    }

    /** DL4J's layer writes into its input before it computes the loss of a step, so the loss to compare with is one that is asked for alone. */
    private static void assertLossAloneAgrees(MultiLayerNetwork ours, DataSet data) {
        MultiLayerNetwork twin = twin(ours);
        evaluate(ours, data);
        evaluate(twin, data);
        assertGradientsAgree(ours.gradient(), twin.gradient());
        DataSet inDouble = new DataSet(
                data.getFeatures().castTo(DataType.DOUBLE), data.getLabels().castTo(DataType.DOUBLE));
        double exact = twin.score(inDouble, true);
        assertThat(ours.score()).isCloseTo(exact, within(TOLERANCE * Math.abs(exact)));
        assertThat(ours.score(data, true)).isCloseTo(exact, within(TOLERANCE * Math.abs(exact)));
        assertThat(difference(ours.output(data.getFeatures()), twin.output(inDouble.getFeatures())))
                .isLessThan(TOLERANCE);
    }

    private static DataSet sequences(int examples, int times) {
        INDArray labels = Nd4j.create(DataType.FLOAT, examples, 3, times);
        for (int i = 0; i < examples * times; i++) {
            labels.putScalar(i % examples, (2 * i + i / 3) % 3, i / examples, 1);
        }
        return new DataSet(Nd4j.randn(DataType.FLOAT, examples, INPUTS, times), labels);
    }

    private static void assertSequencesAgree(LossFunction loss, Activation activation, DataSet data, INDArray mask) {
        for (boolean bias : new boolean[] {true, false}) {
            MultiLayerNetwork ours = attached(with(ofSequences(loss, activation).hasBias(bias)));
            MultiLayerNetwork twin = twin(ours);
            if (bias) { // without one DL4J's fails
                assertThat(difference(
                                ours.output(data.getFeatures()),
                                twin.output(data.getFeatures().castTo(DataType.DOUBLE))))
                        .isLessThan(TOLERANCE);
            }
            for (MultiLayerNetwork each : List.of(ours, twin)) {
                DataType type = each.params().dataType();
                each.setLayerMaskArrays(null, mask == null ? null : mask.castTo(type));
                evaluate(each, data);
            }
            assertGradientsAgree(ours.gradient(), twin.gradient());
            assertThat(ours.score()).isCloseTo(twin.score(), within(TOLERANCE * Math.abs(twin.score())));
        }
    }

    private static OutputLayer.Builder softmax() {
        return new OutputLayer.Builder(LossFunction.MCXENT).activation(Activation.SOFTMAX);
    }

    /** The loss of a network in which DL4J clips probabilities, and one that does not. */
    @Test
    void probabilitiesAreClippedAsDl4jDoes() {
        for (double clip : new double[] {0, 1e-10, 1e-2}) {
            OutputLayer.Builder output = new OutputLayer.Builder(new LossMCXENT(clip, null));
            output.activation(Activation.SOFTMAX);
            MultiLayerNetwork ours = attached(with(output));
            ours.params().muli(40);
            MultiLayerNetwork dl4js = network(with(output));
            dl4js.setParams(ours.params());
            DataSet data = batch(50, SEED);
            evaluate(ours, data);
            evaluate(dl4js, data);
            assertThat(ours.score()).isCloseTo(dl4js.score(), within(1e-4 * dl4js.score()));
        }
    }

    @Test
    void whatDl4jTakesIsTaken() {
        INDArray soft = Nd4j.create(new double[][] {{.2, .3, .5}, {0, 1, 0}, {.1, 0, .9}, {0, 0, 0}});
        for (INDArray labels :
                List.of(soft.castTo(DataType.FLOAT), soft.castTo(DataType.FLOAT).dup('f'), soft)) {
            MultiLayerNetwork ours = attached(with(softmax()));
            MultiLayerNetwork dl4js = network(with(softmax()));
            DataSet data = new DataSet(batch(4, SEED).getFeatures(), labels);
            for (int step = 0; step < 3; step++) {
                ours.fit(data);
                dl4js.fit(data);
            }
            assertThat(ours.score()).isCloseTo(dl4js.score(), within(1e-5));
            assertThat(difference(ours.params(), dl4js.params())).isLessThan(1e-5);
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void masksAreDl4js(boolean byExample) {
        MultiLayerNetwork ours = attached(with(
                byExample ? softmax() : new OutputLayer.Builder(LossFunction.XENT).activation(Activation.SIGMOID)));
        MultiLayerNetwork dl4js = network(ours.getLayerWiseConfigurations());
        dl4js.setParams(ours.params());
        DataSet data = batch(4, SEED);
        data.setLabelsMaskArray(
                byExample
                        ? Nd4j.create(new float[] {1, 0, 1, 1}, 4, 1)
                        : Nd4j.create(new float[] {1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1}, 4, 3));
        for (int step = 0; step < 3; step++) {
            ours.fit(data);
            dl4js.fit(data);
            assertThat(ours.score()).isCloseTo(dl4js.score(), within(1e-5));
        }
        assertThat(difference(ours.params(), dl4js.params())).isLessThan(1e-5);
    }

    static List<MultiLayerConfiguration> softmaxes() {
        return List.of(
                with(softmax()),
                withLossAlone(LossFunction.MCXENT, Activation.SOFTMAX),
                with(ofSequences(LossFunction.MCXENT, Activation.SOFTMAX)));
    }

    private static DataSet dataFor(MultiLayerNetwork network) {
        return network.getOutputLayer() instanceof org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer
                ? sequencesFor(network)
                : batch(6, SEED);
    }

    private static DataSet sequencesFor(MultiLayerNetwork network) {
        DataSet data = sequences(6, 4);
        RnnOutputLayer conf = (RnnOutputLayer) network.getOutputLayer().conf().getLayer();
        if (conf.getLossFn() instanceof LossSparseMCXENT) {
            data.setLabels(data.getLabels().argMax(1).reshape(6, 1, 4).castTo(DataType.FLOAT));
        }
        return data;
    }

    @ParameterizedTest
    @MethodSource("softmaxes")
    void aLossThatWasKeptIsOfThatPointAlone(MultiLayerConfiguration conf) {
        MultiLayerNetwork ours = attached(conf);
        DataSet data = dataFor(ours);
        ours.fit(data);
        double before = ours.score(data, true);
        evaluate(ours, data);
        ours.params().muli(2);
        double after = ours.score(data, true);
        assertThat(after).isNotCloseTo(before, within(1e-3));
        MultiLayerNetwork dl4js = network(ours.getLayerWiseConfigurations());
        dl4js.setParams(ours.params());
        assertThat(after).isCloseTo(dl4js.score(data, true), within(1e-5));
        assertThat(ours.scoreExamples(data, true))
                .satisfies(each -> assertThat(difference(each, dl4js.scoreExamples(data, true)))
                        .isLessThan(1e-5));
    }

    /** Dropout included, of which DL4J computes a loss without it for sequences. */
    @ParameterizedTest
    @MethodSource("courses")
    void stepsAreThoseOfDl4j(MultiLayerConfiguration conf) {
        MultiLayerNetwork ours = network(conf);
        MultiLayerNetwork dl4js = network(conf);
        var before = ours.getOutputLayer();
        assertThat(Acceleration.attach(ours).layers()).hasSize(2);
        DataSet data = dataFor(ours);
        for (MultiLayerNetwork each : List.of(ours, dl4js)) {
            Nd4j.getRandom().setSeed(SEED);
            for (int step = 0; step < 5; step++) {
                each.fit(data);
            }
        }
        assertThat(ours.score()).isCloseTo(dl4js.score(), within(1e-5));
        assertThat(difference(ours.params(), dl4js.params())).isLessThan(1e-5);
        assertThat(difference(ours.scoreExamples(data, true), dl4js.scoreExamples(data, true)))
                .isLessThan(1e-5);
        Acceleration.detach(ours);
        assertThat(ours.getOutputLayer()).isSameAs(before);
        ours.fit(data);
    }

    static List<MultiLayerConfiguration> courses() {
        List<MultiLayerConfiguration> all = new ArrayList<>(softmaxes());
        OutputLayer.Builder dropping = softmax();
        all.add(with(dropping.dropOut(0.6)));
        all.add(with(ofSequences(LossFunction.MCXENT, Activation.SOFTMAX).dropOut(0.6)));
        all.add(with(ofSequences(LossFunction.SPARSE_MCXENT, Activation.SOFTMAX)));
        return all;
    }

    @Test
    void noiseOnWeightsIsOneForGradientAndLoss() {
        OutputLayer.Builder output = softmax();
        output.weightNoise(new DropConnect(0.5));
        MultiLayerConfiguration conf = with(output);
        MultiLayerNetwork ours = attached(conf);
        MultiLayerNetwork dl4js = network(conf);
        DataSet data = batch(6, SEED);
        for (MultiLayerNetwork network : List.of(ours, dl4js)) {
            Nd4j.getRandom().setSeed(SEED);
            network.fit(data);
            network.fit(data);
        }
        assertThat(ours.score()).isCloseTo(dl4js.score(), within(1e-5));
        assertThat(difference(ours.params(), dl4js.params())).isLessThan(1e-5);
    }

    /** NaN among labels that are 0 elsewhere, or in the logits, is NaN in the loss. */
    @Test
    void notANumberIsNeverHidden() {
        MultiLayerNetwork ours = attached(with(softmax()));
        DataSet data = batch(6, SEED);
        data.getLabels().putScalar(1, 1, Double.NaN);
        ours.fit(data);
        assertThat(ours.score()).isNaN();
        MultiLayerNetwork second = attached(with(softmax()));
        second.getParam("1_b").putScalar(0, Double.NaN);
        second.fit(batch(6, SEED));
        assertThat(second.score()).isNaN();
    }

    @Test
    void whatIsNotCoveredIsSaid() {
        RnnOutputLayer.Builder noisy = ofSequences(LossFunction.MCXENT, Activation.SOFTMAX);
        noisy.weightNoise(new DropConnect(0.5));
        assertThat(Acceleration.attach(network(with(noisy))).left()).containsEntry("layer1", "its weights have noise");
        RnnOutputLayer last = ofSequences(LossFunction.MCXENT, Activation.SOFTMAX)
                .dataFormat(RNNFormat.NWC)
                .build();
        assertThat(Acceleration.attach(network(with(InputType.recurrent(INPUTS, 4, RNNFormat.NWC), 6, last)))
                        .left())
                .containsEntry("layer1", "its sequences are in NWC");
    }

    /** A loss function of the user's own. */
    private static final class OwnLoss extends LossMCXENT {}

    @Test
    void aLossFunctionOfTheUsersStaysWithDl4j() {
        MultiLayerNetwork network = network(with(new OutputLayer.Builder(new OwnLoss())));
        assertThat(Acceleration.attach(network).left().values())
                .singleElement()
                .asString()
                .startsWith("its loss function is a class of its own, ");
    }

    /** A loss layer of DL4J's would write into what the layer before has kept. */
    @Test
    void butNotALossLayer() {
        LossLayer.Builder loss = new LossLayer.Builder(new OwnLoss());
        loss.activation(Activation.SIGMOID);
        assertLossAloneAgrees(attached(with(InputType.convolutional(9, 8, 2), 3, loss.build())), batch(6, SEED));
    }
}
