package io.github.dl4jfuse.tools.rivals;

import static io.github.dl4jfuse.tools.rivals.RivalNetworks.DECAY;
import static io.github.dl4jfuse.tools.rivals.RivalNetworks.RATE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.tools.rivals.RivalNetworks.Falling;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Which layer gets which rule, and what the weights for evaluation do. */
class RivalsTest {

    private static final Falling RATES = new Falling();

    private static OutputLayer output(int in, int out) {
        return new OutputLayer.Builder(LossFunction.MSE)
                .activation(Activation.IDENTITY)
                .nIn(in)
                .nOut(out)
                .build();
    }

    private static DenseLayer dense(int in, int out) {
        return new DenseLayer.Builder().nIn(in).nOut(out).build();
    }

    private static void apply(Rival rival, Layer... layers) {
        rival.updaters().apply(List.of(layers));
    }

    private static MultiLayerNetwork network(Rival rival, Layer... layers) {
        return RivalNetworks.network(
                RivalNetworks.settings(DataType.DOUBLE).list(layers).build(), rival);
    }

    private static MultiLayerNetwork recurrent(Rival rival) {
        MultiLayerConfiguration configuration = RivalNetworks.settings(DataType.DOUBLE)
                .list(
                        new LSTM.Builder().nIn(3).nOut(5).build(),
                        new Bidirectional(
                                Bidirectional.Mode.ADD,
                                new SimpleRnn.Builder().nIn(5).nOut(4).build()),
                        new RnnOutputLayer.Builder(LossFunction.MSE)
                                .activation(Activation.IDENTITY)
                                .nIn(4)
                                .nOut(2)
                                .build())
                .build();
        return RivalNetworks.network(configuration, rival);
    }

    private static DataSet sequences() {
        return new DataSet(Nd4j.rand(DataType.DOUBLE, 6, 3, 7).subi(0.5), Nd4j.rand(DataType.DOUBLE, 6, 2, 7));
    }

    /** What a step subtracts, by name of the parameter. */
    private static Map<String, INDArray> step(MultiLayerNetwork network, DataSet batch) {
        Map<String, INDArray> moved = new LinkedHashMap<>();
        network.paramTable().forEach((name, values) -> moved.put(name, values.dup()));
        network.fit(batch);
        network.paramTable().forEach((name, values) -> moved.get(name).subi(values));
        return moved;
    }

    /** Five iterations bring all singular values that are not tiny into about .68 to 1.14. */
    private static void checkOrthogonal(String name, INDArray update, int rank) {
        long longer = Math.max(update.rows(), update.columns());
        INDArray x = update.div(RATE * 0.2 * Math.sqrt(longer)).dup('f');
        INDArray square =
                (x.rows() <= x.columns() ? x.mmul(x.transpose()) : x.transpose().mmul(x)).dup('f');
        INDArray squares = Nd4j.create(DataType.DOUBLE, square.rows());
        Nd4j.getBlasWrapper().lapack().syev('N', 'U', square, squares);
        int n = square.rows();
        assertThat(n).as(name).isGreaterThanOrEqualTo(rank);
        for (int i = n - rank; i < n; i++) {
            assertThat(Math.sqrt(squares.getDouble(i))).as(name).isBetween(0.6, 1.25);
        }
    }

    @Test
    void muonsStepsAreNearOrthogonalAndAdamsElsewhere() {
        MultiLayerNetwork muon = RivalNetworks.network(Rivals.muon(RATES, 0), DataType.DOUBLE);
        MultiLayerNetwork adam = RivalNetworks.network(Rivals.adamW(RATES, 0), DataType.DOUBLE);
        Map<String, INDArray> ours = step(muon, RivalNetworks.batch(0, DataType.DOUBLE));
        Map<String, INDArray> theirs = step(adam, RivalNetworks.batch(0, DataType.DOUBLE));
        checkOrthogonal("convolution", ours.get("0_W").reshape('c', 2, 9), 2);
        checkOrthogonal("dense", ours.get("1_W"), 4);
        for (String name : List.of("0_b", "1_b", "2_W", "2_b")) {
            assertThat(ours.get(name)).as(name).isEqualTo(theirs.get(name));
        }
    }

    @Test
    void muonTakesGatesAndDirectionsOneByOne() {
        Nd4j.getRandom().setSeed(3);
        DataSet batch = sequences();
        Map<String, INDArray> ours = step(recurrent(Rivals.muon(RATES, 0)), batch);
        Map<String, INDArray> theirs = step(recurrent(Rivals.adamW(RATES, 0)), batch);
        for (int gate = 0; gate < 4; gate++) {
            var columns = NDArrayIndex.interval(5 * gate, 5 * gate + 5);
            checkOrthogonal("gate " + gate, ours.get("0_W").get(NDArrayIndex.all(), columns), 3);
            checkOrthogonal("gate " + gate, ours.get("0_RW").get(NDArrayIndex.all(), columns), 3);
        }
        for (String name : List.of("1_fW", "1_fRW", "1_bW", "1_bRW")) {
            checkOrthogonal(name, ours.get(name), 3);
        }
        for (String name : List.of("0_b", "1_fb", "1_bb", "2_W", "2_b")) {
            assertThat(ours.get(name)).as(name).isEqualTo(theirs.get(name));
        }
    }

