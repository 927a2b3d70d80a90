package io.github.dl4jfuse.saddle;

import io.github.dl4jfuse.optim.Objective;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Whether gradient descent with a fixed step α meets the condition under which it avoids strict saddles for almost all
 * starts: α L &lt; 1, with L a bound of the Hessian's norm (Lee, Simchowitz, Jordan, Recht, <i>Gradient descent only converges to minimizers</i>,
 * COLT 2016). L is measured where the path goes, as the largest |λ| that Lanczos sees there.
 *
 * <pre>
 *   StepSizeCheck check = new StepSizeCheck(objective, 0.1);
 *   check.observe(x);     // now and then along the path
 *   check.holds();
 * </pre>
 *
 * <p>What is measured bounds L from below, and between two looks nothing is known: {@code holds} may be wrong, its
 * contrary not. A look costs {@value #PRODUCTS} Hessian-vector products at most.
 */
public final class StepSizeCheck {

    /** Most products of a look. */
    public static final int PRODUCTS = 12;

    private final Objective objective;
    private final double step;
    private final Lanczos lanczos = new Lanczos(PRODUCTS, 1e-2, Lanczos.DEFAULT_SEED);
    private double largest;
    private int looks;

    /**
     * Takes a step size.
     *
     * @param objective f
     * @param step α, more than 0
     */
    public StepSizeCheck(Objective objective, double step) {
        if (!(step > 0 && step < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("The step of gradient descent is more than 0, not " + step + ".");
        }
        this.objective = objective;
        this.step = step;
    }

    /** Looks at a point of the path; returns α |H| there. */
    public double observe(INDArray x) {
        double scale = lanczos.largest(objective, x, 1).scale();
        largest = Math.max(largest, scale);
        looks++;
        return step * scale;
    }

    /** Returns L, the largest |λ| seen so far; 0 before the first look. */
    public double largestCurvature() {
        return largest;
    }

    /** Returns whether α L &lt; 1 wherever one has looked. */
    public boolean holds() {
        return step * largest < 1;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "step %.3g x largest curvature %.3g = %.3g %s 1 at %d points of the path%s",
                step,
                largest,
                step * largest,
                holds() ? "<" : ">=",
                looks,
                holds() ? "" : ": the theorem does not apply; take a step below " + (float) (1 / largest));
    }
}
