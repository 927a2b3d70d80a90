package io.github.dl4jfuse.optim.gaussnewton;

/**
 * Cross-entropy of a softmax, C = -(1 / N) Σ y log p with p = softmax(x), the labels of an example adding up to 1.
 *
 * <p>In the metric of the softmax (generalised Gauss-Newton), M = diag(p) - p p' = S S' with S = diag(√p) - p √p', and
 * r = p - y = S w with w = (p - y) / √p. Then dp/dt = M dx/dt = -(p - y): the probabilities go straight to the labels,
 * p(t) = y + e^(-t) (p(0) - y), which gives C(t) in closed form. That is ours; the papers treat the squared loss so, and
 * cross-entropy in the Euclidean metric of the x, where M = I, Σ_c x is conserved and, with labels that are all positive, x
 * tends to log y - mean(log y) + mean(x(0)).
 *
 * <p>Label smoothing a replaces y by (1 - a) y + a / Q. Without it the labels 0 and 1 are reached at infinity only, and the
 * loss falls as e^(-t); with it C - min C falls as e^(-2t) in the end.
 */
public final class SoftmaxLoss extends OutputLoss {

    /** The metric of the outputs. */
    public enum Metric {
        /** That of the softmax. */
        SOFTMAX,
        /** That of the outputs x themselves. */
        EUCLIDEAN
    }

    /** Smallest probability that is divided by. */
    private static final double LEAST = 1e-12;

    private static final double LABELS_ADD_UP = 1e-3;

    private final double[] labels;
    private final Metric metric;

    /**
     * Sets labels and metric.
     *
     * @param labels y, example by example
     * @param smoothing a, from 0 (none) to below 1
     */
    public SoftmaxLoss(double[] labels, int examples, int outputs, double smoothing, Metric metric) {
        super(examples, outputs, 1);
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new IllegalArgumentException("Label smoothing lies between 0 and 1, not at " + smoothing + ".");
        }
        if (outputs < 2) {
            throw new IllegalArgumentException("A softmax of one output is always 1: there is nothing to learn.");
        }
        this.labels = requireLabels(labels, examples, outputs);
        this.metric = metric;
        for (int i = 0; i < examples; i++) {
            double sum = 0;
            for (int c = 0; c < outputs; c++) {
                double y = labels[i * outputs + c];
                sum += y;
                if (y < 0) {
                    throw new IllegalArgumentException("A label of a cross-entropy is negative, " + y + ".");
                }
                this.labels[i * outputs + c] = (1 - smoothing) * y + smoothing / outputs;
            }
            if (Math.abs(sum - 1) > LABELS_ADD_UP) {
                throw new IllegalArgumentException("The labels of example " + i + " add up to " + sum
                        + ", not to 1: the softmax's geometry needs probabilities (masked or weighted examples are not"
                        + " understood).");
            }
        }
    }

    @Override
    public Local at(double[] x) {
        int q = outputs();
        double[] p = new double[x.length];
        double sum = 0;
        for (int i = 0; i < x.length; i += q) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < q; c++) {
                largest = Math.max(largest, x[i + c]);
            }
            double total = 0;
            for (int c = 0; c < q; c++) {
                p[i + c] = Math.exp(x[i + c] - largest);
                total += p[i + c];
            }
            double kept = 0;
            for (int c = 0; c < q; c++) {
                double y = labels[i + c];
                if (y > 0) {
                    sum -= y * (x[i + c] - largest - Math.log(total));
                }
                p[i + c] = Math.max(p[i + c] / total, LEAST);
                kept += p[i + c];
            }
            for (int c = 0; c < q; c++) {
                p[i + c] /= kept;
            }
        }
        return new At(p, sum / examples());
    }

    private final class At implements Local {

        private final double[] p;
        private final double value;

        At(double[] p, double value) {
            this.p = p;
            this.value = value;
        }

        @Override
        public double value() {
            return value;
        }

        @Override
        public double[] whitened() {
            double[] w = new double[p.length];
            for (int i = 0; i < w.length; i++) {
                w[i] = (p[i] - labels[i]) / (metric == Metric.SOFTMAX ? Math.sqrt(p[i]) : 1);
            }
            return w;
        }

        @Override
        public double[] root(double[] u) {
            if (metric == Metric.EUCLIDEAN) {
                return u;
            }
            int q = outputs();
            double[] image = new double[u.length];
            for (int i = 0; i < u.length; i += q) {
                double product = 0;
                for (int c = 0; c < q; c++) {
                    product += Math.sqrt(p[i + c]) * u[i + c];
                }
                for (int c = 0; c < q; c++) {
                    image[i + c] = Math.sqrt(p[i + c]) * u[i + c] - p[i + c] * product;
                }
            }
            return image;
        }

        @Override
        public void applyRootTransposed(double[] matrix, int columns) {
            if (metric == Metric.EUCLIDEAN) {
                return;
            }
            int q = outputs();
            double[] mean = new double[columns];
            for (int i = 0; i < p.length; i += q) {
                java.util.Arrays.fill(mean, 0);
                for (int c = 0; c < q; c++) {
                    int from = (i + c) * columns;
                    for (int j = 0; j < columns; j++) {
                        mean[j] += p[i + c] * matrix[from + j];
                    }
                }
                for (int c = 0; c < q; c++) {
                    int from = (i + c) * columns;
                    double root = Math.sqrt(p[i + c]);
                    for (int j = 0; j < columns; j++) {
                        matrix[from + j] = root * (matrix[from + j] - mean[j]);
                    }
                }
            }
        }

        @Override
        public double[] coordinates() {
            return p;
        }
    }

    /** Returns the entropy of the labels. */
    @Override
    public double minimum() {
        return crossEntropy(labels, 0);
    }

    @Override
    public double[] goal() {
        return labels;
    }

    @Override
    public double forecast(double[] coordinates, double t) {
        return crossEntropy(coordinates, Math.exp(-t));
    }

    private double crossEntropy(double[] p, double share) {
        double sum = 0;
        for (int i = 0; i < labels.length; i++) {
            double y = labels[i];
            if (y > 0) {
                sum -= y * (y == 1 ? Math.log1p(share * (p[i] - 1)) : Math.log(y + share * (p[i] - y)));
            }
        }
        return sum / examples();
    }
}
