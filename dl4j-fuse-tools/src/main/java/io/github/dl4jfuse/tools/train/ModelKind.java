package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.tools.networks.Networks;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;

/** The networks that the {@code train} command knows. */
public enum ModelKind {
    /** Dense layers inputs-256-128-classes with ReLU: 235,146 parameters on 28 x 28 grey images. */
    MLP,
    /** Two convolutions (3 x 3, 16 and 32 channels) with BatchNorm and max-pooling, then dense 128-classes. */
    CNN;

    /** Returns the configuration for images of the given shape; softmax output with cross-entropy. */
    MultiLayerConfiguration configuration(ImageData data, long seed) {
        int classes = data.numClasses();
        return this == MLP
                ? Networks.perceptron(seed, data.channels() * data.height() * data.width(), classes)
                : Networks.convolutional(
                        seed,
                        InputType.convolutional(data.height(), data.width(), data.channels()),
                        3,
                        new int[] {16, 32},
                        128,
                        classes);
    }

    /** Returns the data in the shape that this network takes. */
    public ImageData shape(ImageData data) {
        return this == MLP ? data.asFlat() : data.asImages();
    }
}
