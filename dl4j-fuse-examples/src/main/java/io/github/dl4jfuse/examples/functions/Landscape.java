package io.github.dl4jfuse.examples.functions;

import io.github.dl4jfuse.optim.Objective;

/** Functions of two variables, with start, window of the picture and lowest value. */
@SuppressWarnings("ImmutableEnumChecker")
enum Landscape {
    /** 100 (y - x²)² + (1 - x)²: the bent valley that the paper's ablation shows. */
    ROSENBROCK(
            (x, g) -> {
                double valley = x[1] - x[0] * x[0];
                g[0] = -400 * x[0] * valley - 2 * (1 - x[0]);
                g[1] = 200 * valley;
                return 100 * valley * valley + (1 - x[0]) * (1 - x[0]);
            },
            new double[] {-1.2, 1},
            new double[] {-1.8, 1.8},
            new double[] {-1, 2}),

    /** (x² + y - 11)² + (x + y² - 7)²: four minima of value 0. */
    HIMMELBLAU(
            (x, g) -> {
                double a = x[0] * x[0] + x[1] - 11;
                double b = x[0] + x[1] * x[1] - 7;
                g[0] = 4 * x[0] * a + 2 * b;
                g[1] = 2 * a + 4 * x[1] * b;
                return a * a + b * b;
            },
            new double[] {0, 0},
            new double[] {-5, 5},
            new double[] {-5, 5}),

    /** (1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²: a flat plain before the minimum at (3, 0.5). */
    BEALE(
            (x, g) -> {
                double sum = 0;
                double[] constants = {1.5, 2.25, 2.625};
                g[0] = 0;
                g[1] = 0;
                for (int i = 1; i <= constants.length; i++) {
                    double power = Math.pow(x[1], i);
                    double r = constants[i - 1] - x[0] + x[0] * power;
                    g[0] += 2 * r * (power - 1);
                    g[1] += 2 * r * x[0] * i * Math.pow(x[1], i - 1);
                    sum += r * r;
                }
                return sum;
            },
            new double[] {1, 1},
            new double[] {0, 4},
            new double[] {-1, 1.5}),

    /** A quadratic whose curvatures differ by a factor of 10,000, turned by 30 degrees. */
    ILL_CONDITIONED(
            (x, g) -> {
                double cos = Math.sqrt(0.75);
                double u = cos * x[0] + 0.5 * x[1];
                double v = -0.5 * x[0] + cos * x[1];
                g[0] = cos * u - 0.5 * 1e4 * v;
                g[1] = 0.5 * u + cos * 1e4 * v;
                return (u * u + 1e4 * v * v) / 2;
            },
            new double[] {-1.5, -0.5},
            new double[] {-2, 2},
            new double[] {-1.5, 1.5});

    private final Objective.ArrayFunction function;
    final double[] start;

    /** Left and right edge of the window. */
    final double[] horizontal;

    /** Lower and upper edge of the window. */
    final double[] vertical;

    Landscape(Objective.ArrayFunction function, double[] start, double[] horizontal, double[] vertical) {
        this.function = function;
        this.start = start;
        this.horizontal = horizontal;
        this.vertical = vertical;
    }

    /** Computes value and gradient. */
    double evaluate(double[] x, double[] gradient) {
        return function.evaluate(x, gradient);
    }
}
