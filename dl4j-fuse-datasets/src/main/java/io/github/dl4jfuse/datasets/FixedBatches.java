package io.github.dl4jfuse.datasets;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Data that comes in batches of its own, whatever batch size is asked for. A seed shuffles the order of the batches, not
 * the examples in them; one batch of everything is the full batch.
 *
 * @param batches at least one
 */
public record FixedBatches(List<DataSet> batches) implements DataSource {

    /** Checks that there is something. */
    public FixedBatches {
        if (batches.isEmpty()) {
            throw new IllegalArgumentException("There is no batch of data.");
        }
    }

    /** Returns one batch of everything. */
    public static FixedBatches whole(DataSet all) {
        return new FixedBatches(List.of(all));
    }

    @Override
    public int size() {
        return batches.stream().mapToInt(DataSet::numExamples).sum();
    }

    @Override
    public DataSetIterator iterator(int batchSize) {
        return new ExistingDataSetIterator(batches);
    }

    @Override
    public DataSetIterator iterator(int batchSize, long seed) {
        Random random = new Random(seed);
        Iterable<DataSet> epochs = () -> {
            List<DataSet> order = new ArrayList<>(batches);
            Collections.shuffle(order, random);
            return order.iterator();
        };
        return new ExistingDataSetIterator(epochs);
    }
}
