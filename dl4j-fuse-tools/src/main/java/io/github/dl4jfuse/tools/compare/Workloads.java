package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.Cifar10;
import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.datasets.Iris;
import io.github.dl4jfuse.datasets.Preprocessed;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.ImageNetworks;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The workloads that come with the program. */
public final class Workloads {

    private static final int IMAGE_BATCH = 128;
    private static final int MIDDLE_BATCH = 64;
    private static final int SMALL_BATCH = 32;

    /** Measuring a network of convolutions is dear. */
    private static final int FEW_CHECKPOINTS = 10;

    private static final int FASHION_TRAIN = 55_000;
    private static final int CIFAR_TRAIN = 45_000;
    private static final int PIXELS = ImageSplits.SIDE * ImageSplits.SIDE;
    private static final long[] FASHION_IMAGE = {1, ImageSplits.SIDE, ImageSplits.SIDE};
    private static final long[] CIFAR_IMAGE = {3, ImageSplits.CIFAR_SIDE, ImageSplits.CIFAR_SIDE};
    private static final int IRIS_BATCH = 15;
    private static final int IRIS_TRAIN = 90;
    private static final int IRIS_VALIDATION = 30;

    /** Fashion-MNIST, dense layers 784-256-128-10 with ReLU, cross-entropy, inputs in [0, 1]. */
    public static final Workload FASHION_MLP = new Workload(
            "fashion-mlp",
            "Fashion-MNIST, 784-256-128-10 ReLU, cross-entropy, batch " + IMAGE_BATCH
                    + "; published: 88.3 % for 784-256-128-100-10 (Zalando's list)",
            new long[] {PIXELS},
            IMAGE_BATCH,
            800,
            epochs(8, FASHION_TRAIN, IMAGE_BATCH),
            Workload.CHECKPOINTS,
            true,
            true,
            full -> ImageSplits.fashion(full, false),
            seed -> Architecture.of(Networks.perceptron(seed, PIXELS, 10)));

    /** Fashion-MNIST, DeepOBS's 2c2d, {@link ImageNetworks#twoConvolutions}. */
    public static final Workload FASHION_2C2D = new Workload(
            "fashion-2c2d",
            "Fashion-MNIST, DeepOBS's 2c2d: conv 32 and 64 5x5 with pooling, 1024-10 ReLU, cross-entropy, batch "
                    + IMAGE_BATCH + "; published with tuned Adam: 89.7 % after 5 epochs, 91.0 % after 10",
            FASHION_IMAGE,
            IMAGE_BATCH,
            80,
            epochs(5, FASHION_TRAIN, IMAGE_BATCH),
            FEW_CHECKPOINTS,
            true,
            true,
            full -> ImageSplits.fashion(full, true),
            seed -> Architecture.of(ImageNetworks.twoConvolutions(seed)));

    /** Fashion-MNIST, the LeNet of DL4J's examples, {@link ImageNetworks#lenet}. */
    public static final Workload FASHION_LENET = new Workload(
            "fashion-lenet",
            "Fashion-MNIST, LeNet of DL4J's examples: conv 20 and 50 5x5 with pooling, 500 ReLU-10, cross-entropy, L2"
                    + " 5e-4, batch " + MIDDLE_BATCH + "; published for nets like LeNet, to the end: 90.5 to 91 %",
            FASHION_IMAGE,
            MIDDLE_BATCH,
            160,
            epochs(5, FASHION_TRAIN, MIDDLE_BATCH),
            FEW_CHECKPOINTS,
            true,
            true,
            full -> ImageSplits.fashion(full, true),
            seed -> Architecture.of(ImageNetworks.lenet(seed)));

