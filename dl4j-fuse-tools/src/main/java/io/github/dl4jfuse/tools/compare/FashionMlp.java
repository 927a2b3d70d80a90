package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.ImageData;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Fashion-MNIST, dense layers 784-256-128-10 with ReLU, cross-entropy, inputs in [0, 1]. */
public final class FashionMlp implements Workload {

    @Override
    public String name() {
        return "fashion-mlp";
    }

    @Override
    public String description() {
        return "Fashion-MNIST, 784-256-128-10 ReLU, cross-entropy, batch " + batch();
    }

    @Override
    public Split data(boolean full) {
        return split(full, false);
    }

    /** The last sixth of the subset, or the last tenth of the full training set, is for validation. */
    static Split split(boolean full, boolean asImages) {
        FashionMnist source = full ? FashionMnist.full() : FashionMnist.subset();
        ImageData train = asImages ? source.train().asImages() : source.train().asFlat();
        ImageData test = asImages ? source.test().asImages() : source.test().asFlat();
        int kept = full ? train.size() * 9 / 10 : train.size() * 5 / 6;
        return new Split(train.range(0, kept), train.range(kept, train.size()), test);
    }

    @Override
    public int batch() {
        return 128;
    }

    @Override
    public Budget budget(boolean full) {
        return Budget.gradients(full ? 4_220 : 800);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .list()
                .layer(new DenseLayer.Builder().nIn(28 * 28).nOut(256).build())
                .layer(new DenseLayer.Builder().nOut(128).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(10)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
    }

    @Override
    public boolean classifies() {
        return true;
    }

    @Override
    public boolean hasVariants() {
        return true;
    }
}
