package io.github.dl4jfuse.listener;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Counts the steps in a row whose batch has the same inputs as the one before.
 *
 * <p>Costs one inner product for each step as long as batches differ. The inputs are copied, and compared one by one, only
 * where their squared lengths agree to the last bit.
 */
final class FixedBatch {

    private double[] squares = {};
    private INDArray[] inputs;
    private int steps;

    /** Looks at a step's batch, and returns for how many steps before it the batch was the same. */
    int look(INDArray[] present) {
        double[] now = Arrays.stream(present).mapToDouble(FixedBatch::square).toArray();
        boolean alike = Arrays.equals(now, squares);
        squares = now;
        if (!alike) {
            inputs = null;
            steps = 0;
        } else if (inputs == null) {
            keep(present);
            steps = 1;
        } else {
            steps = Arrays.equals(present, inputs) ? steps + 1 : 0;
            if (steps == 0) {
                keep(present);
            }
        }
        return steps;
    }

    /** Returns whether the last batch was like the one before. */
    boolean isRepeated() {
        return steps > 0;
    }

    /** Starts to count anew. */
    void forget() {
        squares = new double[0];
        inputs = null;
        steps = 0;
    }

    private void keep(INDArray[] present) {
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            inputs = Arrays.stream(present).map(INDArray::dup).toArray(INDArray[]::new);
        }
    }

    private static double square(INDArray x) {
        if (!x.dataType().isFPType()) {
            return x.sumNumber().doubleValue();
        }
        INDArray flat = x.reshape(x.length());
        return Nd4j.getBlasWrapper().dot(flat, flat);
    }
}
