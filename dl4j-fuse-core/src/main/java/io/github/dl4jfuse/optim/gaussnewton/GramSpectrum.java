package io.github.dl4jfuse.optim.gaussnewton;

import io.github.dl4jfuse.linalg.SymmetricMatrix;
import java.util.Locale;

/**
 * The rank condition at one point: what the eigenvalues of D D' say.
 *
 * @param rows n = N Q
 * @param parameters K
 * @param rank eigenvalues above n ε of the largest, ε the rounding unit of double precision or of the parameters
 * @param numericalRank eigenvalues above the cut of the largest: what a solver uses
 * @param smallest the smallest eigenvalue, as rounding leaves it
 * @param largest the largest
 * @param irreducible the share of the loss at this point, linearised, that no step can take away: 0 at full rank
 */
public record GramSpectrum(
        int rows, long parameters, int rank, int numericalRank, double smallest, double largest, double irreducible) {

    /** Most rows whose eigenvalues are computed. */
    public static final int ROWS_AT_MOST = 2_048;

    /**
     * Computes it. O(n³).
     *
     * @param roundingUnit ε of the type that the Gram matrix was computed in
     * @param cut relative to the largest eigenvalue, at least n ε
     * @throws IllegalArgumentException if there are more than {@value #ROWS_AT_MOST} rows
     */
    public static GramSpectrum of(
            OutputJacobian jacobian, OutputLoss.Local local, long parameters, double roundingUnit, double cut) {
        double[] residual = local.root(local.whitened());
        int n = residual.length;
        if (n > ROWS_AT_MOST) {
            throw new IllegalArgumentException("The eigenvalues of " + n + " rows (examples times outputs) take too"
                    + " long; look at a sample of at most " + ROWS_AT_MOST + " rows.");
        }
        SymmetricMatrix.Eigen eigen = new SymmetricMatrix(jacobian.gram(n), n).eigen();
        double largest = Math.max(0, eigen.values()[n - 1]);
        int rank = 0;
        int numericalRank = 0;
        double outside = 0;
        for (int i = 0; i < n; i++) {
            if (largest > 0 && eigen.values()[i] > n * roundingUnit * largest) {
                rank++;
            }
            if (largest > 0 && eigen.values()[i] > Math.max(cut, n * roundingUnit) * largest) {
                numericalRank++;
            } else {
                double product = GaussNewtonStep.dot(eigen.vectors()[i], residual);
                outside += product * product;
            }
        }
        double squares = GaussNewtonStep.dot(residual, residual);
        return new GramSpectrum(
                n, parameters, rank, numericalRank, eigen.values()[0], largest, squares == 0 ? 0 : outside / squares);
    }

    /** Returns the largest over the smallest eigenvalue, infinite where the rank is not full. */
    public double condition() {
        return rank == rows ? largest / smallest : Double.POSITIVE_INFINITY;
    }

    /** Returns whether there are at least as many parameters as rows. */
    public boolean isOverparametrised() {
        return parameters >= rows;
    }

    /** Returns whether D has full rank n, numerically: then the rate is known. */
    public boolean meetsRankCondition() {
        return numericalRank == rows;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d rows, %,d parameters (%s), rank %,d (numerically %,d), eigenvalues %.3g to %.3g, condition %.3g",
                rows,
                parameters,
                isOverparametrised() ? "overparametrised" : "underparametrised",
                rank,
                numericalRank,
                smallest,
                largest,
                condition());
    }
}
