package io.github.dl4jfuse.functions;

import static io.github.dl4jfuse.functions.TestFunction.at;
import static io.github.dl4jfuse.functions.TestFunction.repeated;

import io.github.dl4jfuse.functions.TestFunction.Minimum;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Functions of variable dimension among those of {@link MoreGarbowHillstrom}; numbers in brackets are its. */
final class ScalableProblems {

    private static final double PENALTY = 1e-5;

    private ScalableProblems() {}

    /** [21], and [1] for n = 2: 10 (x₂ₖ - x₂ₖ₋₁²) and 1 - x₂ₖ₋₁, k = 1..n/2. */
    static TestFunction extendedRosenbrock(int n) {
        return new SumOfSquares(
                "Extended Rosenbrock",
                repeated(n, -1.2, 1),
                n,
                (i, x, row) -> {
                    if (i % 2 == 0) {
                        row[i - 2] = -1;
                        return 1 - x[i - 2];
                    }
                    row[i - 1] = -20 * x[i - 1];
                    row[i] = 10;
                    return 10 * (x[i] - x[i - 1] * x[i - 1]);
                },
                new Minimum(0, repeated(n, 1)));
    }

    /**
     * [22], and [13] for n = 4: a + 10 b, √5 (c - d), (b - 2 c)² and √10 (a - d)² for each four a, b, c, d of the
     * variables. The Hessian at the minimiser is singular.
     */
    static TestFunction extendedPowellSingular(int n) {
        return new SumOfSquares(
                "Extended Powell singular",
                repeated(n, 3, -1, 0, 1),
                n,
                (i, x, row) -> {
                    int a = (i - 1) / 4 * 4;
                    switch (i % 4) {
                        case 1 -> {
                            row[a] = 1;
                            row[a + 1] = 10;
                            return x[a] + 10 * x[a + 1];
                        }
                        case 2 -> {
                            row[a + 2] = Math.sqrt(5);
                            row[a + 3] = -Math.sqrt(5);
                            return Math.sqrt(5) * (x[a + 2] - x[a + 3]);
                        }
                        case 3 -> {
                            double d = x[a + 1] - 2 * x[a + 2];
                            row[a + 1] = 2 * d;
                            row[a + 2] = -4 * d;
                            return d * d;
                        }
                        default -> {
                            double d = x[a] - x[a + 3];
                            row[a] = 2 * Math.sqrt(10) * d;
                            row[a + 3] = -row[a];
                            return Math.sqrt(10) * d * d;
                        }
                    }
                },
                new Minimum(0, new double[n]));
    }

    /**
     * [20] Σ (j - 1) xⱼ tʲ⁻² - (Σ xⱼ tʲ⁻¹)² - 1 with t = i / 29 for i = 1..29, then x₁ and x₂ - x₁² - 1.
     */
    static TestFunction watson(int n, double minimum) {
        return new SumOfSquares(
                "Watson",
                new double[n],
                31,
                (i, x, row) -> {
                    if (i == 30) {
                        row[0] = 1;
                        return x[0];
                    }
                    if (i == 31) {
                        row[0] = -2 * x[0];
                        row[1] = 1;
                        return x[1] - x[0] * x[0] - 1;
                    }
                    double t = i / 29.0;
                    double slope = 0;
                    double level = 0;
                    for (int j = n - 1; j >= 0; j--) {
                        slope = slope * t + level;
                        level = level * t + x[j];
                    }
                    double power = 1;
                    for (int j = 0; j < n; j++) {
                        row[j] = j * power / t - 2 * level * power;
                        power *= t;
                    }
                    return slope - level * level - 1;
                },
                new Minimum(minimum));
    }

    /** [23] √a (xⱼ - 1), j = 1..n, and Σ xⱼ² - 1/4, with a = 10⁻⁵. */
    static TestFunction penalty1(int n, double minimum) {
        return new SumOfSquares(
                "Penalty I",
                IntStream.rangeClosed(1, n).asDoubleStream().toArray(),
                n + 1,
                (i, x, row) -> {
                    if (i <= n) {
                        row[i - 1] = Math.sqrt(PENALTY);
                        return Math.sqrt(PENALTY) * (x[i - 1] - 1);
                    }
                    double sum = -0.25;
                    for (int j = 0; j < n; j++) {
                        row[j] = 2 * x[j];
                        sum += x[j] * x[j];
                    }
                    return sum;
                },
                new Minimum(minimum));
    }

