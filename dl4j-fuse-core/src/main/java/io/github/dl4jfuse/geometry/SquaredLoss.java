package io.github.dl4jfuse.geometry;

/**
 * C = (s / 2N) |x - y|² in the Euclidean metric, the setting of the paper for s = 1: M = I, r = w = x - y. Along the flow
 * x(t) - y = e^(-t) (x(0) - y) and C(t) = e^(-2t) C(0).
 */
public final class SquaredLoss extends OutputLoss {

    private final double[] labels;

    /** The paper's loss, s = 1. */
    public SquaredLoss(double[] labels, int examples, int outputs) {
        this(labels, examples, outputs, 1);
    }

    /**
     * A scaled one: DL4J's L2 is s = 2, its MSE s = 2 / Q.
     *
     * @param labels y, example by example
     */
    public SquaredLoss(double[] labels, int examples, int outputs, double scale) {
        super(examples, outputs, scale);
        this.labels = requireLabels(labels, examples, outputs);
    }

    @Override
    public Local at(double[] x) {
        double[] residual = new double[x.length];
        double squares = 0;
        for (int i = 0; i < x.length; i++) {
            residual[i] = x[i] - labels[i];
            squares += residual[i] * residual[i];
        }
        double value = scale() * squares / (2 * examples());
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
                return u;
            }

            @Override
            public void applyRootTransposed(double[] matrix, int columns) {
                // the identity
            }

            @Override
            public double[] coordinates() {
                return x;
            }
        };
    }

    @Override
    public double minimum() {
        return 0;
    }

    @Override
    public double[] goal() {
        return labels;
    }

    @Override
    public double forecast(double[] coordinates, double t) {
        return at(coordinates).value() * Math.exp(-2 * t);
    }
}
