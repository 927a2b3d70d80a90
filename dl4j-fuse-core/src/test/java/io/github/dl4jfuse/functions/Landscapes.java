package io.github.dl4jfuse.functions;

import static io.github.dl4jfuse.functions.TestFunction.at;
import static io.github.dl4jfuse.functions.TestFunction.repeated;

import io.github.dl4jfuse.functions.TestFunction.Minimum;
import java.util.List;
import java.util.Random;

/** Test functions from elsewhere. */
public final class Landscapes {

    private Landscapes() {}

    /** Returns all of them. */
    public static List<TestFunction> all() {
        return List.of(
                himmelblau(),
                chainedRosenbrock(10),
                chainedRosenbrock(100),
                rotatedQuadratic(10, 8),
                rotatedQuadratic(100, 4),
                rotatedQuadratic(100, 8));
    }

    /**
     * (x² + y - 11)² + (x + y² - 7)², from (0, 0). Four minima. (D. M. Himmelblau, <i>Applied Nonlinear
     * Programming</i>, 1972.)
     */
    static TestFunction himmelblau() {
        return new SumOfSquares(
                "Himmelblau",
                at(0, 0),
                2,
                (i, x, row) -> {
                    if (i == 1) {
                        row[0] = 2 * x[0];
                        row[1] = 1;
                        return x[0] * x[0] + x[1] - 11;
                    }
                    row[0] = 1;
                    row[1] = 2 * x[1];
                    return x[0] + x[1] * x[1] - 7;
                },
                new Minimum(0, 3, 2),
                new Minimum(0, -2.805118086952745, 3.131312518250573),
                new Minimum(0, -3.779310253377747, -3.2831859912861696),
                new Minimum(0, 3.5844283403304917, -1.8481265269644034));
    }

    /**
     * Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)², i = 1..n-1, from (-1.2, 1, -1.2, 1, ..). One long curved valley, where {@link
     * ScalableProblems#extendedRosenbrock} has n/2 separate ones. (H. H. Rosenbrock, The Computer Journal 3 (1960)
     * 175-184, for n = 2.)
     */
    static TestFunction chainedRosenbrock(int n) {
        return new SumOfSquares(
                "Chained Rosenbrock",
                repeated(n, -1.2, 1),
                2 * (n - 1),
                (i, x, row) -> {
                    int k = (i - 1) / 2;
                    if (i % 2 == 0) {
                        row[k] = -1;
                        return 1 - x[k];
                    }
                    row[k] = -20 * x[k];
                    row[k + 1] = 10;
                    return 10 * (x[k + 1] - x[k] * x[k]);
                },
                new Minimum(0, repeated(n, 1)));
    }

    /**
     * (x - 1)ᵀ Q D Qᵀ (x - 1) / 2 from 0, with D = diag(cᵏ), k = 0, 1/(n-1), .., 1, and c the condition number; Q is the
     * product of three Householder reflections, so that no coordinate is an eigenvector.
     */
    static TestFunction rotatedQuadratic(int n, int powerOfTen) {
        double[][] normals = new double[3][];
        Random random = new Random(n);
        for (int k = 0; k < normals.length; k++) {
            normals[k] = random.doubles(n).map(u -> 2 * u - 1).toArray();
        }
        double[] d = new double[n];
        for (int j = 0; j < n; j++) {
            d[j] = Math.pow(10, powerOfTen * (double) j / (n - 1));
        }
        return new Quadratic("Rotated quadratic of condition 1e" + powerOfTen, normals, d);
    }

    private static final class Quadratic extends TestFunction {

        private final double[][] normals;
        private final double[] d;

        Quadratic(String name, double[][] normals, double[] d) {
            super(name, new double[d.length], new Minimum(0, repeated(d.length, 1)));
            this.normals = normals;
            this.d = d;
        }

        @Override
        public double value(double[] x) {
            double[] y = inEigenvectors(x);
            double sum = 0;
            for (int j = 0; j < y.length; j++) {
                sum += d[j] * y[j] * y[j];
            }
            return sum / 2;
        }

        @Override
        public void gradient(double[] x, double[] g) {
            double[] y = inEigenvectors(x);
            for (int j = 0; j < y.length; j++) {
                g[j] = d[j] * y[j];
            }
            for (int k = normals.length - 1; k >= 0; k--) {
                reflect(normals[k], g);
            }
        }

        private double[] inEigenvectors(double[] x) {
            double[] y = x.clone();
            for (int j = 0; j < y.length; j++) {
                y[j] -= 1;
            }
            for (double[] normal : normals) {
                reflect(normal, y);
            }
            return y;
        }

        private static void reflect(double[] normal, double[] y) {
            double product = 0;
            double square = 0;
            for (int j = 0; j < y.length; j++) {
                product += normal[j] * y[j];
                square += normal[j] * normal[j];
            }
            for (int j = 0; j < y.length; j++) {
                y[j] -= 2 * product / square * normal[j];
            }
        }
    }
}
