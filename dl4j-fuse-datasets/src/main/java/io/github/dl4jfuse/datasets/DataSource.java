package io.github.dl4jfuse.datasets;

import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** Examples that can be walked over in batches, in order or shuffled. */
public interface DataSource {

    /** Returns how the data are to be called in reports, or an empty text. */
    default String name() {
        return "";
    }

    /** Returns the number of examples. */
    int size();

    /** Returns a resettable iterator over all examples in their own order. */
    DataSetIterator iterator(int batchSize);

    /** Returns a resettable iterator that is shuffled anew by each reset; equal seeds give equal orders. */
    DataSetIterator iterator(int batchSize, long seed);
}
