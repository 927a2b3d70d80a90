package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.Random;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Regressions in double precision whose batch is the whole training set. */
final class FullBatch {

    /** On a full batch measuring is cheap, and a target may be reached within a few steps. */
    private static final int MANY_CHECKPOINTS = 300;

    private static final int REGRESSION_POINTS = 1_000;
    private static final int REGRESSION_OTHERS = 500;
    private static final long REGRESSION_SEED = 20231;
    private static final int GRID = 129;
    private static final int VALIDATION_GRID = 101;
    private static final int TEST_GRID = 161;

    private FullBatch() {}

    /**
     * A smooth function of two variables, sin(3x) cos(2y) + xy / 2 on [-1, 1]², from 1,000 random points without noise; dense
     * 2-64-64-1 with tanh, squared loss, double precision, full batch.
     */
    static Workload regression() {
        return fullBatch(
                "regression",
                "smooth function of two variables, 1,000 points, 2-64-64-1 tanh, squared loss, double, full batch",
                REGRESSION_POINTS,
                800,
                2,
                64,
                () -> new OutputLayer.Builder(LossFunction.MSE),
                FullBatch::regressionData);
    }

    /**
     * A small physics-informed network: -u'' = f on [0, 1] with u(0) = u(1) = 0, whose solution is sin(πx) + sin(3πx) / 3;
     * dense 1-32-32-1 with tanh, double precision, full batch. DL4J does not differentiate a network by its input, so u'' is
     * the difference quotient over the grid that the batch is ({@link PoissonLoss}). Validation and test are finer and coarser
     * grids.
     */
    static Workload physics() {
        return fullBatch(
                "physics",
                "Poisson's equation in one dimension, 1-32-32-1 tanh, squared residual on " + GRID
                        + " points, double, full batch",
                GRID,
                1_500,
                1,
                32,
                () -> new OutputLayer.Builder(new PoissonLoss()),
                () -> new Split(grid(GRID), grid(VALIDATION_GRID), grid(TEST_GRID)));
    }

    /** Two dense layers with tanh and one output in double precision; each batch is the whole training set. */
    private static Workload fullBatch(
            String name,
            String description,
            int points,
            long fastGradients,
            int inputs,
            int units,
            Supplier<OutputLayer.Builder> output,
            Supplier<Split> reader) {
        return new Workload(
                name,
                description,
                new long[] {inputs},
                points,
                fastGradients,
                20_000,
                MANY_CHECKPOINTS,
                false,
                false,
                full -> reader.get(),
                seed -> Architecture.of(Networks.dense(
                        Networks.builder(seed, WeightInit.XAVIER, Activation.TANH)
                                .dataType(DataType.DOUBLE),
                        inputs,
                        new int[] {units, units},
                        output.get().nOut(1).activation(Activation.IDENTITY))));
    }

    private static Split regressionData() {
        Random random = new Random(REGRESSION_SEED);
        return new Split(
                points(REGRESSION_POINTS, random),
                points(REGRESSION_OTHERS, random),
                points(REGRESSION_OTHERS, random));
    }

    private static FixedBatches points(int count, Random random) {
        INDArray features = Nd4j.zeros(DataType.DOUBLE, count, 2);
        INDArray values = Nd4j.zeros(DataType.DOUBLE, count, 1);
        for (int i = 0; i < count; i++) {
            double x = 2 * random.nextDouble() - 1;
            double y = 2 * random.nextDouble() - 1;
            features.putScalar(i, 0, x);
            features.putScalar(i, 1, y);
            values.putScalar(i, 0, Math.sin(3 * x) * Math.cos(2 * y) + x * y / 2);
        }
        return FixedBatches.whole(new DataSet(features, values));
    }

    private static FixedBatches grid(int points) {
        double[] u = new double[points];
        for (int i = 0; i < points; i++) {
            double x = i / (points - 1.0);
            u[i] = Math.sin(Math.PI * x) + Math.sin(3 * Math.PI * x) / 3;
        }
        INDArray x =
                Nd4j.linspace(DataType.DOUBLE, 0, 1.0 / (points - 1), points).reshape(points, 1);
        return FixedBatches.whole(new DataSet(x, PoissonLoss.rightHandSide(u)));
    }
}
