package io.github.dl4jfuse.tools.compare;

import java.io.File;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A user's data from files: a folder of DataSets that {@code DataSet.save(File)} wrote, a batch each, in the order of their
 * names; or one CSV file of numbers, with or without a line of names, the inputs first. The last column of a classifier's CSV
 * is the class, 0, 1, ..; otherwise the last columns are the targets, as many as the network has outputs.
 */
final class OwnData {

    private OwnData() {}

    /**
     * Reads the data.
     *
     * @param path file or folder
     * @param outputs outputs of the network
     * @param classes whether they are classes
     * @param batch examples in a batch of a CSV file's
     * @throws IllegalArgumentException with a sentence if there is nothing, or something else
     */
    static List<DataSet> read(Path path, int outputs, boolean classes, int batch) {
        try {
            if (Files.isDirectory(path)) {
                return folder(path);
            }
            if (Files.isRegularFile(path)) {
                return table(path, outputs, classes).batchBy(batch);
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(path + " cannot be read: " + e.getMessage(), e);
        }
        throw new IllegalArgumentException("There is no file or folder " + path + ".");
    }

    private static List<DataSet> folder(Path path) throws IOException {
        List<DataSet> batches = new ArrayList<>();
        try (Stream<Path> files = Files.list(path)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                batches.add(saved(file.toFile()));
            }
        }
        if (batches.isEmpty()) {
            throw new IllegalArgumentException("The folder " + path + " is empty.");
        }
        return batches;
    }

    private static DataSet saved(File file) {
        DataSet batch = new DataSet();
        try {
            batch.load(file);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    file + " is no DataSet that DataSet.save(File) wrote: keep nothing else in that folder.", e);
        }
        return batch;
    }

    private static DataSet table(Path path, int outputs, boolean classes) throws IOException {
        int targets = classes ? 1 : outputs;
        List<float[]> features = new ArrayList<>();
        List<float[]> labels = new ArrayList<>();
        try (Reader reader = Files.newBufferedReader(path);
                CSVParser lines = CSVFormat.DEFAULT.parse(reader)) {
            for (CSVRecord line : lines) {
                if (line.getRecordNumber() == 1 && !isNumber(line.get(0))) {
                    continue; // names
                }
                int inputs = line.size() - targets;
                if (inputs < 1 || (!features.isEmpty() && features.get(0).length != inputs)) {
                    throw new IllegalArgumentException("Line " + line.getRecordNumber() + " of " + path + " has "
                            + line.size() + " columns: give each line its inputs and "
                            + (classes ? "the class." : targets + " targets."));
                }
                features.add(numbers(path, line, 0, inputs));
                float[] last = numbers(path, line, inputs, line.size());
                labels.add(classes ? oneHot(path, line, last[0], outputs) : last);
            }
        }
        if (features.isEmpty()) {
            throw new IllegalArgumentException(path + " holds no examples.");
        }
        return new DataSet(
                Nd4j.createFromArray(features.toArray(float[][]::new)),
                Nd4j.createFromArray(labels.toArray(float[][]::new)));
    }

    private static boolean isNumber(String text) {
        try {
            Float.parseFloat(text.trim());
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static float[] numbers(Path path, CSVRecord line, int from, int to) {
        float[] numbers = new float[to - from];
        for (int i = from; i < to; i++) {
            if (!isNumber(line.get(i))) {
                throw new IllegalArgumentException("Line " + line.getRecordNumber() + " of " + path + " has '"
                        + line.get(i) + "' in column " + (i + 1) + ", which is no number.");
            }
            numbers[i - from] = Float.parseFloat(line.get(i).trim());
        }
        return numbers;
    }

    private static float[] oneHot(Path path, CSVRecord line, float number, int classes) {
        if (IntStream.range(0, classes).noneMatch(i -> i == number)) {
            throw new IllegalArgumentException("Line " + line.getRecordNumber() + " of " + path + " ends in class "
                    + number + "; the network knows the classes 0 to " + (classes - 1) + ".");
        }
        float[] label = new float[classes];
        label[(int) number] = 1;
        return label;
    }
}