    /** Without biases DL4J would join equal neighbours. */
    @Test
    void layersOfTheSameShapeStayApart() {
        Layer[] layers = new Layer[3];
        for (int i = 0; i < 2; i++) {
            layers[i] = new DenseLayer.Builder().nIn(4).nOut(4).hasBias(false).build();
        }
        layers[2] = output(4, 2);
        Nd4j.getRandom().setSeed(3);
        DataSet batch = new DataSet(Nd4j.rand(DataType.DOUBLE, 8, 4), Nd4j.rand(DataType.DOUBLE, 8, 2));
        Map<String, INDArray> moved = step(network(Rivals.muon(RATES, 0), layers), batch);
        checkOrthogonal("first", moved.get("0_W"), 3);
        checkOrthogonal("second", moved.get("1_W"), 2);
    }

    @Test
    void soapRotatesWholeMatricesOfAnLstm() {
        LSTM lstm = new LSTM.Builder().nIn(3).nOut(5).build();
        apply(Rivals.soap(RATES, 0, true), lstm);
        assertThat(lstm.getIUpdater().stateSize(3 * 20)).isEqualTo(1 + 2 * 60 + 2 * 9);
        assertThat(lstm.getIUpdater().stateSize(5 * 20)).isEqualTo(1 + 2 * 100 + 2 * 25);
        apply(Rivals.soap(RATES, 0, false, 19), lstm);
        assertThat(lstm.getIUpdater().stateSize(3 * 20)).isEqualTo(1 + 2 * 60 + 2 * 9);
        apply(Rivals.soap(RATES, 0, false), lstm);
        assertThat(lstm.getIUpdater().stateSize(3 * 20)).isEqualTo(1 + 2 * 60 + 2 * 9 + 2 * 400);
    }

    @Test
    void soapsFirstGradientMovesNoMatrix() {
        MultiLayerNetwork soap = RivalNetworks.network(Rivals.soap(RATES, 0, false), DataType.DOUBLE);
        Map<String, INDArray> moved = step(soap, RivalNetworks.batch(0, DataType.DOUBLE));
        for (String name : List.of("0_W", "1_W", "2_W")) {
            assertThat(moved.get(name).amaxNumber().doubleValue()).as(name).isZero();
        }
        for (String name : List.of("0_b", "1_b", "2_b")) {
            assertThat(moved.get(name).amaxNumber().doubleValue()).as(name).isPositive();
        }
        assertThat(step(soap, RivalNetworks.batch(1, DataType.DOUBLE))
                        .get("1_W")
                        .aminNumber()
                        .doubleValue())
                .isPositive();
    }

    /** As under Adam: LAPACK must not be asked for its eigenvectors. */
    @Test
    void aGradientThatIsNotFiniteShows() {
        StateUpdater soap = new Soap(RATES, 0, List.of(new Matrices(1, 2, 3)), false, 10);
        INDArray gradient = Nd4j.createFromArray(1.0, 2, Double.NaN, 4, 5, 6);
        soap.instantiate(Nd4j.zeros(DataType.DOUBLE, soap.stateSize(6)), true).applyUpdater(gradient, 0, 0);
        assertThat(gradient.toDoubleVector()).containsOnly(Double.NaN);
    }

    @Test
    void frozenLayersAreLeftAndWrappersOpened() {
        DenseLayer frozen = dense(3, 4);
        frozen.setIUpdater(new Sgd(1));
        LSTM wrapped = new LSTM.Builder().nIn(4).nOut(4).build();
        DenseLayer last = dense(4, 2);
        LossLayer loss = new LossLayer.Builder(LossFunction.MSE).build();
        apply(Rivals.muon(RATES, DECAY), new FrozenLayer(frozen), new LastTimeStep(wrapped), last, loss);
        assertThat(frozen.getIUpdater()).isEqualTo(new Sgd(1));
        assertThat(frozen.getRegularization()).isNullOrEmpty();
        assertThat(wrapped.getIUpdater()).isInstanceOf(Muon.class);
        assertThat(last.getIUpdater()).isEqualTo(new Adam(RATES)); // before the loss layer: an output layer
        assertThat(loss.getIUpdater()).isNull();
    }

    @Test
    void embeddingsAndBatchNormAreAdams() {
        EmbeddingLayer embedding = new EmbeddingLayer.Builder().nIn(9).nOut(4).build();
        BatchNormalization norm =
                new BatchNormalization.Builder().nIn(4).nOut(4).build();
        DenseLayer hidden = dense(4, 4);
        apply(Rivals.muon(RATES, DECAY), embedding, norm, hidden, output(4, 2));
        assertThat(embedding.getIUpdater()).isEqualTo(new Adam(RATES));
        assertThat(norm.getIUpdater()).isEqualTo(new Adam(RATES));
        assertThat(norm.getRegularization()).isNullOrEmpty();
        assertThat(hidden.getIUpdater()).isInstanceOf(Muon.class);
    }

