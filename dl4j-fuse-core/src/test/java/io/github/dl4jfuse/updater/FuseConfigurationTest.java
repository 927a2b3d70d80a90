package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import java.io.IOException;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** Fuse as a value, and the saved form of FusePv that must stay readable. */
class FuseConfigurationTest {

    private static final ISchedule FALLING = new ExponentialSchedule(ScheduleType.EPOCH, 1, 0.9);

    private static final List<Fuse> SAMPLES = List.of(
            new Fuse(),
            Fuse.ofTheta(0),
            Fuse.ofTheta(1),
            Fuse.ofTheta(FALLING),
            Fuse.ofTheta(new MapSchedule.Builder(ScheduleType.ITERATION)
                    .add(0, 1)
                    .add(100, 0.25)
                    .build()),
            Fuse.builder()
                    .theta(0.125)
                    .learningRateSchedule(FALLING)
                    .beta1(0.8)
                    .beta2(0.99)
                    .epsilon(1e-7)
                    .memory(4)
                    .maxEvaluations(7)
                    .sufficientDecrease(0.01)
                    .build());

    @Test
    void defaultsAreThoseOfAdamAndFusePv() {
        Fuse fuse = new Fuse();
        assertThat(fuse).isEqualTo(Fuse.ofTheta(0.5)).isEqualTo(Fuse.builder().build());
        assertThat(fuse.adam()).isEqualTo(new Adam(1e-3, 0.9, 0.999, 1e-8));
        assertThat(fuse.memory()).isEqualTo(new FusePv().memory());
        assertThat(fuse.maxEvaluations()).isEqualTo(new FusePv().maxEvaluations());
        assertThat(fuse.sufficientDecrease()).isEqualTo(new FusePv().sufficientDecrease());
    }

    @Test
    void copiesAreEqualAndIndependent() {
        for (Fuse sample : SAMPLES) {
            Fuse copy = sample.clone();
            assertThat(copy).isEqualTo(sample).hasSameHashCodeAs(sample).isNotSameAs(sample);
            copy.setLrAndSchedule(123, null);
            assertThat(copy).isNotEqualTo(sample);
        }
        assertThat(SAMPLES).doesNotHaveDuplicates();
        assertThat((IUpdater) Fuse.ofTheta(0)).isNotEqualTo(new FusePv());
        assertThat((IUpdater) new FusePv()).isNotEqualTo(Fuse.ofTheta(0));
    }

    @Test
    void survivesJsonAndYamlInBothKindsOfNetwork() {
        for (Fuse sample : SAMPLES) {
            MultiLayerConfiguration layers =
                    TestNetworks.DENSE.network(sample, DataType.FLOAT).getLayerWiseConfigurations();
            assertThat(updaterOf(MultiLayerConfiguration.fromJson(layers.toJson())))
                    .isEqualTo(sample);
            assertThat(updaterOf(MultiLayerConfiguration.fromYaml(layers.toYaml())))
                    .isEqualTo(sample);
            ComputationGraphConfiguration graph =
                    ((ComputationGraph) TestNetworks.GRAPH.create(sample, DataType.FLOAT, PLAIN)).getConfiguration();
            assertThat(ComputationGraphConfiguration.fromJson(graph.toJson())).isEqualTo(graph);
            assertThat(ComputationGraphConfiguration.fromYaml(graph.toYaml())).isEqualTo(graph);
        }
    }

    private static IUpdater updaterOf(MultiLayerConfiguration configuration) {
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network.getLayer(0).getConfig().getUpdaterByParam("W");
    }

    @Test
    void refusesValuesOutOfRangeAndNamesThem() {
        assertThatThrownBy(() -> Fuse.builder().theta(1.5).build())
                .hasMessageContaining("Fuse: theta must be in [0, 1], not 1.5");
        assertThatThrownBy(() -> Fuse.ofTheta(null)).hasMessageContaining("schedule must not be null");
        assertThatThrownBy(() -> Fuse.builder().memory(0).build()).hasMessageContaining("Fuse: memory must be >= 1");
    }

    /** The text was written by the version before FusePv and Fuse had a class in common. */
    @Test
    void readsFusePvAsBeforeThereWasABlendAndWritesWhatIsNewBeside() throws IOException {
        String json = """
                {
                  "@class" : "io.github.dl4jfuse.updater.FusePv",
                  "beta1" : 0.8,
                  "beta2" : 0.99,
                  "epsilon" : 1.0E-7,
                  "latched" : false,
                  "learningRate" : 0.5,
                  "maxEvaluations" : 7,
                  "memory" : 4,
                  "sufficientDecrease" : 0.01,
                  "switchCriterion" : {
                    "kind" : "LOSS",
                    "threshold" : 0.25
                  },
                  "warmUpEpochs" : 2
                }""";
        FusePv expected = FusePv.builder()
                .learningRate(0.5)
                .beta1(0.8)
                .beta2(0.99)
                .epsilon(1e-7)
                .switchCriterion(SwitchCriterion.loss(0.25))
                .warmUpEpochs(2)
                .latched(false)
                .memory(4)
                .maxEvaluations(7)
                .sufficientDecrease(0.01)
                .build();
        var mapper = NeuralNetConfiguration.mapper();
        assertThat(mapper.readValue(json, IUpdater.class)).isEqualTo(expected);
        String since = json.replaceFirst("\"memory\"", "\"measuredSteps\" : false,\n  \"memory\"")
                .replaceFirst("\"kind\"", "\"@class\" : \"" + SwitchCriterion.class.getName() + "\", \"kind\"");
        assertThat(mapper.readTree(mapper.writeValueAsString(expected))).isEqualTo(mapper.readTree(since));
    }
}
