package io.github.dl4jfuse.optim.gaussnewton;

import io.github.dl4jfuse.linalg.HostArrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** D = dx/dθ at one point: n = N Q rows, K columns. */
public interface OutputJacobian {

    /** Returns D v, n numbers. */
    double[] push(INDArray v);

    /** Returns D' u, K numbers, memory of its own. */
    INDArray pull(double[] u);

    /** Returns whether {@link #gram} costs about as much as a few products, not n of them. */
    default boolean hasGram() {
        return false;
    }

    /** Returns D D', n by n, row by row; n products D' u unless there is something better. */
    default double[] gram(int n) {
        INDArray rows = jacobian(n).castTo(DataType.DOUBLE);
        return HostArrays.ofSymmetric(rows.mmul(rows.transpose()));
    }

    /** Returns D itself, [n, K], for small ones; n products D' u unless there is something better. */
    default INDArray jacobian(int n) {
        INDArray all = null;
        double[] unit = new double[n];
        for (int i = 0; i < n; i++) {
            unit[i] = 1;
            INDArray row = pull(unit);
            unit[i] = 0;
            if (all == null) {
                all = Nd4j.createUninitialized(row.dataType(), new long[] {n, row.length()}, 'c');
            }
            all.putRow(i, row);
        }
        return all;
    }
}
