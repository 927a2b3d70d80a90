package io.github.dl4jfuse.linalg;

import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Operations on vectors of rank 1. */
public final class Vectors {

    private static final int MOST_PASSES = 4;
    private static final double ENOUGH = 0.7;

    private Vectors() {}

    /** Returns x·y. */
    public static double dot(INDArray x, INDArray y) {
        return Nd4j.getBlasWrapper().dot(x, y);
    }

    /** Returns |x|. */
    public static double norm(INDArray x) {
        return Math.sqrt(dot(x, x));
    }

    /** Sets y to y + a x. */
    public static void axpy(double a, INDArray x, INDArray y) {
        Nd4j.getBlasWrapper().level1().axpy(x.length(), a, x, y);
    }

    /** Returns x + t u as a new vector. */
    public static INDArray moved(INDArray x, double t, INDArray u) {
        INDArray moved = x.dup();
        axpy(t, u, moved);
        return moved;
    }

    /** Returns Σ c_i v_i as a new vector. */
    public static INDArray combine(double[] coefficients, List<INDArray> vectors) {
        INDArray sum = zerosLike(vectors.get(0));
        for (int i = 0; i < coefficients.length; i++) {
            axpy(coefficients[i], vectors.get(i), sum);
        }
        return sum;
    }

    /** Returns a zero vector of the same length and type. */
    public static INDArray zerosLike(INDArray x) {
        return Nd4j.zeros(x.dataType(), x.length());
    }

    /** Returns independent Gaussian components. */
    public static INDArray gaussian(DataType type, long length, Random random) {
        int n = Math.toIntExact(length);
        if (type == DataType.DOUBLE) {
            return Nd4j.createFromArray(
                    random.doubles(n).map(unused -> random.nextGaussian()).toArray());
        }
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Nd4j.createFromArray(values);
    }

    /**
     * Makes w orthogonal to orthonormal vectors and gives it length 1. Gram-Schmidt is done again whenever a pass has taken
     * away a large part of w, so that what is left is orthogonal to the last digits even if it was small.
     *
     * @param coefficients receives what was taken away along each vector; may be null
     * @return the length before it became 1; 0 if nothing is left, and then w is not to be used
     */
    public static double orthonormalise(INDArray w, List<INDArray> vectors, double[] coefficients) {
        double length = norm(w);
        for (int pass = 0; pass < MOST_PASSES; pass++) {
            for (int i = 0; i < vectors.size(); i++) {
                double c = dot(vectors.get(i), w);
                axpy(-c, vectors.get(i), w);
                if (coefficients != null) {
                    coefficients[i] += c;
                }
            }
            double left = norm(w);
            if (!(left > Float.MIN_NORMAL)) {
                return 0;
            }
            if (left > ENOUGH * length) {
                w.divi(left);
                return left;
            }
            length = left;
        }
        return 0;
    }
}