    /**
     * [24] With a = 10⁻⁵ and e(z) = exp(z / 10): x₁ - 0.2; √a (e(xᵢ) + e(xᵢ₋₁) - e(i) - e(i - 1)), i = 2..n;
     * √a (e(xⱼ) - e(-1)), j = 2..n; Σ (n - j + 1) xⱼ² - 1.
     */
    static TestFunction penalty2(int n, double minimum) {
        double root = Math.sqrt(PENALTY);
        return new SumOfSquares(
                "Penalty II",
                repeated(n, 0.5),
                2 * n,
                (i, x, row) -> {
                    if (i == 1) {
                        row[0] = 1;
                        return x[0] - 0.2;
                    }
                    if (i <= n) {
                        double here = Math.exp(x[i - 1] / 10);
                        double before = Math.exp(x[i - 2] / 10);
                        row[i - 1] = root * here / 10;
                        row[i - 2] = root * before / 10;
                        return root * (here + before - Math.exp(i / 10.0) - Math.exp((i - 1) / 10.0));
                    }
                    if (i < 2 * n) {
                        double here = Math.exp(x[i - n] / 10);
                        row[i - n] = root * here / 10;
                        return root * (here - Math.exp(-0.1));
                    }
                    double sum = -1;
                    for (int j = 0; j < n; j++) {
                        row[j] = 2 * (n - j) * x[j];
                        sum += (n - j) * x[j] * x[j];
                    }
                    return sum;
                },
                new Minimum(minimum));
    }

    /** [25] xⱼ - 1, j = 1..n, then s = Σ j (xⱼ - 1) and s². */
    static TestFunction variablyDimensioned(int n) {
        double[] start = new double[n];
        Arrays.setAll(start, j -> 1 - (j + 1.0) / n);
        return new SumOfSquares(
                "Variably dimensioned",
                start,
                n + 2,
                (i, x, row) -> {
                    if (i <= n) {
                        row[i - 1] = 1;
                        return x[i - 1] - 1;
                    }
                    double sum = 0;
                    for (int j = 1; j <= n; j++) {
                        sum += j * (x[j - 1] - 1);
                    }
                    for (int j = 1; j <= n; j++) {
                        row[j - 1] = i == n + 1 ? j : 2 * sum * j;
                    }
                    return i == n + 1 ? sum : sum * sum;
                },
                new Minimum(0, repeated(n, 1)));
    }

    /**
     * [26] n - Σ cos xⱼ + i (1 - cos xᵢ) - sin xᵢ, i = 1..n. The start lies in the basin of a local minimum.
     */
    static TestFunction trigonometric(int n, double localMinimum) {
        return new SumOfSquares(
                "Trigonometric",
                repeated(n, 1.0 / n),
                n,
                (i, x, row) -> {
                    double r = i * (1 - Math.cos(x[i - 1])) - Math.sin(x[i - 1]);
                    for (int j = 0; j < n; j++) {
                        row[j] = Math.sin(x[j]);
                        r += 1 - Math.cos(x[j]);
                    }
                    row[i - 1] += i * Math.sin(x[i - 1]) - Math.cos(x[i - 1]);
                    return r;
                },
                new Minimum(localMinimum),
                new Minimum(0, new double[n]));
    }

    /** [27] xᵢ + Σ xⱼ - (n + 1), i = 1..n-1, and Π xⱼ - 1. */
    static TestFunction brownAlmostLinear(int n) {
        double[] last = at(new double[n]);
        last[n - 1] = n + 1;
        return new SumOfSquares(
                "Brown almost-linear",
                repeated(n, 0.5),
                n,
                (i, x, row) -> {
                    if (i < n) {
                        Arrays.fill(row, 1);
                        row[i - 1] = 2;
                        return x[i - 1] + Arrays.stream(x).sum() - (n + 1);
                    }
                    for (int j = 0; j < n; j++) {
                        row[j] = 1;
                        for (int k = 0; k < n; k++) {
                            row[j] *= k == j ? 1 : x[k];
                        }
                    }
                    return row[0] * x[0] - 1;
                },
                new Minimum(0, repeated(n, 1)),
                new Minimum(1, last));
    }
}
