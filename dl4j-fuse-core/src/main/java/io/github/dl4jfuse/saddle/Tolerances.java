package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.objective.Objective;

/**
 * What counts as zero at a point, from what differences of gradients can resolve there. With ε the rounding unit:
 *
 * <pre>
 *   gradient    ε^(1/2) (1 + |f|)
 *   curvature   ε^(2/5) |H| + {@value #UNITS} ε^(2/3) (1 + |∇f|)
 *   third       {@value #UNITS} ε^(4/9) (1 + |∇f| + |H|)
 * </pre>
 *
 * @param gradient bound for |∇f|
 * @param curvature bound for an eigenvalue
 * @param third bound for the norm of the third derivative in a subspace
 */
record Tolerances(double gradient, double curvature, double third) {

    static final double UNITS = 30;

    static Tolerances of(Objective objective, double value, double gradientNorm, double scale) {
        double unit = objective.roundingUnit();
        return new Tolerances(
                Math.sqrt(unit) * (1 + Math.abs(value)),
                Math.pow(unit, 0.4) * scale + UNITS * Math.cbrt(unit * unit) * (1 + gradientNorm),
                UNITS * Math.pow(unit, 4.0 / 9) * (1 + gradientNorm + scale));
    }

    Tolerances withGradient(double tolerance) {
        return new Tolerances(tolerance, curvature, third);
    }
}
