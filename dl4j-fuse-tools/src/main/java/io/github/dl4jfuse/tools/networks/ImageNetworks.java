package io.github.dl4jfuse.tools.networks;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.distribution.Distribution;
import org.deeplearning4j.nn.conf.distribution.TruncatedNormalDistribution;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;

/** Convolutional networks that others have published results of, with ten classes. */
public final class ImageNetworks {

    private static final int CLASSES = 10;
    private static final InputType FASHION = InputType.convolutional(28, 28, 1);
    private static final InputType CIFAR = InputType.convolutional(32, 32, 3);

    /** DeepOBS's start of 2c2d: deviation of the weights, and all biases. */
    private static final double SMALL = 0.05;

    private static final double LENET_L2 = 5e-4;
    private static final double THREE_CONVOLUTIONS_L2 = 2e-3;

    private ImageNetworks() {}

    /**
     * Returns DeepOBS's 2c2d (Schneider, Balles, Hennig 2019) for grey images of 28 x 28: convolutions of 32 and 64 channels, 5 x 5,
     * same padding, ReLU, each with max-pooling 2 x 2, dense 1024 with ReLU; weights from a normal distribution that is cut off, all
     * biases {@value #SMALL}. 3,274,634 parameters.
     */
    public static MultiLayerConfiguration twoConvolutions(long seed) {
        Distribution start = new TruncatedNormalDistribution(0, SMALL);
        ListBuilder list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(start)
                .biasInit(SMALL)
                .activation(Activation.RELU)
                .list();
        for (int channels : new int[] {32, 64}) {
            list.layer(convolution(5, channels, ConvolutionMode.Same)).layer(Networks.pooling());
        }
        return list.layer(new DenseLayer.Builder().nOut(1024).build())
                .layer(Networks.classes(CLASSES).weightInit(start).build())
                .setInputType(FASHION)
                .build();
    }

    /**
     * Returns the LeNet of DL4J's examples for grey images of 28 x 28: convolutions of 20 and 50 channels, 5 x 5, without
     * activation, each with max-pooling 2 x 2, dense 500 with ReLU; Xavier's weights, L2 {@value #LENET_L2}. 431,080 parameters.
     */
    public static MultiLayerConfiguration lenet(long seed) {
        ListBuilder list = Networks.builder(seed, WeightInit.XAVIER, Activation.IDENTITY)
                .l2(LENET_L2)
                .list();
        for (int channels : new int[] {20, 50}) {
            list.layer(convolution(5, channels, ConvolutionMode.Truncate)).layer(Networks.pooling());
        }
        return list.layer(new DenseLayer.Builder()
                        .nOut(500)
                        .activation(Activation.RELU)
                        .build())
                .layer(Networks.classes(CLASSES).build())
                .setInputType(FASHION)
                .build();
    }

    /**
     * Returns DeepOBS's 3c3d for colour images of 32 x 32: convolutions of 64 channels, 5 x 5, and 96, 3 x 3, without padding, and
     * 128, 3 x 3, same padding, each with ReLU and max-pooling 3 x 3 by stride 2, dense 512 and 256 with ReLU; Xavier's weights,
     * uniform in dense layers, L2 {@value #THREE_CONVOLUTIONS_L2}. 895,210 parameters.
     */
    public static MultiLayerConfiguration threeConvolutions(long seed) {
        return Networks.builder(seed, WeightInit.XAVIER, Activation.RELU)
                .l2(THREE_CONVOLUTIONS_L2)
                .list()
                .layer(convolution(5, 64, ConvolutionMode.Truncate))
                .layer(overlappingPooling())
                .layer(convolution(3, 96, ConvolutionMode.Truncate))
                .layer(overlappingPooling())
                .layer(convolution(3, 128, ConvolutionMode.Same))
                .layer(overlappingPooling())
                .layer(uniform(512))
                .layer(uniform(256))
                .layer(Networks.classes(CLASSES)
                        .weightInit(WeightInit.XAVIER_UNIFORM)
                        .build())
                .setInputType(CIFAR)
                .build();
    }

