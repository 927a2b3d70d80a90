package io.github.dl4jfuse.datasets;

import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Another source's examples, each batch changed on its way.
 *
 * @param source where they come from; its iterators give new arrays for each batch
 * @param each changes a batch in place
 */
public record Preprocessed(DataSource source, DataSetPreProcessor each) implements DataSource {

    @Override
    public String name() {
        return source.name();
    }

    @Override
    public int size() {
        return source.size();
    }

    @Override
    public DataSetIterator iterator(int batchSize) {
        return with(source.iterator(batchSize));
    }

    @Override
    public DataSetIterator iterator(int batchSize, long seed) {
        return with(source.iterator(batchSize, seed));
    }

    private DataSetIterator with(DataSetIterator iterator) {
        DataSetPreProcessor before = iterator.getPreProcessor(); // an iterator keeps one only
        iterator.setPreProcessor(
                before == null
                        ? each
                        : batch -> {
                            before.preProcess(batch);
                            each.preProcess(batch);
                        });
        return iterator;
    }
}
