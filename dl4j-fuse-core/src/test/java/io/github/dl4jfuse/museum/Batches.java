package io.github.dl4jfuse.museum;

import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** What the models in the museum are trained on. Saved parameters depend on each number: new batches get a new name. */
enum Batches {
    ROWS(Batches.EXAMPLES, 6),
    IMAGES(Batches.EXAMPLES, 1, 6, 6),
    SEQUENCES(Batches.EXAMPLES, 3, 5);

    private static final int EXAMPLES = 8;
    private static final int CLASSES = 3;
    private static final long SEED = 1864;

    private final long[] shape;

    Batches(long... shape) {
        this.shape = shape;
    }

    /** Returns the batch of a step; numbers of class c lie around c. */
    DataSet batch(int step, DataType type) {
        Random random = new Random(SEED + step);
        INDArray features = Nd4j.zeros(type, shape);
        INDArray labels =
                this == SEQUENCES ? Nd4j.zeros(type, EXAMPLES, CLASSES, shape[2]) : Nd4j.zeros(type, EXAMPLES, CLASSES);
        long each = features.length() / EXAMPLES;
        double[] numbers = new double[(int) features.length()];
        for (int i = 0; i < EXAMPLES; i++) {
            int label = random.nextInt(CLASSES);
            if (this == SEQUENCES) {
                for (int t = 0; t < shape[2]; t++) {
                    labels.putScalar(new int[] {i, label, t}, 1);
                }
            } else {
                labels.putScalar(i, label, 1);
            }
            for (int j = 0; j < each; j++) {
                numbers[(int) (i * each + j)] = random.nextGaussian() + 0.5 * label;
            }
        }
        features.assign(Nd4j.createFromArray(numbers).castTo(type).reshape('c', shape));
        return new DataSet(features, labels);
    }
}
