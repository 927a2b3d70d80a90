package io.github.dl4jfuse.smoothness;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Upper bounds of the largest eigenvalue that hold whatever the spectrum. (Power iteration alone would not do: it comes from
 * below.) In double precision.
 */
final class SpectralBound {

    /** Squarings, j: the bound is at most n^(1/2^(j+1)) times the norm, 1.0009 times for n = 1,500. */
    private static final int SQUARINGS = 12;

    /** Iterations of the nonnegative form; each halves the error at least where the second eigenvalue is half the first. */
    private static final int ITERATIONS = 20;

    private SpectralBound() {}

    /** Bounds ‖A‖ of a symmetric matrix by ‖A^K‖_F^(1/K), K = 2¹², as the Frobenius norm is at least the spectral one. */
    static double ofSymmetric(INDArray matrix) {
        if (matrix.rank() != 2 || matrix.rows() != matrix.columns()) {
            throw new IllegalArgumentException(
                    "A symmetric matrix is square; this array has the shape " + matrix.shapeInfoToString() + ".");
        }
        INDArray power = matrix.castTo(DataType.DOUBLE).dup('f');
        double logarithm = 0;
        double exponent = 1;
        for (int j = 0; ; j++) {
            double scale = frobenius(power);
            if (scale == 0) {
                return 0;
            }
            logarithm += Math.log(scale) / exponent;
            if (j == SQUARINGS) {
                return Math.exp(logarithm);
            }
            power.divi(scale);
            power = power.mmul(power);
            exponent *= 2;
        }
    }

    private static double frobenius(INDArray matrix) {
        INDArray flat = matrix.reshape('f', new long[] {matrix.length()}); // 'f', long would be taken for two lengths
        return Math.sqrt(Nd4j.getBlasWrapper().dot(flat, flat));
    }

    /**
     * Bounds λ_max(Σ c_i a_i a_iᵀ) for c ≥ 0.
     *
     * <p>Where all a_ij ≥ 0 by max_j (M v)_j / v_j for a positive v (Collatz, Wielandt), improved by v ← M v; otherwise by
     * {@link #ofSymmetric}.
     *
     * @param rows a_i as rows, N × d, DOUBLE
     * @param nonNegative whether no element is negative
     * @param weights c, N elements, DOUBLE
     */
    static double ofWeightedGram(INDArray rows, boolean nonNegative, INDArray weights) {
        if (!nonNegative) {
            return ofSymmetric(rows.transpose().mmul(rows.mulColumnVector(weights.reshape(weights.length(), 1))));
        }
        INDArray v = Nd4j.ones(DataType.DOUBLE, rows.columns(), 1);
        INDArray column = weights.reshape(weights.length(), 1);
        double best = Double.POSITIVE_INFINITY;
        for (int k = 0; k < ITERATIONS; k++) {
            INDArray image = rows.transpose().mmul(rows.mmul(v).muli(column));
            double bound = 0;
            for (long j = 0; j < v.length(); j++) {
                // A zero column of the data is a zero row of M: its component is 0 from the first image on.
                if (v.getDouble(j) > 0) {
                    bound = Math.max(bound, image.getDouble(j) / v.getDouble(j));
                }
            }
            best = Math.min(best, bound);
            double scale = image.maxNumber().doubleValue();
            if (scale == 0) {
                return 0;
            }
            v = image.divi(scale);
        }
        return best;
    }
}
