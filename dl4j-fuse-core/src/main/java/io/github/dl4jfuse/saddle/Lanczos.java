package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.linalg.SymmetricEigen;
import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Extreme eigenpairs of the Hessian H of an {@link Objective} by Lanczos's method with full re-orthogonalisation, on
 * Hessian-vector products only. H is never formed.
 *
 * <pre>
 *   EigenPairs bottom = new Lanczos().smallest(objective, x, 4);
 *   EigenPairs both = new Lanczos(60, 1e-3, seed).extremes(objective, x, 4, 1);
 * </pre>
 *
 * <p>An orthonormal basis Q = (q₁, .., q_m) of the Krylov space of H and a random q₁ grows by one product a step. The pairs
 * are those of the symmetric part of G = QᵀHQ (Rayleigh, Ritz), with all of G and not only its three diagonals, so that noise in the
 * products is averaged instead of piling up. For a Ritz pair (θ, Q s), |H Q s - θ Q s| = |β_m s_m| with β_m the length of
 * what the last product added to the basis; the error of θ is about that squared over the gap to the next Ritz value (Parlett, <i>The Symmetric
 * Eigenvalue Problem</i>, 1980, chapters 11 and 13). Entries of G beyond the three diagonals would be zero in exact arithmetic: their size
 * is the noise of the products, which is reported and added to the errors.
 *
 * <p>It stops when every error asked for is at most {@code tolerance} |θ| plus the noise. An eigenvalue that occurs several times is
 * found once at first; its copies come later, through rounding. Where n is at most the number of products allowed, all n
 * are made and everything is found.
 *
 * <p>Cost: a product a step, two gradients each for objectives without a product of their own. {@link #oneSided} makes it one gradient a
 * step, and one for the point itself,
 *
 * <pre>
 *   H q ≈ (∇f(x + h q) - ∇f(x)) / h,   h = ε^(9/16) (1 + |x| / √n)
 * </pre>
 *
 * in double precision only. h is a tenth of what is best for a smooth function, so that the error is about 1e-7 for one whose derivatives are of
 * order 1 (ε^(7/16)); in return a network with ReLU hardly ever has a unit that passes its kink between the two points. Where one does, its jump divided
 * by h gets into the product. Central differences pass 9,000 times, in float 7 million times as many, and then see
 * a Hessian that isn't there.
 *
 * <p>Memory: (m + k + 4) n elements. Immutable.
 */
public final class Lanczos {

    /** Default of the most products. */
    public static final int DEFAULT_MAX_PRODUCTS = 60;

    /** Default of the relative error at which an eigenvalue counts as found. */
    public static final double DEFAULT_TOLERANCE = 1e-2;

    /** Default of the seed of the first vector. */
    public static final long DEFAULT_SEED = 1;

    /** The power of ε in the step of one-sided differences. */
    static final double ONE_SIDED_STEP = 9.0 / 16;

    private final int maxProducts;
    private final double tolerance;
    private final long seed;
    private final boolean oneSided;

    /** With all defaults. */
    public Lanczos() {
        this(DEFAULT_MAX_PRODUCTS, DEFAULT_TOLERANCE, DEFAULT_SEED);
    }

    /**
     * Sets the limits.
     *
     * @param maxProducts m, at least 1; default {@value #DEFAULT_MAX_PRODUCTS}
     * @param tolerance relative error, at least 0; default {@value #DEFAULT_TOLERANCE}
     * @param seed of the first vector; default {@value #DEFAULT_SEED}
     */
    public Lanczos(int maxProducts, double tolerance, long seed) {
        if (maxProducts < 1 || !(tolerance >= 0)) {
            throw new IllegalArgumentException("Lanczos needs at least one product and a tolerance of at least 0, not "
                    + maxProducts + " products and a tolerance of " + tolerance + ".");
        }
        this.maxProducts = maxProducts;
        this.tolerance = tolerance;
        this.seed = seed;
        oneSided = false;
    }

    private Lanczos(Lanczos other, boolean oneSided) {
        maxProducts = other.maxProducts;
        tolerance = other.tolerance;
        seed = other.seed;
        this.oneSided = oneSided;
    }

    /**
     * Returns the same with products by one-sided differences, at one gradient each, whatever product the objective has; for objectives in
     * double precision. By default the objective's own product is used.
     */
    public Lanczos oneSided() {
        return new Lanczos(this, true);
    }

    /** Returns the k smallest eigenpairs. */
    public EigenPairs smallest(Objective objective, INDArray x, int k) {
        return extremes(objective, x, k, 0);
    }

    /** Returns the k largest eigenpairs. */
    public EigenPairs largest(Objective objective, INDArray x, int k) {
        return extremes(objective, x, 0, k);
    }

    /**
     * Returns eigenpairs from both ends of the spectrum, from one Krylov space.
     *
     * @param objective whose Hessian it is
     * @param x where
     * @param smallest how many of the smallest
     * @param largest how many of the largest; together at least 1, and at most n and the number of products
     * @throws ArithmeticException if a product is not finite
     */
    public EigenPairs extremes(Objective objective, INDArray x, int smallest, int largest) {
        return extremes(objective, x, null, smallest, largest);
    }

    /** The same with ∇f(x), which the caller may have; else null. */
    EigenPairs extremes(Objective objective, INDArray x, INDArray gradient, int smallest, int largest) {
        objective.requireVector(x, "The point");
        if (oneSided && objective.dataType() != DataType.DOUBLE) {
            throw new IllegalArgumentException("One-sided differences of gradients in FLOAT are too coarse for"
                    + " eigenvalues: take the objective in DOUBLE (NetworkObjective.inDouble()), or central ones.");
        }
        int wanted = smallest + largest;
        if (smallest < 0 || largest < 0 || wanted < 1 || wanted > Math.min(objective.dimension(), maxProducts)) {
            throw new IllegalArgumentException("Lanczos can find from 1 to "
                    + Math.min(objective.dimension(), maxProducts) + " eigenpairs here (n = " + objective.dimension()
                    + ", " + maxProducts + " products), not " + smallest + " + " + largest + ".");
        }
        return new Run(objective, x, gradient, smallest, largest).go();
    }

    /** One Krylov space. */
    private final class Run {

        private final Objective objective;
        private final INDArray x;
        private final int smallest;
        private final int wanted;
        private final int limit;
        private final Random random = new Random(seed);
        private final List<INDArray> basis = new ArrayList<>();
        private final double[][] g;
        private final INDArray moved;
        private INDArray gradient;
        private double beta;
        private boolean restarted;

        Run(Objective objective, INDArray x, INDArray gradient, int smallest, int largest) {
            this.objective = objective;
            this.x = x;
            this.gradient = gradient;
            moved = oneSided ? x.dup() : null;
            this.smallest = smallest;
            wanted = smallest + largest;
            limit = (int) Math.min(maxProducts, objective.dimension());
            g = new double[limit][];
        }

        EigenPairs go() {
            long gradientsBefore = objective.gradientEvaluations();
            INDArray next = Vectors.zerosLike(x);
            if (oneSided && gradient == null) {
                gradient = Vectors.zerosLike(x);
                objective.valueAndGradient(x, gradient);
            }
            int restarts = -1;
            while (true) {
                if (beta == 0) {
                    restarts++;
                    next.assign(Vectors.gaussian(objective.dataType(), objective.dimension(), random));
                    objective.clearFixed(next);
                    if (Vectors.orthonormalise(next, basis, null) == 0) {
                        break; // fewer variables than components: the others are fixed
                    }
                }
                restarted = restarts > 0;
                basis.add(next.dup());
                step(next);
                int m = basis.size();
                if (m >= wanted && (m == limit || restarts >= wanted || isDone())) {
                    break;
                }
            }
            if (basis.size() < wanted) {
                throw new IllegalArgumentException("Only " + basis.size() + " components of this objective's points are"
                        + " variables, so there are no " + wanted + " eigenpairs: ask for fewer.");
            }
            return result(objective.gradientEvaluations() - gradientsBefore);
        }

        /** Multiplies the last basis vector, fills its column of G and leaves the next basis vector. */
        private void step(INDArray next) {
            int j = basis.size() - 1;
            multiply(basis.get(j), next);
            objective.clearFixed(next);
            if (!Double.isFinite(Vectors.dot(next, next))) {
                throw new ArithmeticException("A product of the Hessian is not finite: there is no curvature to see at"
                        + " this point. Go back to a point where value and gradient are finite.");
            }
            g[j] = new double[j + 1];
            beta = Vectors.orthonormalise(next, basis, g[j]);
        }

        private void multiply(INDArray q, INDArray product) {
            if (!oneSided) {
                objective.hessianVector(x, q, product);
                return;
            }
            double h = Math.pow(objective.roundingUnit(), ONE_SIDED_STEP) * ThirdDerivative.scale(objective, x);
            moved.assign(x);
            Vectors.axpy(h, q, moved);
            objective.valueAndGradient(moved, product);
            Vectors.axpy(-1, gradient, product);
            product.divi(h);
        }

        private boolean isDone() {
            if (restarted || objective.dimension() <= maxProducts) {
                return false;
            }
            Ritz ritz = new Ritz();
            for (int i : ritz.chosen()) {
                if (ritz.error(i) > tolerance * Math.abs(ritz.values[i])) {
                    return false;
                }
            }
            return true;
        }

        private EigenPairs result(long gradients) {
            Ritz ritz = new Ritz();
            int[] chosen = ritz.chosen();
            double[] values = new double[wanted];
            double[] residuals = new double[wanted];
            double[] errors = new double[wanted];
            List<INDArray> vectors = new ArrayList<>();
            boolean converged = true;
            for (int c = 0; c < wanted; c++) {
                int i = chosen[c];
                values[c] = ritz.values[i];
                residuals[c] = Math.hypot(ritz.residual(i), ritz.noise);
                errors[c] = ritz.error(i) + ritz.noise;
                vectors.add(Vectors.combine(ritz.vectors[i], basis));
                converged &= ritz.error(i) <= tolerance * Math.abs(values[c]) + ritz.noise;
            }
            return new EigenPairs(
                    values, vectors, residuals, errors, ritz.noise, ritz.scale(), basis.size(), gradients, converged);
        }

        /** The eigenpairs of G, ascending. */
        private final class Ritz {

            private final double[] values;
            private final double[][] vectors;
            private final double noise;

            Ritz() {
                int m = basis.size();
                DMatrixRMaj matrix = new DMatrixRMaj(m, m);
                double squares = 0;
                for (int j = 0; j < m; j++) {
                    for (int i = 0; i <= j; i++) {
                        matrix.set(i, j, g[j][i]);
                        matrix.set(j, i, g[j][i]);
                        if (i < j - 1) {
                            squares += g[j][i] * g[j][i];
                        }
                    }
                }
                SymmetricEigen eigen = new SymmetricEigen(matrix);
                values = eigen.values();
                vectors = eigen.vectors();
                noise = Math.max(Math.sqrt(squares / m), objective.roundingUnit() * scale());
            }

            double scale() {
                return Math.max(Math.abs(values[0]), Math.abs(values[values.length - 1]));
            }

            int[] chosen() {
                int[] chosen = new int[wanted];
                Arrays.setAll(chosen, c -> c < smallest ? c : values.length - wanted + c);
                return chosen;
            }

            double residual(int i) {
                return basis.size() == objective.dimension() ? 0 : beta * Math.abs(vectors[i][values.length - 1]);
            }

            double error(int i) {
                double gap = Double.POSITIVE_INFINITY;
                if (i > 0) {
                    gap = values[i] - values[i - 1];
                }
                if (i < values.length - 1) {
                    gap = Math.min(gap, values[i + 1] - values[i]);
                }
                double residual = residual(i);
                return residual == 0 ? 0 : Math.min(residual, residual * residual / gap);
            }
        }
    }
}
