package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.datasets.Preprocessed;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Images that are turned left to right half of the time, and shifted by up to some pixels in each direction with 0 at the edge,
 * as long as they come shuffled, that is, for training. In their own order, for measuring, they come as they are.
 *
 * @param images features of shape [batch, channels, height, width]
 * @param shift pixels, smaller than the image
 */
record Augmented(DataSource images, int shift) implements DataSource {

    /** Sets the changes apart from the order, which takes its numbers from the same seed. */
    private static final long SALT = 0x5eed;

    @Override
    public String name() {
        return images.name();
    }

    @Override
    public int size() {
        return images.size();
    }

    @Override
    public DataSetIterator iterator(int batchSize) {
        return images.iterator(batchSize);
    }

    /** The changes depend on nothing but the seed and the batches so far. */
    @Override
    public DataSetIterator iterator(int batchSize, long seed) {
        Random random = new Random(seed ^ SALT);
        return new Preprocessed(images, batch -> batch.setFeatures(changed(batch.getFeatures(), random)))
                .iterator(batchSize, seed);
    }

    private INDArray changed(INDArray features, Random random) {
        int examples = (int) features.size(0);
        int channels = (int) features.size(1);
        int height = (int) features.size(2);
        int width = (int) features.size(3);
        float[] from = features.dup('c').data().asFloat();
        float[] to = new float[from.length];
        for (int example = 0; example < examples; example++) {
            boolean turned = random.nextBoolean();
            int down = random.nextInt(2 * shift + 1) - shift;
            int right = random.nextInt(2 * shift + 1) - shift;
            for (int channel = 0; channel < channels; channel++) {
                int start = (example * channels + channel) * height * width;
                for (int y = Math.max(0, down); y < Math.min(height, height + down); y++) {
                    for (int x = Math.max(0, right); x < Math.min(width, width + right); x++) {
                        int column = turned ? width - 1 - (x - right) : x - right;
                        to[start + y * width + x] = from[start + (y - down) * width + column];
                    }
                }
            }
        }
        return Nd4j.create(to, features.shape(), 'c');
    }
}
