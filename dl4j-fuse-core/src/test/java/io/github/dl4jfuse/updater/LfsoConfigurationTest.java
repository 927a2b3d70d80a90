package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Lfso.Direction;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** Lfso as a value, and what it does without a listener. */
class LfsoConfigurationTest {

    private static final List<Lfso> SAMPLES = List.of(
            new Lfso(),
            new Lfso(Direction.MOMENTUM),
            new Lfso(Direction.GRADIENT, new ExponentialSchedule(ScheduleType.EPOCH, 1, 0.9)),
            new Lfso(Direction.ADAM, null, 1e-5, 0.25));

    @Test
    void survivesJsonAndYamlInBothKindsOfNetwork() {
        for (Lfso sample : SAMPLES) {
            MultiLayerConfiguration layers =
                    TestNetworks.DENSE.network(sample, DataType.FLOAT).getLayerWiseConfigurations();
            MultiLayerConfiguration back = MultiLayerConfiguration.fromJson(layers.toJson());
            assertThat(((BaseLayer) back.getConf(0).getLayer()).getIUpdater()).isEqualTo(sample);
            assertThat(((BaseLayer) MultiLayerConfiguration.fromYaml(layers.toYaml())
                                    .getConf(0)
                                    .getLayer())
                            .getIUpdater())
                    .isEqualTo(sample);
            ComputationGraphConfiguration graph =
                    ((ComputationGraph) TestNetworks.GRAPH.create(sample, DataType.FLOAT, PLAIN)).getConfiguration();
            assertThat(ComputationGraphConfiguration.fromJson(graph.toJson())).isEqualTo(graph);
        }
    }

    @Test
    void copiesAreEqualAndSamplesDiffer() {
        for (Lfso sample : SAMPLES) {
            assertThat(sample.clone())
                    .isEqualTo(sample)
                    .hasSameHashCodeAs(sample)
                    .isNotSameAs(sample);
        }
        assertThat(SAMPLES).doesNotHaveDuplicates();
        assertThat(new Lfso(Direction.ADAM, new ExponentialSchedule(ScheduleType.EPOCH, 1, 0.9)).decrease())
                .isEqualTo(0.3);
        assertThat(new Lfso().decrease()).isEqualTo(0.6);
    }

    @Test
    void refusesBadValuesWithASentence() {
        assertThatThrownBy(() -> new Lfso(Direction.ADAM, null, 0, 0.5))
                .hasMessageContaining("firstGuess must be positive");
        assertThatThrownBy(() -> new Lfso(Direction.ADAM, null, 1, 1))
                .hasMessageContaining("decrease must be in (0, 1)");
        assertThatThrownBy(() -> new Lfso().setLrAndSchedule(0.1, null)).hasMessageContaining("no learning rate");
    }

    @Test
    void refusesADamagedConfigurationWithASentence() {
        String json = TestNetworks.DENSE
                .network(new Lfso(), DataType.FLOAT)
                .getLayerWiseConfigurations()
                .toJson();
        for (String[] damage : new String[][] {
            {"\"direction\" : \"ADAM\"", "\"direction\" : null", "Lfso has no direction"},
            {"\"firstGuess\" : 0.001", "\"firstGuess\" : \"NaN\"", "firstGuess must be positive"},
            {"\"decrease\" : 0.6", "\"decrease\" : -1.0", "decrease must be in (0, 1)"}
        }) {
            String damaged = json.replace(damage[0], damage[1]);
            assertThat(damaged).isNotEqualTo(json);
            assertThatThrownBy(() -> new MultiLayerNetwork(MultiLayerConfiguration.fromJson(damaged))
                            .fit(TestNetworks.DENSE.batch(0, 8, DataType.FLOAT)))
                    .hasMessageContaining(damage[2]);
        }
    }

