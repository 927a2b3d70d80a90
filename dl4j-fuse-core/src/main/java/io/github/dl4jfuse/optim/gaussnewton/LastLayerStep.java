package io.github.dl4jfuse.optim.gaussnewton;

import io.github.dl4jfuse.linalg.HostArrays;
import io.github.dl4jfuse.linalg.SymmetricMatrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The adapted direction for the last layer alone, in closed form: its outputs are x = Ã W̃ with à = [A, 1] the layer's inputs
 * on the batch, so D D' = à Ã' for each output alike, and in the Euclidean metric of the outputs
 *
 * <pre>
 *   φ = Ã' (Ã Ã' + μ I)⁻¹ R  =  (Ã' à + μ I)⁻¹ Ã' R,     R = x - y, or p - y for a softmax,
 * </pre>
 *
 * whichever system is smaller; μ = λ times the mean eigenvalue of à Ã'. For the squared loss a step of η = 1 without damping is
 * the least-squares fit.
 */
public final class LastLayerStep {

    private LastLayerStep() {}

    /**
     * Returns φ, [inputs (+ 1), outputs] in double precision, the row of the biases last.
     *
     * @param inputs A, [examples, inputs]
     * @param residual R, [examples, outputs]
     * @param bias whether the layer has one
     * @param lambda λ, positive
     * @return null if A is zero without a bias, or not finite
     */
    public static INDArray direction(INDArray inputs, INDArray residual, boolean bias, double lambda) {
        INDArray a = inputs.castTo(DataType.DOUBLE);
        if (bias) {
            a = Nd4j.hstack(a, Nd4j.ones(DataType.DOUBLE, a.size(0), 1));
        }
        INDArray r = residual.castTo(DataType.DOUBLE);
        boolean byExamples = a.size(0) <= a.size(1);
        INDArray gram = byExamples ? a.mmul(a.transpose()) : a.transpose().mmul(a);
        int n = (int) gram.size(0);
        SymmetricMatrix system = new SymmetricMatrix(HostArrays.ofSymmetric(gram), n);
        double unit = system.meanEigenvalue() * n / a.size(0);
        SymmetricMatrix.Factor factor =
                unit > 0 && unit < Double.POSITIVE_INFINITY ? system.factor(lambda * unit) : null;
        if (factor == null) {
            return null;
        }
        INDArray right = byExamples ? r : a.transpose().mmul(r);
        INDArray solution = Nd4j.createUninitialized(DataType.DOUBLE, new long[] {n, r.size(1)}, 'f');
        for (int c = 0; c < r.size(1); c++) {
            double[] z = factor.solve(HostArrays.of(right.getColumn(c)));
            solution.putColumn(c, Nd4j.createFromArray(z));
        }
        return byExamples ? a.transpose().mmul(solution) : solution;
    }
}
