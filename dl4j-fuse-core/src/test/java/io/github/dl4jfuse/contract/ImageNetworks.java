package io.github.dl4jfuse.contract;

import static io.github.dl4jfuse.contract.DenseNetworks.dense;
import static io.github.dl4jfuse.contract.DenseNetworks.softmax;
import static io.github.dl4jfuse.contract.Network.Group.LAYERS;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CapsuleStrengthLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers of images and volumes. */
final class ImageNetworks {

    private static final int SIDE = 6;
    private static final Data IMAGES = Data.of(InputType.convolutional(SIDE, SIDE, 2), Data::classes, 2, SIDE, SIDE);
    private static final Data IMAGES_NHWC =
            Data.of(InputType.convolutional(SIDE, SIDE, 2, CNN2DFormat.NHWC), Data::classes, SIDE, SIDE, 2);
    private static final Data VOLUMES =
            Data.of(InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 4, 4, 4, 1), Data::classes, 1, 4, 4, 4);

    private ImageNetworks() {}

    private static ConvolutionLayer convolution(int size) {
        return new ConvolutionLayer.Builder(3, 3).nOut(size).build();
    }

    private static SubsamplingLayer pooling() {
        return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX, new int[] {2, 2}, new int[] {2, 2})
                .build();
    }

    private static GlobalPoolingLayer everywhere() {
        return new GlobalPoolingLayer.Builder(PoolingType.AVG).build();
    }

    private static Network images(String name, Layer... layers) {
        return Network.stack(name, LAYERS, IMAGES, layers);
    }

    static List<Network> all() {
        return List.of(
                images("convolution", convolution(4), pooling(), dense(6), softmax()),
                images(
                        "convolution-same-dilated",
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(4)
                                .dilation(2, 2)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        everywhere(),
                        softmax()),
                images(
                        "convolution-batchnorm",
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(4)
                                .hasBias(false)
                                .build(),
                        new BatchNormalization.Builder()
                                .activation(Activation.RELU)
                                .build(),
                        everywhere(),
                        softmax()),
                Network.stack("convolution-nhwc", LAYERS, IMAGES_NHWC, convolution(4), pooling(), dense(6), softmax()),
                Network.stack(
                        "convolution-nhwc-relu",
                        LAYERS,
                        IMAGES_NHWC,
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(4)
                                .activation(Activation.RELU)
                                .build(),
                        new BatchNormalization(),
                        everywhere(),
                        softmax()),
                images("local-response", convolution(4), new LocalResponseNormalization.Builder().build(), softmax()),
                images(
                        "separable",
                        new SeparableConvolution2D.Builder(3, 3)
                                .nOut(4)
                                .depthMultiplier(2)
                                .build(),
                        softmax()),
                images(
                        "depthwise",
                        new DepthwiseConvolution2D.Builder()
                                .kernelSize(3, 3)
                                .depthMultiplier(2)
                                .nOut(4)
                                .build(),
                        softmax()),
                images(
                        "deconvolution",
                        new Deconvolution2D.Builder(2, 2).stride(2, 2).nOut(3).build(),
                        everywhere(),
                        softmax()),
                Network.stack(
                        "pixels",
                        LAYERS,
                        IMAGES.labelled(Data.array(2, SIDE, SIDE)),
                        pooling(),
                        new Upsampling2D.Builder(2).build(),
                        new ConvolutionLayer.Builder(3, 3)
                                .nOut(2)
                                .convolutionMode(ConvolutionMode.Same)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new CnnLossLayer.Builder(LossFunction.MSE)
                                .activation(Activation.SIGMOID)
                                .build()),
                images(
                                "locally-connected",
                                new LocallyConnected2D.Builder()
                                        .kernelSize(3, 3)
                                        .nOut(3)
                                        .activation(Activation.TANH)
                                        .build(),
                                softmax())
                        .because(Network.Cause.OTHER_GRADIENT),
                images(
                        "padding-cropping-depth",
                        new ZeroPaddingLayer.Builder(1, 1).build(),
                        new Cropping2D.Builder(1, 1).build(),
                        new SpaceToDepthLayer.Builder(2, SpaceToDepthLayer.DataFormat.NCHW).build(),
                        new ConvolutionLayer.Builder(2, 2).nOut(3).build(),
                        softmax()),
                Network.stack("yolo", LAYERS, IMAGES.labelled(ImageNetworks::boxes), yolo()),
                images(
                                "capsules",
                                new PrimaryCapsules.Builder(4, 2)
                                        .kernelSize(3, 3)
                                        .stride(2, 2)
                                        .build(),
                                new CapsuleLayer.Builder(Data.CLASSES, 4, 2).build(),
                                new CapsuleStrengthLayer.Builder().build(),
                                new org.deeplearning4j.nn.conf.layers.ActivationLayer(Activation.SOFTMAX),
                                new LossLayer.Builder(LossFunction.MCXENT)
                                        .activation(Activation.IDENTITY)
                                        .build())
                        .unchecked()
                        .because(Network.Cause.OTHER_GRADIENT),
                Network.stack(
                        "convolution-3d",
                        LAYERS,
                        VOLUMES,
                        new Convolution3D.Builder(2, 2, 2).nOut(3).build(),
                        new Subsampling3DLayer.Builder(Subsampling3DLayer.PoolingType.MAX)
                                .kernelSize(2, 2, 2)
                                .stride(1, 1, 1)
                                .build(),
                        softmax()),
                Network.stack(
                        "deconvolution-3d",
                        LAYERS,
                        VOLUMES,
                        new Deconvolution3D.Builder()
                                .kernelSize(2, 2, 2)
                                .stride(2, 2, 2)
                                .nOut(2)
                                .build(),
                        softmax()),
                Network.stack(
                        "voxels",
                        LAYERS,
                        VOLUMES.labelled(Data.array(1, 4, 4, 4)),
                        new Convolution3D.Builder(1, 1, 1)
                                .nOut(1)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new Cnn3DLossLayer.Builder(Convolution3D.DataFormat.NCDHW)
                                .lossFunction(LossFunction.MSE)
                                .activation(Activation.SIGMOID)
                                .build()),
                Network.made("residual", LAYERS, IMAGES::batch, ImageNetworks::residual));
    }

    private static Model residual(NeuralNetConfiguration.Builder builder, IUpdater updater) {
        ConvolutionLayer.Builder same =
                new ConvolutionLayer.Builder(3, 3).nOut(4).convolutionMode(ConvolutionMode.Same);
        return new ComputationGraph(builder.graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(SIDE, SIDE, 2))
                .addLayer("first", same.build(), "in")
                .addLayer("norm", new BatchNormalization(), "first")
                .addLayer("second", same.build(), "norm")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "first", "second")
                .addLayer("pool", everywhere(), "sum")
                .addLayer("out", softmax(), "pool")
                .setOutputs("out")
                .build());
    }

    private static Layer[] yolo() {
        INDArray priors = Nd4j.createFromArray(new double[][] {{1, 1}, {2, 1}});
        return new Layer[] {
            new ConvolutionLayer.Builder(3, 3)
                    .stride(2, 2)
                    .convolutionMode(ConvolutionMode.Same)
                    .nOut(2 * (5 + Data.CLASSES))
                    .activation(Activation.IDENTITY)
                    .build(),
            new Yolo2OutputLayer.Builder().boundingBoxPriors(priors).build()
        };
    }

    /** One object in each image: 4 numbers for its corners, and its class, in the cell of its centre. */
    private static INDArray boxes(int[] clouds, Random random, DataType type) {
        INDArray labels = Nd4j.zeros(type, clouds.length, 4 + Data.CLASSES, 3, 3);
        for (int i = 0; i < clouds.length; i++) {
            int x = random.nextInt(3);
            int y = random.nextInt(3);
            double[] corners = {x + 0.1, y + 0.2, x + 0.9, y + 0.7};
            for (int j = 0; j < 4; j++) {
                labels.putScalar(new int[] {i, j, y, x}, corners[j]);
            }
            labels.putScalar(new int[] {i, 4 + clouds[i], y, x}, 1);
        }
        return labels;
    }
}
