package io.github.dl4jfuse.acceleration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.dl4jfuse.acceleration.updating.FastAdam;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class FastAdamTest {

    private static final long SEED = 17;

    private static AdamUpdater over(AdamUpdater updater, INDArray state, long[] shape) {
        updater.setStateViewArray(state, shape, 'c', true);
        return updater;
    }

    private static void assertSameBits(Adam config, DataType type, int start, long... shape) {
        Random random = new Random(SEED);
        INDArray[] gradients = {Nd4j.create(type, shape), Nd4j.create(type, shape)};
        long n = gradients[0].length();
        INDArray[] states = {Nd4j.create(type, 1, 2 * n), Nd4j.create(type, 1, 2 * n)};
        AdamUpdater[] updaters = {
            over(new FastAdam(config), states[0], shape), over(new AdamUpdater(config), states[1], shape)
        };
        for (int iteration = start; iteration < start + 12; iteration++) {
            for (long i = 0; i < n; i++) {
                double value = random.nextGaussian() * Math.pow(10, random.nextInt(30) - 22);
                gradients[0].putScalar(i, value);
                gradients[1].putScalar(i, value);
            }
            updaters[0].applyUpdater(gradients[0], iteration, 0);
            updaters[1].applyUpdater(gradients[1], iteration, 0);
            assertThat(gradients[0].data().asDouble())
                    .as("step %d, seed %d", iteration, SEED)
                    .isEqualTo(gradients[1].data().asDouble());
        }
        assertThat(states[0].data().asDouble()).isEqualTo(states[1].data().asDouble());
    }

    @ParameterizedTest
    @CsvSource({
        "0.001, 0.9, 0.999, 1e-8, 0",
        "0.1, 0, 0.9, 1e-8, 0",
        "1e-6, 0.99, 0.9999, 1e-4, 7",
        "0, 0.9, 0.999, 1e-8, 3",
        "0.01, 0.5, 0, 1, 0",
        "0.001, 0.9, 0.999, 1e-8, 2000000"
    })
    void bitsAreThoseOfDl4js(double rate, double beta1, double beta2, double epsilon, int start) {
        for (int n : new int[] {1, 1023, 1024, 3001}) {
            assertSameBits(new Adam(rate, beta1, beta2, epsilon), DataType.FLOAT, start, n);
            assertSameBits(new Adam(rate, beta1, beta2, epsilon), DataType.FLOAT, start, 1, n);
        }
        assertSameBits(new Adam(rate, beta1, beta2, epsilon), DataType.DOUBLE, start, 50);
    }

    @Test
    void ratesFollowTheirSchedule() {
        Adam config = new Adam(new ExponentialSchedule(ScheduleType.ITERATION, 0.1, 0.5));
        assertSameBits(config, DataType.FLOAT, 0, 40);
    }

    /** Whether it is our loop that ran: a gradient that is a view with gaps is left to DL4J's operation, others are not. */
    @Test
    void theLoopIsUsedWhereItCanBe() {
        assumeTrue(Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU);
        INDArray gradient = Nd4j.ones(DataType.FLOAT, 6, 2);
        INDArray column =
                gradient.get(NDArrayIndex.all(), NDArrayIndex.point(1)).reshape(6, 1);
        FastAdam updater = new FastAdam(new Adam(0.1));
        INDArray m = Nd4j.zeros(DataType.FLOAT, 6, 1);
        INDArray v = Nd4j.zeros(DataType.FLOAT, 6, 1);
        updater.setState(Map.of(AdamUpdater.M_STATE, m, AdamUpdater.V_STATE, v), false);
        updater.applyUpdater(column, 0, 0);
        assertThat(m.data().asFloat()).containsOnly(1 - 0.9f);
        assertThat(FastAdam.isUsed(m)).isTrue();
        assertThat(FastAdam.isUsed(column)).isFalse();
        assertThat(FastAdam.isUsed(Nd4j.ones(DataType.DOUBLE, 3))).isFalse();
    }
}
