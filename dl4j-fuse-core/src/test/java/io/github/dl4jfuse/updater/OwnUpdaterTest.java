package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.DL4JFuse;
import java.util.Map;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** What a user has to write for a rule of his own: an updater of DL4J's kind, which the metric of the inputs takes like any other. */
class OwnUpdaterTest {

    /** Steps by the sign of an average of the gradients: m ← β m + (1 - β) g, step η sign(m). */
    record SignOfAverage(
            @JsonProperty("rate") double rate,
            @JsonProperty("beta") double beta) implements IUpdater {

        @Override
        public long stateSize(long n) {
            return n;
        }

        @Override
        public GradientUpdater<SignOfAverage> instantiate(INDArray state, boolean initialize) {
            if (initialize && state != null) {
                state.assign(0);
            }
            return new Rule(this, state);
        }

        @Override
        public GradientUpdater<SignOfAverage> instantiate(Map<String, INDArray> state, boolean initialize) {
            return instantiate(state.get("M"), initialize);
        }

        @Override
        public double getLearningRate(int iteration, int epoch) {
            return rate;
        }

        @Override
        public boolean hasLearningRate() {
            return true;
        }

        @Override
        public void setLrAndSchedule(double lr, ISchedule schedule) {
            throw new UnsupportedOperationException("The rate of SignOfAverage stays what it is.");
        }

        @Override
        @SuppressWarnings("MethodDoesntCallSuperMethod")
        public SignOfAverage clone() {
            return new SignOfAverage(rate, beta);
        }
    }

    private static final class Rule implements GradientUpdater<SignOfAverage> {

        private final SignOfAverage config;
        private INDArray average;

        Rule(SignOfAverage config, INDArray average) {
            this.config = config;
            this.average = average;
        }

        @Override
        public SignOfAverage getConfig() {
            return config;
        }

        @Override
        public void setState(Map<String, INDArray> state, boolean initialize) {
            average = state.get("M");
        }

        @Override
        public Map<String, INDArray> getState() {
            return Map.of("M", average);
        }

        @Override
        public void setStateViewArray(INDArray view, long[] shape, char order, boolean initialize) {
            average = view;
        }

        @Override
        public void applyUpdater(INDArray gradient, int iteration, int epoch) {
            INDArray m = average.reshape(gradient.shape());
            m.muli(config.beta()).addi(gradient.mul(1 - config.beta()));
            gradient.assign(Transforms.sign(m)).muli(config.rate());
        }
    }

    private static MultiLayerNetwork trained(IUpdater updater) {
        MultiLayerNetwork net = TestNetworks.DENSE.network(updater, DataType.FLOAT);
        if (updater instanceof Preconditioned) {
            DL4JFuse.attach(net);
        }
        for (int step = 0; step < 60; step++) {
            fit(net, TestNetworks.DENSE.batch(step % 4, 40, DataType.FLOAT));
        }
        return net;
    }

    @Test
    void itWorksAloneAndInTheMetric() {
        IUpdater rule = new SignOfAverage(1e-3, 0.9);
        double start =
                TestNetworks.DENSE.network(rule, DataType.FLOAT).score(TestNetworks.DENSE.batch(0, 40, DataType.FLOAT));
        for (IUpdater updater : new IUpdater[] {rule, Preconditioned.of(rule)}) {
            MultiLayerNetwork net = trained(updater);
            assertThat(net.score(TestNetworks.DENSE.batch(0, 40, DataType.FLOAT)))
                    .as("%s", updater)
                    .isLessThan(0.8 * start);
            assertThat(MultiLayerConfiguration.fromJson(
                            net.getLayerWiseConfigurations().toJson()))
                    .isEqualTo(net.getLayerWiseConfigurations());
        }
    }
}
