package io.github.dl4jfuse.smoothness;

import io.github.dl4jfuse.optim.Objective;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Exact smoothness oracles and the rules that combine them. Each states its proof. */
public final class SmoothnessOracles {

    private SmoothnessOracles() {}

    /** |∇f(x) - ∇f(y)| ≤ c |x - y| everywhere: L = c, by the mean value theorem. */
    public static SmoothnessOracle lipschitz(double constant) {
        requireNotNegative(constant, "A Lipschitz constant");
        return point -> radius -> constant;
    }

    /**
     * f(x) = ½ x·A x + b·x + c: L = ‖A‖, as ∇²f = A; along v it is |v·A v|, f being a parabola there.
     *
     * @param matrix A, symmetric, n × n, FLOAT or DOUBLE
     */
    public static SmoothnessOracle quadratic(INDArray matrix) {
        double norm = SpectralBound.ofSymmetric(matrix);
        return new SmoothnessOracle() {
            @Override
            public DoubleUnaryOperator at(INDArray point) {
                return radius -> norm;
            }

            @Override
            public DoubleUnaryOperator along(INDArray point, INDArray direction) {
                double curvature = Math.abs(dot(direction, times(matrix, direction)));
                return radius -> curvature;
            }
        };
    }

    /**
     * ‖∇²f(x) - ∇²f(y)‖ ≤ M |x - y|: L = ‖∇²f(x)‖ + M R, by the triangle inequality.
     *
     * @param hessianNorm x ↦ ‖∇²f(x)‖, or a bound of it
     * @param constant M
     */
    public static SmoothnessOracle hessianLipschitz(ToDoubleFunction<INDArray> hessianNorm, double constant) {
        requireNotNegative(constant, "A Lipschitz constant");
        return point -> {
            double here = hessianNorm.applyAsDouble(point);
            return radius -> here + constant * radius;
        };
    }

    /**
     * A function whose Hessian is bounded by how far from the origin it is taken: L = h(|x| + R), as the ball around x lies in
     * the ball of that radius around 0.
     *
     * @param hessianBound h, non-decreasing, ‖∇²f(y)‖ ≤ h(r) for |y| ≤ r
     */
    public static SmoothnessOracle radial(DoubleUnaryOperator hessianBound) {
        Objects.requireNonNull(hessianBound, "The bound must not be null.");
        return point -> {
            double length = norm(point);
            return radius -> hessianBound.applyAsDouble(length + radius);
        };
    }

    /**
     * f(x) = |x|^{2p}: L = 2p (2p - 1) (|x| + R)^{2p - 2}. The eigenvalues of ∇²f at distance r from 0 are φ''(r) and φ'(r)/r
     * with φ(r) = r^{2p}, of which the first is the larger and grows with r.
     *
     * @param p 1 or more
     */
    public static SmoothnessOracle normPower(double p) {
        if (!(p >= 1)) {
            throw new IllegalArgumentException(
                    "normPower: |x|^(2p) has a bounded Hessian at 0 for p >= 1, not " + p + ".");
        }
        return radial(r -> 2 * p * (2 * p - 1) * Math.pow(r, 2 * p - 2));
    }

    /** Where φ'' of exp(-1/r²) is largest, as s = 1/r²: the larger root of s² - 4.5 s + 3 = 0. */
    private static final double STEEPEST = (4.5 + Math.sqrt(8.25)) / 2;

    /**
     * f(x) = exp(-1/|x|²), f(0) = 0, flatter at 0 than any power. With s = 1/r² the eigenvalues of ∇²f are
     * φ'' = (4 s³ - 6 s²) e⁻ˢ and φ'/r = 2 s² e⁻ˢ; for s ≥ {@code 3.69} the first is the larger and grows with r, beyond that
     * both stay below it in magnitude.
     */
    public static SmoothnessOracle exponentialOfInverseSquare() {
        return radial(r -> {
            double s = Math.max(1 / (r * r), STEEPEST);
            return s > 800 ? 0 : (4 * s - 6) * s * s * Math.exp(-s);
        });
    }

    /**
     * A function of one variable: L = sup |f''| on [x - R, x + R].
     *
     * @param supremum (a, b) ↦ sup |f''| on [a, b], or a bound of it that does not shrink when the interval grows
     */
    public static SmoothnessOracle oneDimensional(DoubleBinaryOperator supremum) {
        Objects.requireNonNull(supremum, "The supremum must not be null.");
        return point -> {
            if (point.length() != 1) {
                throw new IllegalArgumentException(
                        "oneDimensional: the point has " + point.length() + " variables, not one.");
            }
            double x = point.getDouble(0);
            return radius -> supremum.applyAsDouble(x - radius, x + radius);
        };
    }

    /** f + h: L_f + L_h, by adding the inequalities. */
    public static SmoothnessOracle sum(SmoothnessOracle... terms) {
        List<SmoothnessOracle> all = List.of(terms);
        return new SmoothnessOracle() {
            @Override
            public DoubleUnaryOperator at(INDArray point) {
                return total(all.stream().map(term -> term.at(point)).toList());
            }

            @Override
            public DoubleUnaryOperator along(INDArray point, INDArray direction) {
                return total(
                        all.stream().map(term -> term.along(point, direction)).toList());
            }
        };
    }

