package io.github.dl4jfuse.linalg;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The types that updaters compute in. */
public final class Precision {

    private Precision() {}

    /** Throws an IllegalStateException with a sentence unless an updater's state is in FLOAT or DOUBLE; null is none yet. */
    public static void require(Object updater, INDArray state) {
        if (state != null && state.dataType() != DataType.FLOAT && state.dataType() != DataType.DOUBLE) {
            throw new IllegalStateException(updater.getClass().getSimpleName() + " computes in FLOAT or DOUBLE, not in "
                    + state.dataType() + ": give the network .dataType(DataType.FLOAT).");
        }
    }
}
