package io.github.dl4jfuse.linalg;

import java.util.Arrays;
import java.util.Comparator;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * All eigenpairs of a small dense symmetric matrix, ascending.
 *
 * @param values λ₁ ≤ .. ≤ λ_n
 * @param vectors {@code vectors[i]} is the unit vector that belongs to λᵢ
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record SymmetricEigen(double[] values, double[][] vectors) {

    /** Computes them of a symmetric matrix. */
    public SymmetricEigen(DMatrixRMaj symmetric) {
        this(new double[symmetric.numRows], new double[symmetric.numRows][]);
        int n = symmetric.numRows;
        EigenDecomposition_F64<DMatrixRMaj> decomposition = DecompositionFactory_DDRM.eig(n, true, true);
        if (!decomposition.decompose(symmetric.copy())) {
            throw new ArithmeticException("The eigenvalues of a matrix of size " + n + " could not be computed: it"
                    + " holds values that are not finite or out of all proportion.");
        }
        Integer[] order = new Integer[n];
        Arrays.setAll(order, i -> i);
        Arrays.sort(
                order,
                Comparator.comparingDouble(i -> decomposition.getEigenvalue(i).getReal()));
        for (int i = 0; i < n; i++) {
            values[i] = decomposition.getEigenvalue(order[i]).getReal();
            vectors[i] = decomposition.getEigenVector(order[i]).getData();
        }
    }
}