    /** DL4J multiplies the decay by 1 where an updater has no rate. */
    @Test
    void withoutAListenerWeightDecayIsMultipliedByTheFirstGuess() {
        Lfso updater = new Lfso(Direction.GRADIENT, new ExponentialSchedule(ScheduleType.ITERATION, 1, 0.5), 1e-3, 0.5);
        MultiLayerNetwork net = (MultiLayerNetwork) TestNetworks.DENSE.create(
                updater, DataType.DOUBLE, TestNetworks.Options.layer(layer -> layer.weightDecay(0.1)));
        DataSet data = TestNetworks.DENSE.batch(0, 8, DataType.DOUBLE);
        double rate = 1e-3;
        for (int step = 0; step < 3; step++, rate /= 2) {
            INDArray before = net.getParam("0_W").dup();
            net.setInput(data.getFeatures());
            net.setLabels(data.getLabels());
            net.computeGradientAndScore();
            INDArray gradient = net.gradient().getGradientFor("0_W").dup().divi(8);
            net.fit(data);
            INDArray expected = before.sub(gradient.addi(before.mul(0.1)).muli(rate));
            assertThat(net.getParam("0_W").equalsWithEps(expected, 1e-9))
                    .as("step %d", step)
                    .isTrue();
        }
    }

    @Test
    void aLearningRateThatIsSetLaterIsRefused() {
        MultiLayerNetwork net = TestNetworks.DENSE.network(new Lfso(), DataType.FLOAT);
        net.fit(TestNetworks.DENSE.batch(0, 8, DataType.FLOAT));
        assertThatThrownBy(() -> net.setLearningRate(0.1)).hasMessageContaining("Lfso has no learning rate");
        net.setLearningRate(new ExponentialSchedule(ScheduleType.EPOCH, 1, 0.9));
        net.fit(TestNetworks.DENSE.batch(0, 8, DataType.FLOAT));
    }

    @Test
    void theScheduleMultipliesTheSteps() {
        Lfso config = new Lfso(Direction.GRADIENT, new ExponentialSchedule(ScheduleType.ITERATION, 1, 0.5), 0.01, 0.5);
        GradientUpdater<Lfso> updater = config.instantiate(Nd4j.zeros(DataType.DOUBLE, config.stateSize(1)), true);
        for (int t = 0; t < 4; t++) {
            INDArray gradient = Nd4j.createFromArray(3.0);
            updater.applyUpdater(gradient, t, 0);
            assertThat(gradient.getDouble(0)).isCloseTo(0.03 * Math.pow(0.5, t), within(1e-8));
        }
    }

    /** Without a listener the steps are the direction times the first guess; compared with formulas written out here. */
    @ParameterizedTest
    @EnumSource(Direction.class)
    void aloneItTakesTheFirstGuess(Direction direction) {
        Lfso config = new Lfso(direction, null, 0.01, 0.5);
        int n = 3;
        GradientUpdater<Lfso> updater = config.instantiate(Nd4j.zeros(DataType.DOUBLE, config.stateSize(n)), true);
        double[] m = new double[n];
        double[] v = new double[n];
        for (int t = 1; t <= 4; t++) {
            double[] g = {0.5 * t, -1, 3.0 / t};
            INDArray gradient = Nd4j.createFromArray(g);
            updater.applyUpdater(gradient, t - 1, 0);
            for (int i = 0; i < n; i++) {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                double rate = Math.sqrt(1 - Math.pow(0.999, t)) / (1 - Math.pow(0.9, t));
                double d = switch (direction) {
                    case GRADIENT -> g[i];
                    case MOMENTUM -> (0.9 * m[i] + 0.1 * g[i]) / (1 - Math.pow(0.9, t + 1));
                    case ADAM -> rate * m[i] / (Math.sqrt(v[i]) + Adam.DEFAULT_ADAM_EPSILON);
                };
                assertThat(gradient.getDouble(i)).isCloseTo(0.01 * d, within(1e-9 + 1e-7 * Math.abs(0.01 * d)));
            }
        }
        INDArray bad = Nd4j.createFromArray(1, Double.NaN, 2);
        updater.applyUpdater(bad, 4, 0);
        assertThat(bad.toDoubleVector()).containsExactly(0, 0, 0);
    }
}
