package io.github.dl4jfuse.acceleration.onednn;

/**
 * Cross-entropy of softmax, -Σ t log max(p, ε) with p = exp(z) / Σ exp(z), summed over examples and classes, and its gradient p - t with
 * respect to z: DL4J's {@code LossMCXENT} without weights. Probabilities are clipped to [ε, 1 - ε] in the loss alone, as DL4J does.
 */
final class SoftmaxCrossEntropy {

    private SoftmaxCrossEntropy() {}

    /**
     * Returns the loss, not divided by anything; NaN in z or t gives NaN.
     *
     * @param z [examples, classes] in c order; receives the gradient
     * @param t labels, in the same order
     * @param clip ε; 0 for none
     * @param mask by which loss and gradient of each example are multiplied; null for none
     */
    static double lossAndGradient(float[] z, float[] t, int classes, double clip, float[] mask) {
        double loss = 0;
        double[] exponentials = new double[classes];
        for (int row = 0; row < z.length; row += classes) {
            float max = z[row];
            for (int i = 1; i < classes; i++) {
                max = Math.max(max, z[row + i]);
            }
            double sum = 0;
            for (int i = 0; i < classes; i++) {
                exponentials[i] = Math.exp(z[row + i] - max);
                sum += exponentials[i];
            }
            float share = mask == null ? 1 : mask[row / classes];
            for (int i = 0; i < classes; i++) {
                double p = exponentials[i] / sum;
                float label = t[row + i];
                z[row + i] = share * ((float) p - label);
                if (label != 0) {
                    loss -= share * label * Math.log(clip > 0 ? Math.min(Math.max(p, clip), 1 - clip) : p);
                } else if (Double.isNaN(p)) {
                    loss = Double.NaN;
                }
            }
        }
        return loss;
    }
}
