package io.github.dl4jfuse.tools.rivals;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** One side of a matrix: Shampoo's factor, averaged, and an orthogonal matrix Q near its eigenvectors. Matrices are in f order. */
final class SoapSide {

    private final long n;
    private final boolean first;
    private final INDArray factor;
    private final INDArray basis;

    /**
     * A side.
     *
     * @param state its memory, a vector of {@link #stateSize}
     * @param n its length
     * @param first whether it is that of the rows
     */
    SoapSide(INDArray state, long n, boolean first) {
        this.n = n;
        this.first = first;
        factor = state.get(NDArrayIndex.interval(0, n * n)).reshape('f', n, n);
        basis = state.get(NDArrayIndex.interval(n * n, 2 * n * n)).reshape('f', n, n);
    }

    static long stateSize(long n) {
        return 2 * n * n;
    }

    /** Factor ← β factor + (1 - β) G Gᵀ, or Gᵀ G. */
    void average(INDArray gradient, double beta) {
        Nd4j.gemm(gradient, gradient, factor, !first, first, 1 - beta, beta);
    }

    /** Returns Qᵀ X or X Q; backwards Q X or X Qᵀ. */
    INDArray rotated(INDArray x, boolean backwards) {
        INDArray result = Nd4j.createUninitialized(x.dataType(), x.shape(), 'f');
        if (first) {
            Nd4j.gemm(basis, x, result, !backwards, false, 1, 0);
        } else {
            Nd4j.gemm(x, basis, result, false, backwards, 1, 0);
        }
        return result;
    }

    /** Q becomes the factor's eigenvectors, those of the largest values first. */
    void begin() {
        INDArray vectors = factor.dup('f');
        INDArray values = Nd4j.create(factor.dataType(), n);
        int status = Nd4j.getBlasWrapper().lapack().syev('V', 'U', vectors, values);
        if (status != 0) {
            throw new ArithmeticException(
                    "SOAP: no eigenvectors of a factor of size " + n + ", LAPACK's status " + status);
        }
        for (long i = 0; i < n; i++) {
            basis.getColumn(i).assign(vectors.getColumn(n - 1 - i));
        }
    }

    /**
     * One step of the power iteration, made orthogonal.
     *
     * @param squares SOAP's V, whose rows or columns are put in Q's new order
     */
    void refresh(INDArray squares) {
        INDArray product = Nd4j.createUninitialized(factor.dataType(), new long[] {n, n}, 'f');
        Nd4j.gemm(factor, basis, product, false, false, 1, 0);
        double[] values = basis.mul(product).sum(0).toDoubleVector();
        int[] order = IntStream.range(0, (int) n)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> values[i]).reversed())
                .mapToInt(i -> i)
                .toArray();
        squares.assign(
                first ? squares.dup('f').getRows(order) : squares.dup('f').getColumns(order));
        INDArray orthogonal = product.getColumns(order).dup('f');
        Nd4j.getBlasWrapper().lapack().geqrf(orthogonal, product); // product's room for R, which nobody needs
        basis.assign(orthogonal);
    }
}
