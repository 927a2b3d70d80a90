package io.github.dl4jfuse.optim.gaussnewton;

/**
 * C = (s / 2N) |x - y|² in the Euclidean metric, the setting of the paper for s = 1: M = I, r = w = x - y. Along the flow
 * x(t) - y = e^(-t) (x(0) - y) and C(t) = e^(-2t) C(0).
 */
public final class SquaredLoss extends LinearResidualLoss {

    private static final Operator IDENTITY = new Operator() {
        @Override
        public double[] apply(double[] x) {
            return x;
        }

        @Override
        public double[] applyTransposed(double[] r) {
            return r;
        }

        @Override
        public void applyToColumns(double[] matrix, int columns) {
            // nothing changes
        }
    };

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
        super(IDENTITY, labels, examples, outputs, scale);
    }
}