    @Test
    void decayReplacesDecayAndLeavesTheLoss() {
        BaseLayer layer = new DenseLayer.Builder().nIn(3).nOut(4).build();
        layer.setRegularization(new ArrayList<>(List.of(new L2Regularization(0.5), new WeightDecay(0.3, false))));
        layer.setRegularizationBias(new ArrayList<>(List.of(new WeightDecay(0.3, true))));
        apply(Rivals.adamW(RATES, DECAY), layer);
        assertThat(layer.getRegularization()).containsExactly(new L2Regularization(0.5), new WeightDecay(DECAY, true));
        assertThat(layer.getRegularizationBias()).isEmpty();
        apply(Rivals.scheduleFree(RATE, DECAY, 5), layer);
        apply(Rivals.nesterov(RATES, 0), layer);
        assertThat(layer.getRegularization()).containsExactly(new L2Regularization(0.5));
    }

    @Test
    void whatMatricesCannotBeHadOfIsRefused() {
        DenseLayer normalised =
                new DenseLayer.Builder().nIn(3).nOut(4).hasLayerNorm(true).build();
        assertThatThrownBy(() -> apply(Rivals.muon(RATES, 0), normalised, output(4, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("layer normalization");
        assertThatThrownBy(() -> Matrices.of(new DenseLayer.Builder().nOut(4).build(), true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nIn = 0");
        StateUpdater muon = new Muon(RATES, 0, List.of(new Matrices(1, 2, 3)));
        assertThatThrownBy(() -> muon.stateSize(7)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> muon.instantiate(Nd4j.zeros(DataType.DOUBLE, 6), true)
                        .applyUpdater(Nd4j.ones(DataType.DOUBLE, 7), 0, 0))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void scheduleFreeWithoutItsParametersIsRefused() {
        StateUpdater rule = new ScheduleFree(RATE, DECAY, 5);
        var updater = rule.instantiate(Nd4j.zeros(DataType.DOUBLE, rule.stateSize(4)), true);
        assertThatThrownBy(() -> updater.applyUpdater(Nd4j.ones(DataType.DOUBLE, 4), 0, 0))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> rule.setLrAndSchedule(1, RATES)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"schedule-free", "adam-ema"})
    void anAttachedNetworkAnswersWithTheWeightsForEvaluation(String name) {
        Rival rival = RivalsReferenceTest.rival(name);
        MultiLayerNetwork network = RivalNetworks.network(rival, DataType.FLOAT);
        Acceleration.attach(network);
        INDArray images = RivalNetworks.batch(0, DataType.FLOAT).getFeatures();
        INDArray start = network.output(images);
        rival.evaluation().enter(network);
        assertThat(network.output(images)).isEqualTo(start);
        assertThatThrownBy(() -> rival.evaluation().enter(network)).isInstanceOf(IllegalStateException.class);
        rival.evaluation().leave(network);
        assertThatThrownBy(() -> rival.evaluation().leave(network)).isInstanceOf(IllegalStateException.class);
        for (int step = 0; step < 9; step++) {
            network.fit(RivalNetworks.batch(step, DataType.FLOAT));
        }
        INDArray trained = network.output(images);
        rival.evaluation().enter(network);
        MultiLayerNetwork other =
                new MultiLayerNetwork(network.getLayerWiseConfigurations().clone());
        other.init(network.params().dup(), false);
        Acceleration.attach(other);
        assertThat(network.output(images)).isEqualTo(other.output(images)).isNotEqualTo(trained);
        assertThatThrownBy(() -> network.fit(RivalNetworks.batch(0, DataType.FLOAT)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("leave");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"adamw", "adam-ema", "nesterov", "muon", "soap", "soap-one-sided", "schedule-free", "prodigy"})
    void everyRivalLearnsWithBatchNormAttached(String name) {
        Rival rival = RivalsReferenceTest.rival(name);
        Layer[] layers = RivalNetworks.layers();
        MultiLayerNetwork network = RivalNetworks.network(
                RivalNetworks.settings(DataType.FLOAT)
                        .list(layers[0], new BatchNormalization(), layers[1], layers[2])
                        .setInputType(InputType.convolutional(5, 5, 1))
                        .build(),
                rival);
        Acceleration.attach(network);
        double before = network.score(RivalNetworks.batch(0, DataType.FLOAT), true);
        for (int step = 0; step < 60; step++) {
            network.fit(RivalNetworks.batch(0, DataType.FLOAT));
        }
        assertThat(network.score(RivalNetworks.batch(0, DataType.FLOAT), true)).isLessThan(before);
    }
}
