package io.github.dl4jfuse.linalg;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.concurrent.atomic.AtomicLong;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Inner products that are computed where the vectors lie, and read back to the host together: on a GPU every number that
 * Java waits for empties the queue of kernels.
 */
public final class DeviceSums {

    private static final AtomicLong READ_BACKS = new AtomicLong();

    private final INDArray sums;

    /** Makes room for so many sums. */
    public DeviceSums(DataType type, int count) {
        sums = Nd4j.zeros(type, count);
    }

    /** Returns x<sub>k</sub>·y<sub>k</sub> for all k, as is fast on this backend. */
    public static double[] dots(INDArray[][] x, INDArray[][] y) {
        return dots(Reduction.ofBackend(), x, y);
    }

    /** Returns x<sub>k</sub>·y<sub>k</sub> for all k: one by one on a CPU, with one transfer elsewhere. */
    public static double[] dots(Reduction kernel, INDArray[][] x, INDArray[][] y) {
        if (kernel == Reduction.ROWS) {
            double[] products = new double[x.length];
            for (int k = 0; k < x.length; k++) {
                for (int b = 0; b < x[k].length; b++) {
                    products[k] += Nd4j.getBlasWrapper().dot(x[k][b], y[k][b]);
                }
            }
            return products;
        }
        DeviceSums products = new DeviceSums(x[0][0].dataType(), x.length);
        for (int k = 0; k < x.length; k++) {
            products.dot(k, x[k], y[k]);
        }
        return products.read();
    }

    /** How often numbers were read back so far. */
    public static long readBacks() {
        return READ_BACKS.get();
    }

    /** Puts x·y at the index. */
    public void dot(int index, INDArray[] x, INDArray[] y) {
        for (int b = 0; b < x.length; b++) {
            multiply(index, x[b].reshape('c', 1, x[b].length()), y[b], b > 0);
        }
    }

    /**
     * Puts the products of the rows of matrices with a vector at the index and behind it.
     *
     * @param rows for each piece b a matrix [k, n<sub>b</sub>], rows contiguous
     */
    public void rows(int index, INDArray[] rows, INDArray[] vector) {
        for (int b = 0; b < rows.length; b++) {
            multiply(index, rows[b], vector[b], b > 0);
        }
    }

    private void multiply(int index, INDArray matrix, INDArray vector, boolean add) {
        INDArray target = sums.get(interval(index, index + matrix.size(0))).reshape('f', matrix.size(0), 1);
        Nd4j.gemm(matrix, vector.reshape('f', vector.length(), 1), target, false, false, 1, add ? 1 : 0);
    }

    /** Waits for the sums and returns them. */
    public double[] read() {
        READ_BACKS.incrementAndGet();
        return sums.data().asDouble();
    }
}
