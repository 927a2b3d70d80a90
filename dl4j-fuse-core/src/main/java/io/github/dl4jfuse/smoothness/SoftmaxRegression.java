package io.github.dl4jfuse.smoothness;

import java.util.function.DoubleUnaryOperator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The smoothness oracle of softmax regression, f(W, b) = (1/N) Σ_i [ln Σ_j exp(z_ij) - z_i,label(i)] with z_i = Wᵀ a_i + b: a network
 * of one output layer with softmax and the negative log-likelihood. The point holds W column by column (the weights of
 * class 0 first), then b, as DL4J's output layer does.
 *
 * <p>With p_i = softmax(z_i), S_i = diag(p_i) - p_i p_iᵀ and α_i = (a_i, 1) the Hessian is (1/N) Σ S_i ⊗ α_i α_iᵀ.
 *
 * <p><b>On the ball</b> z_i moves by |α_i| R at most. The log-odds ℓ_j = ln p_j/(1 - p_j) have a gradient in z of length √2 at most, and
 * ‖S‖ ≤ min(½, 2 max_j p_j (1 - p_j)) by Gershgorin, where p (1 - p) falls with |ℓ|. So
 * L = (1/N) λ_max(Σ c_i α_i α_iᵀ) with c_i = min(½, 2 max_j sup{p(1 - p): |ℓ - ℓ_ij| ≤ √2 |α_i| R}).
 *
 * <p><b>Along V</b> the second derivative is (1/N) Σ Var_{p_i}(u_i), u_i = Vᵀ α_i. A variance is at most range²/4, and the derivative of
 * Var along u is the third cumulant, at most range · Var in magnitude, so that
 * L = (1/N) Σ min(¼ r_i², Var_i exp(r_i R)), r_i = max_j u_ij - min_j u_ij: exact as R → 0.
 */
public final class SoftmaxRegression implements SmoothnessOracle {

    private final INDArray rows;
    private final int classes;
    private final boolean nonNegative;
    private final double[] lengths;

    /**
     * Makes the oracle; keeps a copy of the data in double precision, with a column of ones for the biases.
     *
     * @param features a_i as rows, N × d
     * @param classes 2 or more
     */
    public SoftmaxRegression(INDArray features, int classes) {
        if (features.rank() != 2 || classes < 2) {
            throw new IllegalArgumentException(
                    "SoftmaxRegression: features are a matrix of one example a row, not of rank " + features.rank()
                            + ", and there are 2 classes or more, not " + classes + ".");
        }
        INDArray ones = Nd4j.ones(DataType.DOUBLE, features.rows(), 1);
        rows = Nd4j.hstack(features.castTo(DataType.DOUBLE), ones).dup('f');
        this.classes = classes;
        nonNegative = rows.minNumber().doubleValue() >= 0;
        lengths = rows.mul(rows).sum(1).toDoubleVector();
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = Math.sqrt(lengths[i]);
        }
    }

    /** Returns Wᵀ a_i + b, or Vᵀ α_i, as N rows of one number for each class. */
    private double[][] products(INDArray vector) {
        int inputs = rows.columns() - 1;
        if (vector.length() != (long) (inputs + 1) * classes) {
            throw new IllegalArgumentException(
                    "SoftmaxRegression: a point has " + (inputs + 1) * classes + " numbers (" + inputs
                            + " weights and a bias for each of " + classes + " classes), not " + vector.length() + ".");
        }
        INDArray flat = vector.castTo(DataType.DOUBLE);
        INDArray weights = flat.get(NDArrayIndex.interval(0, (long) inputs * classes))
                .dup()
                .reshape('f', inputs, classes);
        INDArray biases = flat.get(NDArrayIndex.interval((long) inputs * classes, flat.length()))
                .dup()
                .reshape(1, classes);
        return rows.mmul(Nd4j.vstack(weights, biases)).toDoubleMatrix();
    }

    private static double[] softmax(double[] z) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double each : z) {
            largest = Math.max(largest, each);
        }
        double[] p = new double[z.length];
        double sum = 0;
        for (int j = 0; j < z.length; j++) {
            p[j] = Math.exp(z[j] - largest);
            sum += p[j];
        }
        for (int j = 0; j < z.length; j++) {
            p[j] /= sum;
        }
        return p;
    }

    @Override
    public DoubleUnaryOperator at(INDArray point) {
        double[][] z = products(point);
        double[] odds = new double[z.length]; // the least |ℓ_ij| of each example: p (1 - p) is largest there
        for (int i = 0; i < z.length; i++) {
            odds[i] = leastLogOdds(softmax(z[i]));
        }
        return radius -> {
            double[] weights = new double[z.length];
            for (int i = 0; i < weights.length; i++) {
                double reach = Math.sqrt(2) * lengths[i] * radius;
                weights[i] = Math.min(0.5, 2 * GeneralisedLinear.Link.LOGISTIC.curvature(odds[i], reach)) / z.length;
            }
            return SpectralBound.ofWeightedGram(rows, nonNegative, Nd4j.createFromArray(weights));
        };
    }

    private static double leastLogOdds(double[] p) {
        double least = Double.POSITIVE_INFINITY;
        for (int j = 0; j < p.length; j++) {
            double others = 0; // not 1 - p: that loses all digits where p is close to 1
            for (int k = 0; k < p.length; k++) {
                others += k == j ? 0 : p[k];
            }
            least = Math.min(least, Math.abs(Math.log(p[j]) - Math.log(others)));
        }
        return least;
    }

    @Override
    public DoubleUnaryOperator along(INDArray point, INDArray direction) {
        double[][] z = products(point);
        double[][] u = products(direction);
        double[] variance = new double[z.length];
        double[] range = new double[z.length];
        for (int i = 0; i < z.length; i++) {
            double[] p = softmax(z[i]);
            double mean = 0;
            double least = Double.POSITIVE_INFINITY;
            double largest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < classes; j++) {
                mean += p[j] * u[i][j];
                least = Math.min(least, u[i][j]);
                largest = Math.max(largest, u[i][j]);
            }
            range[i] = largest - least;
            for (int j = 0; j < classes; j++) {
                variance[i] += p[j] * (u[i][j] - mean) * (u[i][j] - mean);
            }
        }
        return radius -> {
            double sum = 0;
            for (int i = 0; i < variance.length; i++) {
                double most = range[i] * range[i] / 4;
                sum += variance[i] == 0 ? 0 : Math.min(most, variance[i] * Math.exp(range[i] * radius));
            }
            return sum / variance.length;
        };
    }
}
