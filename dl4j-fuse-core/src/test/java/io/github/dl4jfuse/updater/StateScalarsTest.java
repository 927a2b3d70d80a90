package io.github.dl4jfuse.updater;

import static org.assertj.core.api.Assertions.assertThat;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.optim.MeasuredSmoothness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class StateScalarsTest {

    private static final int N = 5;

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"DOUBLE", "FLOAT", "HALF", "BFLOAT16"})
    void whatIsSetIsWhatTheStateHolds(DataType type) {
        INDArray state = Nd4j.zeros(type, 10);
        StateScalars numbers = new StateScalars(state.get(interval(2, 6)));
        numbers.set(1, 0.1);
        numbers.set(2, -7);
        numbers.set(3, Double.NaN);
        INDArray expected = Nd4j.zeros(type, 10);
        expected.putScalar(3, 0.1);
        expected.putScalar(4, -7);
        expected.putScalar(5, Double.NaN);
        for (int i = 0; i < 10; i++) {
            assertThat(state.getDouble(i)).as("element %d", i).isEqualTo(Double.valueOf(expected.getDouble(i)));
        }
        for (int slot = 0; slot < 4; slot++) {
            assertThat(numbers.get(slot)).as("slot %d", slot).isEqualTo(Double.valueOf(expected.getDouble(2 + slot)));
        }
        numbers.set(3, 0);
        assertThat(state.getDouble(5)).isZero();
        StateScalars loaded = new StateScalars(state.get(interval(2, 6)));
        assertThat(loaded.get(1)).isEqualTo(numbers.get(1));
    }

    /** As a listener does when it meets a network whose updater state has been set. */
    @Test
    void updatersTakeUpAStateThatWasSetBeforeTheyArePrepared() {
        INDArray fuseState = Nd4j.zeros(DataType.FLOAT, 1, new FusePv().stateSize(N));
        FuseUpdater fuse = (FuseUpdater) new FusePv().instantiate(fuseState, true);
        fuse.prepare(N);
        INDArray before = fuseState.dup();
        fuse.seeBatch(7);
        assertThat(fuseState).isNotEqualTo(before);
        INDArray saved = fuseState.dup();
        fuse.seeBatch(9);
        fuseState.assign(saved);
        fuse.prepare(N);
        assertThat(fuse.largestBatch()).isEqualTo(7);

        INDArray lfsoState = Nd4j.zeros(DataType.FLOAT, 1, new Lfso().stateSize(N));
        LfsoUpdater lfso = (LfsoUpdater) new Lfso().instantiate(lfsoState, true);
        lfso.prepare(N);
        lfso.setMeasured(MeasuredSmoothness.guess(0.25));
        assertThat(lfso.isCalibrated()).isTrue();
        lfsoState.assign(0);
        lfso.prepare(N);
        assertThat(lfso.isCalibrated()).isFalse();
    }

    @Test
    void lfsoForgetsWhatItHasMeasured() {
        INDArray state = Nd4j.zeros(DataType.FLOAT, 1, new Lfso().stateSize(N));
        LfsoUpdater lfso = (LfsoUpdater) new Lfso().instantiate(state, true);
        lfso.prepare(N);
        lfso.setMeasured(MeasuredSmoothness.guess(0.25));
        lfso.setSteps(3);
        lfso.reset();
        assertThat(lfso.isCalibrated()).isFalse();
        assertThat(lfso.steps()).isZero();
        assertThat(state).isEqualTo(state.mul(0));
    }
}