    /**
     * Returns a small network in the manner of VGG for colour images of 32 x 32: twice two 3 x 3 convolutions (16 and 32 channels)
     * with ReLU and max-pooling 2 x 2, dense 64 with ReLU.
     */
    public static MultiLayerConfiguration vgg(long seed) {
        ListBuilder list =
                Networks.builder(seed, WeightInit.RELU, Activation.RELU).list();
        for (int channels : new int[] {16, 32}) {
            for (int i = 0; i < 2; i++) {
                list.layer(new ConvolutionLayer.Builder(3, 3)
                        .padding(1, 1)
                        .nOut(channels)
                        .build());
            }
            list.layer(Networks.pooling());
        }
        return list.layer(new DenseLayer.Builder().nOut(64).build())
                .layer(Networks.classes(CLASSES).build())
                .setInputType(CIFAR)
                .build();
    }

    /**
     * Returns the smallest residual network of He et al. 2016 for colour images of 32 x 32, with one block in each stage, so eight
     * layers with weights: 3 x 3 convolutions of 16, 32 and 64 channels with BatchNorm, a 1 x 1 convolution with BatchNorm where the
     * number of channels changes, the mean over the image at the end. 78,714 parameters, means and variances of BatchNorm among
     * them. DL4J's BatchNorm never applies its activation (docs/upstream.md), so ReLU is a layer of its own.
     */
    public static ComputationGraphConfiguration residual(long seed) {
        GraphBuilder graph = Networks.builder(seed, WeightInit.RELU, Activation.IDENTITY)
                .graphBuilder()
                .addInputs("images")
                .setInputTypes(CIFAR);
        String last = relu(graph, "stem", normalised(graph, "stem", "images", 3, 16, 1));
        last = block(graph, "block1", last, 16, 1);
        last = block(graph, "block2", last, 32, 2);
        last = block(graph, "block3", last, 64, 2);
        return graph.addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), last)
                .addLayer("classes", Networks.classes(CLASSES).build(), "mean")
                .setOutputs("classes")
                .build();
    }

    private static String block(GraphBuilder graph, String name, String input, int channels, int stride) {
        String inner = relu(graph, name + "-1", normalised(graph, name + "-1", input, 3, channels, stride));
        String outer = normalised(graph, name + "-2", inner, 3, channels, 1);
        String past = stride == 1 ? input : normalised(graph, name + "-past", input, 1, channels, stride);
        graph.addVertex(name + "-sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), outer, past);
        return relu(graph, name, name + "-sum");
    }

    private static String normalised(
            GraphBuilder graph, String name, String input, int kernel, int channels, int stride) {
        graph.addLayer(
                name + "-conv",
                new ConvolutionLayer.Builder(kernel, kernel)
                        .stride(stride, stride)
                        .nOut(channels)
                        .hasBias(false)
                        .convolutionMode(ConvolutionMode.Same)
                        .build(),
                input);
        graph.addLayer(name + "-norm", new BatchNormalization(), name + "-conv");
        return name + "-norm";
    }

    private static String relu(GraphBuilder graph, String name, String input) {
        graph.addLayer(name + "-relu", new ActivationLayer(Activation.RELU), input);
        return name + "-relu";
    }

    private static ConvolutionLayer convolution(int kernel, int channels, ConvolutionMode mode) {
        return new ConvolutionLayer.Builder(kernel, kernel)
                .nOut(channels)
                .convolutionMode(mode)
                .build();
    }

    private static SubsamplingLayer overlappingPooling() {
        return new SubsamplingLayer.Builder()
                .kernelSize(3, 3)
                .stride(2, 2)
                .convolutionMode(ConvolutionMode.Same)
                .build();
    }

    private static DenseLayer uniform(int units) {
        return new DenseLayer.Builder()
                .nOut(units)
                .weightInit(WeightInit.XAVIER_UNIFORM)
                .build();
    }
}
