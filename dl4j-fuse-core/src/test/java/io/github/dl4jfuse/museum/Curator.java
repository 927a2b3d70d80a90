package io.github.dl4jfuse.museum;

import static io.github.dl4jfuse.TestNetworks.SEED;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * Makes the exhibits of a new hall from the present code: each updater, in both kinds of network, with several blocks, saved in each
 * of its phases.
 */
final class Curator {

    /** Steps before the save. Between it and the end no metric looks at its inputs, but where that is said. */
    private static final int BEFORE = 20;

    private static final int EPOCH = 10;
    private static final int GRADIENTS = 3;

    private final Path hall;

    private Curator(Path hall) {
        this.hall = hall;
    }

    static void fill(Path hall) throws IOException {
        Files.createDirectories(hall);
        new Curator(hall).fill();
    }

    private void fill() throws IOException {
        fuse("preconditioned", rows(Preconditioned.adam(), DataType.FLOAT), Batches.ROWS, null);
        fuse("preconditioned-graph", graph(Preconditioned.adam(), DataType.DOUBLE), Batches.ROWS, null);
        fuse(
                "preconditioned-images",
                images(Preconditioned.adam(), Preconditioned.of(FusePv.ofRate(1e-2))),
                Batches.IMAGES,
                null);
        fuse("preconditioned-sequences", sequences(Preconditioned.adam()), Batches.SEQUENCES, null);
        fuse(
                "preconditioned-damping",
                rows(Preconditioned.adam().withDamping(10), DataType.DOUBLE),
                Batches.ROWS,
                null);
        fuse(
                "preconditioned-over-epochs",
                rows(Preconditioned.adam().overEpochs(4), DataType.FLOAT),
                Batches.ROWS,
                null);
        fuse("preconditioned-adam", graph(Preconditioned.of(new Adam(1e-2)), DataType.FLOAT), Batches.ROWS, null);
        fuse(
                "preconditioned-nesterovs",
                rows(Preconditioned.of(new Nesterovs(1e-3)), DataType.DOUBLE),
                Batches.ROWS,
                null);
        fuse(
                "preconditioned-fuse-pv-lbfgs",
                rows(Preconditioned.of(switched(false)), DataType.DOUBLE),
                Batches.ROWS,
                1.0);
        fuse("preconditioned-fuse", graph(Preconditioned.of(blend()), DataType.DOUBLE), Batches.ROWS, 0.5);
        write(
                "preconditioned-looks",
                rows(Preconditioned.adam(), DataType.FLOAT),
                Batches.ROWS,
                "CurvatureListener",
                null,
                28);

        fuse("fuse-pv-adam", rows(new FusePv(), DataType.FLOAT), Batches.ROWS, 1.0);
        fuse("fuse-pv-adam-graph", graph(FusePv.ofRate(exponential()), DataType.DOUBLE), Batches.ROWS, 1.0);
        fuse("fuse-pv-losses", rows(averages(), DataType.FLOAT), Batches.ROWS, 1.0);
        fuse("fuse-pv-lbfgs", rows(switched(false), DataType.FLOAT), Batches.ROWS, 1.0);
        fuse("fuse-pv-lbfgs-graph", graph(switched(true), DataType.DOUBLE), Batches.ROWS, 1.0);
        fuse("fuse-pv-lbfgs-images", images(switched(false), faster()), Batches.IMAGES, 1.0);
        fuse("fuse", rows(blend(), DataType.DOUBLE), Batches.ROWS, 0.5);
        fuse("fuse-graph", graph(scheduled(), DataType.FLOAT), Batches.ROWS, 0.25);

        lfso("lfso-adam", rows(new Lfso(), DataType.FLOAT), Batches.ROWS);
        lfso("lfso-momentum-graph", graph(annealed(), DataType.DOUBLE), Batches.ROWS);
        lfso("lfso-gradient", rows(new Lfso(Lfso.Direction.GRADIENT), DataType.DOUBLE), Batches.ROWS);
    }

    private void fuse(String name, Model model, Batches batches, Double share) throws IOException {
        write(name, model, batches, "CurvatureListener", share, BEFORE);
    }

    private void lfso(String name, Model model, Batches batches) throws IOException {
        write(name, model, batches, "LfsoListener", null, BEFORE);
    }

