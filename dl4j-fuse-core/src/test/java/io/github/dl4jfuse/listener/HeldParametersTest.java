package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/** What a user holds stays where it is to the last bit, whoever moves the rest. */
class HeldParametersTest {

    private static final DataSet DATA = TestNetworks.surface(60, SEED);

    /** Ways to hold a layer. */
    private enum Hold {
        FROZEN {
            @Override
            Layer of(DenseLayer.Builder layer, IUpdater updater) {
                return new FrozenLayer(layer.build());
            }
        },
        FROZEN_WITH_BACKPROP {
            @Override
            Layer of(DenseLayer.Builder layer, IUpdater updater) {
                return new FrozenLayerWithBackprop(layer.build());
            }
        },
        RATE_ZERO {
            @Override
            Layer of(DenseLayer.Builder layer, IUpdater updater) {
                IUpdater still = updater.clone();
                still.setLrAndSchedule(0, null);
                return layer.updater(still).build();
            }
        };

        abstract Layer of(DenseLayer.Builder layer, IUpdater updater);

        Layer of(int inputs, int outputs, IUpdater updater) {
            return of(new DenseLayer.Builder().nIn(inputs).nOut(outputs), updater);
        }
    }

    /** The first layer is free wherever gradients reach it. */
    private static MultiLayerNetwork network(Hold hold, IUpdater updater) {
        return stack(
                builder(updater, DataType.DOUBLE),
                dense(2, 12),
                hold.of(12, 12, updater),
                dense(12, 12),
                meanSquares(12, 1));
    }

    private static Stream<Arguments> everyUpdaterAndHold() {
        return Stream.of(
                        Preconditioned.adam(),
                        FusePv.ofRate(1e-2),
                        Fuse.ofTheta(0.5),
                        FusePv.builder()
                                .switchCriterion(SwitchCriterion.iteration(4))
                                .build())
                .flatMap(updater -> Stream.of(Hold.values()).map(hold -> Arguments.of(updater, hold)));
    }

    @ParameterizedTest
    @MethodSource("everyUpdaterAndHold")
    void secondPhasesLeaveItAlone(IUpdater updater, Hold hold) {
        MultiLayerNetwork network = network(hold, updater);
        CurvatureListener listener = new CurvatureListener();
        network.setListeners(listener);
        INDArray held = network.getLayer(1).params().dup();
        double start = network.score(DATA);
        for (int i = 0; i < 24; i++) {
            network.fit(DATA);
        }
        assertThat(listener.statistics().curvatureSteps()
                        + listener.statistics().gaussNewtonSteps())
                .isPositive();
        assertThat(network.getLayer(1).params())
                .as("%s, %s, seed %d", updater, hold, SEED)
                .isEqualTo(held);
        assertThat(network.score(DATA)).isLessThan(0.2 * start);
    }

    @Test
    void inAGraphToo() {
        for (Hold hold : Hold.values()) {
            ComputationGraph graph = new ComputationGraph(builder(Preconditioned.adam(), DataType.DOUBLE)
                    .graphBuilder()
                    .addInputs("in")
                    .addLayer("held", hold.of(2, 12, Preconditioned.adam()), "in")
                    .addLayer("free", dense(12, 12), "held")
                    .addLayer("out", meanSquares(12, 1), "free")
                    .setOutputs("out")
                    .build());
            graph.init();
            graph.setListeners(new CurvatureListener());
            INDArray held = graph.getLayer("held").params().dup();
            double start = graph.score(DATA);
            for (int i = 0; i < 14; i++) {
                graph.fit(DATA);
            }
            assertThat(graph.getLayer("held").params()).as("%s", hold).isEqualTo(held);
            assertThat(graph.score(DATA)).isLessThan(0.5 * start);
        }
    }

    @ParameterizedTest
    @EnumSource(Hold.class)
    void solversAndGaussNewtonStepsLeaveItAlone(Hold hold) {
        MultiLayerNetwork network = network(hold, new Sgd(1));
        INDArray held = network.getLayer(1).params().dup();
        double start = network.score(DATA);
        LbfgsSolver.builder().maxIterations(20).build().run(new NetworkObjective(network, DATA));
        NetworkOutputs outputs = new NetworkOutputs(network, DATA);
        GaussNewtonSolver.builder().maxIterations(5).build().run(outputs, outputs.loss());
        network.setListeners(new GaussNewtonListener());
        for (int i = 0; i < 5; i++) {
            network.fit(DATA);
        }
        assertThat(network.getLayer(1).params()).as("%s", hold).isEqualTo(held);
        assertThat(network.score(DATA)).isLessThan(0.01 * start);
    }

    @Test
    void penaltiesMoveNothingThatIsHeldInASecondPhase() {
        MultiLayerNetwork network = stack(
                builder(FusePv.ofRate(1e-2), DataType.DOUBLE).l2(1e-2),
                dense(2, 12),
                Hold.RATE_ZERO.of(12, 12, FusePv.ofRate(1e-2)),
                meanSquares(12, 1));
        network.setListeners(new CurvatureListener());
        INDArray held = network.getLayer(1).params().dup();
        for (int i = 0; i < 20; i++) {
            network.fit(DATA);
        }
        assertThat(network.getLayer(1).params()).isEqualTo(held);
    }

    /** The decoder of an autoencoder takes no part in supervised training. */
    @Test
    void whatIsThereForPretrainingAloneStays() {
        MultiLayerNetwork network = stack(
                builder(new Adam(1e-2), DataType.DOUBLE).l2(1e-2),
                new VariationalAutoencoder.Builder()
                        .nIn(2)
                        .nOut(4)
                        .encoderLayerSizes(6)
                        .decoderLayerSizes(6)
                        .build(),
                meanSquares(4, 1));
        INDArray decoder = network.getParam("0_d0W").dup();
        LbfgsSolver.builder().maxIterations(10).build().run(new NetworkObjective(network, DATA));
        assertThat(network.getParam("0_d0W")).isEqualTo(decoder);
    }

    @Test
    void whereNothingMayMoveTheSolverSaysSo() {
        assertThatThrownBy(() -> LbfgsSolver.minimize(new NetworkObjective(
                        stack(builder(new Sgd(0), DataType.DOUBLE), dense(2, 4), meanSquares(4, 1)), DATA)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("No parameter of the network may move");
    }

    /** A warm-up begins with rate zero and is no way to hold a layer. */
    @Test
    void aScheduleThatBeginsWithZeroHoldsNothing() {
        MapSchedule warmUp = new MapSchedule(ScheduleType.ITERATION, Map.of(0, 0.0, 5, 1e-2));
        MultiLayerNetwork network = stack(builder(new Sgd(warmUp), DataType.DOUBLE), dense(2, 12), meanSquares(12, 1));
        double start = network.score(DATA);
        LbfgsSolver.builder().maxIterations(10).build().run(new NetworkObjective(network, DATA));
        assertThat(network.score(DATA)).isLessThan(0.5 * start);
    }
}
