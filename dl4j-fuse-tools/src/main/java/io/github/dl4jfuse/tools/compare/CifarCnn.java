package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.Cifar10;
import io.github.dl4jfuse.datasets.ImageData;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * CIFAR-10, a small network in the manner of VGG: twice two 3 x 3 convolutions (16 and 32 channels) and pooling, then
 * 64-10, inputs in [0, 1]. The images don't come with the examples: {@link Cifar10#full()} says where they are looked for,
 * and the table calls the data what they are.
 */
public final class CifarCnn implements Workload {

    private static final int FAST_TRAIN = 3_000;
    private static final int FAST_OTHERS = 1_000;

    @Override
    public String name() {
        return "cifar-cnn";
    }

    @Override
    public String description() {
        return "CIFAR-10, conv 16-16-pool-32-32-pool, 64-10 ReLU, cross-entropy, batch " + batch();
    }

    /** The fast form takes the first images of each part of a seeded shuffle, since files may be sorted by class. */
    @Override
    public Split data(boolean full) {
        Cifar10 source = Cifar10.full();
        ImageData train = source.train().shuffled(1).asImages();
        ImageData test = source.test().shuffled(1).asImages();
        if (full) {
            int kept = train.size() * 9 / 10;
            return new Split(train.range(0, kept), train.range(kept, train.size()), test);
        }
        return new Split(
                train.range(0, FAST_TRAIN),
                train.range(FAST_TRAIN, FAST_TRAIN + FAST_OTHERS),
                test.range(0, FAST_OTHERS));
    }

    @Override
    public int batch() {
        return 128;
    }

    @Override
    public Budget budget(boolean full) {
        return Budget.gradients(full ? 3_520 : 80);
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        var list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .list();
        for (int channels : new int[] {16, 32}) {
            for (int i = 0; i < 2; i++) {
                list.layer(new ConvolutionLayer.Builder(3, 3)
                        .padding(1, 1)
                        .nOut(channels)
                        .build());
            }
            list.layer(
                    new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build());
        }
        return list.layer(new DenseLayer.Builder().nOut(64).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(10)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(32, 32, 3))
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
