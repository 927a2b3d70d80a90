package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.datasets.Preprocessed;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Fashion-MNIST, an autoencoder 784-256-64-30-64-256-784 with tanh and a logistic output, cross-entropy summed over the
 * pixels: the classic hard case (Hinton, Salakhutdinov 2006; Martens 2010), made narrower.
 */
public final class FashionAutoencoder implements Workload {

    private static final int[] HIDDEN = {256, 64, 30, 64, 256};

    @Override
    public String name() {
        return "fashion-autoencoder";
    }

    @Override
    public String description() {
        return "Fashion-MNIST, autoencoder 784-256-64-30-64-256-784 tanh, cross-entropy, batch " + batch();
    }

    @Override
    public Split data(boolean full) {
        Split images = FashionMlp.split(full, false);
        return new Split(copying(images.train()), copying(images.validation()), copying(images.test()));
    }

    /** The labels are the inputs as they are, whatever is done to the inputs later. */
    private static DataSource copying(DataSource images) {
        return new Preprocessed(
                images, batch -> batch.setLabels(batch.getFeatures().dup()));
    }

    @Override
    public int batch() {
        return 128;
    }

    @Override
    public Budget budget(boolean full) {
        return Budget.gradients(full ? 4_220 : 400);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        var list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.TANH)
                .list();
        int inputs = 28 * 28;
        for (int units : HIDDEN) {
            list.layer(new DenseLayer.Builder().nIn(inputs).nOut(units).build());
            inputs = units;
        }
        return list.layer(new OutputLayer.Builder(LossFunction.XENT)
                        .nIn(inputs)
                        .nOut(28 * 28)
                        .activation(Activation.SIGMOID)
                        .build())
                .build();
    }

    @Override
    public boolean classifies() {
        return false;
    }

    @Override
    public boolean hasVariants() {
        return true;
    }
}
