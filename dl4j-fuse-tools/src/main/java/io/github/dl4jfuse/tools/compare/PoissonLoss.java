package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.linalg.HostArrays;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonLoss;
import io.github.dl4jfuse.optim.gaussnewton.LinearResidualLoss;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * Squared residual of -u'' = f on an equidistant grid over [0, 1] with given boundary values. The batch is the grid, in
 * order; with n points and h = 1 / (n - 1)
 *
 * <pre>
 *   r_i = ((-u_{i-1} + 2 u_i - u_{i+1}) / h² - f_i) / {@value #SCALE}      inside
 *   r_i = sqrt(n / 2) (u_i - b_i)                              at both ends
 * </pre>
 *
 * and the loss is the mean of r². The right-hand side is made from the exact solution by the same difference quotient, so
 * that the exact solution has loss 0 on every grid.
 */
public final class PoissonLoss implements ILossFunction, GaussNewtonLoss {

    private static final long serialVersionUID = 1;

    /** Brings the residual to the order of 1 at the start. */
    private static final double SCALE = 10;

    /** Returns the labels [n, 1] for which {@code solution} has no residual. */
    static INDArray rightHandSide(double[] solution) {
        return column(apply(solution), DataType.DOUBLE);
    }

    /** Applies the operator: difference quotients inside, boundary values at the ends; both unscaled. */
    private static double[] apply(double[] u) {
        int last = u.length - 1;
        double[] result = u.clone();
        for (int i = 1; i < last; i++) {
            result[i] = (-u[i - 1] + 2 * u[i] - u[i + 1]) * last * last;
        }
        return result;
    }

    /** The operator and its transpose, each row times its weight. */
    private static final LinearResidualLoss.Operator WEIGHTED = new LinearResidualLoss.Operator() {
        @Override
        public double[] apply(double[] u) {
            return weighted(PoissonLoss.apply(u));
        }

        @Override
        public double[] applyTransposed(double[] r) {
            int last = r.length - 1;
            double[] scaled = weighted(r.clone());
            double[] product = new double[r.length];
            for (int i = 0; i <= last; i++) {
                if (i == 0 || i == last) {
                    product[i] += scaled[i];
                } else {
                    product[i - 1] -= scaled[i] * last * last;
                    product[i] += 2 * scaled[i] * last * last;
                    product[i + 1] -= scaled[i] * last * last;
                }
            }
            return product;
        }
    };

    private static double[] weighted(double[] rows) {
        for (int i = 0; i < rows.length; i++) {
            rows[i] *= weight(i, rows.length);
        }
        return rows;
    }

    private static double[] residual(INDArray labels, INDArray output) {
        double[] r = apply(output.toDoubleVector());
        double[] f = labels.toDoubleVector();
        for (int i = 0; i < r.length; i++) {
            r[i] -= f[i];
        }
        return weighted(r);
    }

    /** The mean of r², a squared loss of a linear map of all outputs. */
    @Override
    public OutputLoss outputLoss(INDArray labels) {
        int points = (int) labels.size(0);
        return new LinearResidualLoss(WEIGHTED, weighted(HostArrays.of(labels)), points, 1, 2);
    }

    private static double weight(int i, int points) {
        return i == 0 || i == points - 1 ? Math.sqrt(points / 2.0) : 1 / SCALE;
    }

    private static INDArray column(double[] values, DataType type) {
        return Nd4j.createFromArray(values).castTo(type).reshape(values.length, 1);
    }

    @Override
    public double computeScore(
            INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
        double sum = 0;
        for (double r : residual(labels, activation.getActivation(preOutput.dup(), true))) {
            sum += r * r;
        }
        return average ? sum / labels.size(0) : sum;
    }

    @Override
    public INDArray computeScoreArray(INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
        INDArray r = column(residual(labels, activation.getActivation(preOutput.dup(), true)), preOutput.dataType());
        return r.muli(r);
    }

    @Override
    public INDArray computeGradient(INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
        double[] gradient = WEIGHTED.applyTransposed(residual(labels, activation.getActivation(preOutput.dup(), true)));
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] *= 2;
        }
        return activation
                .backprop(preOutput.dup(), column(gradient, preOutput.dataType()))
                .getFirst();
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
            INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
        return Pair.of(
                computeScore(labels, preOutput, activation, mask, average),
                computeGradient(labels, preOutput, activation, mask));
    }

    @Override
    public String name() {
        return toString();
    }

    @Override
    public String toString() {
        return "PoissonLoss()";
    }
}
