package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.fit;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.PhaseChange;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** A batch is its inputs, labels and masks: where one of them changes, no batch is fixed. */
class ChangingBatchPartsTest {

    private static final int SWITCH = SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS;

    @ParameterizedTest
    @EnumSource(
            value = TestNetworks.class,
            names = {"DENSE", "GRAPH"})
    void withNewTargetsAtEachStepItIsAdamBitForBit(TestNetworks kind) {
        Model plain = kind.create(new Adam(1e-2), DataType.FLOAT, PLAIN);
        Model fuse = kind.create(FusePv.ofRate(1e-2), DataType.FLOAT, PLAIN);
        CurvatureListener listener = new CurvatureListener();
        fuse.setListeners(listener);
        DataSet data = kind.batch(1, 30, DataType.FLOAT);
        for (int step = 0; step < 3 * SWITCH; step++) {
            DataSet relabelled = new DataSet(
                    data.getFeatures(),
                    kind.batch(2 + step / 2, 30, DataType.FLOAT).getLabels());
            fit(plain, relabelled);
            fit(fuse, relabelled);
        }
        assertThat(fuse.params()).as("%s, seed %d", kind, SEED).isEqualTo(plain.params());
        assertThat(listener.phaseChanges()).isEmpty();
    }

    private static MultiLayerNetwork regression(IUpdater updater) {
        return stack(builder(updater, DataType.DOUBLE), dense(2, 8), meanSquares(8, 1));
    }

    @Test
    void withANewMaskAtEachStepItIsAdamBitForBit() {
        MultiLayerNetwork plain = regression(new Adam(1e-2));
        MultiLayerNetwork fuse = regression(FusePv.ofRate(1e-2));
        CurvatureListener listener = new CurvatureListener();
        fuse.setListeners(listener);
        DataSet data = TestNetworks.surface(30, SEED);
        Random random = new Random(SEED);
        for (int step = 0; step < 2 * SWITCH; step++) {
            INDArray mask = Nd4j.ones(DataType.DOUBLE, 30, 1);
            mask.putScalar(random.nextInt(30), 0, 0);
            DataSet masked = new DataSet(data.getFeatures(), data.getLabels(), null, mask);
            plain.fit(masked);
            fuse.fit(masked);
        }
        assertThat(fuse.params()).as("seed %d", SEED).isEqualTo(plain.params());
        assertThat(listener.phaseChanges()).isEmpty();
    }

    @Test
    void withTheSameMaskTheBatchIsFixed() {
        MultiLayerNetwork fuse = regression(FusePv.ofRate(1e-2));
        CurvatureListener listener = new CurvatureListener();
        fuse.setListeners(listener);
        DataSet data = TestNetworks.surface(30, SEED);
        INDArray mask = Nd4j.ones(DataType.DOUBLE, 30, 1);
        mask.putScalar(3, 0, 0);
        for (int step = 0; step < SWITCH + 2; step++) {
            fuse.fit(new DataSet(data.getFeatures(), data.getLabels(), null, mask.dup()));
        }
        assertThat(listener.inCurvaturePhase()).isTrue();
        assertThat(listener.statistics().gaussNewtonSteps()).isZero();
        assertThat(listener.statistics().curvatureSteps()).isPositive();
    }

    /** Somebody shifts the parameters behind our back, so the loss at the end of a step is not that at the next one's start. */
    @Test
    void afterEachPhaseThatTheLossRefutesTheNextComesHalfAsSoon() {
        MultiLayerNetwork fuse = regression(FusePv.ofRate(1e-3));
        CurvatureListener listener = new CurvatureListener();
        Random random = new Random(SEED);
        fuse.setListeners(listener, new BaseTrainingListener() {
            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                if (listener.inCurvaturePhase()) {
                    model.params().addi(0.1 * random.nextGaussian());
                }
            }
        });
        DataSet data = TestNetworks.surface(30, SEED);
        for (int step = 0; step < 9 * SWITCH; step++) {
            fuse.fit(data);
        }
        List<Integer> begins = listener.phaseChanges().stream()
                .filter(PhaseChange::curvature)
                .map(PhaseChange::iteration)
                .toList();
        assertThat(begins).hasSize(3);
        assertThat(begins.get(0)).isEqualTo(SWITCH);
        assertThat(begins.get(1) - begins.get(0)).isBetween(2 * SWITCH, 2 * SWITCH + 2);
        assertThat(begins.get(2) - begins.get(1)).isBetween(4 * SWITCH, 4 * SWITCH + 2);
    }
}