    private static DoubleUnaryOperator total(List<DoubleUnaryOperator> bounds) {
        return radius -> bounds.stream()
                .mapToDouble(bound -> bound.applyAsDouble(radius))
                .sum();
    }

    /** a f: |a| L_f, by multiplying the inequality. */
    public static SmoothnessOracle scaled(double factor, SmoothnessOracle oracle) {
        if (!Double.isFinite(factor)) {
            throw new IllegalArgumentException("scaled: a factor is finite, not " + factor + ".");
        }
        double a = Math.abs(factor);
        return new SmoothnessOracle() {
            @Override
            public DoubleUnaryOperator at(INDArray point) {
                return times(oracle.at(point));
            }

            @Override
            public DoubleUnaryOperator along(INDArray point, INDArray direction) {
                return times(oracle.along(point, direction));
            }

            private DoubleUnaryOperator times(DoubleUnaryOperator bound) {
                return radius -> a == 0 ? 0 : a * bound.applyAsDouble(radius);
            }
        };
    }

    /**
     * x ↦ f(A x + b): ‖A‖² L_f(A x + b, ‖A‖ R), as |A(y - x)| ≤ ‖A‖ |y - x|; along v the same with |A v| for ‖A‖.
     *
     * @param matrix A, m × n
     * @param shift b, m elements
     */
    public static SmoothnessOracle affine(INDArray matrix, INDArray shift, SmoothnessOracle oracle) {
        double norm = Math.sqrt(SpectralBound.ofSymmetric(matrix.transpose().mmul(matrix)));
        return new SmoothnessOracle() {
            @Override
            public DoubleUnaryOperator at(INDArray point) {
                return stretched(norm, oracle.at(times(matrix, point).addi(shift)));
            }

            @Override
            public DoubleUnaryOperator along(INDArray point, INDArray direction) {
                INDArray image = times(matrix, direction);
                double length = norm(image);
                return length == 0
                        ? radius -> 0
                        : stretched(length, oracle.along(times(matrix, point).addi(shift), image.divi(length)));
            }
        };
    }

    private static DoubleUnaryOperator stretched(double factor, DoubleUnaryOperator bound) {
        return radius -> factor == 0 ? 0 : factor * factor * bound.applyAsDouble(factor * radius);
    }

    /** A function g of one number, known by bounds of its derivatives that do not shrink when the interval grows. */
    public interface Outer {
        /** The exponential function. */
        Outer EXP = new Outer() {
            @Override
            public double firstDerivative(double from, double to) {
                return Math.exp(to);
            }

            @Override
            public double secondDerivative(double from, double to) {
                return Math.exp(to);
            }
        };

        /** Returns sup |g'| on [from, to], or more. */
        double firstDerivative(double from, double to);

        /** Returns sup |g''| on [from, to], or more. */
        double secondDerivative(double from, double to);
    }

    /**
     * x ↦ g(f(x)): with G = |∇f(x)|, L = L_f(x, R) and the interval I = f(x) ± (G R + ½ L R²), in which f stays,
     *
     * <pre>
     *   sup_I |g'| · L + sup_I |g''| · (G + L R)²
     * </pre>
     *
     * by the chain rule for second derivatives, |∇f| ≤ G + L R on the ball. Needs an oracle of f that bounds ‖∇²f‖ on the
     * ball, as all of this package do. Along v the slope |∇f(x)·v| takes the place of G. Costs a gradient of f.
     */
    public static SmoothnessOracle composed(Outer outer, Objective inner, SmoothnessOracle oracle) {
        return new SmoothnessOracle() {
            @Override
            public DoubleUnaryOperator at(INDArray point) {
                INDArray gradient = Nd4j.zeros(inner.dataType(), inner.dimension());
                double value = inner.valueAndGradient(point, gradient);
                return chain(value, norm(gradient), oracle.at(point));
            }

            @Override
            public DoubleUnaryOperator along(INDArray point, INDArray direction) {
                INDArray gradient = Nd4j.zeros(inner.dataType(), inner.dimension());
                double value = inner.valueAndGradient(point, gradient);
                return chain(value, Math.abs(dot(gradient, direction)), oracle.along(point, direction));
            }

            private DoubleUnaryOperator chain(double value, double slope, DoubleUnaryOperator bound) {
                return radius -> {
                    double l = bound.applyAsDouble(radius);
                    double reach = slope * radius + l * radius * radius / 2;
                    double steepest = slope + l * radius;
                    double first = outer.firstDerivative(value - reach, value + reach);
                    double second = outer.secondDerivative(value - reach, value + reach);
                    return product(first, l) + product(second, steepest * steepest);
                };
            }
        };
    }

    /** 0 · ∞ = 0: a derivative that vanishes everywhere adds nothing. */
    private static double product(double a, double b) {
        return a == 0 || b == 0 ? 0 : a * b;
    }

    private static void requireNotNegative(double constant, String what) {
        if (!(constant >= 0) || Double.isInfinite(constant)) {
            throw new IllegalArgumentException(what + " is a finite number of at least 0, not " + constant + ".");
        }
    }

    static INDArray times(INDArray matrix, INDArray vector) {
        return matrix.mmul(vector.reshape(vector.length(), 1)).reshape(matrix.rows());
    }

    static double dot(INDArray x, INDArray y) {
        return Nd4j.getBlasWrapper().dot(x, y);
    }

    static double norm(INDArray x) {
        return Math.sqrt(dot(x, x));
    }
}
