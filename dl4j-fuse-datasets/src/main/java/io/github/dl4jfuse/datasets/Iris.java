package io.github.dl4jfuse.datasets;

import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** {@link SmallTables#IRIS} in one piece, standardised over all flowers. */
public final class Iris {

    private static final long SEED = 1936;

    private Iris() {}

    /**
     * Returns all flowers in a fixed random order: features [150, 4], each measurement with mean 0 and variance 1, and
     * one-hot labels [150, 3], both float.
     */
    public static DataSet standardised() {
        SmallTable table = SmallTables.IRIS.load();
        List<Integer> order = IntStream.range(0, table.size()).boxed().collect(Collectors.toList());
        Collections.shuffle(order, new Random(SEED));
        int[] rows = order.stream().mapToInt(i -> i).toArray();
        INDArray features = table.features().getRows(rows);
        features.subiRowVector(features.mean(0));
        features.diviRowVector(features.std(false, 0));
        return new DataSet(features, table.labels().getRows(rows));
    }
}
