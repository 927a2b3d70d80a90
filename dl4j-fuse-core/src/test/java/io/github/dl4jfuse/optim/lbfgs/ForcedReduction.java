package io.github.dl4jfuse.optim.lbfgs;

import io.github.dl4jfuse.linalg.DeviceSums;
import io.github.dl4jfuse.linalg.Reduction;

/** Until closed, histories and solvers made anew take this form whatever the backend is. */
public final class ForcedReduction implements AutoCloseable {

    public ForcedReduction(Reduction kernel) {
        Reduction.force(kernel);
    }

    /** How often several numbers were read back together so far. */
    public static long readBacks() {
        return DeviceSums.readBacks();
    }

    @Override
    public void close() {
        Reduction.force(null);
    }
}
