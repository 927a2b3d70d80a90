package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.MinMaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.NonNegativeConstraint;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Weight constraints are kept at each point that a step is judged by, or refused. */
class WeightConstraintsTest {

    private static final int STEPS = 40;

    private static MultiLayerNetwork classifier(IUpdater updater, LayerConstraint constraint) {
        return stack(
                builder(updater, DataType.FLOAT).activation(Activation.RELU).constrainWeights(constraint),
                dense(30, 24),
                dense(24, 16),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(16)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static DataSet classes() {
        Nd4j.getRandom().setSeed(SEED);
        INDArray x = Nd4j.rand(DataType.FLOAT, 100, 30);
        INDArray y = Nd4j.zeros(DataType.FLOAT, 100, 3);
        for (int i = 0; i < 100; i++) {
            y.putScalar(i, x.getDouble(i, 0) + x.getDouble(i, 1) > 1.2 ? 0 : x.getDouble(i, 2) > 0.5 ? 1 : 2, 1);
        }
        return new DataSet(x, y);
    }

    private static FusePv switching() {
        return FusePv.builder().switchCriterion(SwitchCriterion.iteration(4)).build();
    }

    private static Stream<IUpdater> updaters() {
        return Stream.of(switching(), FusePv.ofRate(3e-3), Preconditioned.adam());
    }

    private static double loss(MultiLayerNetwork network, DataSet data) {
        return network.score(data, false);
    }

    private static double afterAdam(LayerConstraint constraint, DataSet data) {
        MultiLayerNetwork adam = classifier(new Adam(3e-3), constraint);
        for (int step = 0; step < STEPS; step++) {
            adam.fit(data);
        }
        return loss(adam, data);
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void noCurvatureStepMakesTheBatchWorse(IUpdater updater) {
        MaxNormConstraint constraint = new MaxNormConstraint(1, 0);
        DataSet data = classes();
        MultiLayerNetwork network = classifier(updater, constraint);
        CurvatureListener listener = new CurvatureListener();
        network.setListeners(listener);
        double last = Double.POSITIVE_INFINITY;
        for (int step = 0; step < STEPS; step++) {
            network.fit(data);
            double loss = loss(network, data);
            if (listener.inCurvaturePhase()) {
                assertThat(loss).as("%s, step %d, seed %d", updater, step, SEED).isLessThanOrEqualTo(last * (1 + 1e-4));
            }
            last = loss;
        }
        assertThat(listener.phaseChanges()).hasSize(1);
        assertThat(last).as("%s, seed %d", updater, SEED).isLessThan(0.8 * afterAdam(constraint, data));
    }

    @Test
    void theBlendEndsBelowAdamToo() {
        MaxNormConstraint constraint = new MaxNormConstraint(1, 0);
        DataSet data = classes();
        MultiLayerNetwork network = classifier(Fuse.ofTheta(0.5), constraint);
        network.setListeners(new CurvatureListener());
        for (int step = 0; step < STEPS; step++) {
            network.fit(data);
        }
        assertThat(loss(network, data)).isLessThan(afterAdam(constraint, data));
    }

    private static MultiLayerNetwork nonNegative(IUpdater updater) {
        return stack(
                builder(updater, DataType.DOUBLE).constrainWeights(new NonNegativeConstraint()),
                dense(2, 8),
                meanSquares(8, 1));
    }

    @Test
    void gaussNewtonStepsAreJudgedByWhatTheConstraintLeaves() {
        for (IUpdater updater : new IUpdater[] {new Sgd(1), FusePv.ofRate(1e-2)}) {
            MultiLayerNetwork network = nonNegative(updater);
            network.setListeners(updater instanceof Sgd ? new GaussNewtonListener() : new CurvatureListener());
            DataSet data = TestNetworks.surface(40, SEED);
            double last = Double.POSITIVE_INFINITY;
            for (int step = 0; step < 30; step++) {
                network.fit(data);
                double loss = loss(network, data);
                if (updater instanceof Sgd || step > SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS) {
                    assertThat(loss)
                            .as("%s, step %d, seed %d", updater, step, SEED)
                            .isLessThanOrEqualTo(last * (1 + 1e-9));
                }
                last = loss;
            }
            for (String weights : new String[] {"0_W", "1_W"}) {
                assertThat(network.getParam(weights).minNumber().doubleValue()).isNotNegative();
            }
        }
    }

    private static Stream<LayerConstraint> constraints() {
        return Stream.of(
                new NonNegativeConstraint(), new MaxNormConstraint(0.7, 0), new MinMaxNormConstraint(0.6, 0.7, 1.0, 0));
    }

    @ParameterizedTest
    @MethodSource("constraints")
    void lfsoIsNotMisledByThem(LayerConstraint constraint) {
        DataSet data = classes();
        MultiLayerNetwork network = classifier(new Lfso(), constraint);
        network.setListeners(new LfsoListener());
        try (LogLines log = new LogLines()) {
            for (int step = 0; step < STEPS; step++) {
                network.fit(data);
            }
            assertThat(log.with("does not fall as its gradient says")).isEmpty();
        }
        assertThat(loss(network, data)).as("%s, seed %d", constraint, SEED).isLessThan(afterAdam(constraint, data));
    }

    @Test
    void solversRefuseThemAndLeaveTheNetworkAlone() {
        MultiLayerNetwork network = nonNegative(new Adam(1e-2));
        DataSet data = TestNetworks.surface(40, SEED);
        NetworkObjective objective = new NetworkObjective(network, data);
        NetworkOutputs outputs = new NetworkOutputs(network, data);
        INDArray before = network.params().dup();
        for (ThrowingCallable solver : new ThrowingCallable[] {
            () -> LbfgsSolver.minimize(objective), () -> GaussNewtonSolver.minimize(outputs, outputs.loss())
        }) {
            assertThatThrownBy(solver)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("NonNegativeConstraint");
        }
        assertThat(network.params()).isEqualTo(before);
    }

    /** Such a constraint moves the weights again each time that it is applied. */
    @Test
    void aConstraintThatIsNeverFulfilledIsRefusedOrLeftToAdam() {
        MinMaxNormConstraint partial = new MinMaxNormConstraint(0.5, 1, 0.5, 0);
        MultiLayerNetwork refused = classifier(switching(), partial);
        refused.setListeners(new CurvatureListener());
        assertThatThrownBy(() -> refused.fit(classes()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("MinMaxNormConstraint with a rate below 1");
        MultiLayerNetwork left = classifier(new FusePv(), partial);
        CurvatureListener listener = new CurvatureListener();
        left.setListeners(listener);
        for (int step = 0; step < 2 * SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS; step++) {
            left.fit(classes());
        }
        assertThat(listener.phaseChanges()).isEmpty();
    }
}
