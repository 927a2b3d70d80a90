package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.DataSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.nd4j.common.util.ArrayUtil;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Examples of classes in memory.
 *
 * @param name how the data are to be called
 * @param shape of an example's inputs, without the batch
 * @param classes number of classes, the width of the one-hot labels
 * @param examples at least one
 */
record Examples(String name, long[] shape, int classes, List<Example> examples) implements DataSource {

    /** Inputs in c order, and the class. */
    record Example(float[] inputs, int label) {}

    @Override
    public int size() {
        return examples.size();
    }

    @Override
    public DataSetIterator iterator(int batchSize) {
        return new ExistingDataSetIterator((Iterable<DataSet>) () -> new Batches(examples, batchSize));
    }

    @Override
    public DataSetIterator iterator(int batchSize, long seed) {
        Random random = new Random(seed);
        return new ExistingDataSetIterator((Iterable<DataSet>) () -> {
            List<Example> order = new ArrayList<>(examples);
            Collections.shuffle(order, random);
            return new Batches(order, batchSize);
        });
    }

    private final class Batches implements Iterator<DataSet> {

        private final List<Example> order;
        private final int batchSize;
        private int position;

        Batches(List<Example> order, int batchSize) {
            this.order = order;
            this.batchSize = batchSize;
        }

        @Override
        public boolean hasNext() {
            return position < order.size();
        }

        @Override
        public DataSet next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The epoch is over.");
            }
            int count = Math.min(batchSize, order.size() - position);
            int width = ArrayUtil.prod(shape);
            float[] inputs = new float[count * width];
            INDArray labels = Nd4j.zeros(count, classes);
            for (int i = 0; i < count; i++) {
                Example example = order.get(position + i);
                System.arraycopy(example.inputs(), 0, inputs, i * width, width);
                labels.putScalar(i, example.label(), 1);
            }
            position += count;
            long[] all = ArrayUtil.combine(new long[] {count}, shape);
            return new DataSet(Nd4j.create(inputs, all, 'c'), labels);
        }
    }
}
