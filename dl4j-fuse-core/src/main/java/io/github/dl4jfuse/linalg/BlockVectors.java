package io.github.dl4jfuse.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Vector operations on vectors that lie in several pieces of memory.
 *
 * <p>DL4J keeps the state of neighbouring parameters in one block per updater configuration, so a vector as long as the
 * network's parameters is an array of contiguous rank-1 pieces here. All vectors of one computation are cut alike. An
 * ordinary vector is the case of one piece.
 *
 * <p>Only {@code dot}, {@code axpy} and {@code assign} are used: on ND4J's CPU backend they run at the speed of memory
 * where {@code norm2Number()} or {@code mul().sumNumber()} are 25 to 70 times slower.
 */
public final class BlockVectors {

    private BlockVectors() {}

    /** Returns x·y: summed over the pieces in double precision, or where they lie and read back once ({@link Reduction#MATRIX}). */
    public static double dot(INDArray[] x, INDArray[] y) {
        return switch (x.length) {
            case 0 -> 0;
            case 1 -> Nd4j.getBlasWrapper().dot(x[0], y[0]);
            default -> DeviceSums.dots(new INDArray[][] {x}, new INDArray[][] {y})[0];
        };
    }

    /** Sets y to y + a x. */
    public static void axpy(double a, INDArray[] x, INDArray[] y) {
        for (int i = 0; i < x.length; i++) {
            Nd4j.getBlasWrapper().level1().axpy(x[i].length(), a, x[i], y[i]);
        }
    }

    /** Sets target to source. */
    public static void assign(INDArray[] target, INDArray[] source) {
        for (int i = 0; i < target.length; i++) {
            target[i].assign(source[i]);
        }
    }

    /** Sets x to a x. */
    public static void scale(double a, INDArray[] x) {
        for (INDArray piece : x) {
            piece.muli(a);
        }
    }

    /** Returns new pieces of the same lengths and type, filled with zeros, in memory that outlives any workspace. */
    public static INDArray[] zerosLike(INDArray[] x) {
        INDArray[] zeros = new INDArray[x.length];
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            for (int i = 0; i < x.length; i++) {
                zeros[i] = Nd4j.zeros(x[i].dataType(), x[i].length());
            }
        }
        return zeros;
    }

    /** Returns the number of elements of all pieces together. */
    public static long length(INDArray[] x) {
        long length = 0;
        for (INDArray piece : x) {
            length += piece.length();
        }
        return length;
    }
}
