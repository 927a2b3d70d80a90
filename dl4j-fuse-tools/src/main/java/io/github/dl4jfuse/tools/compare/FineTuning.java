package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;

/**
 * Transfer learning: a network that was trained on the first five classes of Fashion-MNIST learns the other five from
 * {@value #TRAIN} images. Its convolutions are frozen, its dense layer goes on from where it was, and its last layer is new.
 */
final class FineTuning {

    static final int CLASSES = 5;
    static final int TRAIN = 1_000;

    /** How the first training went: part of what makes the network. */
    static final String ORIGIN =
            "trained on the first five classes of Fashion-MNIST's subset, 5 epochs, Adam 1e-3, batch 32, seed 1";

    private static final int EPOCHS = 5;
    private static final double RATE = 1e-3;
    private static final int BATCH = 32;
    private static final long SEED = 1;
    private static final int SIDE = 28;

    private FineTuning() {}

    /** Loaded when the first network is asked for, and kept. */
    private static final class Trained {
        static final Map<String, INDArray> WEIGHTS = train();
    }

    /** Returns {@value #TRAIN} images for training, 1,000 (500 of the subset) for validation, and all test images of the classes. */
    static Split split(boolean full) {
        FashionMnist source = full ? FashionMnist.full() : FashionMnist.subset();
        ImageData train = source.train().ofClasses(CLASSES, 2 * CLASSES);
        ImageData test = source.test().ofClasses(CLASSES, 2 * CLASSES);
        return new Split(train.range(0, TRAIN), train.range(TRAIN, TRAIN + (full ? 1_000 : 500)), test);
    }

    /** Returns the network; the seed is that of the last layer. The first call trains for a few seconds. */
    static Architecture network(long seed) {
        return Architecture.of(configuration(seed, true)).startingWith(ORIGIN, Trained.WEIGHTS);
    }

    private static MultiLayerConfiguration configuration(long seed, boolean frozen) {
        return Networks.builder(seed, WeightInit.RELU, Activation.RELU)
                .list()
                .layer(convolution(16, frozen))
                .layer(Networks.pooling())
                .layer(convolution(32, frozen))
                .layer(Networks.pooling())
                .layer(new DenseLayer.Builder().nOut(128).build())
                .layer(Networks.classes(CLASSES).build())
                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                .build();
    }

    private static Layer convolution(int channels, boolean frozen) {
        Layer layer = new ConvolutionLayer.Builder(5, 5).nOut(channels).build();
        return frozen ? new FrozenLayer(layer) : layer;
    }

    private static Map<String, INDArray> train() {
        MultiLayerNetwork network = Networks.network(configuration(SEED, false), new Adam(RATE));
        Acceleration.attach(network);
        DataSetIterator images =
                FashionMnist.subset().train().ofClasses(0, CLASSES).asImages().iterator(BATCH, SEED);
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            while (images.hasNext()) {
                network.fit(images.next());
            }
            images.reset();
        }
        Map<String, INDArray> weights = new LinkedHashMap<>(network.paramTable());
        String last = network.getnLayers() - 1 + "_";
        weights.keySet().removeIf(name -> name.startsWith(last));
        return weights;
    }
}
