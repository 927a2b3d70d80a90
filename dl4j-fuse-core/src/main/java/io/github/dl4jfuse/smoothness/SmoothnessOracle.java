package io.github.dl4jfuse.smoothness;

import java.util.function.DoubleUnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A local first-order smoothness oracle of a function f: a number L(x, R) ≥ 0, non-decreasing in R, with
 *
 * <pre>
 *   |f(y) - f(x) - ∇f(x)·(y - x)| ≤ ½ L(x, R) |y - x|²   for all |y - x| ≤ R
 * </pre>
 *
 * <p>For twice differentiable f the supremum of ‖∇²f‖ over the ball is one. A smaller number serves a method that knows
 * where it goes: {@link #along} bounds f on a segment only.
 *
 * <p>Source: Berahas, Roberts, Roosta, <i>Non-Uniform Smoothness for Gradient Descent</i> (TMLR 2024), whose principle this
 * is; the two-sided form and the segment are our choices (for directional smoothness see Mishkin et al. 2024). Known
 * oracles and rules to combine them: {@link SmoothnessOracles}, {@link GeneralisedLinear}, {@link SoftmaxRegression}.
 */
@FunctionalInterface
public interface SmoothnessOracle {

    /**
     * Returns R ↦ L(x, R) for R ≥ 0; may be infinite, never NaN. Valid as long as x isn't changed.
     *
     * @param point x, rank 1; not changed
     */
    DoubleUnaryOperator at(INDArray point);

    /**
     * Returns R ↦ L with the inequality for y = x + t v, |t| ≤ R, only: non-decreasing in R and at most what {@link #at}
     * says. The same as that unless something better is known.
     *
     * @param point x, rank 1; not changed
     * @param direction v, a unit vector; not changed
     */
    default DoubleUnaryOperator along(INDArray point, INDArray direction) {
        return at(point);
    }
}
