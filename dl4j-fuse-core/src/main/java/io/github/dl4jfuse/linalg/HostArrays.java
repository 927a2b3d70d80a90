package io.github.dl4jfuse.linalg;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** From ND4J's arrays to batch space, where plain Java arrays are used. */
public final class HostArrays {

    private HostArrays() {}

    /** Returns the elements of an array, row by row, in double precision. */
    public static double[] of(INDArray array) {
        return elements(array.castTo(DataType.DOUBLE).dup('c'));
    }

    /** Returns the elements of a symmetric matrix in memory of its own, whichever order it is kept in. */
    public static double[] ofSymmetric(INDArray matrix) {
        return elements(matrix.castTo(DataType.DOUBLE));
    }

    /**
     * Copies a row of a symmetric matrix, whichever order it is kept in.
     *
     * @param matrix in double precision and memory of its own
     * @param target as long as a row
     */
    public static void copyRow(INDArray matrix, int row, double[] target) {
        matrix.data().asNioDouble().get(row * target.length, target);
    }

    private static double[] elements(INDArray own) {
        double[] elements = new double[(int) own.length()];
        own.data().asNioDouble().get(elements); // in bulk; data().asDouble() takes them one by one
        return elements;
    }
}
