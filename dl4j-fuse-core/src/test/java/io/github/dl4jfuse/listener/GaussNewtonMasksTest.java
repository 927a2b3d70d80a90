package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** Where the loss is not what the geometry of the outputs takes it for, no step is made by it. */
class GaussNewtonMasksTest {

    private static DataSet withLabelMask() {
        DataSet data = TestNetworks.surface(30, SEED);
        INDArray mask = Nd4j.ones(DataType.DOUBLE, 30, 1);
        for (int i = 0; i < 30; i += 3) {
            mask.putScalar(i, 0, 0);
            data.getLabels().putScalar(i, 0, 99);
        }
        return new DataSet(data.getFeatures(), data.getLabels(), null, mask);
    }

    private static DataSet withFeatureMask() {
        Nd4j.getRandom().setSeed(SEED);
        INDArray mask = Nd4j.ones(DataType.DOUBLE, 8, 4);
        for (int i = 0; i < 8; i += 2) {
            mask.putScalar(i, 3, 0);
        }
        return new DataSet(Nd4j.rand(DataType.DOUBLE, 8, 2, 4), Nd4j.rand(DataType.DOUBLE, 8, 1), mask, null);
    }

    private static MultiLayerNetwork dense(IUpdater updater) {
        return stack(builder(updater, DataType.DOUBLE), TestNetworks.dense(2, 6), meanSquares(6, 1));
    }

    private static MultiLayerNetwork pooled(IUpdater updater) {
        return stack(
                builder(updater, DataType.DOUBLE),
                new LSTM.Builder().nIn(2).nOut(6).build(),
                new GlobalPoolingLayer.Builder().build(),
                meanSquares(6, 1));
    }

    private static void assertRefused(MultiLayerNetwork network, Layers layers, DataSet data) {
        network.setListeners(new GaussNewtonListener(layers));
        INDArray before = network.params().dup();
        assertThatThrownBy(() -> network.fit(data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("does not know masks");
        assertThat(network.params()).isEqualTo(before);
    }

    @Test
    void masksOfLabelsAndOfInputsAreRefused() {
        for (Layers layers : Layers.values()) {
            assertRefused(dense(new Sgd(1)), layers, withLabelMask());
            assertRefused(pooled(new Sgd(1)), layers, withFeatureMask());
        }
    }

    @Test
    void onceTheMaskIsGoneTheNextNetworkIsTrained() {
        MultiLayerNetwork network = pooled(new Sgd(1));
        DataSet masked = withFeatureMask();
        network.fit(masked);
        network.setListeners(new GaussNewtonListener());
        DataSet data = new DataSet(masked.getFeatures(), masked.getLabels());
        double start = network.score(data);
        for (int i = 0; i < 5; i++) {
            network.fit(data);
        }
        assertThat(network.score(data)).isLessThan(0.5 * start);
    }

    /** A layer that masks its own inputs does so in any pass. */
    @Test
    void aLayerThatMakesItsOwnMaskIsTaken() {
        MultiLayerNetwork network = stack(
                builder(new Sgd(1), DataType.FLOAT),
                new LastTimeStep(
                        new MaskZeroLayer(new LSTM.Builder().nIn(2).nOut(6).build(), 0)),
                meanSquares(6, 1));
        network.setListeners(new GaussNewtonListener());
        DataSet sequences = withFeatureMask();
        DataSet data = new DataSet(
                sequences.getFeatures().castTo(DataType.FLOAT),
                sequences.getLabels().castTo(DataType.FLOAT));
        double start = network.score(data);
        for (int i = 0; i < 5; i++) {
            network.fit(data);
        }
        assertThat(network.score(data)).isLessThan(0.5 * start);
    }

    @Test
    void aWatchingListenerLetsTheTrainingGoOn() {
        MultiLayerNetwork watched = dense(new Adam(1e-2));
        MultiLayerNetwork alone = dense(new Adam(1e-2));
        GeometryListener listener = new GeometryListener(1, 0.1);
        watched.setListeners(listener);
        for (int i = 0; i < 5; i++) {
            watched.fit(withLabelMask());
            alone.fit(withLabelMask());
        }
        assertThat(watched.params()).isEqualTo(alone.params());
        assertThat(listener.reports()).isEmpty();
    }

    private static MultiLayerNetwork random(IUpdater updater) {
        return stack(
                builder(updater, DataType.FLOAT),
                TestNetworks.dense(2, 6),
                new DenseLayer.Builder()
                        .nIn(6)
                        .nOut(6)
                        .activation(Activation.RRELU)
                        .build(),
                meanSquares(6, 1));
    }

    /** The slopes of this activation are drawn in training, and their mean is taken otherwise. */
    @Test
    void aLossThatIsNotDl4jsIsRefused() {
        MultiLayerNetwork network = random(new Sgd(1));
        network.setListeners(new GaussNewtonListener());
        Nd4j.getRandom().setSeed(SEED);
        DataSet data = new DataSet(Nd4j.randn(DataType.FLOAT, 10, 2).muli(30), Nd4j.ones(DataType.FLOAT, 10, 1));
        assertThatThrownBy(() -> network.fit(data))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("takes the loss of this batch for");
    }

    @Test
    void penaltiesAndSumsAreNoDifference() {
        for (boolean mean : new boolean[] {true, false}) {
            MultiLayerNetwork network = stack(
                    builder(new Sgd(1), DataType.DOUBLE).l2(1e-2).l1(1e-3).miniBatch(mean),
                    TestNetworks.dense(2, 6),
                    meanSquares(6, 1));
            DataSet data = TestNetworks.surface(30, SEED);
            NetworkOutputs outputs = new NetworkOutputs(network, data);
            GaussNewtonSolver.builder().maxIterations(2).build().run(outputs, outputs.loss());
            network.setListeners(new GaussNewtonListener());
            network.fit(data);
            assertThat(network.score(data)).isFinite();
        }
    }
}
