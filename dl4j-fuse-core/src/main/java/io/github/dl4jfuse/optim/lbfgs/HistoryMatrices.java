package io.github.dl4jfuse.optim.lbfgs;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.linalg.DeviceSums;
import io.github.dl4jfuse.linalg.Reduction;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The rows s<sub>i</sub> and y<sub>i</sub> of a history as matrices, one of each for every piece: {@link Reduction#MATRIX}. */
final class HistoryMatrices {

    private final int memory;
    private final INDArray[] s; // memory * n_b, one piece each
    private final INDArray[] y;
    private final INDArray[] sMatrices; // the same, [memory, n_b]
    private final INDArray[] yMatrices;

    /** Takes the same memory as {@link HistoryRows}. */
    HistoryMatrices(int memory, INDArray[] sRows, INDArray[] yRows) {
        this.memory = memory;
        s = sRows;
        y = yRows;
        sMatrices = matrices(sRows);
        yMatrices = matrices(yRows);
    }

    private INDArray[] matrices(INDArray[] rows) {
        return Arrays.stream(rows).map(piece -> part(piece, 0, memory)).toArray(INDArray[]::new);
    }

    /** Returns the rows of some slots as a matrix, a view. */
    private INDArray part(INDArray rows, int from, int to) {
        long n = rows.length() / memory;
        return rows.get(interval(from * n, to * n)).reshape('c', to - from, n);
    }

    /**
     * Returns the products of every row with every vector, s<sub>i</sub>·v<sub>k</sub> at [k][i] and y<sub>i</sub>·v<sub>k</sub>
     * at [k][m + i], and in a last line v<sub>0</sub>·v<sub>0</sub> and the other vector's product with itself. One transfer. All
     * slots take part, in use or not, so that a product has the same bits whenever it is computed.
     */
    double[][] multiply(INDArray[][] vectors, INDArray[] other) {
        DeviceSums sums = new DeviceSums(type(), 2 * memory * vectors.length + 2);
        for (int k = 0; k < vectors.length; k++) {
            sums.rows(2 * memory * k, sMatrices, vectors[k]);
            sums.rows(2 * memory * k + memory, yMatrices, vectors[k]);
        }
        sums.dot(2 * memory * vectors.length, vectors[0], vectors[0]);
        sums.dot(2 * memory * vectors.length + 1, other, other);
        double[] all = sums.read();
        double[][] products = new double[vectors.length + 1][];
        for (int k = 0; k <= vectors.length; k++) {
            products[k] = Arrays.copyOfRange(all, 2 * memory * k, Math.min(2 * memory * (k + 1), all.length));
        }
        return products;
    }

    /**
     * Adds Σ cs<sub>i</sub> s<sub>i</sub> + cy<sub>i</sub> y<sub>i</sub> to p, over the slots in use only: others may hold
     * anything, NaN included. A full ring is taken as it lies, in one product.
     *
     * @param oldest the oldest slot in use
     * @param size how many are
     */
    void combine(int oldest, int size, double[] cs, double[] cy, INDArray[] p) {
        INDArray step = Nd4j.createFromArray(cs).castTo(type());
        INDArray change = Nd4j.createFromArray(cy).castTo(type());
        int first = size == memory ? 0 : oldest;
        int untilEnd = Math.min(size, memory - first);
        for (int b = 0; b < p.length; b++) {
            INDArray target = p[b].reshape('f', p[b].length(), 1);
            add(first, first + untilEnd, step, s[b], target);
            add(first, first + untilEnd, change, y[b], target);
            if (size > untilEnd) {
                add(0, size - untilEnd, step, s[b], target);
                add(0, size - untilEnd, change, y[b], target);
            }
        }
    }

    private void add(int from, int to, INDArray coefficients, INDArray rows, INDArray target) {
        INDArray factors = coefficients.get(interval(from, to)).reshape('f', to - from, 1);
        Nd4j.gemm(part(rows, from, to), factors, target, true, false, 1, 1);
    }

    private DataType type() {
        return s[0].dataType();
    }
}
