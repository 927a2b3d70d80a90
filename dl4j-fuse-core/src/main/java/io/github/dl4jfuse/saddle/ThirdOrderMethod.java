package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.Objective;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Minimises a function of few variables to a third-order local minimum (Anandkumar, Ge, <i>Efficient approaches for escaping
 * higher order saddle points in non-convex optimization</i>, COLT 2016, algorithms 1 to 3): ∇f = 0, H ≥ 0, and
 * uᵀHu = 0 implies D³f(u,u,u) = 0. Each iteration
 *
 * <pre>
 *   z = argmin of the cubic model of f at x with constant R       (global, hard case included)
 *   S, C = competitive subspace at z                              (algorithm 2, Q = B n^1.5)
 *   x = z + C/(LQ) u,  u at random in S by algorithm 3            if C ≥ Q (24 |∇f(z)| L²)^(1/3)
 *   x = z                                                         otherwise
 * </pre>
 *
 * <p>R bounds the change of the Hessian, |H(x) - H(y)| ≤ R |x - y|, and L that of the third derivative (Frobenius). Given both,
 * the algorithm is the paper's, and each step gains what the paper's proof promises; a step that doesn't shows that a
 * constant is too small, and ends the run.
 *
 * <p>Without constants (default, our choice) both adapt: R doubles until f(z) ≤ f(x) + model and halves after that; the third order is looked
 * at only where z is second-order stationary within what differences resolve; L starts so that the step has length 1, and
 * doubles until the step gains what L promises.
 *
 * <p>The Hessian is made of n products, the third derivative of n (n + 1), and n³ numbers are kept, so n is at most {@value #MOST_VARIABLES}.
 * Derivatives come from differences of gradients: a curvature or a third derivative below what these resolve counts as
 * zero. The constants of the paper were derived again, as only its abstract was at hand. Immutable.
 */
public final class ThirdOrderMethod {

    /** Most variables. */
    public static final int MOST_VARIABLES = 200;

    /** Default of the most iterations. */
    public static final int DEFAULT_MAX_ITERATIONS = 500;

    /** Default of the seed of the random directions. */
    public static final long DEFAULT_SEED = 1;

    private final double hessianLipschitz;
    private final double thirdLipschitz;
    private final double b;
    private final int maxIterations;
    private final long seed;

    private ThirdOrderMethod(double hessianLipschitz, double thirdLipschitz, double b, int maxIterations, long seed) {
        this.hessianLipschitz = hessianLipschitz;
        this.thirdLipschitz = thirdLipschitz;
        this.b = b;
        this.maxIterations = maxIterations;
        this.seed = seed;
    }

    /** Returns the method with adaptive constants. */
    public static ThirdOrderMethod adaptive() {
        return new ThirdOrderMethod(
                Double.NaN, Double.NaN, CompetitiveSubspace.DEFAULT_B, DEFAULT_MAX_ITERATIONS, DEFAULT_SEED);
    }

    /**
     * Returns the method of the paper.
     *
     * @param r R, more than 0
     * @param l L, more than 0
     */
    public static ThirdOrderMethod withConstants(double r, double l) {
        if (!(r > 0 && r < Double.POSITIVE_INFINITY && l > 0 && l < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "The constants R and L of the third-order method are more than 0, not " + r + " and " + l
                            + ": give bounds of the changes of Hessian and third derivative, or use adaptive().");
        }
        return new ThirdOrderMethod(r, l, CompetitiveSubspace.DEFAULT_B, DEFAULT_MAX_ITERATIONS, DEFAULT_SEED);
    }

    /** Returns the same with another limit of iterations, 1 or more; default {@value #DEFAULT_MAX_ITERATIONS}. */
    public ThirdOrderMethod withMaxIterations(int iterations) {
        if (iterations < 1) {
            throw new IllegalArgumentException(
                    "The third-order method needs at least one iteration, not " + iterations + ".");
        }
        return new ThirdOrderMethod(hessianLipschitz, thirdLipschitz, b, iterations, seed);
    }

    /** Returns the same with another seed; default {@value #DEFAULT_SEED}. */
    public ThirdOrderMethod withSeed(long newSeed) {
        return new ThirdOrderMethod(hessianLipschitz, thirdLipschitz, b, maxIterations, newSeed);
    }

    /**
     * Minimises.
     *
     * @param objective f, of at most {@value #MOST_VARIABLES} variables
     * @param start not changed
     * @throws IllegalArgumentException if there are more variables, or the start is no point of f
     */
    public ThirdOrderResult run(Objective objective, INDArray start) {
        objective.requireVector(start, "The start");
        objective.requireMinimisable();
        if (objective.dimension() > MOST_VARIABLES) {
            throw new IllegalArgumentException("The exact third-order method keeps n³ numbers, so it takes at most "
                    + MOST_VARIABLES + " variables, not " + objective.dimension()
                    + ": use SubspaceStep, which works in the span of a few directions.");
        }
        return new ThirdOrderRun(objective, hessianLipschitz, thirdLipschitz, b, maxIterations, seed).from(start);
    }
}
