package io.github.dl4jfuse.examples.data;

import java.util.List;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * A small data set in arrays, always taken as a whole: every batch is the full data set, whatever batch size is asked for.
 *
 * @param all features and labels
 */
public record ArrayData(DataSet all) implements DataSource {

    @Override
    public int size() {
        return all.numExamples();
    }

    @Override
    public DataSetIterator iterator(int batchSize) {
        return new ExistingDataSetIterator(List.of(all));
    }

    /** The same as without a seed: the order within a full batch does not matter. */
    @Override
    public DataSetIterator iterator(int batchSize, long seed) {
        return iterator(batchSize);
    }
}
