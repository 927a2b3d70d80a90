package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.Objective;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a point is, by its derivatives up to the third: for the end of a training, or where it stands still.
 *
 * <p>The theorem of Lee, Simchowitz, Jordan and Recht (COLT 2016) lets gradient descent from almost all starts avoid points with
 * a negative eigenvalue; Anandkumar and Ge (COLT 2016) leave those with a third derivative on the null space of the Hessian. The
 * verdict says which of these a point is, on the data that the objective holds: a mini-batch says something of that batch.
 *
 * <p>Where n is at most {@value #ALL_EIGENPAIRS_UP_TO} all eigenpairs are computed. Above, Lanczos looks for a few at both ends, by
 * one-sided differences where the objective is in double precision. For networks take that: {@code NetworkObjective.inDouble()}. In float
 * each unit with a kink (ReLU) that passes it within a difference adds a curvature that isn't there, and no error bar sees it. The
 * null space is seen through the few near-null vectors of its Krylov space and one direction that was driven towards a
 * large third derivative. So above a verdict of saddle is certain within the error bars, one of minimum is not: a small
 * negative eigenvalue may have stayed hidden.
 *
 * @param verdict what the point is
 * @param value f
 * @param gradientNorm |∇f|
 * @param gradientTolerance what of |∇f| counts as zero
 * @param smallest smallest eigenvalue
 * @param smallestError its error bar
 * @param largest largest eigenvalue
 * @param largestError its error bar
 * @param curvatureTolerance what of an eigenvalue counts as zero
 * @param nullVectors how many of the eigenvalues computed count as zero
 * @param thirdNorm Frobenius norm of the third derivative on their span; NaN where there is none or it was not needed
 * @param thirdError its error bar
 * @param gradientEvaluations gradients used
 */
public record CriticalPointReport(
        Verdict verdict,
        double value,
        double gradientNorm,
        double gradientTolerance,
        double smallest,
        double smallestError,
        double largest,
        double largestError,
        double curvatureTolerance,
        int nullVectors,
        double thirdNorm,
        double thirdError,
        long gradientEvaluations) {

    /** Up to this number of variables all eigenpairs are computed. */
    public static final int ALL_EIGENPAIRS_UP_TO = Probe.ALL_EIGENPAIRS_UP_TO;

    /** Looks at a point with default tolerances. */
    public static CriticalPointReport of(Objective objective, INDArray x) {
        return of(objective, x, Double.NaN);
    }

    /**
     * Looks at a point.
     *
     * @param gradientTolerance what of |∇f| counts as zero; NaN for the default, the root of the points' rounding unit times
     *     1 + |f|. On noisy data something larger makes sense.
     */
    public static CriticalPointReport of(Objective objective, INDArray x, double gradientTolerance) {
        return of(new Probe(objective, x, gradientTolerance, Lanczos.DEFAULT_MAX_PRODUCTS, Lanczos.DEFAULT_SEED));
    }

    static CriticalPointReport of(Probe probe) {
        EigenPairs pairs = probe.pairs();
        CubicTensor tensor = probe.tensor();
        return new CriticalPointReport(
                probe.verdict(),
                probe.value(),
                probe.gradientNorm(),
                probe.zero().gradient(),
                pairs.smallest(),
                pairs.errors()[0],
                pairs.largest(),
                pairs.errors()[pairs.values().length - 1],
                probe.zero().curvature(),
                probe.nullVectors(),
                tensor == null ? Double.NaN : tensor.tailNorms()[0],
                tensor == null ? Double.NaN : tensor.error(),
                probe.gradientsUsed());
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s: value %.6g, |gradient| %.2g (zero below %.1g), eigenvalues from %.3g +- %.1g to %.3g +- %.1g (zero"
                        + " within %.1g), %s",
                verdict.inWords(),
                value,
                gradientNorm,
                gradientTolerance,
                smallest,
                smallestError,
                largest,
                largestError,
                curvatureTolerance,
                Double.isNaN(thirdNorm)
                        ? nullVectors + " near zero"
                        : String.format(
                                Locale.ROOT,
                                "%d near zero with a third derivative of %.2g +- %.1g",
                                nullVectors,
                                thirdNorm,
                                thirdError));
    }
}
