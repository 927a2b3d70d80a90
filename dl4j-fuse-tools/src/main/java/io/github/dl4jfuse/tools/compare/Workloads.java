package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.Cifar10;
import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.datasets.Iris;
import io.github.dl4jfuse.datasets.Preprocessed;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The workloads that come with the program. */
public final class Workloads {

    private static final int IMAGE_BATCH = 128;

    /** Measuring a network of convolutions is dear. */
    private static final int FEW_CHECKPOINTS = 10;

    /** On a full batch measuring is cheap, and a target may be reached within a few steps. */
    private static final int MANY_CHECKPOINTS = 300;

    private static final int CIFAR_TRAIN = 3_000;
    private static final int CIFAR_OTHERS = 1_000;
    private static final int SIDE = 28;
    private static final int PIXELS = SIDE * SIDE;
    private static final int CIFAR_SIDE = 32;
    private static final int REGRESSION_POINTS = 1_000;
    private static final int REGRESSION_OTHERS = 500;
    private static final long REGRESSION_SEED = 20231;
    private static final int GRID = 129;
    private static final int VALIDATION_GRID = 101;
    private static final int TEST_GRID = 161;
    private static final int IRIS_BATCH = 15;
    private static final int IRIS_TRAIN = 90;
    private static final int IRIS_VALIDATION = 30;

    /** Fashion-MNIST, dense layers 784-256-128-10 with ReLU, cross-entropy, inputs in [0, 1]. */
    public static final Workload FASHION_MLP = new Workload(
            "fashion-mlp",
            "Fashion-MNIST, 784-256-128-10 ReLU, cross-entropy, batch " + IMAGE_BATCH,
            new long[] {PIXELS},
            IMAGE_BATCH,
            800,
            4_220,
            Workload.CHECKPOINTS,
            true,
            true,
            full -> fashion(full, false),
            seed -> Architecture.of(Networks.perceptron(seed, PIXELS, 10)));

    /** Fashion-MNIST, two 5 x 5 convolutions (8 and 16 channels) with BatchNorm and pooling, then 64-10. */
    public static final Workload FASHION_CNN = new Workload(
            "fashion-cnn",
            "Fashion-MNIST, conv 8 and 16 with BatchNorm, 64-10 ReLU, cross-entropy, batch " + IMAGE_BATCH,
            new long[] {1, SIDE, SIDE},
            IMAGE_BATCH,
            200,
            2_110,
            FEW_CHECKPOINTS,
            true,
            true,
            full -> fashion(full, true),
            seed -> Architecture.of(Networks.convolutional(
                    seed, InputType.convolutional(SIDE, SIDE, 1), 5, new int[] {8, 16}, 64, 10)));

    /**
     * CIFAR-10, a small network in the manner of VGG: twice two 3 x 3 convolutions (16 and 32 channels) and pooling, then
     * 64-10, inputs in [0, 1]. The images don't come with the program: {@link Cifar10#full()} says where they are looked for,
     * and the table calls the data what they are.
     */
    public static final Workload CIFAR_CNN = new Workload(
            "cifar-cnn",
            "CIFAR-10, conv 16-16-pool-32-32-pool, 64-10 ReLU, cross-entropy, batch " + IMAGE_BATCH,
            new long[] {3, CIFAR_SIDE, CIFAR_SIDE},
            IMAGE_BATCH,
            80,
            3_520,
            FEW_CHECKPOINTS,
            true,
            true,
            Workloads::cifar,
            seed -> Architecture.of(vgg(seed)));

    /**
     * Fashion-MNIST, an autoencoder 784-256-64-30-64-256-784 with tanh and a logistic output, cross-entropy summed over the
     * pixels: the classic hard case (Hinton, Salakhutdinov 2006; Martens 2010), made narrower. The labels are the inputs as
     * they are, whatever is done to the inputs later.
     */
    public static final Workload FASHION_AUTOENCODER = new Workload(
            "fashion-autoencoder",
            "Fashion-MNIST, autoencoder 784-256-64-30-64-256-784 tanh, cross-entropy, batch " + IMAGE_BATCH,
            new long[] {PIXELS},
            IMAGE_BATCH,
            400,
            4_220,
            Workload.CHECKPOINTS,
            false,
            true,
            full -> fashion(full, false)
                    .map(images -> new Preprocessed(
                            images, batch -> batch.setLabels(batch.getFeatures().dup()))),
            seed -> Architecture.of(Networks.dense(
                    Networks.builder(seed, WeightInit.XAVIER, Activation.TANH),
                    PIXELS,
                    new int[] {256, 64, 30, 64, 256},
                    new OutputLayer.Builder(LossFunction.XENT).nOut(PIXELS).activation(Activation.SIGMOID))));

    /**
     * A smooth function of two variables, sin(3x) cos(2y) + xy / 2 on [-1, 1]², from 1,000 random points without noise; dense
     * 2-64-64-1 with tanh, squared loss, double precision, full batch.
     */
    public static final Workload REGRESSION = fullBatch(
            "regression",
            "smooth function of two variables, 1,000 points, 2-64-64-1 tanh, squared loss, double, full batch",
            REGRESSION_POINTS,
            800,
            2,
            64,
            () -> new OutputLayer.Builder(LossFunction.MSE),
            Workloads::regression);

    /**
     * A small physics-informed network: -u'' = f on [0, 1] with u(0) = u(1) = 0, whose solution is sin(πx) + sin(3πx) / 3;
     * dense 1-32-32-1 with tanh, double precision, full batch. DL4J does not differentiate a network by its input, so u'' is
     * the difference quotient over the grid that the batch is ({@link PoissonLoss}). Validation and test are finer and coarser
     * grids.
     */
    public static final Workload PHYSICS = fullBatch(
            "physics",
            "Poisson's equation in one dimension, 1-32-32-1 tanh, squared residual on " + GRID
                    + " points, double, full batch",
            GRID,
            1_500,
            1,
            32,
            () -> new OutputLayer.Builder(new PoissonLoss()),
            () -> new Split(grid(GRID), grid(VALIDATION_GRID), grid(TEST_GRID)));

