package io.github.dl4jfuse.smoothness;

import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The smoothness oracle of f(x) = c Σ_i φ_i(a_i·x), whose Hessian is c Σ φ_i''(a_i·x) a_i a_iᵀ. On the ball a_i·y moves by |a_i| R at
 * most, so with s_i(δ) the supremum of |φ_i''| within δ of a_i·x
 *
 * <pre>
 *   L(x, R) = c λ_max(Σ s_i(|a_i| R) a_i a_iᵀ),    along v:  c Σ s_i(|a_i·v| R) (a_i·v)²
 * </pre>
 */
public final class GeneralisedLinear implements SmoothnessOracle {

    /** A loss φ of one number, known by its second derivative; labels shift φ by a linear term and do not matter. */
    @FunctionalInterface
    public interface Link {
        /** φ(t) = ln(1 + eᵗ), less a multiple of t: φ'' = σ(t) σ(-t), which falls with |t|. */
        Link LOGISTIC = (t, reach) -> {
            double nearest = Math.max(0, Math.abs(t) - reach);
            double e = Math.exp(-nearest);
            return e / ((1 + e) * (1 + e));
        };

        /** φ(t) = ½ (t - label)². */
        Link SQUARED = (t, reach) -> 1;

        /** Returns sup |φ''| on [t - reach, t + reach], or a bound of it that grows with the reach. */
        double curvature(double t, double reach);
    }

    private final INDArray rows;
    private final Link link;
    private final double factor;
    private final boolean nonNegative;
    private final double[] lengths;

    /**
     * Makes the oracle; keeps a copy of the data in double precision.
     *
     * @param data a_i as rows, N × n
     * @param link φ
     * @param factor c, at least 0; 1 / N for a mean
     */
    public GeneralisedLinear(INDArray data, Link link, double factor) {
        if (data.rank() != 2 || !(factor >= 0) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("GeneralisedLinear: the data are a matrix, not of rank " + data.rank()
                    + ", and the factor is a finite number of at least 0, not " + factor + ".");
        }
        rows = data.castTo(DataType.DOUBLE).dup('f');
        this.link = Objects.requireNonNull(link, "The link must not be null.");
        this.factor = factor;
        nonNegative = rows.minNumber().doubleValue() >= 0;
        lengths = rows.mul(rows).sum(1).toDoubleVector();
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = Math.sqrt(lengths[i]);
        }
    }

    private double[] products(INDArray vector) {
        return SmoothnessOracles.times(rows, vector.castTo(DataType.DOUBLE)).toDoubleVector();
    }

    @Override
    public DoubleUnaryOperator at(INDArray point) {
        double[] t = products(point);
        return radius -> {
            double[] weights = new double[t.length];
            for (int i = 0; i < t.length; i++) {
                weights[i] = link.curvature(t[i], lengths[i] * radius);
            }
            return factor * SpectralBound.ofWeightedGram(rows, nonNegative, Nd4j.createFromArray(weights));
        };
    }

    @Override
    public DoubleUnaryOperator along(INDArray point, INDArray direction) {
        double[] t = products(point);
        double[] slopes = products(direction);
        return radius -> {
            double sum = 0;
            for (int i = 0; i < t.length; i++) {
                sum += link.curvature(t[i], Math.abs(slopes[i]) * radius) * slopes[i] * slopes[i];
            }
            return factor * sum;
        };
    }
}
