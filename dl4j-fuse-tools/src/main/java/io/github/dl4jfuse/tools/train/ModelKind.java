package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.datasets.ImageData;
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
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The networks that the {@code train} command knows. */
public enum ModelKind {
    /** Dense layers inputs-256-128-classes with ReLU: 235,146 parameters on 28 x 28 grey images. */
    MLP,
    /** Two convolutions (3 x 3, 16 and 32 channels) with BatchNorm and max-pooling, then dense 128-classes. */
    CNN;

    /** Returns the configuration for images of the given shape; softmax output with cross-entropy. */
    public MultiLayerConfiguration configuration(ImageData data, IUpdater updater, long seed) {
        var list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(updater)
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .list();
        if (this == MLP) {
            list.layer(new DenseLayer.Builder().nOut(256).build())
                    .setInputType(InputType.feedForward((long) data.channels() * data.height() * data.width()));
        } else {
            for (int channels : new int[] {16, 32}) {
                list.layer(new ConvolutionLayer.Builder(3, 3)
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
            list.setInputType(InputType.convolutional(data.height(), data.width(), data.channels()));
        }
        return list.layer(new DenseLayer.Builder().nOut(128).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(data.numClasses())
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
    }

    /** Returns the data in the shape that this network takes. */
    public ImageData shape(ImageData data) {
        return this == MLP ? data.asFlat() : data.asImages();
    }
}
