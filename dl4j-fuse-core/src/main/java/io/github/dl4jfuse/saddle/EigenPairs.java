package io.github.dl4jfuse.saddle;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some eigenpairs of a Hessian, as {@link Lanczos} found them.
 *
 * @param values ascending: the smallest ones that were asked for, then the largest ones
 * @param vectors unit vectors that belong to them; memory of their own
 * @param residuals an estimate of |H v - λ v|: some exact eigenvalue is no farther away
 * @param errors an estimate of the error of each value: residual² / gap to the neighbours where that is smaller than the
 *     residual, plus {@code noise}
 * @param noise how much the differences of gradients blur an eigenvalue, estimated from the asymmetry of the products
 * @param scale largest |λ| seen: |H| from below
 * @param products Hessian-vector products used
 * @param gradientEvaluations gradients used
 * @param converged whether all errors met the tolerance
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record EigenPairs(
        double[] values,
        List<INDArray> vectors,
        double[] residuals,
        double[] errors,
        double noise,
        double scale,
        int products,
        long gradientEvaluations,
        boolean converged) {

    /** Returns the smallest eigenvalue. */
    public double smallest() {
        return values[0];
    }

    /** Returns the largest eigenvalue among those asked for. */
    public double largest() {
        return values[values.length - 1];
    }
}
