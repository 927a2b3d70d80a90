package io.github.dl4jfuse.datasets;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Fisher's iris flowers: 150 of three species, four measurements in centimetres. The values are those of Fisher, <i>The
 * use of multiple measurements in taxonomic problems</i>, 1936; the widespread file of the UCI repository differs from
 * them in the 35th and the 38th flower.
 */
public final class Iris {

    private static final int FLOWERS = 150;
    private static final int MEASUREMENTS = 4;
    private static final int SPECIES = 3;
    private static final long SEED = 1936;

    private Iris() {}

    /**
     * Returns all flowers in a fixed random order: features [150, 4], each measurement with mean 0 and variance 1, and
     * one-hot labels [150, 3], both float.
     */
    public static DataSet standardised() {
        INDArray features = Nd4j.zeros(FLOWERS, MEASUREMENTS);
        INDArray labels = Nd4j.zeros(FLOWERS, SPECIES);
        try (Reader file = new InputStreamReader(Iris.class.getResourceAsStream("iris.csv"), StandardCharsets.UTF_8)) {
            List<CSVRecord> rows = CSVFormat.DEFAULT
                    .builder()
                    .setHeader()
                    .setSkipHeaderRecord(true)
                    .build()
                    .parse(file)
                    .getRecords();
            Collections.shuffle(rows, new Random(SEED));
            for (int i = 0; i < FLOWERS; i++) {
                for (int j = 0; j < MEASUREMENTS; j++) {
                    features.putScalar(i, j, Double.parseDouble(rows.get(i).get(j)));
                }
                labels.putScalar(i, Integer.parseInt(rows.get(i).get("species")), 1);
            }
        } catch (IOException e) {
            throw new DataException("The iris flowers that come with the program cannot be read: " + e, e);
        }
        features.subiRowVector(features.mean(0));
        features.diviRowVector(features.std(false, 0));
        return new DataSet(features, labels);
    }
}
