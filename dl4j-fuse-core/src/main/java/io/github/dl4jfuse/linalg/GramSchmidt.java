package io.github.dl4jfuse.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Modified Gram-Schmidt, column by column; one that vanishes becomes zero. */
public final class GramSchmidt {

    private static final double NOTHING = 1e-30;

    private GramSchmidt() {}

    /**
     * Makes the columns of a matrix orthonormal in place.
     *
     * @param rows all its rows but the last, [n, k]
     * @param last the last row, [1, k], whose memory lies elsewhere; null for none
     * @param onCpu whether arrays lie in the host's memory. On a GPU some hundred small kernels, and numbers that Java waits for,
     *     take longer than the matrix takes to come and go
     */
    public static void orthonormalise(INDArray rows, INDArray last, boolean onCpu) {
        if (onCpu) {
            inPlace(rows, last);
        } else {
            onHost(rows, last);
        }
    }

    private static void inPlace(INDArray rows, INDArray last) {
        INDArray ends = last == null ? Nd4j.zeros(rows.dataType(), 1, rows.size(1)) : last.dup(); // read one by one
        for (int i = 0; i < rows.size(1); i++) {
            INDArray column = rows.getColumn(i);
            double end = ends.getDouble(i);
            for (int j = 0; j < i; j++) {
                INDArray other = rows.getColumn(j);
                double product = Nd4j.getBlasWrapper().dot(column, other) + end * ends.getDouble(j);
                column.subi(other.mul(product));
                end -= product * ends.getDouble(j);
            }
            double length = Math.sqrt(Nd4j.getBlasWrapper().dot(column, column) + end * end);
            double factor = length > NOTHING ? 1 / length : 0;
            column.muli(factor);
            ends.putScalar(0, i, end * factor);
        }
        if (last != null) {
            last.assign(ends);
        }
    }

    private static void onHost(INDArray rows, INDArray last) {
        int n = (int) rows.size(0);
        int k = (int) rows.size(1);
        double[][] columns = new double[k][last == null ? n : n + 1];
        double[] values = HostArrays.of(rows);
        double[] ends = last == null ? new double[k] : HostArrays.of(last);
        for (int j = 0; j < k; j++) {
            double[] column = columns[j];
            for (int i = 0; i < n; i++) {
                column[i] = values[i * k + j];
            }
            if (last != null) {
                column[n] = ends[j];
            }
            for (int other = 0; other < j; other++) {
                double product = dot(column, columns[other]);
                for (int i = 0; i < column.length; i++) {
                    column[i] -= product * columns[other][i];
                }
            }
            double length = Math.sqrt(dot(column, column));
            for (int i = 0; i < column.length; i++) {
                column[i] = length > NOTHING ? column[i] / length : 0;
            }
            for (int i = 0; i < n; i++) {
                values[i * k + j] = column[i];
            }
            ends[j] = last == null ? 0 : column[n];
        }
        rows.assign(Nd4j.createFromArray(values).castTo(rows.dataType()).reshape('c', n, k));
        if (last != null) {
            last.assign(Nd4j.createFromArray(ends).castTo(last.dataType()).reshape('c', 1, k));
        }
    }

    private static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }
}
