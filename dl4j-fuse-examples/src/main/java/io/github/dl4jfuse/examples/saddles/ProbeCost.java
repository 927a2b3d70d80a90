package io.github.dl4jfuse.examples.saddles;

import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.saddle.EigenPairs;
import io.github.dl4jfuse.saddle.Lanczos;
import io.github.dl4jfuse.tools.compare.Workloads;
import io.github.dl4jfuse.tools.networks.Networks;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What eigenpairs of networks cost, and how far they are from those of a much longer Lanczos run. */
final class ProbeCost {

    private static final int EXAMPLES = 1_000;
    private static final int PAIRS = 8;
    private static final int PRODUCTS = 57;
    private static final int REFERENCE_PRODUCTS = 120;

    private final PrintWriter out;
    private final ImageData images = FashionMnist.subset().train().asFlat();

    ProbeCost(PrintWriter out) {
        this.out = out;
    }

    void run() {
        // First, so that the peak of memory is its own.
        probe("784-900-300-10 ReLU, 1 million parameters", wide(), 0);
        for (int steps : new int[] {200, 0}) {
            probe("784-256-128-10 ReLU", Workloads.FASHION_MLP.configuration(1), steps);
            probe("the same with BatchNorm and dropout .5 (BatchNorm by the batch, dropout off)", normalised(), steps);
        }
    }

    private static MultiLayerConfiguration normalised() {
        return Networks.builder(1, WeightInit.RELU, Activation.RELU)
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(28 * 28)
                        .nOut(256)
                        .dropOut(0.5)
                        .build())
                .layer(new BatchNormalization.Builder().nIn(256).nOut(256).build())
                .layer(new DenseLayer.Builder().nIn(256).nOut(128).dropOut(0.5).build())
                .layer(output().nIn(128).build())
                .build();
    }

    private static MultiLayerConfiguration wide() {
        var builder = Networks.builder(1, WeightInit.RELU, Activation.RELU);
        return Networks.dense(builder, 28 * 28, new int[] {900, 300}, output());
    }

    /** The largest resident memory of this process so far, data and Java included, as Linux counts it. */
    private static String peakMemory() {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .map(line -> "peak of the process " + Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024 + " MB")
                    .findFirst()
                    .orElse("peak of memory unknown");
        } catch (IOException e) {
            return "peak of memory unknown (" + e.getMessage() + ")";
        }
    }

    private static OutputLayer.Builder output() {
        return new OutputLayer.Builder(LossFunction.MCXENT).nOut(10).activation(Activation.SOFTMAX);
    }

    private void probe(String name, MultiLayerConfiguration configuration, int steps) {
        MultiLayerNetwork network = Networks.network(configuration, new Adam(1e-3));
        DataSetIterator batches = images.iterator(128, 1);
        for (int step = 0; step < steps; step++) {
            network.fit(Networks.next(batches));
        }
        DataSet data = images.shuffled(1).range(0, EXAMPLES).iterator(EXAMPLES).next();
        NetworkObjective inFloat = new NetworkObjective(network, data);
        NetworkObjective inDouble = inFloat.inDouble();
        INDArray x = inDouble.start();
        EigenPairs stopped = new Lanczos(PRODUCTS, 1e-2, 1).oneSided().largest(inDouble, x, PAIRS);
        out.printf(
                Locale.ROOT,
                "%s (%,d parameters), after %d steps of Adam, %,d examples; %s%n",
                name,
                inDouble.dimension(),
                steps,
                EXAMPLES,
                peakMemory());
        EigenPairs whole = new Lanczos(PRODUCTS, 0, 1).oneSided().extremes(inDouble, x, PAIRS / 2, PAIRS);
        line("double, one-sided, " + PAIRS + " largest to 1 %", stopped, PAIRS, whole);
        if (inDouble.dimension() < 500_000) {
            EigenPairs reference =
                    new Lanczos(REFERENCE_PRODUCTS, 0, 2).oneSided().extremes(inDouble, x, PAIRS / 2, PAIRS);
            line("double, one-sided", whole, PAIRS + PAIRS / 2, reference);
            line(
                    "float, central",
                    new Lanczos(PRODUCTS / 2, 0, 1).largest(inFloat, inFloat.start(), PAIRS),
                    PAIRS,
                    reference);
        }
    }

    /** The largest eigenvalues, after them the smallest ones if there are so many. */
    private void line(String differences, EigenPairs measured, int count, EigenPairs reference) {
        out.printf(
                Locale.ROOT,
                "  %s, %d products, %d gradients:",
                differences,
                measured.products(),
                measured.gradientEvaluations());
        int last = measured.values().length - 1;
        int lastReference = reference.values().length - 1;
        for (int i = 0; i < count; i++) {
            double value = measured.values()[last - i];
            out.printf(
                    Locale.ROOT,
                    " %.4g (%.2g %%, said %.2g %%)",
                    value,
                    100 * Math.abs(value / reference.values()[lastReference - i] - 1),
                    100 * measured.errors()[last - i] / Math.abs(value));
        }
        out.println();
    }
}
