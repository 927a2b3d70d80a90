package io.github.dl4jfuse.linalg;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;
import org.ejml.interfaces.linsol.LinearSolverDense;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A symmetric, positive semi-definite matrix in double precision, n by n. Up to {@value #ON_THE_HOST} rows EJML factorises it
 * on the host, larger ones go to ND4J's LAPACK, on the device where there is one.
 */
public final class SymmetricMatrix {

    /** Most rows that EJML factorises; measured, see docs/geometry.md. */
    static final int ON_THE_HOST = 350;

    private final double[] matrix;
    private final int n;

    /** Takes a matrix, row by row; it is not copied and must not change. */
    public SymmetricMatrix(double[] matrix, int n) {
        this.matrix = matrix;
        this.n = n;
    }

    /** Returns the mean of the eigenvalues. */
    public double meanEigenvalue() {
        double trace = 0;
        for (int i = 0; i < n; i++) {
            trace += matrix[i * n + i];
        }
        return trace / n;
    }

    /** A Cholesky factor that solves for any right-hand side. */
    public interface Factor {

        /** Returns z, memory of its own. */
        double[] solve(double[] b);
    }

    /** Returns the solution of (A + μ I) z = b, or null if rounding leaves the matrix without a Cholesky factor. */
    public double[] solve(double mu, double[] b) {
        Factor factor = factor(mu);
        double[] z = factor == null ? null : factor.solve(b);
        return z != null && isFinite(z) ? z : null;
    }

    /** Returns the factor of A + μ I, or null if there is none. */
    public Factor factor(double mu) {
        double[] damped = matrix.clone();
        for (int i = 0; i < n; i++) {
            damped[i * n + i] += mu;
            if (!Double.isFinite(damped[i * n + i])) {
                return null;
            }
        }
        return n <= ON_THE_HOST ? onHost(damped) : byLapack(damped);
    }

    private static boolean isFinite(double[] z) {
        for (double each : z) {
            if (!Double.isFinite(each)) {
                return false;
            }
        }
        return true;
    }

    /** Factorises in Java (EJML). */
    public Factor onHost(double[] damped) {
        LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_DDRM.chol(n);
        if (!solver.setA(DMatrixRMaj.wrap(n, n, damped))) {
            return null;
        }
        return b -> {
            DMatrixRMaj z = new DMatrixRMaj(n, 1);
            solver.solve(DMatrixRMaj.wrap(n, 1, b.clone()), z);
            return z.data;
        };
    }

    /** Factorises by ND4J's LAPACK. */
    public Factor byLapack(double[] damped) {
        double[] factor;
        try (INDArray flat = Nd4j.createFromArray(damped)) {
            Nd4j.getBlasWrapper().lapack().potrf(flat.reshape('f', n, n), true);
            factor = HostArrays.ofSymmetric(flat); // column by column: L' row by row
        } catch (RuntimeException | Error e) { // how ND4J says that a matrix is not positive definite
            if (e instanceof OutOfMemoryError) {
                throw e;
            }
            return null;
        }
        return b -> substitute(factor, b.clone());
    }

    /** Solves L L' z = b in place. */
    private double[] substitute(double[] factor, double[] z) {
        for (int j = 0; j < n; j++) {
            z[j] /= factor[j * n + j];
            for (int i = j + 1; i < n; i++) {
                z[i] -= factor[j * n + i] * z[j];
            }
        }
        for (int j = n - 1; j >= 0; j--) {
            double sum = z[j];
            for (int i = j + 1; i < n; i++) {
                sum -= factor[j * n + i] * z[i];
            }
            z[j] = sum / factor[j * n + j];
        }
        return z;
    }

    /** Eigenvalues, ascending, and eigenvectors, one after the other. */
    public record Eigen(double[] values, double[][] vectors) {}

    /** Returns the eigen-decomposition. */
    public Eigen eigen() {
        EigenDecomposition_F64<DMatrixRMaj> decomposition = DecompositionFactory_DDRM.eig(n, true, true);
        DMatrixRMaj copy = DMatrixRMaj.wrap(n, n, matrix.clone());
        CommonOps_DDRM.symmLowerToFull(copy);
        if (!decomposition.decompose(copy)) {
            throw new IllegalStateException("The eigenvalues of a matrix of " + n
                    + " rows were not found: its entries are probably not finite.");
        }
        Integer[] order = new Integer[n];
        double[] found = new double[n];
        for (int i = 0; i < n; i++) {
            order[i] = i;
            found[i] = decomposition.getEigenvalue(i).getReal();
        }
        java.util.Arrays.sort(order, java.util.Comparator.comparingDouble(i -> found[i]));
        double[] values = new double[n];
        double[][] vectors = new double[n][];
        for (int i = 0; i < n; i++) {
            values[i] = found[order[i]];
            vectors[i] = decomposition.getEigenVector(order[i]).data;
        }
        return new Eigen(values, vectors);
    }
}