    /**
     * CIFAR-10, DeepOBS's 3c3d, {@link ImageNetworks#threeConvolutions}. As there, training images are turned and shifted by up to
     * 2 pixels; its changes of light are left out, and each channel is standardised over the training set instead of each image by
     * itself. The images don't come with the program: {@link Cifar10#full()} says where they are looked for, and the table
     * calls the data what they are.
     */
    public static final Workload CIFAR_3C3D = new Workload(
            "cifar-3c3d",
            "CIFAR-10, DeepOBS's 3c3d: conv 64 5x5, 96 and 128 3x3 with pooling, 512-256-10 ReLU, cross-entropy, L2 2e-3,"
                    + " standardised, flips and shifts by 2, batch " + IMAGE_BATCH
                    + "; published with tuned Adam: 72.0 % after 5 epochs, 76.0 % after 10",
            CIFAR_IMAGE,
            IMAGE_BATCH,
            60,
            epochs(5, CIFAR_TRAIN, IMAGE_BATCH),
            FEW_CHECKPOINTS,
            true,
            false,
            full -> ImageSplits.augmentedCifar(full, 2),
            seed -> Architecture.of(ImageNetworks.threeConvolutions(seed)));

    /** CIFAR-10, a residual graph of eight layers, {@link ImageNetworks#residual}; training images are turned and shifted by up to 4 pixels. */
    public static final Workload CIFAR_RESNET = new Workload(
            "cifar-resnet",
            "CIFAR-10, residual graph with BatchNorm, 3 blocks of 16, 32 and 64 channels, cross-entropy, standardised,"
                    + " flips and shifts by 4, batch " + IMAGE_BATCH
                    + "; published for 20 layers, to the end: 90.0 % with Adam",
            CIFAR_IMAGE,
            IMAGE_BATCH,
            60,
            epochs(5, CIFAR_TRAIN, IMAGE_BATCH),
            FEW_CHECKPOINTS,
            true,
            false,
            full -> ImageSplits.augmentedCifar(full, 4),
            seed -> Architecture.of(ImageNetworks.residual(seed)));

    /**
     * Fashion-MNIST, an autoencoder 784-256-64-30-64-256-784 with tanh and a logistic output, cross-entropy summed over the
     * pixels: the classic hard case (Hinton, Salakhutdinov 2006; Martens 2010), made narrower. The labels are the inputs as
     * they are, whatever is done to the inputs later.
     */
    public static final Workload AUTOENCODER = new Workload(
            "autoencoder",
            "Fashion-MNIST, autoencoder 784-256-64-30-64-256-784 tanh, cross-entropy, batch " + IMAGE_BATCH,
            new long[] {PIXELS},
            IMAGE_BATCH,
            400,
            epochs(8, FASHION_TRAIN, IMAGE_BATCH),
            Workload.CHECKPOINTS,
            false,
            true,
            full -> ImageSplits.fashion(full, false)
                    .map(images -> new Preprocessed(
                            images, batch -> batch.setLabels(batch.getFeatures().dup()))),
            seed -> Architecture.of(Networks.dense(
                    Networks.builder(seed, WeightInit.XAVIER, Activation.TANH),
                    PIXELS,
                    new int[] {256, 64, 30, 64, 256},
                    new OutputLayer.Builder(LossFunction.XENT).nOut(PIXELS).activation(Activation.SIGMOID))));

    /** Fashion-MNIST, transfer of a small network to new classes, {@link FineTuning}. */
    public static final Workload FINETUNE = new Workload(
            "finetune",
            "Fashion-MNIST, 1,000 images of five classes, conv 16 and 32 5x5 (frozen) and dense 128 trained on the other"
                    + " five classes, new output, cross-entropy, batch " + SMALL_BATCH,
            FASHION_IMAGE,
            SMALL_BATCH,
            320,
            epochs(20, FineTuning.TRAIN, SMALL_BATCH),
            Workload.CHECKPOINTS,
            true,
            false,
            FineTuning::split,
            FineTuning::network);

    /** Synthetic control charts, an LSTM, {@link ControlCharts}. */
    public static final Workload SEQUENCE_LSTM = new Workload(
            "sequence-lstm",
            "Control charts of six classes by the formulas of Alcock and Manolopoulos, 60 steps, LSTM 64, last step,"
                    + " cross-entropy, batch " + MIDDLE_BATCH,
            new long[] {1, ControlCharts.LENGTH},
            MIDDLE_BATCH,
            200,
            epochs(15, ControlCharts.TRAIN, MIDDLE_BATCH),
            Workload.CHECKPOINTS,
            true,
            false,
            ControlCharts::split,
            seed -> Architecture.of(ControlCharts.network(seed)));

