package io.github.dl4jfuse.acceleration.onednn;

import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Products of matrices by oneDNN, without what ND4J spends on a call, some 50 µs, and with the processor's best instructions whatever
 * kernels OpenBLAS takes.
 */
public final class Products {

    private static final String OBSTACLE = OneDnn.obstacle();

    private Products() {}

    /** Returns whether matrices of a type can be multiplied here: in float, on a CPU for which there is oneDNN's library. */
    public static boolean isFor(DataType type) {
        return type == DataType.FLOAT && OBSTACLE == null;
    }

    /**
     * C ← α op(A) op(B) + β C, of matrices that lie in f order without gaps; op transposes or not.
     *
     * @param beta 0 for a C that is only written
     */
    public static void multiply(
            INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB, double alpha, double beta) {
        long inner = transposeA ? a.size(0) : a.size(1);
        multiply(memory(a), memory(b), memory(c), c.size(0), c.size(1), inner, transposeA, transposeB, alpha, beta);
    }

    /** As above with α = 1, of matrices at addresses: C [rows, columns], and inner is what a sum runs over. */
    static void multiply(
            FloatPointer a,
            FloatPointer b,
            FloatPointer c,
            long rows,
            long columns,
            long inner,
            boolean transposeA,
            boolean transposeB,
            double beta) {
        multiply(a, b, c, rows, columns, inner, transposeA, transposeB, 1, beta);
    }

    private static void multiply(
            FloatPointer a,
            FloatPointer b,
            FloatPointer c,
            long rows,
            long columns,
            long inner,
            boolean transposeA,
            boolean transposeB,
            double alpha,
            double beta) {
        // oneDNN's are in c order, so it is C' = op(B)' op(A)' that it computes
        dnnl.dnnl_sgemm(
                (byte) (transposeB ? 'T' : 'N'),
                (byte) (transposeA ? 'T' : 'N'),
                columns,
                rows,
                inner,
                (float) alpha,
                b,
                transposeB ? columns : inner,
                a,
                transposeA ? inner : rows,
                (float) beta,
                c,
                rows);
    }

    private static FloatPointer memory(INDArray array) {
        return new FloatPointer(array.data().pointer()).position(array.offset());
    }
}
