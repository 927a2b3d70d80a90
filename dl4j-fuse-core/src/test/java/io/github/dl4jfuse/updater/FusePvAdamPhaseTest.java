package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.CurvatureListener;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** Before the switch, FUSE-PV is DL4J's Adam to the last bit. */
class FusePvAdamPhaseTest {

    private static final int STEPS = 200;
    private static final SwitchCriterion NEVER = SwitchCriterion.iteration(Integer.MAX_VALUE);

    @ParameterizedTest
    @CsvSource({
        "DENSE, FLOAT, true", "DENSE, DOUBLE, true", "CONVOLUTION, FLOAT, true", "CONVOLUTION, DOUBLE, true",
        "BATCH_NORM, FLOAT, true", "BATCH_NORM, DOUBLE, true", "GRAPH, FLOAT, true", "GRAPH, DOUBLE, true",
        "DENSE, FLOAT, false", "BATCH_NORM, DOUBLE, false"
    })
    void equalsAdamBitForBit(TestNetworks kind, DataType type, boolean listen) {
        Model adam = kind.create(new Adam(3e-3), type, PLAIN);
        Model fuse = kind.create(
                FusePv.builder().learningRate(3e-3).switchCriterion(NEVER).build(), type, PLAIN);
        if (listen) {
            fuse.setListeners(new CurvatureListener());
        }
        assertThat(fuse.params()).as("same start").isEqualTo(adam.params());
        for (int step = 0; step < STEPS; step++) {
            fit(adam, kind.batch(step, 16, type));
            fit(fuse, kind.batch(step, 16, type));
            assertSameBits(fuse.params(), adam.params(), step);
        }
    }

    @Test
    void followsAScheduleAndRegularizationLikeAdam() {
        var schedule = new ExponentialSchedule(ScheduleType.ITERATION, 1e-2, 0.98);
        TestNetworks.Options options =
                TestNetworks.Options.layer(layer -> layer.l2(1e-2).l1(1e-3).weightDecayBias(1e-2));
        TestNetworks kind = TestNetworks.BATCH_NORM;
        Model adam = kind.create(new Adam(schedule), DataType.FLOAT, options);
        Model fuse = kind.create(FusePv.ofRate(schedule), DataType.FLOAT, options);
        fuse.setListeners(new CurvatureListener());
        for (int step = 0; step < STEPS; step++) {
            fit(adam, kind.batch(step, 16, DataType.FLOAT));
            fit(fuse, kind.batch(step, 16, DataType.FLOAT));
        }
        assertSameBits(fuse.params(), adam.params(), STEPS);
        assertThat(((MultiLayerNetwork) adam).calcRegularizationScore(true))
                .as("the options took effect")
                .isPositive();
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void withoutTheListenerItStaysAdamAfterTheSwitchIsDue(TestNetworks kind) {
        Model adam = kind.create(new Adam(), DataType.FLOAT, PLAIN);
        Model fuse = kind.create(
                FusePv.builder().switchCriterion(SwitchCriterion.iteration(3)).build(), DataType.FLOAT, PLAIN);
        for (int step = 0; step < 20; step++) {
            fit(adam, kind.batch(step, 16, DataType.FLOAT));
            fit(fuse, kind.batch(step, 16, DataType.FLOAT));
        }
        assertSameBits(fuse.params(), adam.params(), 20);
    }

    private static void assertSameBits(INDArray actual, INDArray expected, int step) {
        assertThat(actual.sub(expected).amaxNumber().doubleValue())
                .as("largest difference from Adam after step %d, seed %d", step, TestNetworks.SEED)
                .isZero();
    }
}
