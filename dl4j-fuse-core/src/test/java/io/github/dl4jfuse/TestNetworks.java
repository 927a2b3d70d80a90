package io.github.dl4jfuse;

import java.util.Random;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks of each kind that the tests run through, and data to train them on. */
public enum TestNetworks {
    DENSE,
    CONVOLUTION,
    BATCH_NORM,
    GRAPH;

    public static final long SEED = 20261123;

    private static final int SIDE = 8;
    private static final int CLASSES = 3;

    /**
     * Options beyond the kind of network. Regularization goes to each layer: DL4J 1.0.0-M2.1 applies weight decay twice
     * that is set on the network's builder.
     */
    public record Options(
            Consumer<NeuralNetConfiguration.Builder> network, Consumer<FeedForwardLayer.Builder<?>> layer) {

        public static Options network(Consumer<NeuralNetConfiguration.Builder> network) {
            return new Options(network, layer -> {});
        }

        public static Options layer(Consumer<FeedForwardLayer.Builder<?>> layer) {
            return new Options(network -> {}, layer);
        }
    }

    public static final Options PLAIN = Options.network(builder -> {});

    public Model create(IUpdater updater, DataType type, Options options) {
        return create(updater, type, options, WorkspaceMode.ENABLED);
    }

    public Model create(IUpdater updater, DataType type, Options options, WorkspaceMode workspaces) {
        var builder = builder(updater, type).trainingWorkspaceMode(workspaces);
        options.network().accept(builder);
        Model model = this == GRAPH ? graph(builder, options) : layers(builder, options);
        model.init();
        return model;
    }

    public MultiLayerNetwork network(IUpdater updater, DataType type) {
        return (MultiLayerNetwork) create(updater, type, PLAIN);
    }

    /** What all networks here have in common; tanh unless a layer says something else. */
    public static NeuralNetConfiguration.Builder builder(IUpdater updater, DataType type) {
        return new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(type)
                .updater(updater)
                .activation(Activation.TANH);
    }

    /** Layers one after another, each with its own numbers of inputs and outputs. */
    public static MultiLayerNetwork stack(NeuralNetConfiguration.Builder builder, Layer... layers) {
        MultiLayerNetwork network = new MultiLayerNetwork(builder.list(layers).build());
        network.init();
        return network;
    }

    public static DenseLayer dense(int inputs, int outputs) {
        return new DenseLayer.Builder().nIn(inputs).nOut(outputs).build();
    }

    /** A linear layer under the squared loss. */
    public static OutputLayer meanSquares(int inputs, int outputs) {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nIn(inputs)
                .nOut(outputs)
                .activation(Activation.IDENTITY)
                .build();
    }

    /** A network 2-24-24-1 in double for {@link #surface}. */
    public static MultiLayerNetwork surfaceFit(IUpdater updater, Activation activation, double bias) {
        return stack(
                builder(updater, DataType.DOUBLE).activation(activation),
                new DenseLayer.Builder().nIn(2).nOut(24).biasInit(bias).build(),
                dense(24, 24),
                meanSquares(24, 1));
    }

    /** Random points of a smooth function of two variables. */
    public static DataSet surface(int points, long seed) {
        Random random = new Random(seed);
        INDArray features = Nd4j.zeros(DataType.DOUBLE, points, 2);
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, points, 1);
        for (int i = 0; i < points; i++) {
            double x = 2 * random.nextDouble() - 1;
            double y = 2 * random.nextDouble() - 1;
            features.putScalar(i, 0, x);
            features.putScalar(i, 1, y);
            labels.putScalar(i, 0, Math.sin(3 * x) * Math.cos(2 * y) + x * y / 2);
        }
        return new DataSet(features, labels);
    }

    private MultiLayerNetwork layers(NeuralNetConfiguration.Builder builder, Options options) {
        var list = builder.list();
        if (this == CONVOLUTION) {
            list.layer(new ConvolutionLayer.Builder(3, 3).nOut(4).build())
                    .layer(new SubsamplingLayer.Builder()
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .build());
        }
        list.layer(dense(12, options));
        if (this == BATCH_NORM) {
            list.layer(new BatchNormalization());
        }
        list.layer(dense(10, options)).layer(output(options));
        MultiLayerConfiguration configuration = list.setInputType(
                        this == CONVOLUTION
                                ? InputType.convolutional(SIDE, SIDE, 1)
                                : InputType.feedForward(SIDE * SIDE))
                .build();
        return new MultiLayerNetwork(configuration);
    }

    private static ComputationGraph graph(NeuralNetConfiguration.Builder builder, Options options) {
        ComputationGraphConfiguration configuration = builder.graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(SIDE * SIDE))
                .addLayer("left", dense(9, options), "in")
                .addLayer("right", dense(7, options), "in")
                .addLayer("norm", new BatchNormalization(), "right")
                .addLayer("out", output(options), "left", "norm")
                .setOutputs("out")
                .build();
        return new ComputationGraph(configuration);
    }

    private static DenseLayer dense(int size, Options options) {
        DenseLayer.Builder builder = new DenseLayer.Builder().nOut(size);
        options.layer().accept(builder);
        return builder.build();
    }

    private static OutputLayer output(Options options) {
        OutputLayer.Builder builder = new OutputLayer.Builder(LossFunction.MCXENT)
                .activation(Activation.SOFTMAX)
                .nOut(CLASSES);
        options.layer().accept(builder);
        return builder.build();
    }

    /** Batch number {@code index} of a fixed random sequence: three overlapping clouds. */
    public DataSet batch(int index, int examples, DataType type) {
        Random random = new Random(SEED + index);
        INDArray features = Nd4j.zeros(type, examples, SIDE * SIDE);
        INDArray labels = Nd4j.zeros(type, examples, CLASSES);
        for (int i = 0; i < examples; i++) {
            int label = random.nextInt(CLASSES);
            labels.putScalar(i, label, 1);
            for (int j = 0; j < SIDE * SIDE; j++) {
                features.putScalar(i, j, random.nextGaussian() + (j % CLASSES == label ? 0.5 : 0));
            }
        }
        return new DataSet(this == CONVOLUTION ? features.reshape(examples, 1, SIDE, SIDE) : features, labels);
    }

    /** DL4J 1.0.0-M1.1 cannot read a model that M2.1 has saved: its parameters have rank 1, those of M1.1 rank 2. */
    public static boolean readsModelsOfM2() {
        return DENSE.network(new Sgd(1), DataType.DOUBLE).params().rank() == 1;
    }

    public static void fit(Model model, DataSet data) {
        if (model instanceof MultiLayerNetwork network) {
            network.fit(data);
        } else {
            ((ComputationGraph) model).fit(data);
        }
    }

    public static void nextEpoch(Model model) {
        if (model instanceof MultiLayerNetwork network) {
            network.incrementEpochCount();
        } else {
            ((ComputationGraph) model).incrementEpochCount();
        }
    }

    public static INDArray updaterState(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.updaterState()
                : ((ComputationGraph) model).getUpdater().getUpdaterStateViewArray();
    }
}
