package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.AdamLbfgsConfig;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Batches that are finite and yet nothing like the others: unscaled, or labelled otherwise. */
class OutlierTest {

    private static final TestNetworks KIND = TestNetworks.DENSE;
    private static final int EXAMPLES = 60;

    private LogLines log;

    @BeforeEach
    void listen() {
        log = new LogLines();
    }

    @AfterEach
    void stop() {
        log.close();
    }

    private static DataSet batch(int index) {
        return KIND.batch(index % 4, EXAMPLES, DataType.FLOAT);
    }

    /** Inputs 255 times as large, under the labels of another batch. */
    private static DataSet strange(int index) {
        DataSet data = batch(index).copy();
        data.getFeatures().muli(255);
        data.setLabels(batch(index + 1).getLabels());
        return data;
    }

    private static double loss(MultiLayerNetwork model) {
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            sum += model.score(batch(i)) / 4;
        }
        return sum;
    }

    static Stream<AdamLbfgsConfig> published() {
        return Stream.of(
                Fuse.ofTheta(0.5),
                FusePv.builder()
                        .learningRate(1e-2)
                        .switchCriterion(SwitchCriterion.iteration(30))
                        .build());
    }

    @ParameterizedTest
    @MethodSource("published")
    void aPublishedSwitchDoesNotFitAnOutlier(AdamLbfgsConfig updater) {
        MultiLayerNetwork model = KIND.network(updater, DataType.FLOAT);
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        for (int step = 0; step < 40; step++) {
            fit(model, batch(step));
        }
        assertThat(listener.statistics().outliers()).isZero();
        assertThat(log.with("takes no L-BFGS step but Adam's")).isEmpty();
        double before = loss(model);
        INDArray parameters = model.params().dup();
        fit(model, strange(40));
        assertThat(model.params()).as("Adam takes it").isNotEqualTo(parameters);
        assertThat(listener.statistics().outliers()).isOne();
        assertThat(log.with("takes no L-BFGS step but Adam's")).hasSize(1);
        for (int step = 41; step < 60; step++) {
            fit(model, batch(step));
        }
        assertThat(loss(model)).isLessThan(1.1 * before);
        assertThat(listener.statistics().outliers()).isOne();
    }

    @ParameterizedTest
    @MethodSource("published")
    void dataThatStayAnotherSizeBecomeTheMeasure(AdamLbfgsConfig updater) {
        MultiLayerNetwork model = KIND.network(updater, DataType.FLOAT);
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        for (int step = 0; step < 40; step++) {
            fit(model, batch(step));
        }
        long steps = listener.statistics().curvatureSteps();
        for (int step = 40; step < 60; step++) {
            fit(model, strange(step));
        }
        assertThat(listener.statistics().outliers()).isBetween(1L, 8L);
        assertThat(listener.statistics().curvatureSteps() - steps).isGreaterThanOrEqualTo(12);
    }

    @Test
    void lfsoTakesNoStepOnAnOutlier() {
        MultiLayerNetwork model = KIND.network(new Lfso(), DataType.FLOAT);
        LfsoListener listener = new LfsoListener();
        model.setListeners(listener);
        for (int step = 0; step < 200; step++) {
            fit(model, batch(step));
        }
        assertThat(listener.statistics().skippedBatches()).isZero();
        INDArray parameters = model.params().dup();
        fit(model, strange(200));
        assertThat(model.params()).isEqualTo(parameters);
        assertThat(log.with("takes no step: its loss is")).hasSize(1);
    }

    /** What is broken comes back also where the average of the loss has just begun anew. */
    @Test
    void lfsoGoesBackAfterTheDataHaveChanged() {
        MultiLayerNetwork model = LfsoListenerTest.linear(new Lfso(), DataType.FLOAT);
        LfsoListener listener = new LfsoListener();
        model.setListeners(listener);
        DataSet data = new DataSet(
                Nd4j.createFromArray(new float[][] {{1, 2}, {3, -1}, {0.5f, 0.25f}}),
                Nd4j.createFromArray(new float[][] {{1}, {-2}, {0.5f}}));
        DataSet far = new DataSet(data.getFeatures(), data.getLabels().mul(1000));
        for (int step = 0; step < 30; step++) {
            model.fit(data);
        }
        for (int step = 0; step < LfsoListener.PATIENCE; step++) {
            model.fit(far);
        }
        assertThat(listener.statistics().rollBacks()).isZero();
        model.params().putScalar(1, 1.5e19); // finite, and so is its square, but not that of the output
        for (int step = 0; step < LfsoListener.PATIENCE; step++) {
            model.fit(data);
        }
        assertThat(listener.statistics().rollBacks()).isOne();
        assertThat(model.score(data)).isLessThan(10);
    }

    /** Three in a row are what the data are now. */
    @Test
    void lfsoTrainsOnWhatStaysSo() {
        MultiLayerNetwork model = KIND.network(new Lfso(), DataType.FLOAT);
        LfsoListener listener = new LfsoListener();
        model.setListeners(listener);
        for (int step = 0; step < 200; step++) {
            fit(model, batch(step));
        }
        for (int step = 200; step < 240; step++) {
            fit(model, strange(step));
        }
        assertThat(listener.statistics().skippedBatches()).isEqualTo(LfsoListener.PATIENCE);
        assertThat(listener.statistics().rollBacks()).isZero();
    }
}
