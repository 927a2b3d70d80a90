package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.datasets.Iris;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Fisher's iris flowers, standardised measurements, 4-16-3 with tanh, cross-entropy: 90, 30 and 30 flowers. */
public final class IrisMlp implements Workload {

    private static final int TRAIN = 90;
    private static final int VALIDATION = 30;

    @Override
    public String name() {
        return "iris";
    }

    @Override
    public String description() {
        return "Iris, 4-16-3 tanh, cross-entropy, batch " + batch();
    }

    @Override
    public Split data(boolean full) {
        DataSet all = Iris.standardised();
        DataSet train = range(all, 0, TRAIN);
        return new Split(
                new FixedBatches(train.batchBy(batch())),
                FixedBatches.whole(range(all, TRAIN, TRAIN + VALIDATION)),
                FixedBatches.whole(range(all, TRAIN + VALIDATION, all.numExamples())));
    }

    private static DataSet range(DataSet all, int from, int to) {
        return (DataSet) all.getRange(from, to);
    }

    @Override
    public int batch() {
        return 15;
    }

    @Override
    public Budget budget(boolean full) {
        return Budget.gradients(full ? 3_000 : 600);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.TANH)
                .list()
                .layer(new DenseLayer.Builder().nIn(4).nOut(16).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
    }

    @Override
    public boolean classifies() {
        return true;
    }
}
