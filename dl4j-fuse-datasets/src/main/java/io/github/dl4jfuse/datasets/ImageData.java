package io.github.dl4jfuse.datasets;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Labelled images in memory, and the iterators over them. Immutable, and safe to share between threads.
 *
 * <p>Pixels are kept as bytes and become floats batch by batch. Each batch is a {@link org.nd4j.linalg.dataset.DataSet}
 * of float32 arrays:
 *
 * <ul>
 *   <li>features: pixel values scaled to [0, 1] (byte / 255), of shape [batch, channels, height, width] as delivered by
 *       {@link #asImages()}, or [batch, channels * height * width] as delivered by {@link #asFlat()}, with the same order
 *       of values in both. Channels are red, green, blue, or the single grey one;
 *   <li>labels: one-hot, of shape [batch, number of classes].
 * </ul>
 */
public final class ImageData implements DataSource, Serializable {
    private static final long serialVersionUID = 1L;

    private final String name;
    private final ImageShape shape;
    private final List<String> labelNames;
    private final byte[] pixels;
    private final byte[] labels;
    private final boolean flat;

    /**
     * Takes over the two arrays, which must not be changed afterwards.
     *
     * @param pixels image after image, each as channels, rows, columns
     * @param labels one class index per image
     */
    ImageData(String name, ImageShape shape, List<String> labelNames, byte[] pixels, byte[] labels) {
        this(name, shape, List.copyOf(labelNames), pixels, labels, false);
        if (pixels.length != (long) labels.length * shape.length()) {
            throw new IllegalArgumentException("The pixels of " + labels.length + " images of " + shape.length()
                    + " values each are needed, but there are " + pixels.length + " values.");
        }
        for (byte label : labels) {
            if (label < 0 || label >= labelNames.size()) {
                throw new IllegalArgumentException(
                        "A label must lie between 0 and " + (labelNames.size() - 1) + ", but is " + label + ".");
            }
        }
    }

    private ImageData(
            String name, ImageShape shape, List<String> labelNames, byte[] pixels, byte[] labels, boolean flat) {
        this.name = name;
        this.shape = shape;
        this.labelNames = labelNames;
        this.pixels = pixels;
        this.labels = labels;
        this.flat = flat;
    }

    /**
     * Returns the same images with features of shape [batch, channels * height * width], for dense layers.
     *
     * @return a view that shares this object's memory
     */
    public ImageData asFlat() {
        return flat ? this : new ImageData(name, shape, labelNames, pixels, labels, true);
    }

    /**
     * Returns the same images with features of shape [batch, channels, height, width] (NCHW), for convolutional layers.
     * This is what a data set gives unless {@link #asFlat()} is called.
     *
     * @return a view that shares this object's memory
     */
    public ImageData asImages() {
        return flat ? new ImageData(name, shape, labelNames, pixels, labels, false) : this;
    }

    /**
     * Returns some of the images, in the same order.
     *
     * @param from index of the first, at least 0
     * @param to index after the last, at most {@link #size()}
     * @return a copy of these images
     * @throws IllegalArgumentException if the range is empty or outside
     */
    public ImageData range(int from, int to) {
        if (from < 0 || from >= to || to > size()) {
            throw new IllegalArgumentException(
                    "Images " + from + " to " + to + " are no range of " + size() + " images.");
        }
        return new ImageData(
                name,
                shape,
                labelNames,
                Arrays.copyOfRange(pixels, from * shape.length(), to * shape.length()),
                Arrays.copyOfRange(labels, from, to),
                flat);
    }

    /**
     * Returns the same images in another order, for a range of them where files are sorted by class.
     *
     * @param seed the same seed gives the same order
     * @return a copy of the images
     */
    public ImageData shuffled(long seed) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, size()).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        int length = shape.length();
        byte[] newPixels = new byte[pixels.length];
        byte[] newLabels = new byte[labels.length];
        for (int i = 0; i < size(); i++) {
            int from = order.get(i);
            System.arraycopy(pixels, from * length, newPixels, i * length, length);
            newLabels[i] = labels[from];
        }
        return new ImageData(name, shape, labelNames, newPixels, newLabels, flat);
    }

    /**
     * Returns the images of some classes, in the same order.
     *
     * @param from index of the first class, which becomes class 0, at least 0
     * @param to index after the last class, at most {@link #numClasses()}
     * @return a copy of these images
     * @throws IllegalArgumentException if the range is empty or outside, or there are no such images
     */
    public ImageData ofClasses(int from, int to) {
        if (from < 0 || from >= to || to > numClasses()) {
            throw new IllegalArgumentException(
                    "Classes " + from + " to " + to + " are no range of " + numClasses() + " classes.");
        }
        int[] kept = IntStream.range(0, size())
                .filter(i -> labels[i] >= from && labels[i] < to)
                .toArray();
        if (kept.length == 0) {
            throw new IllegalArgumentException("There are no images of the classes " + from + " to " + to + ".");
        }
        int length = shape.length();
        byte[] newPixels = new byte[kept.length * length];
        byte[] newLabels = new byte[kept.length];
        for (int i = 0; i < kept.length; i++) {
            System.arraycopy(pixels, kept[i] * length, newPixels, i * length, length);
            newLabels[i] = (byte) (labels[kept[i]] - from);
        }
        return new ImageData(name, shape, labelNames.subList(from, to), newPixels, newLabels, flat);
    }

    /**
     * Returns an iterator over all images in the order of the files, the same in each epoch.
     *
     * @param batchSize images per batch, at least 1; the last batch of an epoch holds what is left
     * @return a resettable iterator at its beginning
     * @throws IllegalArgumentException if {@code batchSize} is less than 1
     */
    @Override
    public DataSetIterator iterator(int batchSize) {
        return new ImageDataSetIterator(this, batchSize, null);
    }

    /**
     * Returns an iterator over all images that is shuffled anew by each {@code reset()}. The order depends on nothing but
     * the seed, the number of images and the number of resets so far.
     *
     * @param batchSize images per batch, at least 1; the last batch of an epoch holds what is left
     * @param seed any number; the same seed gives the same sequence of orders
     * @return a resettable iterator at its beginning, already shuffled
     * @throws IllegalArgumentException if {@code batchSize} is less than 1
     */
    @Override
    public DataSetIterator iterator(int batchSize, long seed) {
        return new ImageDataSetIterator(this, batchSize, new Random(seed));
    }

    /** Returns how the data set is to be called in reports, such as "Fashion-MNIST, 6,000/1,000 subset". */
    @Override
    public String name() {
        return name;
    }

    /** Returns the number of images, at least 1 where they come from a data set of this package. */
    @Override
    public int size() {
        return labels.length;
    }

    /** Returns the number of classes, which is the width of the one-hot labels: 10 for both data sets of this package. */
    public int numClasses() {
        return labelNames.size();
    }

    /** Returns the names of the classes, unmodifiable; the index is the class index. */
    public List<String> labelNames() {
        return labelNames;
    }

    /** Returns the number of colour channels: 1 for grey, 3 for red, green, blue. */
    public int channels() {
        return shape.channels();
    }

    /** Returns the height of an image, rows in pixels. */
    public int height() {
        return shape.height();
    }

    /** Returns the width of an image, columns in pixels. */
    public int width() {
        return shape.width();
    }

    /** Returns the class index of one image. */
    int label(int index) {
        return labels[index];
    }

    /** Returns whether the features are delivered flat. */
    boolean isFlat() {
        return flat;
    }

    /** Returns the number of values of one image. */
    int valuesPerImage() {
        return shape.length();
    }

    /** Writes one image's values, scaled to [0, 1], to {@code target} from {@code offset} on. */
    void copyScaled(int index, float[] target, int offset) {
        int length = shape.length();
        int start = index * length;
        for (int i = 0; i < length; i++) {
            target[offset + i] = (pixels[start + i] & 0xFF) / 255f;
        }
    }

    @Override
    public String toString() {
        return name + ": " + size() + " images of " + shape + ", " + numClasses() + " classes";
    }
}
