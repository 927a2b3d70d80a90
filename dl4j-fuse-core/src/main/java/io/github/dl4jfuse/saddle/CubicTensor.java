package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The third derivative of an objective in a subspace: t_abc = T(v_a, v_b, v_c) for orthonormal v₁, .., v_k.
 *
 * <p>k (k + 1) products of the Hessian. An entry with three different indices is measured three times over, which gives the mean
 * that is kept and an estimate of the error.
 */
final class CubicTensor {

    private final double[][][] entries;
    private final double error;

    private CubicTensor(double[][][] entries, double error) {
        this.entries = entries;
        this.error = error;
    }

    /** Measures the entries by {@link ThirdDerivative}: k (k + 1) Hessian-vector products. */
    static CubicTensor measure(Objective objective, INDArray x, List<INDArray> basis) {
        int k = basis.size();
        double[][][] rows = new double[k][k][];
        INDArray product = Vectors.zerosLike(x);
        INDArray matrix =
                Nd4j.vstack(basis.stream().map(v -> v.reshape(1, v.length())).toArray(INDArray[]::new));
        for (int a = 0; a < k; a++) {
            for (int b = a; b < k; b++) {
                ThirdDerivative.product(objective, x, basis.get(a), basis.get(b), product);
                double[] row = matrix.mmul(product.reshape(product.length(), 1))
                        .reshape(k)
                        .toDoubleVector();
                rows[a][b] = row;
                rows[b][a] = row;
            }
        }
        return symmetric(rows);
    }

    private static CubicTensor symmetric(double[][][] rows) {
        int k = rows.length;
        double[][][] entries = new double[k][k][k];
        double squares = 0;
        for (int a = 0; a < k; a++) {
            for (int b = a; b < k; b++) {
                for (int c = b; c < k; c++) {
                    double mean = (rows[a][b][c] + rows[a][c][b] + rows[b][c][a]) / 3;
                    squares += Math.pow(rows[a][b][c] - mean, 2)
                            + Math.pow(rows[a][c][b] - mean, 2)
                            + Math.pow(rows[b][c][a] - mean, 2);
                    entries[a][b][c] = mean;
                    entries[a][c][b] = mean;
                    entries[b][a][c] = mean;
                    entries[b][c][a] = mean;
                    entries[c][a][b] = mean;
                    entries[c][b][a] = mean;
                }
            }
        }
        return new CubicTensor(entries, Math.sqrt(2 * squares));
    }

    int size() {
        return entries.length;
    }

    double entry(int a, int b, int c) {
        return entries[a][b][c];
    }

    /** Returns an estimate of the error of {@link #tailNorms}, from the asymmetry of what was measured. */
    double error() {
        return error;
    }

    /** Returns |T restricted to span(v_i, .., v_k)|, Frobenius, for each i. */
    double[] tailNorms() {
        int k = size();
        double[] norms = new double[k];
        for (int a = 0; a < k; a++) {
            for (int b = 0; b < k; b++) {
                for (int c = 0; c < k; c++) {
                    norms[Math.min(a, Math.min(b, c))] += entries[a][b][c] * entries[a][b][c];
                }
            }
        }
        double sum = 0;
        for (int i = k - 1; i >= 0; i--) {
            sum += norms[i];
            norms[i] = Math.sqrt(sum);
        }
        return norms;
    }

    /** Returns T(u, u, ·) for coefficients u. */
    double[] square(double[] u) {
        int k = size();
        double[] result = new double[k];
        for (int a = 0; a < k; a++) {
            for (int b = 0; b < k; b++) {
                double sum = 0;
                for (int c = 0; c < k; c++) {
                    sum += entries[a][b][c] * u[c];
                }
                result[a] += sum * u[b];
            }
        }
        return result;
    }

    /** Returns T(u, u, u). */
    double cube(double[] u) {
        double[] square = square(u);
        double sum = 0;
        for (int a = 0; a < u.length; a++) {
            sum += square[a] * u[a];
        }
        return sum;
    }
}
