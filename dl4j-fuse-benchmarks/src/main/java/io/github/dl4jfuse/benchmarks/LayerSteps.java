package io.github.dl4jfuse.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.tools.compare.Workloads;
import io.github.dl4jfuse.tools.doctor.PairedTimes;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.updater.Preconditioned;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Training steps of a network of DL4J's as it comes, on its oneDNN helpers ({@link Acceleration#enable}) and attached ({@link
 * Acceleration#attach}), and of the same network in PyTorch, all in turn: steps of Adam on random batches of {@value #BATCH}. And steps of
 * Adam in the metric of the inputs, beside those of Adam.
 */
final class LayerSteps {

    private static final int BATCH = 128;
    private static final long SEED = 5;

    /** So small that the batches are not learnt by heart: gradients that vanish become denormal numbers, which take many times as long. */
    private static final double RATE = 1e-6;

    /** A network of the comparison, how many pairs of steps make a round, and the shape of an example. */
    private record Subject(String name, MultiLayerConfiguration configuration, int pairs, long... shape) {

        static List<Subject> all() {
            return List.of(
                    new Subject("cifar-cnn", Workloads.CIFAR_CNN.configuration(SEED), 20, 3, 32, 32),
                    new Subject("fashion-cnn", Workloads.FASHION_CNN.configuration(SEED), 50, 1, 28, 28),
                    new Subject("mlp", Networks.perceptron(SEED, 784, 10), 300, 784));
        }

        MultiLayerNetwork network(IUpdater updater) {
            return Networks.network(configuration.clone(), updater);
        }
    }

    /** Batches in turn, as two equal ones in a row are something else for an updater of ours. */
    private static final class Trainee {

        private final MultiLayerNetwork network;
        private final DataSet[] batches;
        private int steps;

        Trainee(MultiLayerNetwork network, DataSet... batches) {
            this.network = network;
            this.batches = batches;
        }

        void step() {
            network.fit(batches[steps++ % batches.length]);
        }
    }

    private LayerSteps() {}

