package io.github.dl4jfuse.optim.gaussnewton;

/**
 * A loss of the outputs of N examples, C(x) = (s / N) Σ loss of an example, with the metric of the output space that
 * gradient descent is done in. The metric of an example is M = S S', and the residual r = (N / s) ∇C is r = S w.
 *
 * <p>The adapted flow moves the outputs by S' dx/dt = -w as far as D allows. Time t is the paper's s / N.
 */
public abstract class OutputLoss {

    private final int examples;
    private final int outputs;
    private final double scale;

    /**
     * Sets what does not change.
     *
     * @param examples N
     * @param outputs Q
     * @param scale s, positive
     */
    protected OutputLoss(int examples, int outputs, double scale) {
        this.examples = examples;
        this.outputs = outputs;
        this.scale = scale;
    }

    /** Returns N. */
    public final int examples() {
        return examples;
    }

    /** Returns Q. */
    public final int outputs() {
        return outputs;
    }

    /** Returns s. */
    public final double scale() {
        return scale;
    }

    /** Everything at outputs x; NaN outputs give a NaN value. */
    public abstract Local at(double[] x);

    /** Returns the smallest value that any outputs have. */
    public abstract double minimum();

    /** Returns the outputs' goal in those coordinates in which the flow goes straight to it. */
    public abstract double[] goal();

    /** Returns the value at time t of the flow from these coordinates, where D has full rank. */
    public abstract double forecast(double[] coordinates, double t);

    /** The loss at one point of the output space. */
    public interface Local {

        /** Returns C. */
        double value();

        /** Returns w, with S w = r. */
        double[] whitened();

        /** Returns S u. */
        double[] root(double[] u);

        /** Replaces a matrix A of N Q rows by S' A. */
        void applyRootTransposed(double[] matrix, int columns);

        /** Returns the coordinates in which the flow is straight: x itself, or probabilities. */
        double[] coordinates();
    }

    /** Requires labels that are N rows of Q numbers. */
    static double[] requireLabels(double[] labels, int examples, int outputs) {
        if (examples < 1 || outputs < 1 || labels.length != examples * outputs) {
            throw new IllegalArgumentException("Labels of " + examples + " examples with " + outputs
                    + " outputs are that many times as many numbers, not " + labels.length + ".");
        }
        for (double label : labels) {
            if (!Double.isFinite(label)) {
                throw new IllegalArgumentException(
                        "A label is " + label + ": clean the data, no flow leads to such a goal.");
            }
        }
        return labels.clone();
    }
}
