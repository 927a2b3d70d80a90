package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.Floats;
import java.util.Arrays;
import java.util.Set;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood;

/**
 * The loss of an output layer, computed with its gradient. A step of fit asks for the gradient and then for the loss at the same point, so
 * the loss is kept for that one question.
 */
final class KeptLoss {

    private static final Set<Class<?>> CROSS_ENTROPIES = Set.of(LossMCXENT.class, LossNegativeLogLikelihood.class);

    private double loss; // summed over the examples, of the last gradient
    private boolean known; // whether nothing has changed since

    /** Returns why a loss cannot be kept, or null: what a function of the user's does to its arguments is not known. */
    static String obstacle(ILossFunction function) {
        return function.getClass().getPackage() == LossMCXENT.class.getPackage()
                ? null
                : "its loss function is a class of its own, "
                        + function.getClass().getName();
    }

    /** Something has changed. */
    void forget() {
        known = false;
    }

    boolean isKnown() {
        return known;
    }

    /** Returns the loss, once. */
    double take() {
        known = false;
        return loss;
    }

    /**
     * Keeps the loss; returns its gradient with respect to z.
     *
     * @param z [rows, outputs] in c order
     * @param mask DL4J's, of each row or of each number; null for none
     * @param to what is written, in c order; z itself, or z is left alone
     */
    INDArray gradient(
            ILossFunction function, IActivation activation, INDArray labels, INDArray z, INDArray mask, INDArray to) {
        INDArray gradient = to;
        if (isCrossEntropyOfSoftmax(function, activation)
                && Arrays.equals(labels.shape(), z.shape())
                && (mask == null || mask.rank() == 2 && mask.size(0) == z.size(0) && mask.size(1) == 1)
                && z.length() <= Floats.LIMIT) {
            float[] numbers = new float[(int) z.length()];
            float[] targets = new float[numbers.length];
            Floats.view(z).get(numbers);
            INDArray t = labels.castTo(DataType.FLOAT);
            Floats.view(Layout.of(t) == Layout.PLAIN ? t : t.dup('c')).get(targets);
            loss = SoftmaxCrossEntropy.lossAndGradient(
                    numbers,
                    targets,
                    (int) z.size(1),
                    ((LossMCXENT) function).getSoftmaxClipEps(),
                    mask == null
                            ? null
                            : mask.castTo(DataType.FLOAT).reshape(-1).toFloatVector());
            Floats.view(to).put(0, numbers);
        } else {
            loss = function.computeScore(labels, z, activation, mask, false);
            gradient = function.computeGradient(labels, to == z ? z : to.assign(z), activation, mask); // overwrites z
        }
        known = true;
        return gradient;
    }

    private static boolean isCrossEntropyOfSoftmax(ILossFunction function, IActivation activation) {
        return CROSS_ENTROPIES.contains(function.getClass())
                && ((LossMCXENT) function).getWeights() == null
                && activation.getClass() == ActivationSoftmax.class;
    }
}
