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
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Examples in memory. Features are [batch, shape], labels [batch, values of an example]. A seed shuffles the examples anew
 * for each epoch.
 *
 * @param name how the data are to be called
 * @param shape of an example's inputs, without the batch
 * @param examples at least one, all with equally many labels
 */
record Examples(String name, long[] shape, List<Example> examples) implements DataSource {

    /** Inputs and labels in c order. */
    record Example(float[] inputs, float[] labels) {

        /** An example of one of several classes: its labels are one-hot. */
        static Example of(float[] inputs, int label, int classes) {
            float[] labels = new float[classes];
            labels[label] = 1;
            return new Example(inputs, labels);
        }
    }

    /** Takes the examples of rows: features [examples, values], labels [examples, values]. */
    static Examples of(String name, DataSet all) {
        float[][] inputs = all.getFeatures().toFloatMatrix();
        float[][] labels = all.getLabels().toFloatMatrix();
        List<Example> examples = new ArrayList<>();
        for (int i = 0; i < inputs.length; i++) {
            examples.add(new Example(inputs[i], labels[i]));
        }
        return new Examples(name, new long[] {inputs[0].length}, examples);
    }

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
            float[][] labels = new float[count][];
            for (int i = 0; i < count; i++) {
                Example example = order.get(position + i);
                System.arraycopy(example.inputs(), 0, inputs, i * width, width);
                labels[i] = example.labels();
            }
            position += count;
            long[] all = ArrayUtil.combine(new long[] {count}, shape);
            return new DataSet(Nd4j.create(inputs, all, 'c'), Nd4j.createFromArray(labels));
        }
    }
}
