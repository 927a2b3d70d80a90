package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgreesWithItsTwin;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.evaluate;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Output layers of ours: loss and gradient, beside a twin in double precision and beside DL4J's own. */
class AttachedOutputTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static MultiLayerConfiguration with(OutputLayer.Builder output) {
        return builder(new Sgd(0.1))
                .l2(1e-3)
                .list()
                .layer(new DenseLayer.Builder()
                        .nOut(6)
                        .activation(Activation.TANH)
                        .build())
                .layer(output.nOut(3).build())
                .setInputType(InputType.convolutional(9, 8, 2))
                .validateOutputLayerConfig(false) // sigmoid with MCXENT is another formula
                .build();
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

    @Test
    void aLossThatWasKeptIsOfThatPointAlone() {
        MultiLayerNetwork ours = attached(with(softmax()));
        DataSet data = batch(6, SEED);
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
}
