package io.github.dl4jfuse.functions;

import io.github.dl4jfuse.functions.TestFunction.Minimum;
import java.util.Arrays;

/** f(x) = Σ rᵢ(x)², i = 1..m, with ∇f = 2 Σ rᵢ ∇rᵢ. */
class SumOfSquares extends TestFunction {

    /** The residuals. */
    @FunctionalInterface
    interface Residual {

        /**
         * Returns one residual and writes its row of the Jacobian.
         *
         * @param i its number, from 1 as in the formulas; {@code x[0]} is their x₁
         * @param x the point
         * @param row ∂rᵢ/∂x, zero on entry
         */
        double at(int i, double[] x, double[] row);
    }

    private final int m;
    private final Residual residual;

    SumOfSquares(String name, double[] start, int m, Residual residual, Minimum... minima) {
        super(name, start, minima);
        this.m = m;
        this.residual = residual;
    }

    int residuals() {
        return m;
    }

    /** Returns the i-th residual, i from 1, and writes its gradient into {@code row}. */
    double residual(int i, double[] x, double[] row) {
        Arrays.fill(row, 0);
        return residual.at(i, x, row);
    }

    @Override
    public double value(double[] x) {
        double sum = 0;
        double[] unused = new double[x.length];
        for (int i = 1; i <= m; i++) {
            double r = residual(i, x, unused);
            sum += r * r;
        }
        return sum;
    }

    @Override
    public void gradient(double[] x, double[] g) {
        Arrays.fill(g, 0);
        double[] row = new double[x.length];
        for (int i = 1; i <= m; i++) {
            double r = residual(i, x, row);
            for (int j = 0; j < g.length; j++) {
                g[j] += 2 * r * row[j];
            }
        }
    }
}
