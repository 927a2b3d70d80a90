package io.github.dl4jfuse.optim.gaussnewton;

/**
 * C = (s / 2N) |A x - b|² with a linear map A of the outputs of all examples together: the residual of a linear differential
 * equation on a grid, for example. The metric is M = A' A, so S = A' and w = A x - b. Where A D has full rank, w(t) = e^(-t)
 * w(0) and C(t) = e^(-2t) C(0); the path is straight in A x.
 */
public sealed class LinearResidualLoss extends OutputLoss permits SquaredLoss {

    /** A, with as many rows as columns. */
    public interface Operator {

        /** Returns A x; x does not change. */
        double[] apply(double[] x);

        /** Returns A' r; r does not change. */
        double[] applyTransposed(double[] r);

        /** Replaces a matrix of N Q rows, row by row, by A times it. */
        default void applyToColumns(double[] matrix, int columns) {
            double[] column = new double[matrix.length / columns];
            for (int j = 0; j < columns; j++) {
                for (int i = 0; i < column.length; i++) {
                    column[i] = matrix[i * columns + j];
                }
                double[] product = apply(column);
                for (int i = 0; i < column.length; i++) {
                    matrix[i * columns + j] = product[i];
                }
            }
        }
    }

    private final Operator operator;
    private final double[] goal;

    /**
     * Sets what does not change.
     *
     * @param goal b, N Q numbers
     * @param scale s; 2 for the mean of squares over the examples
     */
    public LinearResidualLoss(Operator operator, double[] goal, int examples, int outputs, double scale) {
        super(examples, outputs, scale);
        this.operator = operator;
        this.goal = requireLabels(goal, examples, outputs);
    }

    @Override
    public Local at(double[] x) {
        double[] image = operator.apply(x);
        double[] residual = residual(image);
        double value = value(residual);
        return new Local() {
            @Override
            public double value() {
                return value;
            }

            @Override
            public double[] whitened() {
                return residual;
            }

            @Override
            public double[] root(double[] u) {
                return operator.applyTransposed(u);
            }

            @Override
            public void applyRootTransposed(double[] matrix, int columns) {
                operator.applyToColumns(matrix, columns);
            }

            @Override
            public double[] coordinates() {
                return image;
            }
        };
    }

    @Override
    public double minimum() {
        return 0;
    }

    @Override
    public double[] goal() {
        return goal;
    }

    @Override
    public double forecast(double[] coordinates, double t) {
        return value(residual(coordinates)) * Math.exp(-2 * t);
    }

    private double[] residual(double[] image) {
        double[] residual = image.clone();
        GaussNewtonStep.axpy(-1, goal, residual);
        return residual;
    }

    private double value(double[] residual) {
        return scale() * GaussNewtonStep.dot(residual, residual) / (2 * examples());
    }
}
