package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.saddle.ThirdOrderResult.Kind;
import io.github.dl4jfuse.saddle.ThirdOrderResult.Status;
import io.github.dl4jfuse.saddle.ThirdOrderResult.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One run of {@link ThirdOrderMethod}. */
final class ThirdOrderRun {

    private static final int MOST_DOUBLINGS = 100;
    private static final double VALUE_UNITS = 20;
    private static final double UNBOUNDED_BELOW = 1e12;

    private final boolean adaptive;
    private final double thirdLipschitz;
    private final double b;
    private final int maxIterations;
    private final Objective objective;
    private final double q;
    private final Random random;
    private final long gradientsBefore;
    private final List<Step> steps = new ArrayList<>();
    private double r;
    private double thirdOrderNorm = Double.NaN;
    private Status failure;

    /** With constants R and L, or with NaN for both, so that they are adapted. */
    ThirdOrderRun(
            Objective objective,
            double hessianLipschitz,
            double thirdLipschitz,
            double b,
            int maxIterations,
            long seed) {
        this.objective = objective;
        this.thirdLipschitz = thirdLipschitz;
        this.b = b;
        this.maxIterations = maxIterations;
        adaptive = Double.isNaN(hessianLipschitz);
        q = b * Math.pow((double) objective.dimension(), 1.5);
        random = new Random(seed);
        gradientsBefore = objective.gradientEvaluations();
        r = adaptive ? 1 : hessianLipschitz;
    }

    ThirdOrderResult from(INDArray start) {
        DenseCurvature at = new DenseCurvature(objective, start.dup());
        if (!at.isFinite()) {
            return new ThirdOrderResult(
                    at.point,
                    at.value,
                    at.gradientNorm,
                    Double.NaN,
                    Double.NaN,
                    Status.NON_FINITE,
                    "Value or derivatives are not finite at the start: start elsewhere.",
                    List.of(),
                    objective.gradientEvaluations() - gradientsBefore);
        }
        double bottom = -UNBOUNDED_BELOW * (1 + Math.abs(at.value));
        for (int iteration = 0; iteration < maxIterations; iteration++) {
            DenseCurvature z = cubicStep(at);
            if (failure != null) {
                return end(failure, z);
            }
            if (z.value < bottom) {
                return end(Status.NON_FINITE, z);
            }
            Tolerances zero = Tolerances.of(objective, z.value, z.gradientNorm, z.scale(), false);
            boolean secondOrder = z.gradientNorm <= zero.gradient() && z.smallest() >= -zero.curvature();
            DenseCurvature next = null;
            if (!adaptive || secondOrder) {
                next = thirdOrderStep(z, zero);
                if (failure != null) {
                    return end(failure, z);
                }
            }
            if (next == null && secondOrder) {
                return end(z.smallest() > zero.curvature() ? Status.MINIMUM : Status.THIRD_ORDER_STATIONARY, z);
            }
            at = next == null ? z : next;
        }
        return end(Status.ITERATION_LIMIT, at);
    }

    private double slack(double value) {
        return VALUE_UNITS * objective.roundingUnit() * (1 + Math.abs(value));
    }

    private DenseCurvature cubicStep(DenseCurvature at) {
        for (int doubling = 0; doubling < MOST_DOUBLINGS; doubling++) {
            CubicStep step = at.cubicStep(r);
            if (step.length() == 0) {
                return at;
            }
            INDArray point = at.moved(step.step());
            double value = objective.value(point);
            double promised = r / 12 * Math.pow(step.length(), 3);
            double needed = adaptive ? step.decrease() : promised;
            if (value <= at.value - needed + slack(at.value)) {
                DenseCurvature z = new DenseCurvature(objective, point);
                if (z.isFinite()) {
                    steps.add(new Step(
                            step.hardCase() ? Kind.CUBIC_HARD_CASE : Kind.CUBIC,
                            step.length(),
                            at.value,
                            value,
                            promised));
                    r = adaptive ? r / 2 : r;
                    return z;
                }
            }
            if (!adaptive) {
                failure = Status.CONSTANTS_TOO_SMALL;
                return at;
            }
            r *= 2;
        }
        failure = Status.NO_DECREASE;
        return at;
    }

