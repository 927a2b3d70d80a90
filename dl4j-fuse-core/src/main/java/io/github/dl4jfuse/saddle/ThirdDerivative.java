package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Products of the third derivative T = D³f(x) with two vectors, by central differences of Hessian-vector products,
 *
 * <pre>
 *   T(u, v, ·) ≈ (H(x + h u) v - H(x - h u) v) / 2h,   h = ε^(2/9) (1 + |x| / √n) / |u|
 * </pre>
 *
 * with ε the rounding unit. A product that itself is a central difference is blurred by about ε^(2/3); that over h balances
 * the truncation h², which gives an error of about ε^(4/9) for a function whose derivatives are of order 1: 8e-8 in double, 6e-4 in
 * float. Two products, so four gradients for objectives without a product of their own.
 *
 * <p>For u = v two gradients less do it, with one step for both differences:
 *
 * <pre>
 *   T(u, u, ·) ≈ (∇f(x + h u) - 2 ∇f(x) + ∇f(x - h u)) / h²,   h = ε^(1/4) (1 + |x| / √n) / |u|
 * </pre>
 *
 * with rounding ε / h² and truncation h² both about ε^(1/2): 1e-8 in double, 2e-4 in float.
 */
public final class ThirdDerivative {

    private ThirdDerivative() {}

    /** Writes T(u, v, ·) into {@code target}; zero for u = 0. */
    public static void product(Objective objective, INDArray x, INDArray u, INDArray v, INDArray target) {
        double length = Vectors.norm(u);
        if (length == 0) {
            target.assign(0);
            return;
        }
        double h = Math.pow(objective.roundingUnit(), 2.0 / 9) * scale(objective, x) / length;
        INDArray behind = Vectors.zerosLike(x);
        objective.hessianVector(Vectors.moved(x, -h, u), v, behind);
        objective.hessianVector(Vectors.moved(x, h, u), v, target);
        Vectors.axpy(-1, behind, target);
        target.divi(2 * h);
        objective.clearFixed(target);
    }

    /**
     * Writes T(u, u, ·) into {@code target}; zero for u = 0.
     *
     * @param gradient ∇f(x), which the caller has
     */
    public static void square(Objective objective, INDArray x, INDArray gradient, INDArray u, INDArray target) {
        double length = Vectors.norm(u);
        if (length == 0) {
            target.assign(0);
            return;
        }
        double h = Math.pow(objective.roundingUnit(), 0.25) * scale(objective, x) / length;
        INDArray behind = Vectors.zerosLike(x);
        objective.valueAndGradient(Vectors.moved(x, -h, u), behind);
        objective.valueAndGradient(Vectors.moved(x, h, u), target);
        Vectors.axpy(-2, gradient, target);
        Vectors.axpy(1, behind, target);
        target.divi(h * h);
        objective.clearFixed(target);
    }

    /** Returns 1 + |x| / √n, which the steps of differences are proportional to. */
    static double scale(Objective objective, INDArray x) {
        return 1 + Vectors.norm(x) / Math.sqrt((double) objective.dimension());
    }
}
