package io.github.dl4jfuse.linalg;

import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** How the inner products and the combination of the rows of a history are computed. */
public enum Reduction {
    /**
     * One BLAS {@code dot} or {@code axpy} for each row, chunk by chunk. Every {@code dot} hands its result to the host, 4m or
     * more for a pair and a direction with it. On a CPU this runs at the speed of memory, and matrix products take 4 to 5
     * times as long.
     */
    ROWS,
    /**
     * One matrix product for all rows and each vector. The results stay where the rows are and are read back together, once
     * for a direction whatever m is. Rows that are converted, as those in bfloat16, are treated as in {@link #ROWS} even so.
     */
    MATRIX;

    private static volatile Reduction forced;

    /** Returns what suits ND4J's backend: {@link #ROWS} on a CPU, {@link #MATRIX} elsewhere. */
    public static Reduction ofBackend() {
        Reduction choice = forced;
        return choice != null ? choice : of(Nd4j.getExecutioner().type());
    }

    /** Returns what is fast on a backend. */
    public static Reduction of(ExecutionerType backend) {
        return backend == ExecutionerType.NATIVE_CPU ? ROWS : MATRIX;
    }

    /** Makes {@link #ofBackend} answer this, or what suits the backend again where null: tests of a GPU's form on a CPU. */
    public static void force(Reduction kernel) {
        forced = kernel;
    }
}
