package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.tools.machine.Machine;
import io.github.dl4jfuse.tools.networks.Networks;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/**
 * The micro-benchmark, in a process of its own so that every setting can be tried: a product of two 1024 x 1024 float
 * matrices, and fit steps of a small MLP and CNN on one batch of {@value #BATCH} random examples, with DL4J's Adam and, where acceleration
 * is on, attached layers.
 *
 * <p>Before it the {@link SelfTest} runs. Arguments: seconds for each of the three, and "on" or "off" for
 * {@link Acceleration}. Prints {@code probe.key=value} lines.
 */
final class Probe {

    static final String PREFIX = "probe.";

    /** What the keys of {@link SelfTest}'s errors begin with. */
    static final String SELF_TEST = "selftest.";

    private static final int BATCH = 128;
    private static final int MATRIX = 1024;
    private static final int CLASSES = 10;

    private Probe() {}

    public static void main(String[] args) {
        double seconds = Double.parseDouble(args[0]);
        boolean accelerated = args[1].equals("on");
        if (accelerated) {
            Acceleration.enable();
        }
        say("backend", Machine.backend());
        say("classifier", Machine.classifier());
        say("device", Machine.device());
        say("blasThreads", Nd4j.getExecutioner().getEnvironmentInformation().get("blas.threads"));
        say("helpers", Machine.helpers());
        say("memory", Machine.memory());
        new SelfTest().run().forEach((name, error) -> say(SELF_TEST + name, error));
        say("gflops", gflops(seconds));
        DataSet flat = new DataSet(Nd4j.rand(BATCH, 784), labels());
        say("mlp", samplesPerSecond(mlp(), accelerated, flat, seconds));
        DataSet images = new DataSet(Nd4j.rand(BATCH, 1, 28, 28), labels());
        say("cnn", samplesPerSecond(cnn(), accelerated, images, seconds));
    }

    private static void say(String key, Object value) {
        System.out.println(PREFIX + key + "=" + value);
    }

    private static double gflops(double seconds) {
        INDArray a = Nd4j.rand(MATRIX, MATRIX);
        INDArray b = Nd4j.rand(MATRIX, MATRIX);
        INDArray c = Nd4j.create(MATRIX, MATRIX);
        return 2e-9 * MATRIX * MATRIX * MATRIX * perSecond(seconds, () -> a.mmuli(b, c));
    }

    private static double samplesPerSecond(
            MultiLayerConfiguration configuration, boolean attach, DataSet data, double seconds) {
        MultiLayerNetwork network = Networks.network(configuration, new Adam());
        if (attach) {
            say("layers", Acceleration.attach(network).reason());
        }
        return data.numExamples() * perSecond(seconds, () -> network.fit(data));
    }

    /** Runs the work for a third of the time to warm up, and for the rest to count how often it is done in a second. */
    private static double perSecond(double seconds, Runnable work) {
        long warm = System.nanoTime() + (long) (seconds / 3 * 1e9);
        do {
            work.run();
        } while (System.nanoTime() < warm);
        long start = System.nanoTime();
        long end = start + (long) (seconds * 2 / 3 * 1e9);
        long done = 0;
        do {
            work.run();
            done++;
        } while (System.nanoTime() < end);
        Nd4j.getExecutioner().commit();
        return done * 1e9 / (System.nanoTime() - start);
    }

    private static INDArray labels() {
        INDArray labels = Nd4j.zeros(BATCH, CLASSES);
        for (int i = 0; i < BATCH; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        return labels;
    }

    private static NeuralNetConfiguration.Builder builder() {
        return Networks.builder(1, WeightInit.XAVIER, Activation.RELU);
    }

    private static MultiLayerConfiguration mlp() {
        return Networks.dense(builder(), 784, new int[] {256}, Networks.classes(CLASSES));
    }

    private static MultiLayerConfiguration cnn() {
        return builder()
                .list()
                .layer(new ConvolutionLayer.Builder(5, 5).nOut(16).build())
                .layer(Networks.pooling())
                .layer(new ConvolutionLayer.Builder(5, 5).nOut(32).build())
                .layer(Networks.pooling())
                .layer(new DenseLayer.Builder().nOut(128).build())
                .layer(Networks.classes(CLASSES).build())
                .setInputType(InputType.convolutional(28, 28, 1))
                .build();
    }
}
