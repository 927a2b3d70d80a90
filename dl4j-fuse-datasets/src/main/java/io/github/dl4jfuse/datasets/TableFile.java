package io.github.dl4jfuse.datasets;

import io.github.dl4jfuse.datasets.SmallTable.Column;
import io.github.dl4jfuse.datasets.SmallTable.Task;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads the packed CSV files of the small tables: names in the first line, then an example a line, the last column to
 * be predicted. A column of features is one of categories if a cell of it is not a number.
 */
final class TableFile {

    private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?");
    private static final String REMEDY = "It came with dl4j-fuse-datasets, so that jar is damaged: get it again.";

    private TableFile() {}

    /** Reads the table's resource, "tables/" and its name, and checks its SHA-256 after unpacking. */
    static SmallTable read(SmallTables about, String sha256) {
        String resource = "tables/" + about.title() + ".csv.gz";
        byte[] content;
        try (DataFile file = DataFile.ofResource(resource, REMEDY)) {
            content = file.readAtMost(Integer.MAX_VALUE, "a table");
        }
        try {
            new Checksum("SHA-256", sha256, true).verify(new ByteArrayInputStream(content));
            List<CSVRecord> lines = CSVFormat.DEFAULT
                    .parse(new InputStreamReader(new ByteArrayInputStream(content), StandardCharsets.UTF_8))
                    .getRecords();
            return table(about, lines.get(0), lines.subList(1, lines.size()));
        } catch (IOException e) {
            throw new DataException(
                    "The resource " + resource + " is not as expected: " + e.getMessage() + ". " + REMEDY, e);
        }
    }

    private static SmallTable table(SmallTables about, CSVRecord names, List<CSVRecord> rows) {
        int last = names.size() - 1;
        List<Column> columns = new ArrayList<>();
        List<float[]> features = new ArrayList<>();
        for (int j = 0; j < last; j++) {
            int column = j;
            if (rows.stream().allMatch(row -> NUMBER.matcher(row.get(column)).matches())) {
                columns.add(new Column(names.get(j), false));
                features.add(numbers(rows, j));
            } else {
                for (String category : categories(rows, j)) {
                    columns.add(new Column(names.get(j) + "=" + category, true));
                    features.add(indicator(rows, j, category));
                }
            }
        }
        List<String> classes = about.task() == Task.CLASSIFICATION ? categories(rows, last) : List.of();
        List<float[]> labels = classes.isEmpty()
                ? List.of(numbers(rows, last))
                : classes.stream().map(name -> indicator(rows, last, name)).toList();
        return new SmallTable(about, List.copyOf(columns), classes, matrix(features), matrix(labels));
    }

    private static List<String> categories(List<CSVRecord> rows, int column) {
        return rows.stream().map(row -> row.get(column)).distinct().sorted().toList();
    }

    private static float[] numbers(List<CSVRecord> rows, int column) {
        float[] values = new float[rows.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Float.parseFloat(rows.get(i).get(column));
        }
        return values;
    }

    private static float[] indicator(List<CSVRecord> rows, int column, String category) {
        float[] values = new float[rows.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rows.get(i).get(column).equals(category) ? 1 : 0;
        }
        return values;
    }

    /** Returns the matrix of these columns. */
    private static INDArray matrix(List<float[]> columns) {
        float[][] rows = new float[columns.get(0).length][columns.size()];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < columns.size(); j++) {
                rows[i][j] = columns.get(j)[i];
            }
        }
        return Nd4j.createFromArray(rows);
    }
}
