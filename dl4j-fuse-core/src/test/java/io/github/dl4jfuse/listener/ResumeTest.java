package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** k steps, save, load, k more steps are 2k steps to the last bit, whichever phase the save falls into. */
class ResumeTest {

    private static final int STEPS = 14;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        // saved in the Adam phase, exactly at the switch, with a part-filled ring, with a ring that has wrapped
        "DENSE, FLOAT, 20", "DENSE, FLOAT, 14", "DENSE, FLOAT, 12", "DENSE, FLOAT, 2",
        "DENSE, DOUBLE, 2", "CONVOLUTION, FLOAT, 5", "BATCH_NORM, FLOAT, 20", "BATCH_NORM, FLOAT, 5",
        "GRAPH, FLOAT, 20", "GRAPH, DOUBLE, 5"
    })
    void afterSavingAndLoading(TestNetworks kind, DataType type, int switchAt) throws IOException {
        FusePv updater = FusePv.builder()
                .switchCriterion(SwitchCriterion.iteration(switchAt))
                .memory(5)
                .build();
        checkResume(kind, type, updater);
    }

    @ParameterizedTest
    @CsvSource({"DENSE, FLOAT", "GRAPH, DOUBLE"})
    void withMeasuredSteps(TestNetworks kind, DataType type) throws IOException {
        FusePv updater = FusePv.builder()
                .switchCriterion(SwitchCriterion.iteration(2))
                .measuredSteps(true)
                .build();
        checkResume(kind, type, updater);
    }

    @ParameterizedTest
    @CsvSource({"0.9, true", "0.9, false", "1.0, false", "0.7, true"})
    void withACriterionThatRemembersTheLosses(double threshold, boolean latched) throws IOException {
        FusePv updater = FusePv.builder()
                .learningRate(1e-2)
                .switchCriterion(SwitchCriterion.loss(threshold))
                .warmUpEpochs(0)
                .latched(latched)
                .build();
        checkResume(TestNetworks.DENSE, DataType.FLOAT, updater);
    }

    /** The share is 1 at first, 0 just before the save, and goes on changing after it. */
    @ParameterizedTest
    @CsvSource({"DENSE, FLOAT", "BATCH_NORM, FLOAT", "GRAPH, DOUBLE"})
    void withAShareThatIsScheduled(TestNetworks kind, DataType type) throws IOException {
        MapSchedule theta = new MapSchedule.Builder(ScheduleType.ITERATION)
                .add(0, 1)
                .add(4, 0.5)
                .add(12, 0)
                .add(14, 0.25)
                .add(20, 0.75)
                .build();
        checkResume(kind, type, Fuse.builder().thetaSchedule(theta).memory(5).build());
    }

    /** A small batch comes now and then, and first thing after loading. */
    private static DataSet batch(TestNetworks kind, int step, DataType type) {
        return kind.batch(step, step % 5 == STEPS % 5 ? 6 : 24, type);
    }

    private void checkResume(TestNetworks kind, DataType type, IUpdater updater) throws IOException {
        Model straight = kind.create(updater, type, PLAIN);
        straight.setListeners(new CurvatureListener());
        Model half = kind.create(updater, type, PLAIN);
        half.setListeners(new CurvatureListener());
        for (int step = 0; step < STEPS; step++) {
            fit(straight, batch(kind, step, type));
            fit(half, batch(kind, step, type));
        }
        File file = folder.resolve("model.zip").toFile();
        ModelSerializer.writeModel(half, file, true);
        Model loaded = kind == TestNetworks.GRAPH
                ? ModelSerializer.restoreComputationGraph(file, true)
                : ModelSerializer.restoreMultiLayerNetwork(file, true);
        CurvatureListener listener = new CurvatureListener();
        loaded.setListeners(listener);
        assertThat(TestNetworks.updaterState(loaded)).isEqualTo(TestNetworks.updaterState(half));
        for (int step = STEPS; step < 2 * STEPS; step++) {
            fit(straight, batch(kind, step, type));
            fit(loaded, batch(kind, step, type));
            assertThat(loaded.params().sub(straight.params()).amaxNumber().doubleValue())
                    .as("difference after step %d, seed %d", step, TestNetworks.SEED)
                    .isZero();
        }
        assertThat(TestNetworks.updaterState(loaded)).isEqualTo(TestNetworks.updaterState(straight));
    }
}