    private void write(String name, Model model, Batches batches, String listener, Double share, int before)
            throws IOException {
        Properties properties = new Properties();
        properties.setProperty("kind", model instanceof ComputationGraph ? "graph" : "layers");
        properties.setProperty("listener", listener);
        properties.setProperty("batches", batches.name());
        if (share != null) {
            properties.setProperty("share", share.toString());
        }
        Map<String, byte[]> entries = new TreeMap<>();
        Exhibit exhibit = new Exhibit(name, properties, entries);
        exhibit.listen(model);
        for (int step = 0; step < before; step++) {
            exhibit.fit(model, step);
            if ((step + 1) % EPOCH == 0) {
                TestNetworks.nextEpoch(model);
            }
        }
        save(model, entries);
        StringBuilder lines = new StringBuilder(); // Properties.store would add the date
        properties.stringPropertyNames().stream()
                .sorted()
                .forEach(key -> lines.append(key)
                        .append('=')
                        .append(properties.getProperty(key))
                        .append('\n'));
        entries.put(Exhibit.PROPERTIES, lines.toString().getBytes(StandardCharsets.UTF_8));

        DataType type = model.params().dataType();
        exhibit.put(Exhibit.GRADIENTS, type, gradients(model.numParams()));
        exhibit.put(Exhibit.UPDATES, type, exhibit.updates());
        if (share != null && !name.startsWith("preconditioned") && !name.contains("-adam")) {
            exhibit.put(Exhibit.DIRECTIONS, type, exhibit.directions());
        }
        exhibit.put(Exhibit.PARAMETERS, type, exhibit.trainedOn());
        exhibit.write(hall.resolve(name + ".zip"));
    }

    private static void save(Model model, Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ModelSerializer.writeModel(model, file, true);
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(file.toByteArray()))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                entries.put(entry.getName(), zip.readAllBytes());
            }
        }
    }

    /** About as large as those of the training; floats, which take half the place in a file. */
    private static double[][] gradients(long n) {
        Random random = new Random(SEED);
        double[][] gradients = new double[GRADIENTS][(int) n];
        for (double[] row : gradients) {
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) (0.1 * random.nextGaussian());
            }
        }
        return gradients;
    }

    private static FusePv switched(boolean measuredSteps) {
        return FusePv.builder()
                .learningRate(1e-2)
                .switchCriterion(SwitchCriterion.iteration(12))
                .measuredSteps(measuredSteps)
                .memory(3)
                .build();
    }

    /** The same with another rate of Adam, which is all that may differ between layers. */
    private static FusePv faster() {
        FusePv updater = switched(false);
        updater.setLrAndSchedule(2e-2, null);
        return updater;
    }

    private static FusePv averages() {
        return FusePv.builder()
                .learningRate(1e-2)
                .switchCriterion(SwitchCriterion.loss(1.3))
                .warmUpEpochs(0)
                .memory(3)
                .build();
    }

    private static Fuse blend() {
        return Fuse.builder().learningRate(1e-2).theta(0.5).memory(3).build();
    }

    private static Fuse scheduled() {
        return Fuse.builder()
                .thetaSchedule(new MapSchedule.Builder(ScheduleType.ITERATION)
                        .add(0, 1)
                        .add(4, 0.25)
                        .build())
                .memory(3)
                .build();
    }

    private static Lfso annealed() {
        return new Lfso(Lfso.Direction.MOMENTUM, exponential());
    }

    private static ExponentialSchedule exponential() {
        return new ExponentialSchedule(ScheduleType.EPOCH, 1e-2, 0.9);
    }

    /** BatchNorm's statistics part the blocks; l1 and l2 as well as a bias come along. */
    private static Model rows(IUpdater updater, DataType type) {
        var builder = TestNetworks.builder(updater, type);
        return TestNetworks.stack(
                builder,
                new DenseLayer.Builder().nIn(6).nOut(5).l2(1e-3).build(),
                new BatchNormalization.Builder().nIn(5).nOut(5).build(),
                new DenseLayer.Builder().nIn(5).nOut(4).l1(1e-3).build(),
                output(4));
    }

    private static OutputLayer output(int inputs) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(inputs)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static Model graph(IUpdater updater, DataType type) {
        ComputationGraph graph = new ComputationGraph(TestNetworks.builder(updater, type)
                .graphBuilder()
                .addInputs("in")
                .addLayer("left", TestNetworks.dense(6, 4), "in")
                .addLayer("right", TestNetworks.dense(6, 3), "in")
                .addLayer(
                        "norm", new BatchNormalization.Builder().nIn(3).nOut(3).build(), "right")
                .addLayer("out", output(7), "left", "norm")
                .setOutputs("out")
                .build());
        graph.init();
        return graph;
    }

    /** With a rate of its own for the last layer. */
    private static Model images(IUpdater updater, IUpdater ofTheLast) {
        NeuralNetConfiguration.Builder builder = TestNetworks.builder(updater, DataType.FLOAT);
        MultiLayerNetwork network = new MultiLayerNetwork(builder.list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(3).build())
                .layer(new SubsamplingLayer.Builder()
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .updater(ofTheLast)
                        .weightDecay(1e-3)
                        .build())
                .setInputType(InputType.convolutional(6, 6, 1))
                .build());
        network.init();
        return network;
    }

    private static Model sequences(IUpdater updater) {
        return TestNetworks.stack(
                TestNetworks.builder(updater, DataType.FLOAT),
                new LSTM.Builder().nIn(3).nOut(4).build(),
                new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(4)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build());
    }
}
