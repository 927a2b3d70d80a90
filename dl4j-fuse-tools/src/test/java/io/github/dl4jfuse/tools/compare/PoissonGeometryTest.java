package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import java.util.Random;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

class PoissonGeometryTest {

    private static final long SEED = 20261124;

    @Test
    void valueAndGradientAreThoseOfTheLossFunction() {
        INDArray x = Nd4j.createFromArray(new Random(SEED).doubles(9, -1, 1).toArray())
                .reshape(9, 1);
        INDArray labels = Nd4j.createFromArray(
                        new Random(SEED + 1).doubles(9, -1, 1).toArray())
                .reshape(9, 1);
        PoissonLoss function = new PoissonLoss();
        OutputLoss.Local local = function.outputLoss(labels).at(x.toDoubleVector());
        assertThat(local.value())
                .as("seed %d", SEED)
                .isCloseTo(function.computeScore(labels, x, new ActivationIdentity(), null, true), within(1e-9));
        double[] gradient = function.computeGradient(labels, x, new ActivationIdentity(), null)
                .toDoubleVector();
        double[] residual = local.root(local.whitened());
        for (int i = 0; i < 9; i++) {
            assertThat(2 * residual[i]).as("point %d", i).isCloseTo(gradient[i], within(1e-9));
        }
    }

    @Test
    void gaussNewtonStepsSolveTheEquationOnTheWholeGrid() {
        DataSet grid = Workloads.PHYSICS.data(false).train().iterator(1).next();
        for (GaussNewtonListener.Layers layers : GaussNewtonListener.Layers.values()) {
            MultiLayerConfiguration configuration = Workloads.PHYSICS.configuration(1);
            for (NeuralNetConfiguration conf : configuration.getConfs()) {
                ((BaseLayer) conf.getLayer()).setIUpdater(new Sgd(1));
            }
            MultiLayerNetwork network = new MultiLayerNetwork(configuration);
            network.init();
            GaussNewtonListener listener = new GaussNewtonListener(layers);
            network.setListeners(listener);
            if (layers == GaussNewtonListener.Layers.OUTPUT_LAYER) {
                assertThatThrownBy(() -> network.fit(grid))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("ALL_LAYERS");
                continue;
            }
            listener.examplesPerStep(50, SEED); // not for a loss of the whole grid
            double before = network.score(grid, false);
            double start = before;
            for (int i = 0; i < 40; i++) {
                network.fit(grid);
                double now = network.score(grid, false);
                assertThat(now)
                        .as("step %d: on the whole grid no step rises", i)
                        .isLessThanOrEqualTo(before);
                before = now;
            }
            assertThat(before).isLessThan(1e-3 * start);
        }
    }
}