    /**
     * Returns two tables.
     *
     * @param rounds how often each network takes its pairs of steps, of which the first quarter does not count
     * @param peer a script for python3 that takes the steps in PyTorch, or null
     */
    static String table(int rounds, Path peer) throws IOException {
        Acceleration.enable();
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "%nStep of Adam, batch %d, ms. %s%n%n"
                        + "| network | DL4J as it comes | with its oneDNN | attached | by DL4J's with oneDNN | 95 %% interval |"
                        + " PyTorch, plain | channels last | attached by PyTorch's better |%n"
                        + "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |%n",
                BATCH,
                peer == null ? "No script for PyTorch was named." : ""));
        StringBuilder metric = new StringBuilder(String.format(
                Locale.ROOT,
                "%nStep of Preconditioned.adam() by that of Adam, both attached.%n%n"
                        + "| network | Adam, ms | Preconditioned, ms | ratio of a pair | 95 %% interval |%n"
                        + "| --- | ---: | ---: | ---: | ---: |%n"));
        for (Subject subject : Subject.all()) {
            table.append(row(subject, rounds, peer));
            metric.append(metricRow(subject, rounds));
        }
        return table.append(metric).toString();
    }

    private static String row(Subject subject, int rounds, Path peer) throws IOException {
        DataSet[] batches = {batch(subject.shape(), SEED), batch(subject.shape(), SEED + 1)};
        Trainee plain = new Trainee(subject.network(new Adam(RATE)), batches);
        MultiLayerNetwork network = subject.network(new Adam(RATE));
        Acceleration.attach(network);
        Trainee attached = new Trainee(network, batches);
        PairedTimes times = new PairedTimes();
        List<double[]> others = new ArrayList<>();
        List<double[]> asItComes = new ArrayList<>();
        try (Peer dl4j = Peer.ofDl4j(subject.name());
                Peer torch = peer == null ? null : Peer.ofTorch(peer, subject.name())) {
            for (int round = 0; round < rounds; round++) {
                times.run(plain::step, attached::step, subject.pairs() / 4, subject.pairs());
                asItComes.add(dl4j.steps(subject.pairs() / 4));
                if (torch != null) {
                    others.add(torch.steps(subject.pairs()));
                }
            }
        }
        double better = Math.min(median(others, 0), median(others, 1));
        return String.format(
                Locale.ROOT,
                "| %s | %.2f | %.2f | %.2f | %.3f | %.3f to %.3f | %.2f | %.2f | %.2f |%n",
                subject.name(),
                median(asItComes, 0),
                times.first(),
                times.second(),
                times.ratio(),
                times.ratioAt(false),
                times.ratioAt(true),
                median(others, 0),
                median(others, 1),
                times.second() / better);
    }

    private static String metricRow(Subject subject, int rounds) {
        DataSet[] batches = {batch(subject.shape(), SEED), batch(subject.shape(), SEED + 1)};
        MultiLayerNetwork[] networks = {
            subject.network(new Adam(RATE)), subject.network(Preconditioned.of(new Adam(RATE)))
        };
        Acceleration.attach(networks[0]);
        DL4JFuse.attach(networks[1]);
        Trainee adam = new Trainee(networks[0], batches);
        Trainee metric = new Trainee(networks[1], batches);
        PairedTimes times = new PairedTimes();
        times.run(
                adam::step, metric::step, subject.pairs(), rounds * subject.pairs()); // looks come each 16 or 32 steps
        return String.format(
                Locale.ROOT,
                "| %s | %.2f | %.2f | %.3f | %.3f to %.3f |%n",
                subject.name(),
                times.first(),
                times.second(),
                times.ratio(),
                times.ratioAt(false),
                times.ratioAt(true));
    }

    private static double median(List<double[]> rounds, int column) {
        return rounds.stream()
                .mapToDouble(round -> round[column])
                .sorted()
                .skip(rounds.size() / 2)
                .findFirst()
                .orElse(Double.NaN);
    }

    /** Takes steps of DL4J as it comes, for another process: the peer of {@link Peer#ofDl4j}. */
    static void serve(String name) throws IOException {
        Subject subject = Subject.all().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
        Trainee trainee = new Trainee(
                subject.network(new Adam(RATE)), batch(subject.shape(), SEED), batch(subject.shape(), SEED + 1));
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            double[] times = new double[Integer.parseInt(line.trim())];
            for (int i = 0; i < times.length; i++) {
                long begin = System.nanoTime();
                trainee.step();
                times[i] = (System.nanoTime() - begin) / 1e6;
            }
            Arrays.sort(times);
            System.out.println(Peer.ANSWER + times[times.length / 2]);
        }
    }

    private static DataSet batch(long[] example, long seed) {
        Nd4j.getRandom().setSeed(seed);
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

    /** A process that takes steps when it is told to, and says their median times. */
    private static final class Peer implements AutoCloseable {

        static final String ANSWER = "median ";

        /** Else PyTorch gives memory back to the system in each step and takes it again, which makes it up to six times slower. */
        private static final Map<String, String> KEEPING_MEMORY = Map.of(
                "MALLOC_MMAP_MAX_",
                "0",
                "MALLOC_TOP_PAD_",
                "" + (256 << 20),
                "MALLOC_TRIM_THRESHOLD_",
                "" + (512 << 20));

        private final Process process;
        private final PrintWriter to;
        private final BufferedReader from;

        private Peer(List<String> command, Map<String, String> environment) throws IOException {
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().remove("OPENBLAS_CORETYPE"); // nobody sets it who does not know of it
            builder.environment().putAll(environment);
            process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
            to = new PrintWriter(process.outputWriter(UTF_8), true);
            from = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
        }

        static Peer ofTorch(Path script, String network) throws IOException {
            return new Peer(List.of("/usr/bin/python3", script.toString(), network, "" + BATCH), KEEPING_MEMORY);
        }

        /** DL4J without oneDNN and without a setting. */
        static Peer ofDl4j(String network) throws IOException {
            String java = ProcessHandle.current().info().command().orElse("java");
            return new Peer(
                    List.of(
                            java,
                            "-cp",
                            System.getProperty("java.class.path"),
                            Benchmarks.class.getName(),
                            "layers-peer",
                            network),
                    Map.of());
        }

        double[] steps(int count) throws IOException {
            to.println(count);
            for (String line = from.readLine(); line != null; line = from.readLine()) {
                if (line.startsWith(ANSWER)) {
                    return Arrays.stream(line.substring(ANSWER.length()).trim().split(" "))
                            .mapToDouble(Double::parseDouble)
                            .toArray();
                }
            }
            throw new IOException("A process to compare with ended without an answer: " + process.info()
                    + ". For PyTorch, are Debian's python3-torch and libopenblas0-pthread installed?");
        }

        @Override
        public void close() {
            process.destroy();
        }
    }
}
