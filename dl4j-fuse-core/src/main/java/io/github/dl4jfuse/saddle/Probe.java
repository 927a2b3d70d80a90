package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A look at a point: value, gradient, both ends of the spectrum, third derivative on the null space as far as it is seen. */
final class Probe {

    /** Up to this number of variables all eigenpairs are computed. */
    static final int ALL_EIGENPAIRS_UP_TO = 40;

    /** How many eigenpairs are looked for at each end of a large problem. */
    static final int PAIRS = 3;

    /** Steps of the power iteration towards a large third derivative; two gradients each. */
    static final int POWER_STEPS = 15;

    private final Objective objective;
    private final INDArray x;
    private final double gradientTolerance;
    private final long seed;
    private final long gradientsBefore;
    private final double value;
    private final INDArray gradient;
    private final double gradientNorm;
    private final EigenPairs pairs;
    private final Tolerances zero;
    private final Verdict verdict;
    private final boolean complete;
    private int nullVectors;
    private List<INDArray> nullSpace = List.of();
    private CubicTensor tensor;

    Probe(Objective objective, INDArray x, double gradientTolerance, int maxProducts, long seed) {
        this.objective = objective;
        this.x = x;
        this.gradientTolerance = gradientTolerance;
        this.seed = seed;
        objective.requireVector(x, "The point");
        gradientsBefore = objective.gradientEvaluations();
        gradient = Vectors.zerosLike(x);
        value = objective.valueAndGradient(x, gradient);
        objective.clearFixed(gradient);
        gradientNorm = Vectors.norm(gradient);
        if (!Double.isFinite(value) || !Double.isFinite(gradientNorm)) {
            throw new ArithmeticException("Value or gradient is not finite (" + value + ", " + gradientNorm
                    + "): there is nothing to see at this point. Go back to one where they are.");
        }
        long n = objective.dimension();
        complete = n <= ALL_EIGENPAIRS_UP_TO;
        boolean oneSided = !complete && objective.dataType() == DataType.DOUBLE;
        Lanczos lanczos = new Lanczos(complete ? (int) n : maxProducts, Lanczos.DEFAULT_TOLERANCE, seed);
        pairs = complete
                ? lanczos.smallest(objective, x, (int) n)
                : (oneSided ? lanczos.oneSided() : lanczos).extremes(objective, x, gradient, PAIRS, PAIRS);
        Tolerances resolved = Tolerances.of(objective, value, gradientNorm, pairs.scale(), oneSided);
        zero = Double.isNaN(gradientTolerance) ? resolved : resolved.withGradient(gradientTolerance);
        verdict = judge();
    }

    private Verdict judge() {
        if (gradientNorm > zero.gradient()) {
            return Verdict.NOT_CRITICAL;
        }
        if (pairs.smallest() + pairs.noise() < -zero.curvature()) {
            return Verdict.STRICT_SADDLE; // a Rayleigh quotient is never below the smallest eigenvalue
        }
        findNullSpace();
        if (nullSpace.isEmpty()) {
            return pairs.smallest() - pairs.errors()[0] > zero.curvature() ? Verdict.MINIMUM : Verdict.DEGENERATE;
        }
        tensor = CubicTensor.measure(objective, x, nullSpace);
        return tensor.tailNorms()[0] > Math.max(zero.third(), tensor.error())
                ? Verdict.THIRD_ORDER_SADDLE
                : Verdict.DEGENERATE;
    }

    private void findNullSpace() {
        List<INDArray> near = new ArrayList<>();
        List<INDArray> curved = new ArrayList<>();
        for (int i = 0; i < pairs.values().length; i++) {
            (Math.abs(pairs.values()[i]) <= zero.curvature() ? near : curved)
                    .add(pairs.vectors().get(i));
        }
        nullVectors = near.size();
        nullSpace = near;
        if (!complete && !near.isEmpty()) {
            INDArray driven = drivenDirection(curved);
            if (driven != null && Vectors.orthonormalise(driven, near, null) > 0) {
                near.add(driven);
            }
        }
    }

    /**
     * A unit vector with a large third derivative: u ← T(u,u,·) / |T(u,u,·)| + u, made orthogonal to what is known to be
     * curved, and brought to length 1 again. Adding u keeps the iteration from swinging between two points (Kolda, Mayo, SIAM J. Matrix
     * Anal. Appl. 32 (2011), a shifted power method). Null if the third derivative vanishes.
     */
    private INDArray drivenDirection(List<INDArray> curved) {
        INDArray u = Vectors.gaussian(objective.dataType(), objective.dimension(), new Random(seed));
        objective.clearFixed(u);
        if (Vectors.orthonormalise(u, curved, null) == 0) {
            return null;
        }
        INDArray image = Vectors.zerosLike(x);
        for (int step = 0; step < POWER_STEPS; step++) {
            ThirdDerivative.square(objective, x, gradient, u, image);
            if (!Double.isFinite(Vectors.norm(image)) || Vectors.orthonormalise(image, curved, null) == 0) {
                return null;
            }
            Vectors.axpy(1, image, u);
            Vectors.orthonormalise(u, curved, null);
        }
        objective.hessianVector(x, u, image);
        // It must lie in the null space as well as its neighbours do.
        return Math.abs(Vectors.dot(u, image)) <= zero.curvature() + pairs.noise() ? u : null;
    }

    Verdict verdict() {
        return verdict;
    }

    double value() {
        return value;
    }

    double gradientNorm() {
        return gradientNorm;
    }

    int nullVectors() {
        return nullVectors;
    }

    /** Returns how many gradients were evaluated since it began. */
    long gradientsUsed() {
        return objective.gradientEvaluations() - gradientsBefore;
    }

    INDArray gradient() {
        return gradient;
    }

    EigenPairs pairs() {
        return pairs;
    }

    Tolerances zero() {
        return zero;
    }

    List<INDArray> nullSpace() {
        return nullSpace;
    }

    CubicTensor tensor() {
        return tensor;
    }
}
