package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.Objective;

/**
 * What counts as zero at a point, from what differences of gradients can resolve there. With ε the rounding unit, for the gradient that
 * of the points:
 *
 * <pre>
 *   gradient    ε^(1/2) (1 + |f|)
 *   curvature   ε^(2/5) |H| + {@value #UNITS} ε^(2/3) (1 + |∇f|);   ε^(7/16) instead of ε^(2/3) for one-sided differences
 *   third       {@value #UNITS} ε^(4/9) (1 + |∇f| + |H|)
 * </pre>
 *
 * @param gradient bound for |∇f|
 * @param curvature bound for an eigenvalue
 * @param third bound for the norm of the third derivative in a subspace
 */
record Tolerances(double gradient, double curvature, double third) {

    static final double UNITS = 30;

    static Tolerances of(Objective objective, double value, double gradientNorm, double scale, boolean oneSided) {
        double unit = objective.roundingUnit();
        double blur = oneSided ? Math.pow(unit, 1 - Lanczos.ONE_SIDED_STEP) : Math.cbrt(unit * unit);
        return new Tolerances(
                Math.sqrt(objective.pointRoundingUnit()) * (1 + Math.abs(value)),
                Math.pow(unit, 0.4) * scale + UNITS * blur * (1 + gradientNorm),
                UNITS * Math.pow(unit, 4.0 / 9) * (1 + gradientNorm + scale));
    }

    Tolerances withGradient(double tolerance) {
        return new Tolerances(tolerance, curvature, third);
    }
}