    /** Fisher's iris flowers, standardised measurements, 4-16-3 with tanh, cross-entropy: 90, 30 and 30 flowers. */
    public static final Workload IRIS = new Workload(
            "iris",
            "Iris, 4-16-3 tanh, cross-entropy, batch " + IRIS_BATCH,
            new long[] {4},
            IRIS_BATCH,
            600,
            3_000,
            Workload.CHECKPOINTS,
            true,
            false,
            full -> iris(),
            seed -> Architecture.of(Networks.dense(
                    Networks.builder(seed, WeightInit.XAVIER, Activation.TANH),
                    4,
                    new int[] {16},
                    Networks.classes(3))));

    /** All of them, in the order of the report. */
    public static final List<Workload> ALL =
            List.of(FASHION_MLP, FASHION_CNN, CIFAR_CNN, FASHION_AUTOENCODER, REGRESSION, PHYSICS, IRIS);

    private Workloads() {}

    /**
     * Returns one of {@link #ALL}.
     *
     * @throws IllegalArgumentException if there is no such workload
     */
    public static Workload named(String name) {
        return ALL.stream()
                .filter(workload -> workload.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no workload '" + name + "'; there are "
                        + ALL.stream().map(Workload::name).collect(Collectors.joining(", ")) + "."));
    }

    /** The last sixth of the subset, or the last tenth of the full training set, is for validation. */
    private static Split fashion(boolean full, boolean asImages) {
        FashionMnist source = full ? FashionMnist.full() : FashionMnist.subset();
        ImageData train = asImages ? source.train().asImages() : source.train().asFlat();
        ImageData test = asImages ? source.test().asImages() : source.test().asFlat();
        int kept = full ? train.size() * 9 / 10 : train.size() * 5 / 6;
        return new Split(train.range(0, kept), train.range(kept, train.size()), test);
    }

    /** The fast form takes the first images of each part of a seeded shuffle, since files may be sorted by class. */
    private static Split cifar(boolean full) {
        Cifar10 source = Cifar10.full();
        ImageData train = source.train().shuffled(1).asImages();
        ImageData test = source.test().shuffled(1).asImages();
        int kept = full ? train.size() * 9 / 10 : CIFAR_TRAIN;
        return new Split(
                train.range(0, kept),
                train.range(kept, full ? train.size() : kept + CIFAR_OTHERS),
                full ? test : test.range(0, CIFAR_OTHERS));
    }

    private static MultiLayerConfiguration vgg(long seed) {
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
                .layer(Networks.classes(10).build())
                .setInputType(InputType.convolutional(CIFAR_SIDE, CIFAR_SIDE, 3))
                .build();
    }

    /** Two dense layers with tanh and one output in double precision; each batch is the whole training set. */
    private static Workload fullBatch(
            String name,
            String description,
            int points,
            long fastGradients,
            int inputs,
            int units,
            Supplier<OutputLayer.Builder> output,
            Supplier<Split> reader) {
        return new Workload(
                name,
                description,
                new long[] {inputs},
                points,
                fastGradients,
                20_000,
                MANY_CHECKPOINTS,
                false,
                false,
                full -> reader.get(),
                seed -> Architecture.of(Networks.dense(
                        Networks.builder(seed, WeightInit.XAVIER, Activation.TANH)
                                .dataType(DataType.DOUBLE),
                        inputs,
                        new int[] {units, units},
                        output.get().nOut(1).activation(Activation.IDENTITY))));
    }

    private static Split regression() {
        Random random = new Random(REGRESSION_SEED);
        return new Split(
                points(REGRESSION_POINTS, random),
                points(REGRESSION_OTHERS, random),
                points(REGRESSION_OTHERS, random));
    }

    private static FixedBatches points(int count, Random random) {
        INDArray features = Nd4j.zeros(DataType.DOUBLE, count, 2);
        INDArray values = Nd4j.zeros(DataType.DOUBLE, count, 1);
        for (int i = 0; i < count; i++) {
            double x = 2 * random.nextDouble() - 1;
            double y = 2 * random.nextDouble() - 1;
            features.putScalar(i, 0, x);
            features.putScalar(i, 1, y);
            values.putScalar(i, 0, Math.sin(3 * x) * Math.cos(2 * y) + x * y / 2);
        }
        return FixedBatches.whole(new DataSet(features, values));
    }

    private static FixedBatches grid(int points) {
        double[] u = new double[points];
        for (int i = 0; i < points; i++) {
            double x = i / (points - 1.0);
            u[i] = Math.sin(Math.PI * x) + Math.sin(3 * Math.PI * x) / 3;
        }
        INDArray x =
                Nd4j.linspace(DataType.DOUBLE, 0, 1.0 / (points - 1), points).reshape(points, 1);
        return FixedBatches.whole(new DataSet(x, PoissonLoss.rightHandSide(u)));
    }

    private static Split iris() {
        DataSet all = Iris.standardised();
        int tested = IRIS_TRAIN + IRIS_VALIDATION;
        return new Split(
                new FixedBatches(range(all, 0, IRIS_TRAIN).batchBy(IRIS_BATCH)),
                FixedBatches.whole(range(all, IRIS_TRAIN, tested)),
                FixedBatches.whole(range(all, tested, all.numExamples())));
    }

    private static DataSet range(DataSet all, int from, int to) {
        return (DataSet) all.getRange(from, to);
    }
}
