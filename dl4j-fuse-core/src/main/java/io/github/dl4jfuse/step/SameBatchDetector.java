package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.DeviceSums;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Counts the steps in a row whose batch is the one before, in its inputs, labels and masks.
 *
 * <p>Costs an inner product of each of these arrays for each step as long as batches differ. They are copied, and compared one by
 * one, only where their squared lengths agree to the last bit.
 */
final class SameBatchDetector {

    private static final int MOST_REFUTATIONS = 20;

    private double[] squares = {};
    private INDArray[] kept;
    private int steps;
    private int refutations;

    /**
     * Looks at a step's batch, and returns for how many steps before it the batch was the same; half of that for each time that it
     * was {@linkplain #refute refuted}.
     */
    int look(INDArray[] present) {
        double[] now = squares(present);
        boolean alike = Arrays.equals(now, squares);
        squares = now;
        if (!alike) {
            kept = null;
            steps = 0;
        } else if (kept == null) {
            keep(present);
            steps = 1;
        } else {
            steps = areEqual(present, kept) ? steps + 1 : 0;
            if (steps == 0) {
                keep(present);
            }
        }
        return steps >> refutations;
    }

    /** Returns whether the last batch was like the one before. */
    boolean isRepeated() {
        return steps > 0;
    }

    /** Starts to count anew. */
    void forget() {
        squares = new double[0];
        kept = null;
        steps = 0;
    }

    /** Starts to count anew, and takes twice as long from now on: the loss shows that something else had changed. */
    void refute() {
        forget();
        refutations = Math.min(refutations + 1, MOST_REFUTATIONS);
    }

    private void keep(INDArray[] present) {
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            kept = Arrays.stream(present).map(INDArray::dup).toArray(INDArray[]::new);
        }
    }

    private static double[] squares(INDArray[] arrays) {
        DataType type = arrays[0].dataType();
        boolean uniform = (type == DataType.FLOAT || type == DataType.DOUBLE)
                && Arrays.stream(arrays).allMatch(array -> array.dataType() == type);
        INDArray[][] vectors = Arrays.stream(arrays)
                .map(array -> uniform ? array : array.castTo(DataType.DOUBLE))
                .map(array -> new INDArray[] {array.reshape(array.length())})
                .toArray(INDArray[][]::new);
        return DeviceSums.dots(vectors, vectors);
    }

    private static boolean areEqual(INDArray[] present, INDArray[] before) {
        INDArray[] differences = new INDArray[present.length];
        for (int i = 0; i < present.length; i++) {
            if (!Arrays.equals(present[i].shape(), before[i].shape())
                    || present[i].dataType() != before[i].dataType()) {
                return false;
            }
            differences[i] = present[i].sub(before[i]);
        }
        return Arrays.stream(squares(differences)).allMatch(square -> square == 0);
    }
}
