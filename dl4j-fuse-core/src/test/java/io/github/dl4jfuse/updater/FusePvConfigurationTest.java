package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** FusePv as a value: defaults, copies, JSON, YAML, refusals, and its place in SameDiff. */
class FusePvConfigurationTest {

    private static final List<FusePv> SAMPLES = List.of(
            new FusePv(),
            FusePv.ofRate(2e-3),
            FusePv.ofRate(new ExponentialSchedule(ScheduleType.EPOCH, 0.01, 0.9)),
            FusePv.builder()
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
                    .measuredSteps(true)
                    .build());

    @Test
    void defaultsAreThoseOfAdamAndAFixedBatch() {
        FusePv fuse = new FusePv();
        assertThat(fuse.adam()).isEqualTo(new Adam(1e-3, 0.9, 0.999, 1e-8));
        assertThat(fuse.switchCriterion()).isEqualTo(SwitchCriterion.fixedBatch(10));
        assertThat(fuse.latched()).isTrue();
        assertThat(fuse.memory()).isEqualTo(10);
        assertThat(fuse.maxEvaluations()).isEqualTo(4);
        assertThat(fuse.sufficientDecrease()).isEqualTo(1e-4);
        assertThat(fuse).isEqualTo(FusePv.builder().build());
    }

    @Test
    void copiesAreEqualAndIndependent() {
        for (FusePv sample : SAMPLES) {
            FusePv copy = sample.clone();
            assertThat(copy).isEqualTo(sample).hasSameHashCodeAs(sample).isNotSameAs(sample);
            copy.setLrAndSchedule(123, null);
            assertThat(copy).isNotEqualTo(sample);
        }
        assertThat(SAMPLES).doesNotHaveDuplicates();
    }

    @Test
    void survivesJsonAndYamlInBothKindsOfNetwork() {
        for (FusePv sample : SAMPLES) {
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
            assertThat(graph.toJson()).contains(FusePv.class.getName());
        }
    }

    private static IUpdater updaterOf(MultiLayerConfiguration configuration) {
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network.getLayer(0).getConfig().getUpdaterByParam("W");
    }

    @Test
    void refusesValuesOutOfRangeAndNamesThem() {
        assertThatThrownBy(() -> FusePv.ofRate(-1)).hasMessageContaining("learningRate must be >= 0");
        assertThatThrownBy(() -> FusePv.ofRate(Double.NaN)).hasMessageContaining("learningRate must be >= 0");
        assertThatThrownBy(() -> FusePv.builder().beta1(1).build()).hasMessageContaining("beta1");
        assertThatThrownBy(() -> FusePv.builder().beta2(-0.1).build()).hasMessageContaining("beta2");
        assertThatThrownBy(() -> FusePv.builder().epsilon(0).build()).hasMessageContaining("epsilon");
        assertThatThrownBy(() -> FusePv.builder().memory(0).build()).hasMessageContaining("memory must be >= 1");
        assertThatThrownBy(() -> FusePv.builder().maxEvaluations(0).build()).hasMessageContaining("maxEvaluations");
        assertThatThrownBy(() -> FusePv.builder().sufficientDecrease(1).build())
                .hasMessageContaining("sufficientDecrease");
        assertThatThrownBy(() -> FusePv.builder().warmUpEpochs(-1).build()).hasMessageContaining("warmUpEpochs");
        assertThatThrownBy(() -> FusePv.builder().switchCriterion(null).build())
                .hasMessageContaining("switchCriterion");
    }

    @Test
    void refusesAStateThatDoesNotFit() {
        FuseUpdater updater = (FuseUpdater) new FusePv().instantiate(Nd4j.zeros(100), true);
        assertThatThrownBy(() -> updater.applyUpdater(Nd4j.ones(7), 0, 0)).hasMessageContaining("does not fit");
        assertThatThrownBy(() -> updater.setState(Map.of("M", Nd4j.ones(3)), false))
                .hasMessageContaining("FUSE_PV");
    }

    @Test
    void aStateOfANewerFormatIsRefused() {
        FusePv config = new FusePv();
        INDArray state = Nd4j.zeros(DataType.FLOAT, config.stateSize(5));
        state.putScalar(FuseState.FORMAT, 1);
        assertThatThrownBy(() -> config.instantiate(state, false).applyUpdater(Nd4j.ones(5), 0, 0))
                .hasMessageContaining("saved by a newer version of dl4j-fuse, in format 1");
    }

    @Test
    void leavesOutAGradientThatIsNotFinite() {
        FusePv config = new FusePv();
        FuseUpdater updater = (FuseUpdater) config.instantiate(Nd4j.zeros(config.stateSize(4)), true);
        INDArray gradient = Nd4j.createFromArray(1f, Float.NaN, 2f, 3f);
        updater.applyUpdater(gradient, 0, 0);
        assertThat(gradient.toFloatVector()).containsOnly(0f);
        INDArray next = Nd4j.createFromArray(1f, -1f, 2f, 3f);
        updater.applyUpdater(next, 0, 0);
        assertThat(next.getFloat(0))
                .as("first step of a fresh Adam")
                .isCloseTo(1e-3f, org.assertj.core.api.Assertions.within(1e-8f));
    }

    @Test
    void trainsASameDiffModelLikeAdam() {
        assertThat(sameDiffWeights(FusePv.ofRate(1e-2))).containsExactly(sameDiffWeights(new Adam(1e-2)));
    }

    private static float[] sameDiffWeights(IUpdater updater) {
        SameDiff sd = SameDiff.create();
        SDVariable in = sd.placeHolder("in", DataType.FLOAT, -1, 4);
        SDVariable label = sd.placeHolder("label", DataType.FLOAT, -1, 2);
        SDVariable w = sd.var("w", Nd4j.linspace(DataType.FLOAT, -1, 0.25, 8).reshape(4, 2));
        sd.loss.meanSquaredError("loss", label, in.mmul(w), null);
        sd.setTrainingConfig(TrainingConfig.builder()
                .updater(updater)
                .dataSetFeatureMapping("in")
                .dataSetLabelMapping("label")
                .build());
        DataSet data =
                new DataSet(Nd4j.linspace(DataType.FLOAT, 0, 0.1, 12).reshape(3, 4), Nd4j.ones(DataType.FLOAT, 3, 2));
        for (int step = 0; step < 10; step++) {
            sd.fit(data);
        }
        return w.getArr().reshape(8).toFloatVector();
    }

    @Test
    void setLearningRateKeepsTheState() {
        MultiLayerNetwork network = TestNetworks.DENSE.network(new FusePv(), DataType.FLOAT);
        MultiLayerNetwork adam = TestNetworks.DENSE.network(new Adam(), DataType.FLOAT);
        for (int step = 0; step < 10; step++) {
            if (step == 5) {
                network.setLearningRate(1e-2);
                adam.setLearningRate(1e-2);
            }
            fit(network, TestNetworks.DENSE.batch(step, 16, DataType.FLOAT));
            fit(adam, TestNetworks.DENSE.batch(step, 16, DataType.FLOAT));
        }
        assertThat(network.params()).isEqualTo(adam.params());
    }
}
