package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.FixedBatches;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A small physics-informed network: -u'' = f on [0, 1] with u(0) = u(1) = 0, whose solution is sin(πx) + sin(3πx) / 3;
 * dense 1-32-32-1 with tanh, double precision, full batch. DL4J does not differentiate a network by its input, so u'' is
 * the difference quotient over the grid that the batch is ({@link PoissonLoss}). Validation and test are finer and coarser
 * grids.
 */
public final class Physics implements Workload {

    private static final int GRID = 129;
    private static final int VALIDATION_GRID = 101;
    private static final int TEST_GRID = 161;

    @Override
    public String name() {
        return "physics";
    }

    @Override
    public String description() {
        return "Poisson's equation in one dimension, 1-32-32-1 tanh, squared residual on " + GRID
                + " points, double, full batch";
    }

    @Override
    public Split data(boolean full) {
        return new Split(grid(GRID), grid(VALIDATION_GRID), grid(TEST_GRID));
    }

    private static FixedBatches grid(int points) {
        INDArray x =
                Nd4j.linspace(DataType.DOUBLE, 0, 1.0 / (points - 1), points).reshape(points, 1);
        return FixedBatches.whole(new DataSet(x, PoissonLoss.rightHandSide(solution(points))));
    }

    private static double[] solution(int points) {
        double[] u = new double[points];
        for (int i = 0; i < points; i++) {
            double x = i / (points - 1.0);
            u[i] = Math.sin(Math.PI * x) + Math.sin(3 * Math.PI * x) / 3;
        }
        return u;
    }

    @Override
    public int batch() {
        return GRID;
    }

    @Override
    public Budget budget(boolean full) {
        return Budget.gradients(full ? 20_000 : 1_500);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .dataType(DataType.DOUBLE)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.TANH)
                .list()
                .layer(new DenseLayer.Builder().nIn(1).nOut(32).build())
                .layer(new DenseLayer.Builder().nOut(32).build())
                .layer(new OutputLayer.Builder(new PoissonLoss())
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build();
    }

    @Override
    public boolean classifies() {
        return false;
    }

    /** Measuring is cheap, and a target may be reached within a few steps. */
    @Override
    public int checkpoints() {
        return 300;
    }
}