    /** Texts of a topic model, an embedding, {@link Topics}. */
    public static final Workload TEXT_EMBEDDING = new Workload(
            "text-embedding",
            "Texts of 40 words by a topic model of 10 topics and 5,000 words, embedding 32, mean, 64 ReLU-10,"
                    + " cross-entropy, batch " + MIDDLE_BATCH
                    + "; the model's own probabilities find 83 % of the topics",
            new long[] {1, Topics.LENGTH},
            MIDDLE_BATCH,
            400,
            epochs(8, Topics.TRAIN, MIDDLE_BATCH),
            Workload.CHECKPOINTS,
            true,
            false,
            Topics::split,
            seed -> Architecture.of(Topics.network(seed)));

    /** Fashion-MNIST, two 5 x 5 convolutions (8 and 16 channels) with BatchNorm and pooling, then 64-10. */
    public static final Workload FASHION_CNN = new Workload(
            "fashion-cnn",
            "Fashion-MNIST, conv 8 and 16 with BatchNorm, 64-10 ReLU, cross-entropy, batch " + IMAGE_BATCH,
            FASHION_IMAGE,
            IMAGE_BATCH,
            200,
            epochs(5, FASHION_TRAIN, IMAGE_BATCH),
            FEW_CHECKPOINTS,
            true,
            true,
            full -> ImageSplits.fashion(full, true),
            seed -> Architecture.of(Networks.convolutional(
                    seed,
                    InputType.convolutional(ImageSplits.SIDE, ImageSplits.SIDE, 1),
                    5,
                    new int[] {8, 16},
                    64,
                    10)));

    /** CIFAR-10, a small network in the manner of VGG, {@link ImageNetworks#vgg}, inputs in [0, 1]. */
    public static final Workload CIFAR_CNN = new Workload(
            "cifar-cnn",
            "CIFAR-10, conv 16-16-pool-32-32-pool, 64-10 ReLU, cross-entropy, batch " + IMAGE_BATCH,
            CIFAR_IMAGE,
            IMAGE_BATCH,
            80,
            epochs(10, CIFAR_TRAIN, IMAGE_BATCH),
            FEW_CHECKPOINTS,
            true,
            true,
            ImageSplits::cifar,
            seed -> Architecture.of(ImageNetworks.vgg(seed)));

    /** A smooth function of two variables, full batch, {@link FullBatch#regression}. */
    public static final Workload REGRESSION = FullBatch.regression();

    /** Poisson's equation in one dimension, full batch, {@link FullBatch#physics}. */
    public static final Workload PHYSICS = FullBatch.physics();

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

    /** Those that are compared unless others are named, in the order of the report. */
    public static final List<Workload> DEFAULT = List.of(
            FASHION_MLP,
            FASHION_2C2D,
            FASHION_LENET,
            CIFAR_3C3D,
            FINETUNE,
            AUTOENCODER,
            SEQUENCE_LSTM,
            TEXT_EMBEDDING,
            CIFAR_RESNET,
            REGRESSION,
            PHYSICS,
            IRIS);

    /** All of them: the earlier networks of convolutions, on which the costs of a step were measured, come last. */
    public static final List<Workload> ALL =
            Stream.concat(DEFAULT.stream(), Stream.of(FASHION_CNN, CIFAR_CNN)).toList();

    /** Those whose runs take minutes. */
    static final Set<String> LARGE = Set.of("fashion-2c2d", "cifar-3c3d", "cifar-resnet");

    private Workloads() {}

    /**
     * Returns what a name stands for: one of {@link #ALL}, or all splits of "tables", "tables-raw", "table:NAME" or
     * "table-raw:NAME".
     *
     * @throws IllegalArgumentException if there is nothing of this name
     */
    static List<Workload> allNamed(String name) {
        List<Workload> splits = Tables.named(name);
        return splits.isEmpty() ? List.of(named(name)) : splits;
    }

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

    static long epochs(int count, int examples, int batch) {
        return (long) count * ((examples + batch - 1) / batch);
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
