package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class FuseTest {

    private static final int STEPS = 8;
    private static final int BATCH = 24;

    private static Model model(TestNetworks kind, IUpdater updater, DataType type, Options options) {
        Model model = kind.create(updater, type, options);
        if (!(updater instanceof Adam)) {
            model.setListeners(new CurvatureListener());
        }
        return model;
    }

    private static void train(TestNetworks kind, Model model, int from, int to, DataType type) {
        for (int step = from; step < to; step++) {
            fit(model, kind.batch(step, BATCH, type));
        }
    }

    private static FusePv curvatureOnly() {
        return FusePv.builder().switchCriterion(SwitchCriterion.iteration(0)).build();
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void withShare1ItIsAdamBitForBitAndAtItsCost(TestNetworks kind) {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            Model adam = model(kind, new Adam(1e-3), type, TestNetworks.PLAIN);
            Model fuse = model(kind, Fuse.ofTheta(1), type, TestNetworks.PLAIN);
            CurvatureListener listener = new CurvatureListener();
            fuse.setListeners(listener);
            train(kind, adam, 0, STEPS, type);
            train(kind, fuse, 0, STEPS, type);
            assertThat(fuse.params()).isEqualTo(adam.params());
            assertThat(listener.statistics().gradientEvaluations()).isEqualTo(STEPS);
            assertThat(listener.phaseChanges()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void withShare0ItIsTheLbfgsPhaseBitForBit(TestNetworks kind) {
        Options options = Options.layer(layer -> layer.weightDecay(0.01, true));
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            Model expected = model(kind, curvatureOnly(), type, options);
            Model fuse = model(kind, Fuse.ofTheta(0), type, options);
            train(kind, expected, 0, STEPS, type);
            train(kind, fuse, 0, STEPS, type);
            assertThat(fuse.params()).isEqualTo(expected.params());
        }
    }

    /** Each step anew from the same point: Adam's moments and the history are those of the blended run. */
    @ParameterizedTest
    @CsvSource({"DENSE,0.3", "CONVOLUTION,0.5", "BATCH_NORM,0.9", "GRAPH,0.3"})
    void inBetweenItIsTheCombinationOfBothSteps(TestNetworks kind, double theta) {
        DataType type = DataType.DOUBLE;
        Options options = Options.layer(layer -> layer.l2(0.01));
        Model fuse = model(kind, Fuse.ofTheta(theta), type, options);
        for (int step = 0; step < STEPS; step++) {
            DataSet data = kind.batch(step, BATCH, type);
            INDArray start = fuse.params().dup();
            INDArray adam = stepFrom(fuse, 1, data);
            INDArray curvature = stepFrom(fuse, 0, data);
            fit(fuse, data);
            INDArray expected = start.dup()
                    .addi(adam.sub(start).muli(theta))
                    .addi(curvature.sub(start).muli(1 - theta));
            assertThat(fuse.params().equalsWithEps(expected, 1e-12))
                    .as("%s, step %d", kind, step)
                    .isTrue();
            assertThat(adam).isNotEqualTo(curvature);
        }
    }

    /** Where a step with another share leads from the state that a model is in. */
    private static INDArray stepFrom(Model model, double theta, DataSet data) {
        Model copy = withShare(model, theta);
        copy.setListeners(new CurvatureListener());
        fit(copy, data);
        return copy.params().dup();
    }

    private static Model withShare(Model model, double theta) {
        String pattern = "\"theta\" : [0-9.]+";
        String replacement = "\"theta\" : " + theta;
        INDArray state = TestNetworks.updaterState(model).dup();
        if (model instanceof MultiLayerNetwork network) {
            String json = network.getLayerWiseConfigurations().toJson().replaceAll(pattern, replacement);
            MultiLayerNetwork copy = new MultiLayerNetwork(MultiLayerConfiguration.fromJson(json));
            copy.init(network.params().dup(), false);
            copy.getUpdater().setStateViewArray(copy, state, false);
            return copy;
        }
        ComputationGraph graph = (ComputationGraph) model;
        String json = graph.getConfiguration().toJson().replaceAll(pattern, replacement);
        ComputationGraph copy = new ComputationGraph(ComputationGraphConfiguration.fromJson(json));
        copy.init(graph.params().dup(), false);
        copy.getUpdater().setStateViewArray(state);
        return copy;
    }

    @Test
    void aScheduleIsLookedUpByIteration() {
        MapSchedule schedule = new MapSchedule.Builder(ScheduleType.ITERATION)
                .add(0, 1.0)
                .add(3, 0.0)
                .build();
        Model fuse = model(TestNetworks.DENSE, Fuse.ofTheta(schedule), DataType.DOUBLE, TestNetworks.PLAIN);
        Model switched = model(
                TestNetworks.DENSE,
                FusePv.builder().switchCriterion(SwitchCriterion.iteration(3)).build(),
                DataType.DOUBLE,
                TestNetworks.PLAIN);
        train(TestNetworks.DENSE, fuse, 0, STEPS, DataType.DOUBLE);
        train(TestNetworks.DENSE, switched, 0, STEPS, DataType.DOUBLE);
        assertThat(fuse.params()).as("1, then 0 is FUSE-PV").isEqualTo(switched.params());
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void resumesToTheSameBits(TestNetworks kind) throws IOException {
        Options options = Options.layer(layer -> layer.weightDecay(0.01, true));
        Model straight = model(kind, Fuse.ofTheta(0.4), DataType.FLOAT, options);
        train(kind, straight, 0, 2 * STEPS, DataType.FLOAT);
        Model first = model(kind, Fuse.ofTheta(0.4), DataType.FLOAT, options);
        train(kind, first, 0, STEPS, DataType.FLOAT);
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        ModelSerializer.writeModel(first, saved, true);
        ByteArrayInputStream in = new ByteArrayInputStream(saved.toByteArray());
        Model second = first instanceof MultiLayerNetwork
                ? ModelSerializer.restoreMultiLayerNetwork(in, true)
                : ModelSerializer.restoreComputationGraph(in, true);
        second.setListeners(new CurvatureListener());
        train(kind, second, STEPS, 2 * STEPS, DataType.FLOAT);
        assertThat(second.params()).isEqualTo(straight.params());
        assertThat(TestNetworks.updaterState(second)).isEqualTo(TestNetworks.updaterState(straight));
    }

    @Test
    void aRejectedStepAndASmallBatchLeaveAdamsPart() {
        // One trial of a first step that is far too long is rejected.
        Fuse fuse = Fuse.builder()
                .theta(0.5)
                .maxEvaluations(1)
                .sufficientDecrease(0.999)
                .build();
        Model model = model(TestNetworks.DENSE, fuse, DataType.DOUBLE, TestNetworks.PLAIN);
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        INDArray start = model.params().dup();
        fit(model, TestNetworks.DENSE.batch(0, BATCH, DataType.DOUBLE));
        assertThat(listener.statistics().rejectedSteps()).isOne();
        Model adam = model(TestNetworks.DENSE, new Adam(1e-3), DataType.DOUBLE, TestNetworks.PLAIN);
        fit(adam, TestNetworks.DENSE.batch(0, BATCH, DataType.DOUBLE));
        INDArray half = start.add(adam.params().sub(start).muli(0.5));
        assertThat(model.params().equalsWithEps(half, 1e-14)).isTrue();

        Model small = model(TestNetworks.DENSE, Fuse.ofTheta(0.5), DataType.DOUBLE, TestNetworks.PLAIN);
        CurvatureListener watching = new CurvatureListener();
        small.setListeners(watching);
        fit(small, TestNetworks.DENSE.batch(0, BATCH, DataType.DOUBLE));
        INDArray before = small.params().dup();
        fit(small, TestNetworks.DENSE.batch(1, BATCH / 3, DataType.DOUBLE));
        assertThat(watching.statistics().smallBatches()).isOne();
        assertThat(small.params()).as("Adam's part is taken").isNotEqualTo(before);
        assertThat(watching.statistics().gradientEvaluations()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 1})
    void notANumberTakesNoStepAlsoWithWeightDecay(double theta) {
        Options options = Options.layer(layer -> layer.weightDecay(0.5, true));
        Model model = model(TestNetworks.DENSE, Fuse.ofTheta(theta), DataType.FLOAT, options);
        train(TestNetworks.DENSE, model, 0, 3, DataType.FLOAT);
        INDArray before = model.params().dup();
        DataSet bad = TestNetworks.DENSE.batch(3, BATCH, DataType.FLOAT);
        bad.getFeatures().putScalar(0, Float.NaN);
        fit(model, bad);
        assertThat(model.params()).isEqualTo(before);
        train(TestNetworks.DENSE, model, 4, 5, DataType.FLOAT);
        assertThat(model.params()).isNotEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.1, Double.NaN})
    void refusesSharesOutsideOfTheUnitInterval(double theta) {
        assertThatThrownBy(() -> Fuse.ofTheta(theta))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Fuse: theta must be in [0, 1]");
        Model model = model(
                TestNetworks.DENSE,
                Fuse.ofTheta(new MapSchedule.Builder(ScheduleType.ITERATION)
                        .add(0, theta)
                        .build()),
                DataType.FLOAT,
                TestNetworks.PLAIN);
        assertThatThrownBy(() -> fit(model, TestNetworks.DENSE.batch(0, BATCH, DataType.FLOAT)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("its values must lie in [0, 1]");
    }

    @Test
    void survivesJsonAndYamlAndClone() {
        Fuse fuse = Fuse.builder()
                .theta(0.25)
                .learningRate(3e-4)
                .memory(5)
                .maxEvaluations(7)
                .sufficientDecrease(1e-3)
                .build();
        MultiLayerConfiguration configuration =
                TestNetworks.DENSE.network(fuse, DataType.FLOAT).getLayerWiseConfigurations();
        assertThat(MultiLayerConfiguration.fromJson(configuration.toJson())).isEqualTo(configuration);
        assertThat(MultiLayerConfiguration.fromYaml(configuration.toYaml())).isEqualTo(configuration);
        assertThat(configuration.toJson()).contains("\"theta\" : 0.25");
        assertThat(fuse.clone()).isEqualTo(fuse).isNotSameAs(fuse).hasSameHashCodeAs(fuse);
        assertThat(Fuse.ofTheta(0.25))
                .isNotEqualTo(fuse)
                .isNotEqualTo(Fuse.ofTheta(0.5))
                .isNotEqualTo(new FusePv());
        assertThat(fuse.toString()).startsWith("Fuse(learningRate=3.0E-4").contains("theta=0.25");
    }

    @Test
    void withoutTheListenerItIsAdam() {
        Model adam = model(TestNetworks.DENSE, new Adam(1e-3), DataType.FLOAT, TestNetworks.PLAIN);
        Model fuse = TestNetworks.DENSE.create(Fuse.ofTheta(0.5), DataType.FLOAT, TestNetworks.PLAIN);
        train(TestNetworks.DENSE, adam, 0, STEPS, DataType.FLOAT);
        train(TestNetworks.DENSE, fuse, 0, STEPS, DataType.FLOAT);
        assertThat(fuse.params()).isEqualTo(adam.params());
    }
}
