package io.github.dl4jfuse.contract;

import java.util.Random;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What a network of the catalogue is trained on: three overlapping clouds, with labels made from the number of the cloud.
 *
 * @param type what DL4J is told of the inputs
 * @param shape that of one example
 * @param labels how an example's labels are made
 * @param masks which arrays have masks over time
 */
record Data(InputType type, long[] shape, Labels labels, Masks masks) {

    static final int CLASSES = 3;

    /** Number of batches in an epoch; the last one is incomplete. */
    static final int BATCHES = 6;

    static final int EXAMPLES = 12;
    static final int REMAINDER = 5;

    /** Which arrays of a batch have a mask. */
    enum Masks {
        NONE,
        FEATURES,
        LABELS,
        BOTH
    }

    /** Makes the labels of a batch. */
    interface Labels {
        INDArray of(int[] clouds, Random random, DataType type);
    }

    Data labelled(Labels other) {
        return new Data(type, shape, other, masks);
    }

    Data masked(Masks other) {
        return new Data(type, shape, labels, other);
    }

    boolean holdsTokens() {
        return shape.length > 0 && shape[0] < 0;
    }

    /** Batch number {@code index} of the sequence that belongs to a seed. */
    MultiDataSet batch(int index, long seed, DataType type) {
        int number = index % BATCHES;
        int examples = number == BATCHES - 1 ? REMAINDER : EXAMPLES;
        Random random = new Random(31 * seed + number);
        int[] clouds = new int[examples];
        for (int i = 0; i < examples; i++) {
            clouds[i] = (i + random.nextInt(2)) % CLASSES;
        }
        INDArray features = holdsTokens() ? tokens(clouds, random, type) : vectors(clouds, random, type);
        INDArray made = labels.of(clouds, random, type);
        INDArray featureMask = masks == Masks.FEATURES || masks == Masks.BOTH ? mask(examples, random, type) : null;
        INDArray labelMask = null;
        if (masks == Masks.LABELS) {
            labelMask = mask(examples, random, type);
        } else if (masks == Masks.BOTH && made.rank() == 3) {
            labelMask = featureMask.dup();
        }
        return new MultiDataSet(
                new INDArray[] {features},
                new INDArray[] {made},
                featureMask == null ? null : new INDArray[] {featureMask},
                labelMask == null ? null : new INDArray[] {labelMask});
    }

    private INDArray vectors(int[] clouds, Random random, DataType type) {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        INDArray features = Nd4j.zeros(type, clouds.length, length);
        for (int i = 0; i < clouds.length; i++) {
            for (long j = 0; j < length; j++) {
                features.putScalar(i, j, 0.7 * random.nextGaussian() + (j % CLASSES == clouds[i] ? 1 : 0));
            }
        }
        return features.reshape(withExamples(clouds.length, shape));
    }

    /** The first size of the shape is minus the number of words. */
    private INDArray tokens(int[] clouds, Random random, DataType type) {
        int words = (int) -shape[0];
        INDArray features = Nd4j.zeros(type, clouds.length, shape[1]);
        for (int i = 0; i < clouds.length; i++) {
            for (int j = 0; j < shape[1]; j++) {
                features.putScalar(i, j, random.nextInt(3) > 0 ? clouds[i] : random.nextInt(words));
            }
        }
        return features;
    }

    /** At least the first two time steps of each example are there. */
    private INDArray mask(int examples, Random random, DataType type) {
        int steps = (int) this.type.getShape()[1];
        INDArray mask = Nd4j.zeros(type, examples, steps);
        for (int i = 0; i < examples; i++) {
            int length = 2 + random.nextInt(steps - 1);
            for (int j = 0; j < length; j++) {
                mask.putScalar(i, j, 1);
            }
        }
        return mask;
    }

    static long[] withExamples(long examples, long... shape) {
        long[] all = new long[shape.length + 1];
        all[0] = examples;
        System.arraycopy(shape, 0, all, 1, shape.length);
        return all;
    }

    static Data of(InputType type, Labels labels, long... shape) {
        return new Data(type, shape, labels, Masks.NONE);
    }

    /** One-hot, one for each example. */
    static INDArray classes(int[] clouds, Random random, DataType type) {
        INDArray labels = Nd4j.zeros(type, clouds.length, CLASSES);
        for (int i = 0; i < clouds.length; i++) {
            labels.putScalar(i, clouds[i], 1);
        }
        return labels;
    }

    /** One number for each of three outputs, from {@code low} to {@code high}. */
    static Labels numbers(double low, double high) {
        return (clouds, random, type) -> {
            INDArray labels = Nd4j.zeros(type, clouds.length, CLASSES);
            for (int i = 0; i < clouds.length; i++) {
                for (int j = 0; j < CLASSES; j++) {
                    double share = (clouds[i] == j ? 0.7 : 0.2) + 0.1 * random.nextDouble();
                    labels.putScalar(i, j, low + (high - low) * share);
                }
            }
            return labels;
        };
    }

    /** One of two numbers for each of three outputs. */
    static Labels either(double one, double other) {
        return (clouds, random, type) -> {
            INDArray labels = Nd4j.zeros(type, clouds.length, CLASSES);
            for (int i = 0; i < clouds.length; i++) {
                for (int j = 0; j < CLASSES; j++) {
                    labels.putScalar(i, j, clouds[i] == j ? one : other);
                }
            }
            return labels;
        };
    }

    /** Positive numbers that add up to one. */
    static INDArray shares(int[] clouds, Random random, DataType type) {
        INDArray labels = Nd4j.zeros(type, clouds.length, CLASSES);
        for (int i = 0; i < clouds.length; i++) {
            double first = 0.6 + 0.2 * random.nextDouble();
            for (int j = 0; j < CLASSES; j++) {
                labels.putScalar(i, j, clouds[i] == j ? first : (1 - first) / 2);
            }
        }
        return labels;
    }

    /** The number of the class, as SPARSE_MCXENT wants it. */
    static INDArray indices(int[] clouds, Random random, DataType type) {
        INDArray labels = Nd4j.zeros(type, clouds.length, 1);
        for (int i = 0; i < clouds.length; i++) {
            labels.putScalar(i, 0, clouds[i]);
        }
        return labels;
    }

    /** The labels of an example repeated at each time step. */
    static Labels atEachStep(Labels labels, int steps) {
        return (clouds, random, type) -> {
            INDArray one = labels.of(clouds, random, type);
            return one.reshape(one.size(0), one.size(1), 1)
                    .broadcast(one.size(0), one.size(1), steps)
                    .dup('c');
        };
    }

    /** The same with the features last. */
    static Labels atEachStepLast(Labels labels, int steps) {
        Labels first = atEachStep(labels, steps);
        return (clouds, random, type) ->
                first.of(clouds, random, type).permute(0, 2, 1).dup('c');
    }

    /** One number for each element of an array of the given shape, from 0 to 1. */
    static Labels array(long... shape) {
        return (clouds, random, type) -> {
            INDArray labels = Nd4j.zeros(type, withExamples(clouds.length, shape));
            INDArray rows = labels.reshape(clouds.length, labels.length() / clouds.length);
            for (int i = 0; i < rows.rows(); i++) {
                for (int j = 0; j < rows.columns(); j++) {
                    rows.putScalar(i, j, j % CLASSES == clouds[i] ? 0.8 : 0.3);
                }
            }
            return labels;
        };
    }
}
