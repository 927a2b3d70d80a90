package io.github.dl4jfuse.optim;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A function f of n variables that is to be minimised: value, gradient, Hessian-vector products, and how often each was
 * asked for. Points, gradients and products are rank-1 arrays of n elements of {@link #dataType}.
 *
 * <p>Not thread-safe.
 */
public abstract class Objective {

    /** A function of plain arrays that returns f(x) and writes ∇f(x) into {@code gradient}. */
    @FunctionalInterface
    public interface ArrayFunction {
        /** Returns f(x), and puts its gradient into the second array unless that is null. */
        double evaluate(double[] x, double[] gradient);
    }

    private final long dimension;
    private final DataType dataType;
    private long functionEvaluations;
    private long gradientEvaluations;

    /**
     * Sets what does not change.
     *
     * @param dimension n, at least 1
     * @param dataType FLOAT or DOUBLE
     */
    protected Objective(long dimension, DataType dataType) {
        if (dimension < 1) {
            throw new IllegalArgumentException(
                    "An objective has at least one variable, not " + dimension + ": there is nothing to minimise.");
        }
        if (dataType != DataType.FLOAT && dataType != DataType.DOUBLE) {
            throw new IllegalArgumentException(
                    "An objective is computed in FLOAT or DOUBLE, not in " + dataType + ": convert it first.");
        }
        this.dimension = dimension;
        this.dataType = dataType;
    }

    /** Makes an objective in double precision from a function of plain arrays. */
    public static Objective of(int dimension, ArrayFunction function) {
        return new Objective(dimension, DataType.DOUBLE) {

            private final double[] gradient = new double[dimension];

            @Override
            protected double evaluate(INDArray point, INDArray target) {
                double value = function.evaluate(point.toDoubleVector(), gradient);
                if (target != null) {
                    target.assign(Nd4j.createFromArray(gradient));
                }
                return value;
            }
        };
    }

    /**
     * Computes f and, where it is wanted, ∇f. May return anything, NaN and infinity included.
     *
     * @param point x; must not be changed; may be a view of a larger array, as the gradient may, and is only lent: copy what
     *     is to be kept
     * @param gradient receives ∇f(x); null where only the value is wanted
     */
    protected abstract double evaluate(INDArray point, INDArray gradient);

    /**
     * Returns the point where minimisation starts unless another one is given.
     *
     * @throws IllegalStateException if there is none
     */
    public INDArray start() {
        throw new IllegalStateException(
                "This objective has no start of its own: give one, minimize(objective, start).");
    }

    /** Is told the best point when a minimisation ends; does nothing unless the objective stands for something. */
    public void accept(INDArray best) {}

    /**
     * Sets those components of a direction to zero that are no variables (frozen parameters, say), so that a random
     * direction becomes one along which f may be moved. Does nothing where all are.
     */
    public void clearFixed(INDArray direction) {}

    /**
     * Throws an IllegalStateException with a sentence if a solver that moves all variables freely would do it no justice; does
     * nothing unless there is something to know. Solvers ask before they begin.
     */
    public void requireMinimisable() {}

    /** Returns n. */
    public final long dimension() {
        return dimension;
    }

    /** Returns the type of points and gradients. */
    public final DataType dataType() {
        return dataType;
    }

    /** Returns f(x). */
    public final double value(INDArray point) {
        requireVector(point, "The point");
        functionEvaluations++;
        return evaluate(point, null);
    }

    /** Returns f(x) and writes ∇f(x) into {@code gradient}. */
    public final double valueAndGradient(INDArray point, INDArray gradient) {
        requireVector(point, "The point");
        requireVector(gradient, "The gradient");
        functionEvaluations++;
        gradientEvaluations++;
        return evaluate(point, gradient);
    }

    /**
     * Computes the Hessian-vector product by central differences of the gradient,
     *
     * <pre>
     *   H v ≈ (∇f(x + h v) - ∇f(x - h v)) / 2h,   h = ε^(1/3) (1 + |x| / √n) / |v|
     * </pre>
     *
     * with ε the rounding unit of {@link #dataType} (2⁻²⁴ or 2⁻⁵³), where truncation and rounding balance for a function
     * whose derivatives are of order 1. Two gradient evaluations. Override it where there is something better.
     *
     * @param target receives the product; zero for v = 0
     */
    public void hessianVector(INDArray point, INDArray vector, INDArray target) {
        requireVector(point, "The point");
        requireVector(vector, "The vector");
        requireVector(target, "The target");
        double length = norm(vector);
        if (length == 0) {
            target.assign(0);
            return;
        }
        double h = Math.cbrt(roundingUnit()) * (1 + norm(point) / Math.sqrt((double) dimension)) / length;
        INDArray moved = point.dup();
        INDArray behind = target.dup();
        axpy(-h, vector, moved);
        valueAndGradient(moved, behind);
        moved.assign(point);
        axpy(h, vector, moved);
        valueAndGradient(moved, target);
        axpy(-1, behind, target);
        target.divi(2 * h);
        moved.close(); // off the heap, where garbage piles up: the collector does not see its size
        behind.close();
    }

    private static double norm(INDArray x) {
        return Math.sqrt(Nd4j.getBlasWrapper().dot(x, x));
    }

    private static void axpy(double a, INDArray x, INDArray y) {
        Nd4j.getBlasWrapper().level1().axpy(x.length(), a, x, y);
    }

    /** Returns half the distance from 1 to the next number of {@link #dataType}: 2⁻²⁴ or 2⁻⁵³. */
    public final double roundingUnit() {
        return dataType == DataType.FLOAT ? Math.ulp(1f) / 2 : Math.ulp(1.0) / 2;
    }

    /**
     * Returns the rounding unit of the points that f is asked for: {@link #roundingUnit}, unless points of a coarser type are
     * looked at in a finer one. No gradient gets smaller than such points allow.
     */
    public double pointRoundingUnit() {
        return roundingUnit();
    }

    /** Returns how often f was computed, alone or with its gradient. */
    public final long functionEvaluations() {
        return functionEvaluations;
    }

    /** Returns how often ∇f was computed. */
    public final long gradientEvaluations() {
        return gradientEvaluations;
    }

    /** Throws an IllegalArgumentException with a sentence unless the array can be a point of this objective. */
    public final void requireVector(INDArray x, String what) {
        if (x == null || x.rank() != 1 || x.length() != dimension || x.dataType() != dataType) {
            throw new IllegalArgumentException(what + " must be a rank-1 array of " + dimension + " elements of type "
                    + dataType + ", not "
                    + (x == null ? "null" : "one of shape " + Arrays.toString(x.shape()) + " and type " + x.dataType())
                    + ".");
        }
    }
}
