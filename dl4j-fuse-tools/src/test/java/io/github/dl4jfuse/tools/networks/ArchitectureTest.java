package io.github.dl4jfuse.tools.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.datasets.Iris;
import io.github.dl4jfuse.network.Dl4jModel;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/** The same network 4-5-3 in both forms. */
class ArchitectureTest {

    private static final FixedBatches IRIS = FixedBatches.whole(Iris.standardised());

    private static MultiLayerConfiguration row() {
        return Networks.dense(
                Networks.builder(1, WeightInit.XAVIER, Activation.TANH), 4, new int[] {5}, Networks.classes(3));
    }

    /** The output is added first. */
    private static ComputationGraphConfiguration graph() {
        return Networks.builder(1, WeightInit.XAVIER, Activation.TANH)
                .graphBuilder()
                .addInputs("in")
                .addLayer("out", Networks.classes(3).nIn(5).build(), "hidden")
                .addLayer("hidden", new DenseLayer.Builder().nIn(4).nOut(5).build(), "in")
                .setOutputs("out")
                .build();
    }

    static List<Architecture> both() {
        return List.of(Architecture.of(row()), Architecture.of(graph()));
    }

    @ParameterizedTest
    @MethodSource("both")
    void theSeedMakesTheWeights(Architecture architecture) {
        INDArray first = architecture.withSeed(1).build().params();
        assertThat(architecture.withSeed(1).build().params()).isEqualTo(first);
        assertThat(architecture.withSeed(2).build().params()).isNotEqualTo(first);
    }

    @ParameterizedTest
    @MethodSource("both")
    void layersComeInOrderAndTheOutputLast(Architecture architecture) {
        assertThat(architecture.layers()).hasSize(2);
        assertThat(((FeedForwardLayer) architecture.layers().get(0)).getNIn()).isEqualTo(4);
        assertThat(architecture.layers().get(1)).isInstanceOf(OutputLayer.class);
    }

    @ParameterizedTest
    @MethodSource("both")
    void changesNeverReachTheFirstOne(Architecture architecture) {
        String before = architecture.json();
        Architecture changed =
                architecture.withUpdater(new Adam(0.5)).withSeed(9).withAlgorithm(OptimizationAlgorithm.LBFGS);
        changed.build();
        assertThat(architecture.json()).isEqualTo(before);
        assertThat(changed.layers())
                .allSatisfy(
                        layer -> assertThat(((BaseLayer) layer).getIUpdater()).isEqualTo(new Adam(0.5)));
        assertThat(changed.build().conf().getOptimizationAlgo()).isEqualTo(OptimizationAlgorithm.LBFGS);
        assertThat(changed.build().conf().getSeed()).isEqualTo(9);
    }

    @ParameterizedTest
    @MethodSource("both")
    void startsWithGivenWeightsWhateverTheSeed(Architecture architecture) {
        String name = architecture.build().paramTable().keySet().iterator().next();
        INDArray given = Nd4j.ones(architecture.build().getParam(name).shape());
        Architecture started = architecture.startingWith("ones", Map.of(name, given));
        assertThat(started.withSeed(3).origin()).isEqualTo("ones");
        given.assign(7); // the architecture has its own copy
        Model one = started.withSeed(1).build();
        Model other = started.withSeed(2).build();
        assertThat(one.getParam(name).minNumber().doubleValue()).isEqualTo(1);
        assertThat(other.getParam(name)).isEqualTo(one.getParam(name));
        assertThat(other.params()).isNotEqualTo(one.params());
    }

    @Test
    void onlyLayersInARowAreARow() {
        assertThat(Architecture.of(row()).rowOfLayers()).isEqualTo(row());
        assertThatThrownBy(() -> Architecture.of(graph()).rowOfLayers())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is a ComputationGraph");
    }

    @Test
    void bothFormsTrainAlike() {
        Model row = Networks.network(Architecture.of(row()), new Sgd(0.1));
        Model graph = Networks.network(Architecture.of(graph()), new Sgd(0.1));
        graph.getParam("hidden_W").assign(row.getParam("0_W"));
        graph.getParam("out_W").assign(row.getParam("1_W"));
        double before = Networks.loss(row, IRIS, 50);
        for (int i = 0; i < 20; i++) {
            Networks.fit(row, Iris.standardised());
            Networks.fit(graph, Iris.standardised());
        }
        assertThat(Networks.loss(row, IRIS, 50)).isLessThan(0.8 * before);
        assertThat(Networks.loss(graph, IRIS, 50)).isEqualTo(Networks.loss(row, IRIS, 50));
        assertThat(Networks.accuracy(row, IRIS, 50)).isBetween(0.6, 1.0);
        assertThat(Networks.accuracy(graph, IRIS, 50)).isEqualTo(Networks.accuracy(row, IRIS, 50));
    }

    /** A network that is tuned with decay must not look worse for its penalty. */
    @ParameterizedTest
    @MethodSource("both")
    void theScoreLeavesWeightDecayOut(Architecture architecture) {
        Model plain = architecture.build();
        Model decaying = architecture
                .with(layers -> layers.forEach(
                        layer -> ((BaseLayer) layer).setRegularization(List.of(new WeightDecay(0.3, true)))))
                .build();
        assertThat(Networks.loss(decaying, IRIS, 50)).isGreaterThan(Networks.loss(plain, IRIS, 50) + 0.1);
        for (boolean classes : new boolean[] {true, false}) {
            double loss = Networks.score(plain, IRIS.iterator(50), 150, classes).loss();
            assertThat(Networks.score(decaying, IRIS.iterator(50), 150, classes).loss())
                    .isCloseTo(loss, within(1e-6));
        }
    }

    @ParameterizedTest
    @MethodSource("both")
    void countsEpochsAndBytes(Architecture architecture) {
        Model network = Networks.network(architecture, new Adam());
        Networks.countEpoch(network);
        assertThat(Dl4jModel.of(network).epoch()).isOne();
        assertThat(Networks.updaterBytes(network)).isEqualTo(2 * 4 * network.numParams());
        assertThat(Networks.updaterBytes(Networks.network(architecture, new Sgd())))
                .isZero();
    }
}
