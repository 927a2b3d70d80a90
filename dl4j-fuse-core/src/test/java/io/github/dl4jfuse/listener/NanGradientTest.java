package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A loss may be finite, and low, where its gradient is not: no step ends there. */
class NanGradientTest {

    private static Stream<IUpdater> updaters() {
        return Stream.of(
                Preconditioned.adam(),
                FusePv.ofRate(1e-2),
                FusePv.builder().switchCriterion(SwitchCriterion.iteration(4)).build());
    }

    /** DL4J clips the probabilities of a KL divergence in its value, and divides by them in its gradient. */
    @ParameterizedTest
    @MethodSource("updaters")
    void theLossNeverRisesAndNoBatchIsLeftOut(IUpdater updater) {
        MultiLayerNetwork network = stack(
                builder(updater, DataType.FLOAT),
                dense(4, 6),
                new OutputLayer.Builder(LossFunction.KL_DIVERGENCE)
                        .nIn(6)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build());
        CurvatureListener listener = new CurvatureListener();
        network.setListeners(listener);
        Nd4j.getRandom().setSeed(SEED);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, 30, 3);
        for (int i = 0; i < 30; i++) {
            labels.putScalar(i, i % 3, 1);
        }
        DataSet data = new DataSet(Nd4j.rand(DataType.FLOAT, 30, 4), labels);
        double last = Double.POSITIVE_INFINITY;
        for (int step = 0; step < 60; step++) {
            boolean curvature = listener.inCurvaturePhase();
            network.fit(data);
            if (curvature) {
                assertThat(network.score())
                        .as("%s, step %d, seed %d", updater, step, SEED)
                        .isLessThanOrEqualTo(last * (1 + 1e-5));
            }
            last = network.score();
        }
        assertThat(listener.statistics().curvatureSteps()).isPositive();
        assertThat(listener.statistics().skippedBatches())
                .as("%s, seed %d", updater, SEED)
                .isZero();
        assertThat(listener.statistics().rollBacks()).isZero();
        assertThat(last).isLessThan(0.95);
    }
}
