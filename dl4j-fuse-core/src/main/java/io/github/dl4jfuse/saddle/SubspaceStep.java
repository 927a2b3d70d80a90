package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.linalg.Vectors;
import io.github.dl4jfuse.optim.Objective;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A second- or third-order step of a function of many variables in the span of a few directions: the subspace form of {@link
 * ThirdOrderMethod}.
 *
 * <ul>
 *   <li>Where ∇f is zero and Lanczos finds negative eigenvalues: the global minimiser of the cubic model in the span of their vectors. R
 *       is four times larger or smaller until f falls, and falls no more.
 *   <li>Else, where ∇f is zero and the third derivative on the null space seen is not: a direction of that space with a large T(u,u,u), drawn
 *       by algorithm 3 and improved by the power method, with the sign that descends. Its length is doubled or halved
 *       until f falls, and falls no more. To it a random direction of the null space is added, as it would be part of
 *       algorithm 3's draw from the whole space, the longest of some lengths that leaves half of the gain. Then a purely random direction of
 *       several lengths is tried, each followed by steepest descent to the lowest point of a line, as the descending step of algorithm 1 follows
 *       the third-order step. The lower of the two is taken. Along one driven direction alone a network would leave with one unit per
 *       layer, and gradients keep that symmetry.
 * </ul>
 *
 * <p>Where the gradient is not zero there is no step: following it is what an optimiser is for, and negative curvature at such a point
 * of a mini-batch's loss is mostly the batch's own (a step along it lowered the loss of a probe batch of 60 examples by
 * half, and raised that of the others).
 *
 * <p>A step is returned only if f at its end is really lower than at the start, by more than rounding; a wrong verdict
 * costs evaluations and nothing else. Memory: the Krylov space, at most as many vectors as products, and about 10 more.
 *
 * @param kind what was done
 * @param report what the start is
 * @param point where the step leads, or the start
 * @param value f there
 * @param length |point - start|
 */
public record SubspaceStep(Kind kind, CriticalPointReport report, INDArray point, double value, double length) {

    /** Default of the most Hessian-vector products of a probe. */
    public static final int DEFAULT_MAX_PRODUCTS = 30;

    static final double RANDOM_PART_COST = 0.5;

    private static final int MOST_CHANGES = 40;
    private static final int RANDOM_PART_CHANGES = 5;
    private static final double LONGEST_RANDOM = 32;
    private static final double LONGEST_DESCENT = 4;
    private static final double SHORTEST_DESCENT = 64;
    private static final int REFINEMENTS = 50;
    private static final double VALUE_UNITS = 20;

    /** What was done. */
    public enum Kind {
        /** Nothing: there is no such step, or it does not lower f. */
        NONE,
        /** A step along negative curvature. */
        SECOND_ORDER,
        /** A step along a negative third derivative. */
        THIRD_ORDER
    }

    /** Looks and steps with all defaults. */
    public static SubspaceStep from(Objective objective, INDArray start) {
        return from(objective, start, Double.NaN, DEFAULT_MAX_PRODUCTS, Lanczos.DEFAULT_SEED);
    }

    /**
     * Looks and steps.
     *
     * @param objective f
     * @param start not changed
     * @param gradientTolerance what of |∇f| counts as zero; NaN for the default of {@link CriticalPointReport}
     * @param maxProducts most Hessian-vector products of Lanczos, at least 6; default {@value #DEFAULT_MAX_PRODUCTS}
     * @param seed of the random directions
     * @throws ArithmeticException if value, gradient or a product is not finite at the start
     */
    public static SubspaceStep from(
            Objective objective, INDArray start, double gradientTolerance, int maxProducts, long seed) {
        Probe probe = new Probe(objective, start, gradientTolerance, maxProducts, seed);
        SubspaceStep step = new SubspaceStep(Kind.NONE, CriticalPointReport.of(probe), start, probe.value(), 0);
        return switch (probe.verdict()) {
            case STRICT_SADDLE -> step.alongNegativeCurvature(objective, probe);
            case THIRD_ORDER_SADDLE -> step.alongThirdDerivative(objective, probe, new Random(seed));
            default -> step;
        };
    }

    private SubspaceStep alongNegativeCurvature(Objective objective, Probe probe) {
        EigenPairs pairs = probe.pairs();
        List<INDArray> vectors = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (int i = 0; i < pairs.values().length; i++) {
            if (pairs.values()[i] + pairs.noise() < -probe.zero().curvature()) {
                values.add(pairs.values()[i]);
                vectors.add(pairs.vectors().get(i));
            }
        }
        if (vectors.isEmpty()) {
            return this;
        }
        double[] lambda = values.stream().mapToDouble(each -> each).toArray();
        double[] slopes = vectors.stream()
                .mapToDouble(v -> Vectors.dot(v, probe.gradient()))
                .toArray();
        double ofLengthOne = -2 * lambda[0];
        return best(Kind.SECOND_ORDER, objective, t -> {
            CubicStep step = CubicStep.minimise(lambda, slopes, ofLengthOne / (t * t));
            return Vectors.combine(step.step(), vectors);
        });
    }

