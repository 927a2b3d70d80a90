package io.github.dl4jfuse.datasets;

import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Walks over {@link ImageData} batch by batch. Every batch is made of new arrays, so that Deeplearning4j may fetch batches
 * in the background. Not meant for use by several threads at a time.
 */
final class ImageDataSetIterator implements DataSetIterator {
    private static final long serialVersionUID = 1L;

    private final ImageData data;
    private final int batchSize;
    private final int[] order;

    /** The source of all shuffles; null leaves the images in file order. */
    private final Random random;

    private int position;
    private DataSetPreProcessor preProcessor;

    /** Walks over the images as {@code random} shuffles them, or in file order where it is null. */
    ImageDataSetIterator(ImageData data, int batchSize, Random random) {
        requireAtLeastOne(batchSize);
        this.data = data;
        this.batchSize = batchSize;
        this.random = random;
        this.order = IntStream.range(0, data.size()).toArray();
        shuffle();
    }

    private static void requireAtLeastOne(int batchSize) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("The batch size must be at least 1, but is " + batchSize + ".");
        }
    }

    private void shuffle() {
        if (random == null) {
            return;
        }
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }

    @Override
    public boolean hasNext() {
        return position < order.length;
    }

    @Override
    public DataSet next() {
        return next(batchSize);
    }

    @Override
    public DataSet next(int num) {
        requireAtLeastOne(num);
        if (!hasNext()) {
            throw new NoSuchElementException(
                    "All " + order.length + " images have been delivered; call reset() to begin the next epoch.");
        }
        int count = Math.min(num, order.length - position);
        int length = data.valuesPerImage();
        int classes = data.numClasses();
        float[] features = new float[Math.multiplyExact(count, length)];
        float[] labels = new float[count * classes];
        for (int i = 0; i < count; i++) {
            int index = order[position + i];
            data.copyScaled(index, features, i * length);
            labels[i * classes + data.label(index)] = 1f;
        }
        position += count;

        INDArray featureArray = data.isFlat()
                ? Nd4j.create(features, new long[] {count, length}, 'c')
                : Nd4j.create(features, new long[] {count, data.channels(), data.height(), data.width()}, 'c');
        DataSet batch = new DataSet(featureArray, Nd4j.create(labels, new long[] {count, classes}, 'c'));
        if (preProcessor != null) {
            preProcessor.preProcess(batch);
        }
        return batch;
    }

    @Override
    public void reset() {
        position = 0;
        shuffle();
    }

    @Override
    public boolean resetSupported() {
        return true;
    }

    @Override
    public boolean asyncSupported() {
        return true;
    }

    @Override
    public int batch() {
        return batchSize;
    }

    @Override
    public int inputColumns() {
        return data.valuesPerImage();
    }

    @Override
    public int totalOutcomes() {
        return data.numClasses();
    }

    @Override
    public List<String> getLabels() {
        return data.labelNames();
    }

    @Override
    public void setPreProcessor(DataSetPreProcessor preProcessor) {
        this.preProcessor = preProcessor;
    }

    @Override
    public DataSetPreProcessor getPreProcessor() {
        return preProcessor;
    }
}
