package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.List;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What is only offered must not end a training: it goes on without. */
class OptionalLooksTest {

    private static final int STEPS = SwitchCriterion.DEFAULT_FIXED_BATCH_STEPS + 4;

    private static MultiLayerNetwork classifier(IUpdater updater, LossFunction loss) {
        return stack(
                builder(updater, DataType.FLOAT),
                dense(4, 5),
                new OutputLayer.Builder(loss)
                        .nIn(5)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static DataSet classes(LossFunction loss) {
        Nd4j.getRandom().setSeed(SEED);
        boolean integers = loss == LossFunction.SPARSE_MCXENT;
        INDArray labels = Nd4j.zeros(DataType.FLOAT, 30, integers ? 1 : 3);
        for (int i = 0; i < 30; i++) {
            if (integers) {
                labels.putScalar(i, 0, i % 3);
            } else {
                labels.putScalar(i, i % 3, i % 2 + 1); // does not add up to 1
            }
        }
        return new DataSet(Nd4j.rand(DataType.FLOAT, 30, 4), labels);
    }

    @Test
    void labelsThatTheGeometryDoesNotUnderstandAreTrainedOn() {
        for (LossFunction loss : List.of(LossFunction.SPARSE_MCXENT, LossFunction.MCXENT)) {
            DataSet data = classes(loss);
            for (IUpdater updater : List.of(Preconditioned.adam(), new FusePv())) {
                MultiLayerNetwork network = classifier(updater, loss);
                CurvatureListener listener = new CurvatureListener();
                network.setListeners(listener, new GeometryListener(1, 0.1));
                double start = network.score(data);
                for (int i = 0; i < STEPS; i++) {
                    network.fit(data);
                }
                assertThat(listener.statistics().curvatureSteps())
                        .as("%s", loss)
                        .isPositive();
                assertThat(network.score(data)).isLessThan(start);
            }
            MultiLayerNetwork network = classifier(new Sgd(1), loss);
            network.setListeners(new GaussNewtonListener());
            assertThatThrownBy(() -> network.fit(data))
                    .as("%s", loss)
                    .hasMessageMatching("(?s).*(classes as integers|add up to).*");
        }
    }

    private static MultiLayerNetwork variational(IUpdater updater) {
        return stack(
                builder(updater, DataType.DOUBLE),
                new VariationalAutoencoder.Builder()
                        .nIn(2)
                        .nOut(4)
                        .encoderLayerSizes(6)
                        .decoderLayerSizes(6)
                        .build(),
                meanSquares(4, 1));
    }

    @Test
    void aVariationalLayerIsTakenByItsEncoder() {
        DataSet data = TestNetworks.surface(20, SEED);
        MultiLayerNetwork network = variational(new Sgd(1));
        GeometryListener watch = new GeometryListener(1, 0.1);
        network.setListeners(new GaussNewtonListener(), watch);
        double start = network.score(data);
        for (int i = 0; i < 5; i++) {
            network.fit(data);
        }
        assertThat(network.score(data)).isLessThan(0.5 * start);
        assertThat(watch.reports()).isNotEmpty();
        double before = network.score(data);
        NetworkOutputs outputs = new NetworkOutputs(network, data);
        GaussNewtonSolver.builder().maxIterations(3).build().run(outputs, outputs.loss());
        assertThat(network.score(data)).isLessThan(before);
    }

    private static MultiLayerNetwork stacked(IUpdater updater) {
        return stack(
                builder(updater, DataType.FLOAT),
                new AutoEncoder.Builder().nIn(4).nOut(5).corruptionLevel(0).build(),
                meanSquares(5, 1));
    }

    /** DL4J shows the layer in pretraining to the network's listeners. */
    @Test
    void pretrainingAfterTrainingIsLeftAlone() {
        Nd4j.getRandom().setSeed(SEED);
        DataSet data = new DataSet(Nd4j.rand(DataType.FLOAT, 20, 4), Nd4j.rand(DataType.FLOAT, 20, 1));
        record Case(IUpdater updater, TrainingListener listener) {}
        for (Case each : List.of(
                new Case(Preconditioned.adam(), new CurvatureListener()),
                new Case(
                        FusePv.builder()
                                .switchCriterion(SwitchCriterion.iteration(5))
                                .build(),
                        new CurvatureListener()),
                new Case(Fuse.ofTheta(0.5), new CurvatureListener()),
                new Case(new Lfso(), new LfsoListener()),
                new Case(new Sgd(0.5), new GaussNewtonListener()),
                new Case(new Adam(1e-2), new GeometryListener(1, 0.1)),
                new Case(new Adam(1e-2), new SaddleListener(data).window(20)))) {
            MultiLayerNetwork network = stacked(each.updater());
            network.setListeners(each.listener());
            for (int i = 0; i < STEPS; i++) {
                network.fit(data);
            }
            Object counted = each.listener() instanceof CurvatureListener fuse ? fuse.statistics() : null;
            INDArray output = network.getParam("1_W").dup();
            INDArray first = network.getParam("0_W").dup();
            network.pretrain(new ExistingDataSetIterator(List.of(data, data)));
            String name = each.listener().getClass().getSimpleName();
            assertThat(Nd4j.getMemoryManager().getCurrentWorkspace()).as(name).isNull();
            assertThat(network.getParam("1_W")).as(name).isEqualTo(output);
            assertThat(network.getParam("0_W")).as(name).isNotEqualTo(first);
            assertThat(each.listener() instanceof CurvatureListener fuse ? fuse.statistics() : null)
                    .isEqualTo(counted);
            network.fit(data);
            assertThat(network.score()).as(name).isFinite();
        }
    }

    @Test
    void sixteenBitsAreRefusedInOneSentence() {
        DataSet data = new DataSet(Nd4j.ones(DataType.HALF, 5, 4), Nd4j.ones(DataType.HALF, 5, 1));
        for (IUpdater updater : List.of(Preconditioned.adam(), new FusePv(), Fuse.ofTheta(0.5), new Lfso())) {
            assertThatThrownBy(() -> {
                        MultiLayerNetwork network =
                                stack(builder(updater, DataType.HALF), dense(4, 3), meanSquares(3, 1));
                        network.setListeners(updater instanceof Lfso ? new LfsoListener() : new CurvatureListener());
                        network.fit(data);
                    })
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(updater.getClass().getSimpleName()
                            + " computes in FLOAT or DOUBLE, not in HALF: give the network .dataType(DataType.FLOAT).");
        }
    }
}