    private SubspaceStep alongThirdDerivative(Objective objective, Probe probe, Random random) {
        CubicTensor tensor = probe.tensor();
        double[] u = new CompetitiveSubspace(0, tensor.tailNorms()[0])
                .direction(tensor, CompetitiveSubspace.DEFAULT_B, random);
        for (int i = 0; i < REFINEMENTS; i++) {
            double[] image = tensor.square(u);
            u = sum(u, image, -1 / length(image)); // descends: T(u,u,u) < 0
            u = sum(new double[u.length], u, 1 / length(u));
        }
        INDArray direction = Vectors.combine(u, probe.nullSpace());
        SubspaceStep step = best(Kind.THIRD_ORDER, objective, t -> direction.mul(t));
        INDArray noise = randomNullDirection(objective, probe, random);
        return step.kind == Kind.NONE || noise == null
                ? step
                : step.withRandomPart(this, objective, noise).orRandomThenDescent(this, objective, noise, step.length);
    }

    /** Returns a random unit vector orthogonal to what is known to be curved, or null if that is everything. */
    private static INDArray randomNullDirection(Objective objective, Probe probe, Random random) {
        INDArray noise = Vectors.gaussian(objective.dataType(), objective.dimension(), random);
        objective.clearFixed(noise);
        List<INDArray> curved = new ArrayList<>();
        for (int i = 0; i < probe.pairs().values().length; i++) {
            if (Math.abs(probe.pairs().values()[i]) > probe.zero().curvature()) {
                curved.add(probe.pairs().vectors().get(i));
            }
        }
        return Vectors.orthonormalise(noise, curved, null) == 0 ? null : noise;
    }

    /** Adds the longest random displacement, of the lengths 2^j |step|, that leaves enough of the gain. */
    private SubspaceStep withRandomPart(SubspaceStep start, Objective objective, INDArray noise) {
        double allowed = value + RANDOM_PART_COST * (start.value - value);
        SubspaceStep found = this;
        boolean growing = true;
        double t = length;
        for (int change = 0; change <= RANDOM_PART_CHANGES; change++) {
            INDArray candidate = Vectors.moved(point, t, noise);
            double there = objective.value(candidate);
            boolean fits = there <= allowed;
            if (change == 0) {
                growing = fits;
            }
            if (fits) {
                found = found.movedTo(candidate, there, start);
            }
            if (fits != growing) {
                break; // one too long on the way up, or short enough on the way down
            }
            t = growing ? 2 * t : t / 2;
        }
        return found;
    }

    /** Returns the lower of this and the best point of steepest descent from random displacements of lengths 2^j |step|. */
    private SubspaceStep orRandomThenDescent(SubspaceStep start, Objective objective, INDArray noise, double unit) {
        SubspaceStep found = this;
        INDArray gradient = Vectors.zerosLike(noise);
        for (double t = unit / 2; t <= LONGEST_RANDOM * unit; t *= 2) {
            INDArray from = Vectors.moved(start.point, t, noise);
            double lowest = objective.valueAndGradient(from, gradient);
            double above = lowest;
            objective.clearFixed(gradient);
            double norm = Vectors.norm(gradient);
            for (double s = LONGEST_DESCENT * t; norm > 0 && s > t / SHORTEST_DESCENT; s /= 2) {
                INDArray candidate = Vectors.moved(from, -s / norm, gradient);
                double there = objective.value(candidate);
                if (there < lowest) {
                    lowest = there;
                    if (there < found.value) {
                        found = found.movedTo(candidate, there, start);
                    }
                } else if (lowest < above) {
                    break;
                }
            }
        }
        return found;
    }

    private SubspaceStep movedTo(INDArray candidate, double there, SubspaceStep start) {
        return new SubspaceStep(kind, report, candidate, there, Vectors.norm(candidate.sub(start.point)));
    }

    /** Doubles or halves t, from 1, until f falls, and falls no more. */
    private SubspaceStep best(Kind of, Objective objective, DoubleFunction<INDArray> displacement) {
        double slack = VALUE_UNITS * objective.roundingUnit() * Math.abs(value);
        SubspaceStep found = this;
        double t = 1;
        boolean growing = true;
        for (int change = 0; change < MOST_CHANGES; change++) {
            INDArray step = displacement.apply(t);
            double stepLength = Vectors.norm(step);
            Vectors.axpy(1, point, step);
            double there = objective.value(step);
            if (there < found.value - slack) {
                found = new SubspaceStep(of, report, step, there, stepLength);
            } else if (found != this) {
                break;
            } else if (change == 0) {
                growing = false;
            }
            t = growing ? 2 * t : t / 2;
        }
        return found;
    }

    private static double[] sum(double[] x, double[] y, double factor) {
        double[] sum = new double[x.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = x[i] + factor * y[i];
        }
        return sum;
    }

    private static double length(double[] x) {
        double squares = 0;
        for (double each : x) {
            squares += each * each;
        }
        return Math.sqrt(squares);
    }
}
