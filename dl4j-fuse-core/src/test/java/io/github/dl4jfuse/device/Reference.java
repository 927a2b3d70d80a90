package io.github.dl4jfuse.device;

import io.github.dl4jfuse.TestNetworks;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What each {@link Method} gave in double on a CPU, as a few numbers: the parameters' norm and their products with random
 * vectors. {@code -Dreference=write} writes the files anew into the sources; look at the difference before you commit it.
 */
final class Reference {

    static final Method SAVED_METHOD = Method.FUSE_PV_LBFGS;
    static final int SAVED_AT = SAVED_METHOD.steps() / 2;

    private static final int PROJECTIONS = 6;
    private static final String NUMBERS = "cpu-reference.csv";
    private static final String MODEL = "saved-on-cpu.zip";
    private static final Path FOLDER = Path.of("src/test/resources/io/github/dl4jfuse/device");

    private Reference() {}

    /** Returns |p|, then products with random vectors of length about 1. */
    static double[] project(double[] parameters) {
        double[] numbers = new double[1 + PROJECTIONS];
        double squares = 0;
        for (double p : parameters) {
            squares += p * p;
        }
        numbers[0] = Math.sqrt(squares);
        Random random = new Random(TestNetworks.SEED);
        for (int k = 1; k <= PROJECTIONS; k++) {
            for (double p : parameters) {
                numbers[k] += p * random.nextGaussian() / Math.sqrt(parameters.length);
            }
        }
        return numbers;
    }

    /** Returns the largest difference of two such rows of numbers, relative to the norm. */
    static double difference(double[] actual, double[] expected) {
        double largest = 0;
        for (int k = 0; k < expected.length; k++) {
            double d = Math.abs(actual[k] - expected[k]) / expected[0];
            largest = d <= largest ? largest : d; // NaN stays
        }
        return largest;
    }

    static Map<Method, double[]> read() {
        Map<Method, double[]> rows = new LinkedHashMap<>();
        try (InputStream stream = Reference.class.getResourceAsStream(NUMBERS)) {
            new String(stream.readAllBytes(), StandardCharsets.UTF_8).lines().forEach(line -> {
                String[] fields = line.split(",", -1);
                double[] numbers = new double[fields.length - 1];
                for (int k = 0; k < numbers.length; k++) {
                    numbers[k] = Double.parseDouble(fields[k + 1]);
                }
                rows.put(Method.valueOf(fields[0]), numbers);
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return rows;
    }

    /** Returns the network that a CPU saved half way. */
    static MultiLayerNetwork savedOnCpu() throws IOException {
        try (InputStream stream = Reference.class.getResourceAsStream(MODEL)) {
            return ModelSerializer.restoreMultiLayerNetwork(stream, true);
        }
    }

    static void write() throws IOException {
        Files.createDirectories(FOLDER);
        StringBuilder lines = new StringBuilder();
        for (Method method : Method.values()) {
            lines.append(method);
            for (double number : project(method.result(DataType.DOUBLE))) {
                lines.append(',').append(number);
            }
            lines.append('\n');
        }
        Files.writeString(FOLDER.resolve(NUMBERS), lines);
        save(FOLDER.resolve(MODEL));
    }

    /** Trains half way and saves. */
    static void save(Path file) throws IOException {
        MultiLayerNetwork network = SAVED_METHOD.network(DataType.DOUBLE);
        SAVED_METHOD.train(network, 0, SAVED_AT, DataType.DOUBLE);
        ModelSerializer.writeModel(network, file.toFile(), true);
    }
}
