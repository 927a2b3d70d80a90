package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.FixedBatches;
import java.util.Random;
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
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A smooth function of two variables, sin(3x) cos(2y) + xy / 2 on [-1, 1]², from 1,000 random points without noise; dense
 * 2-64-64-1 with tanh, squared loss, double precision, full batch.
 */
public final class Regression implements Workload {

    private static final int TRAINING_POINTS = 1_000;
    private static final int OTHER_POINTS = 500;
    private static final long SEED = 20231;

    @Override
    public String name() {
        return "regression";
    }

    @Override
    public String description() {
        return "smooth function of two variables, 1,000 points, 2-64-64-1 tanh, squared loss, double, full batch";
    }

    @Override
    public Split data(boolean full) {
        Random random = new Random(SEED);
        return new Split(points(TRAINING_POINTS, random), points(OTHER_POINTS, random), points(OTHER_POINTS, random));
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

    @Override
    public int batch() {
        return TRAINING_POINTS;
    }

    @Override
    public Budget budget(boolean full) {
        return Budget.gradients(full ? 20_000 : 800);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .dataType(DataType.DOUBLE)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.TANH)
                .list()
                .layer(new DenseLayer.Builder().nIn(2).nOut(64).build())
                .layer(new DenseLayer.Builder().nOut(64).build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
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
