package io.github.dl4jfuse.museum;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.LfsoListener;
import io.github.dl4jfuse.network.LayerInputs;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A model as {@code ModelSerializer} saved it in the middle of a training, in one file with what it did next. Everything that
 * is needed to repeat that stands in the file, not in the code that once made it:
 *
 * <pre>
 *   configuration.json, coefficients.bin, updaterState.bin   the model
 *   museum.properties                                        kind, listener, Adam's share, batches
 *   gradients, updates                                       raw gradients, and what the updaters made of them one by one
 *   directions                                               L-BFGS directions of the same gradients, where pairs are saved
 *   parameters                                               those of the model, trained on
 * </pre>
 *
 * Numbers are big-endian, of the model's own type.
 */
final class Exhibit {

    static final String PROPERTIES = "museum.properties";
    static final String GRADIENTS = "gradients";
    static final String UPDATES = "updates";
    static final String DIRECTIONS = "directions";
    static final String PARAMETERS = "parameters";

    /** How many steps the model is trained on. */
    private static final int STEPS = 6;

    private final String name;
    private final Properties properties;
    private final Map<String, byte[]> entries;

    Exhibit(String name, Properties properties, Map<String, byte[]> entries) {
        this.name = name;
        this.properties = properties;
        this.entries = entries;
    }

    static Exhibit read(Path file) {
        Map<String, byte[]> entries = new TreeMap<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(file))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                entries.put(entry.getName(), zip.readAllBytes());
            }
            Properties properties = new Properties();
            properties.load(new ByteArrayInputStream(entries.get(PROPERTIES)));
            return new Exhibit(file.getParent().getFileName() + "/" + file.getFileName(), properties, entries);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes everything, in the order of the names and without times, so that equal exhibits are equal files. */
    void write(Path file) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (var entry : new TreeMap<>(entries).entrySet()) {
                ZipEntry head = new ZipEntry(entry.getKey());
                head.setTime(0);
                zip.putNextEntry(head);
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        }
    }

    /** Returns the model as it was saved, without a listener. */
    Model restore() throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(file)) {
            for (var entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        }
        ByteArrayInputStream stream = new ByteArrayInputStream(file.toByteArray());
        return properties.getProperty("kind").equals("graph")
                ? ModelSerializer.restoreComputationGraph(stream, true)
                : ModelSerializer.restoreMultiLayerNetwork(stream, true);
    }

    boolean has(String entry) {
        return entries.containsKey(entry);
    }

    /** Returns rows of numbers, each as long as the model's parameters. */
    double[][] rows(String entry, DataType type, long length) throws IOException {
        byte[] bytes = entries.get(entry);
        double[][] rows = new double[(int) (bytes.length / type.width() / length)][(int) length];
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        for (double[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                row[i] = type == DataType.DOUBLE ? in.readDouble() : in.readFloat();
            }
        }
        return rows;
    }

    void put(String entry, DataType type, double[]... rows) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        for (double[] row : rows) {
            for (double number : row) {
                if (type == DataType.DOUBLE) {
                    out.writeDouble(number);
                } else {
                    out.writeFloat((float) number);
                }
            }
        }
        entries.put(entry, bytes.toByteArray());
    }

    /** Feeds the gradients to the updaters of the restored model, without a network or a listener around them. */
    double[][] updates() throws IOException {
        Model model = restore();
        DataType type = model.params().dataType();
        double[][] rows = rows(GRADIENTS, type, model.numParams());
        BaseMultiLayerUpdater<?> updater = updaterOf(model);
        if (LayerInputs.isPreconditioned(model)) {
            new LayerInputs(model); // tells the updaters where the weights lie
        }
        String share = properties.getProperty("share");
        for (int step = 0; step < rows.length; step++) {
            if (share != null) {
                double theta = Double.parseDouble(share);
                fused(model).updaters().forEach(each -> each.takeShareOfNextStep(theta));
            }
            INDArray gradient = vector(rows[step], type);
            for (UpdaterBlock block : updater.getUpdaterBlocks()) {
                block.getGradientUpdater().applyUpdater(piece(gradient, block), iteration(model) + step, epoch(model));
            }
            rows[step] = numbers(gradient);
        }
        return rows;
    }

    /** Returns the L-BFGS directions that the saved pairs make of the gradients; frozen parameters stay zero. */
    double[][] directions() throws IOException {
        Model model = restore();
        DataType type = model.params().dataType();
        double[][] rows = rows(GRADIENTS, type, model.numParams());
        List<FuseUpdater> updaters = fused(model).updaters();
        FuseUpdater first = updaters.get(0);
        LbfgsHistory history = new LbfgsHistory(
                first.getConfig().memory(),
                updaters.stream().map(FuseUpdater::sRows).toArray(INDArray[]::new),
                updaters.stream().map(FuseUpdater::yRows).toArray(INDArray[]::new));
        history.restore(first.historySize(), first.historyNextSlot());
        List<UpdaterBlock> blocks = updaterOf(model).getUpdaterBlocks().stream()
                .filter(block -> block.getGradientUpdater() instanceof FuseUpdater)
                .toList();
        for (int step = 0; step < rows.length; step++) {
            INDArray gradient = vector(rows[step], type);
            INDArray direction = Nd4j.zeros(type, model.numParams());
            history.direction(pieces(gradient, blocks), pieces(direction, blocks));
            rows[step] = numbers(direction);
        }
        return rows;
    }

    private static INDArray[] pieces(INDArray vector, List<UpdaterBlock> blocks) {
        return blocks.stream().map(block -> piece(vector, block)).toArray(INDArray[]::new);
    }

    private static INDArray piece(INDArray vector, UpdaterBlock block) {
        return vector.get(interval(block.getParamOffsetStart(), block.getParamOffsetEnd()));
    }

    private static TrainingNetwork<FuseUpdater> fused(Model model) {
        return TrainingNetwork.ofFuse(model);
    }

    /** Restores the model, trains it on, and returns its parameters. */
    double[] trainedOn() throws IOException {
        Model model = restore();
        listen(model);
        int from = iteration(model);
        for (int step = from; step < from + STEPS; step++) {
            fit(model, step);
        }
        return numbers(model.params());
    }

    void listen(Model model) {
        switch (properties.getProperty("listener")) {
            case "CurvatureListener", "FuseListener" -> model.setListeners(new CurvatureListener());
            case "LfsoListener" -> model.setListeners(new LfsoListener());
            default -> throw new IllegalArgumentException(properties.toString());
        }
    }

    void fit(Model model, int step) {
        DataSet batch = Batches.valueOf(properties.getProperty("batches"))
                .batch(step, model.params().dataType());
        if (model instanceof MultiLayerNetwork network) {
            network.fit(batch);
        } else {
            ((ComputationGraph) model).fit(batch);
        }
    }

    static INDArray vector(double[] numbers, DataType type) {
        return Nd4j.createFromArray(numbers).castTo(type);
    }

    static double[] numbers(INDArray array) {
        return array.dup('c').reshape(array.length()).castTo(DataType.DOUBLE).toDoubleVector();
    }

    private static BaseMultiLayerUpdater<?> updaterOf(Model model) {
        return model instanceof MultiLayerNetwork network
                ? (BaseMultiLayerUpdater<?>) network.getUpdater()
                : ((ComputationGraph) model).getUpdater();
    }

    private static int iteration(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.getIterationCount()
                : ((ComputationGraph) model).getIterationCount();
    }

    private static int epoch(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.getEpochCount()
                : ((ComputationGraph) model).getEpochCount();
    }

    @Override
    public String toString() {
        return name;
    }
}
