package io.github.dl4jfuse.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.tools.compare.Workloads;
import io.github.dl4jfuse.tools.doctor.PairedTimes;
import io.github.dl4jfuse.tools.networks.Networks;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/**
 * Training steps of two equal networks, one with DL4J's layers on its oneDNN helpers, one attached ({@link Acceleration#attach}), and of
 * the same network in PyTorch, all in turn: steps of Adam on one random batch of {@value #BATCH}.
 */
final class LayerSteps {

    private static final int BATCH = 128;
    private static final int WARM_UP = 5;
    private static final int PAIRS = 10;
    private static final long SEED = 5;

    /** So small that the batch is not learnt by heart: gradients that vanish become denormal numbers, which take many times as long. */
    private static final double RATE = 1e-6;

    /** A network of the comparison, and the shape of an example. */
    private record Subject(String name, MultiLayerConfiguration configuration, long... shape) {}

    private LayerSteps() {}

    /**
     * Returns a table.
     *
     * @param rounds how often each network takes {@value #PAIRS} pairs of steps
     * @param peer a script for python3 that takes the steps in PyTorch, or null
     */
    static String table(int rounds, Path peer) throws IOException {
        Acceleration.enable();
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "%nStep of Adam, batch %d, ms. %s%n%n"
                        + "| network | DL4J | attached | ratio of a pair | 95 %% interval | PyTorch, plain | channels last |%n"
                        + "| --- | ---: | ---: | ---: | ---: | ---: | ---: |%n",
                BATCH,
                peer == null ? "No script for PyTorch was named." : ""));
        for (Subject subject : List.of(
                new Subject("cifar-cnn", Workloads.CIFAR_CNN.configuration(SEED), Workloads.CIFAR_CNN.example()),
                new Subject("fashion-cnn", Workloads.FASHION_CNN.configuration(SEED), Workloads.FASHION_CNN.example()),
                new Subject("mlp", Networks.perceptron(SEED, 784, 10), 784))) {
            table.append(row(subject, rounds, peer));
        }
        return table.toString();
    }

    private static String row(Subject subject, int rounds, Path peer) throws IOException {
        MultiLayerNetwork plain = Networks.network(subject.configuration().clone(), new Adam(RATE));
        MultiLayerNetwork attached = Networks.network(subject.configuration().clone(), new Adam(RATE));
        Acceleration.attach(attached);
        DataSet batch = batch(subject.shape());
        PairedTimes times = new PairedTimes();
        List<double[]> others = new ArrayList<>();
        try (Peer torch = peer == null ? null : new Peer(peer, subject.name())) {
            for (int round = 0; round < rounds; round++) {
                times.run(() -> plain.fit(batch), () -> attached.fit(batch), WARM_UP, PAIRS);
                if (torch != null) {
                    others.add(torch.steps(WARM_UP + PAIRS));
                }
            }
        }
        return String.format(
                Locale.ROOT,
                "| %s | %.2f | %.2f | %.3f | %.3f to %.3f | %s | %s |%n",
                subject.name(),
                times.first(),
                times.second(),
                times.ratio(),
                times.ratioAt(false),
                times.ratioAt(true),
                median(others, 0),
                median(others, 1));
    }

    private static String median(List<double[]> rounds, int column) {
        return rounds.isEmpty()
                ? "-"
                : String.format(
                        Locale.ROOT,
                        "%.2f",
                        rounds.stream()
                                .mapToDouble(round -> round[column])
                                .sorted()
                                .skip(rounds.size() / 2)
                                .findFirst()
                                .orElse(Double.NaN));
    }

    private static DataSet batch(long[] example) {
        Nd4j.getRandom().setSeed(SEED);
        long[] shape = DoubleStream.concat(
                        DoubleStream.of(BATCH), Arrays.stream(example).asDoubleStream())
                .mapToLong(length -> (long) length)
                .toArray();
        INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, 10);
        for (int i = 0; i < BATCH; i++) {
            labels.putScalar(i, i % 10, 1);
        }
        return new DataSet(Nd4j.rand(DataType.FLOAT, shape), labels);
    }

    /** A process that takes steps when it is told to, and says their median times in both layouts. */
    private static final class Peer implements AutoCloseable {

        private final Process process;
        private final PrintWriter to;
        private final BufferedReader from;

        Peer(Path script, String network) throws IOException {
            ProcessBuilder builder = new ProcessBuilder("/usr/bin/python3", script.toString(), network, "" + BATCH);
            builder.environment().remove("OPENBLAS_CORETYPE"); // its library is another one, which knows the processor
            process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
            to = new PrintWriter(process.outputWriter(UTF_8), true);
            from = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
        }

        double[] steps(int count) throws IOException {
            to.println(count);
            String line = from.readLine();
            if (line == null) {
                throw new IOException(
                        "PyTorch ended without an answer. Is Debian's python3-torch installed, and libopenblas0?");
            }
            return Arrays.stream(line.trim().split(" "))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
        }

        @Override
        public void close() {
            process.destroy();
        }
    }
}
