package io.github.dl4jfuse.listener;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.dl4jfuse.HeldMemory;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.linalg.MemoryEstimate;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.step.CurvatureStep;
import io.github.dl4jfuse.step.StepConductor;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.slf4j.LoggerFactory;

/** The bytes of the L-BFGS phase against the arrays that it holds, and the sentence before a large one. */
class FuseMemoryTest {

    private static final TestNetworks KIND = TestNetworks.DENSE;

    static List<IUpdater> updaters() {
        return List.of(
                new FusePv(),
                Preconditioned.adam(),
                FusePv.builder()
                        .switchCriterion(SwitchCriterion.iteration(0))
                        .memory(3)
                        .build(),
                Fuse.builder().theta(0.5).memory(3).build());
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void reportedBytesAreThoseHeld(IUpdater updater) {
        for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
            MultiLayerNetwork model =
                    (MultiLayerNetwork) KIND.create(updater, type, Options.layer(layer -> layer.weightDecay(0.1)));
            model.setListeners(new CurvatureListener()); // binds the updaters' states
            model.fit(KIND.batch(1, 8, type));
            TrainingNetwork<FuseUpdater> network = TrainingNetwork.ofFuse(model);
            CurvatureStep step = StepConductor.stepOf(network);
            assertThat(StepConductor.bytesOfStep(network))
                    .as("%s, %s", updater, type)
                    .isEqualTo(
                            HeldMemory.of(step, model.params(), model.getFlattenedGradients(), model.updaterState()));
        }
    }

    @Test
    void saysBeforehandThatItTakesMuch() {
        Logger logger = (Logger) LoggerFactory.getLogger(MemoryEstimate.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.INFO);
        try {
            long free = Pointer.maxBytes() - Pointer.totalBytes();
            int memory = 50;
            int inputs = (int) (1.3 * MemoryEstimate.FROM * free / (2 * memory) / Float.BYTES);
            for (int n : new int[] {inputs / 10, inputs}) {
                log.list.clear();
                MultiLayerNetwork model = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                        .updater(FusePv.builder()
                                .switchCriterion(SwitchCriterion.epoch(5))
                                .memory(memory)
                                .build())
                        .list()
                        .layer(new OutputLayer.Builder(LossFunction.MSE)
                                .nIn(n)
                                .nOut(1)
                                .activation(Activation.IDENTITY)
                                .build())
                        .build());
                model.init();
                model.setListeners(new CurvatureListener());
                model.fit(new DataSet(Nd4j.ones(DataType.FLOAT, 1, n), Nd4j.ones(DataType.FLOAT, 1, 1)));
                if (n < inputs) {
                    assertThat(log.list).isEmpty();
                } else {
                    assertThat(log.list).hasSize(1);
                    assertThat(log.list.get(0).getFormattedMessage())
                            .startsWith("Training with up to 50 curvature pairs takes ");
                }
            }
        } finally {
            logger.detachAppender(log);
            logger.setLevel(null);
        }
    }
}