    /** Returns where the third-order step leads, or null if the test is passed. */
    private DenseCurvature thirdOrderStep(DenseCurvature z, Tolerances zero) {
        thirdOrderNorm = 0;
        if (adaptive && z.smallest() > zero.curvature()) {
            return null; // there is no null space
        }
        CubicTensor tensor = CubicTensor.measure(objective, z.point, z.vectors);
        double smallestNorm = Math.max(zero.third(), tensor.error());
        double l = adaptive ? Double.NaN : thirdLipschitz;
        thirdOrderNorm = nullSpaceNorm(z, tensor, zero);
        for (int doubling = 0; doubling < MOST_DOUBLINGS; doubling++) {
            if (Double.isNaN(l)) {
                l = thirdOrderNorm / q; // a step of length 1
                if (l == 0) {
                    return null;
                }
            }
            CompetitiveSubspace subspace = CompetitiveSubspace.find(eigenvalues(z, zero), tensor, l, q);
            double c = subspace.norm();
            // A gradient below its tolerance is rounding, and no slope.
            double slope = adaptive ? 0 : z.gradientNorm;
            if (c <= smallestNorm || c < q * Math.cbrt(24 * slope * l * l)) {
                return null;
            }
            double length = c / (l * q);
            double promised = Math.pow(c, 4) / (24 * Math.pow(l, 3) * Math.pow(q, 4));
            double[] u = subspace.direction(tensor, b, random);
            for (int i = 0; i < u.length; i++) {
                u[i] *= length;
            }
            INDArray point = z.moved(u);
            double value = objective.value(point);
            if (z.value - value >= promised - slack(z.value) && z.value > value) {
                DenseCurvature next = new DenseCurvature(objective, point);
                if (next.isFinite()) {
                    steps.add(new Step(Kind.THIRD_ORDER, length, z.value, value, promised));
                    return next;
                }
            }
            if (!adaptive) {
                failure = Status.CONSTANTS_TOO_SMALL;
                return null;
            }
            l *= 2;
        }
        failure = Status.NO_DECREASE;
        return null;
    }

    /** Eigenvalues with those that are zero within the tolerance set to zero. */
    private static double[] eigenvalues(DenseCurvature z, Tolerances zero) {
        double[] values = z.eigenvalues.clone();
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.abs(values[i]) <= zero.curvature() ? 0 : values[i];
        }
        return values;
    }

    private static double nullSpaceNorm(DenseCurvature z, CubicTensor tensor, Tolerances zero) {
        double[] norms = tensor.tailNorms();
        for (int i = 0; i < norms.length; i++) {
            if (z.eigenvalues[i] <= zero.curvature()) {
                return norms[i];
            }
        }
        return 0;
    }

    private ThirdOrderResult end(Status status, DenseCurvature at) {
        String facts = String.format(
                Locale.ROOT,
                "value %.9g, |gradient| %.2g, smallest eigenvalue %.3g, third derivative on the null space %.2g",
                at.value,
                at.gradientNorm,
                at.smallest(),
                thirdOrderNorm);
        String sentence = switch (status) {
            case MINIMUM -> "A local minimum: ";
            case THIRD_ORDER_STATIONARY ->
                "The third-order test is passed; the Hessian is singular, so the fourth order decides whether"
                        + " this is a minimum: ";
            case ITERATION_LIMIT -> "Not finished within " + maxIterations + " iterations: ";
            case CONSTANTS_TOO_SMALL ->
                "A step gained less than R and L promise, so one of them is too small; give larger ones: ";
            case NO_DECREASE -> "No step lowers the value within rounding: ";
            case NON_FINITE -> "The value falls without end: ";
        };
        return new ThirdOrderResult(
                at.point,
                at.value,
                at.gradientNorm,
                at.smallest(),
                thirdOrderNorm,
                status,
                sentence + facts + ".",
                List.copyOf(steps),
                objective.gradientEvaluations() - gradientsBefore);
    }
}
