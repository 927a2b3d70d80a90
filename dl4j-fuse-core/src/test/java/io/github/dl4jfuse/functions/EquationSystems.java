package io.github.dl4jfuse.functions;

import static io.github.dl4jfuse.functions.TestFunction.repeated;

import io.github.dl4jfuse.functions.SumOfSquares.Residual;
import io.github.dl4jfuse.functions.TestFunction.Minimum;
import java.util.Arrays;

/** Systems of n and more equations among the functions of {@link MoreGarbowHillstrom}; numbers in brackets are its. */
final class EquationSystems {

    private EquationSystems() {}

    private static double[] grid(int n) {
        double[] t = new double[n];
        Arrays.setAll(t, j -> (j + 1.0) / (n + 1));
        return t;
    }

    private static double[] parabola(int n) {
        return Arrays.stream(grid(n)).map(t -> t * (t - 1)).toArray();
    }

    /** [28] 2 xᵢ - xᵢ₋₁ - xᵢ₊₁ + h² (xᵢ + tᵢ + 1)³ / 2 with h = 1 / (n + 1), tᵢ = i h, x₀ = xₙ₊₁ = 0. */
    static TestFunction discreteBoundaryValue(int n) {
        double[] t = grid(n);
        double h = 1.0 / (n + 1);
        return new SumOfSquares(
                "Discrete boundary value",
                parabola(n),
                n,
                (i, x, row) -> {
                    double s = x[i - 1] + t[i - 1] + 1;
                    double r = 2 * x[i - 1] + h * h * s * s * s / 2;
                    row[i - 1] = 2 + 3 * h * h * s * s / 2;
                    if (i > 1) {
                        row[i - 2] = -1;
                        r -= x[i - 2];
                    }
                    if (i < n) {
                        row[i] = -1;
                        r -= x[i];
                    }
                    return r;
                },
                new Minimum(0));
    }

    /** [29] xᵢ + h Σ min(tᵢ, tⱼ) (1 - max(tᵢ, tⱼ)) (xⱼ + tⱼ + 1)³ / 2 with h = 1 / (n + 1), tᵢ = i h. */
    static TestFunction discreteIntegralEquation(int n) {
        double[] t = grid(n);
        double h = 1.0 / (n + 1);
        return new SumOfSquares(
                "Discrete integral equation",
                parabola(n),
                n,
                (i, x, row) -> {
                    double r = x[i - 1];
                    for (int j = 0; j < n; j++) {
                        double kernel = h / 2 * Math.min(t[i - 1], t[j]) * (1 - Math.max(t[i - 1], t[j]));
                        double s = x[j] + t[j] + 1;
                        row[j] = 3 * kernel * s * s;
                        r += kernel * s * s * s;
                    }
                    row[i - 1] += 1;
                    return r;
                },
                new Minimum(0));
    }

    /** [30] (3 - 2 xᵢ) xᵢ - xᵢ₋₁ - 2 xᵢ₊₁ + 1 with x₀ = xₙ₊₁ = 0. */
    static TestFunction broydenTridiagonal(int n) {
        return new SumOfSquares(
                "Broyden tridiagonal",
                repeated(n, -1),
                n,
                (i, x, row) -> {
                    double r = (3 - 2 * x[i - 1]) * x[i - 1] + 1;
                    row[i - 1] = 3 - 4 * x[i - 1];
                    if (i > 1) {
                        row[i - 2] = -1;
                        r -= x[i - 2];
                    }
                    if (i < n) {
                        row[i] = -2;
                        r -= 2 * x[i];
                    }
                    return r;
                },
                new Minimum(0));
    }

    /** [31] xᵢ (2 + 5 xᵢ²) + 1 - Σ xⱼ (1 + xⱼ) over the neighbours i-5 ≤ j ≤ i+1, j ≠ i. */
    static TestFunction broydenBanded(int n) {
        return new SumOfSquares(
                "Broyden banded",
                repeated(n, -1),
                n,
                (i, x, row) -> {
                    double y = x[i - 1];
                    double r = y * (2 + 5 * y * y) + 1;
                    for (int j = Math.max(1, i - 5); j <= Math.min(n, i + 1); j++) {
                        if (j != i) {
                            row[j - 1] = -1 - 2 * x[j - 1];
                            r -= x[j - 1] * (1 + x[j - 1]);
                        }
                    }
                    row[i - 1] = 2 + 15 * y * y;
                    return r;
                },
                new Minimum(0));
    }

    /** [32] xᵢ - 2 Σ xⱼ / m - 1 for i ≤ n, then -2 Σ xⱼ / m - 1. */
    static TestFunction linearFullRank(int n, int m) {
        return new SumOfSquares(
                "Linear full rank",
                repeated(n, 1),
                m,
                (i, x, row) -> {
                    Arrays.fill(row, -2.0 / m);
                    double r = -2.0 / m * Arrays.stream(x).sum() - 1;
                    if (i > n) {
                        return r;
                    }
                    row[i - 1] += 1;
                    return r + x[i - 1];
                },
                new Minimum(m - n, repeated(n, -1)));
    }

    /** [33] i Σ j xⱼ - 1. */
    static TestFunction linearRank1(int n, int m) {
        Residual residual = (i, x, row) -> {
            double sum = 0;
            for (int j = 1; j <= n; j++) {
                row[j - 1] = (double) i * j;
                sum += j * x[j - 1];
            }
            return i * sum - 1;
        };
        return new SumOfSquares(
                "Linear rank 1", repeated(n, 1), m, residual, new Minimum(m * (m - 1) / (2.0 * (2 * m + 1))));
    }

    /** [34] (i - 1) Σ j xⱼ - 1 for 1 &lt; i &lt; m, the sum over 1 &lt; j &lt; n; the first and the last are -1. */
    static TestFunction linearRank1WithZeros(int n, int m) {
        Residual residual = (i, x, row) -> {
            double sum = 0;
            for (int j = 2; j < n && i < m; j++) {
                row[j - 1] = (i - 1.0) * j;
                sum += j * x[j - 1];
            }
            return (i - 1) * sum - 1;
        };
        double minimum = (m * m + 3 * m - 6) / (2.0 * (2 * m - 3));
        return new SumOfSquares("Linear rank 1 with zeros", repeated(n, 1), m, residual, new Minimum(minimum));
    }

    /**
     * [35] Σ Tᵢ(xⱼ) / n - ∫Tᵢ, i = 1..n, with the Chebyshev polynomials of [0, 1], whose integral is 0 for odd i and
     * -1 / (i² - 1) for even i.
     */
    static TestFunction chebyquad(int n, double minimum) {
        return new SumOfSquares(
                "Chebyquad",
                grid(n),
                n,
                (i, x, row) -> {
                    double r = i % 2 == 0 ? 1.0 / (i * i - 1) : 0;
                    for (int j = 0; j < n; j++) {
                        double z = 2 * x[j] - 1;
                        double before = 1;
                        double now = z;
                        double slopeBefore = 0;
                        double slope = 2;
                        for (int k = 2; k <= i; k++) {
                            double next = 2 * z * now - before;
                            double slopeNext = 4 * now + 2 * z * slope - slopeBefore;
                            before = now;
                            now = next;
                            slopeBefore = slope;
                            slope = slopeNext;
                        }
                        r += now / n;
                        row[j] = slope / n;
                    }
                    return r;
                },
                new Minimum(minimum));
    }
}
