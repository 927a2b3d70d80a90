package io.github.dl4jfuse.tools.compare;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Fashion-MNIST, two 5 x 5 convolutions (8 and 16 channels) with BatchNorm and pooling, then 64-10. */
public final class FashionCnn implements Workload {

    @Override
    public String name() {
        return "fashion-cnn";
    }

    @Override
    public String description() {
        return "Fashion-MNIST, conv 8 and 16 with BatchNorm, 64-10 ReLU, cross-entropy, batch " + batch();
    }

    @Override
    public Split data(boolean full) {
        return FashionMlp.split(full, true);
    }

    @Override
    public int batch() {
        return 128;
    }

    @Override
    public Budget budget(boolean full) {
        return Budget.gradients(full ? 2_110 : 200);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        var list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .list();
        for (int channels : new int[] {8, 16}) {
            list.layer(new ConvolutionLayer.Builder(5, 5)
                            .nOut(channels)
                            .activation(Activation.IDENTITY)
                            .build())
                    .layer(new BatchNormalization.Builder()
                            .activation(Activation.RELU)
                            .build())
                    .layer(new SubsamplingLayer.Builder()
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .build());
        }
        return list.layer(new DenseLayer.Builder().nOut(64).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(10)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(28, 28, 1))
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

    @Override
    public int checkpoints() {
        return 10;
    }
}
