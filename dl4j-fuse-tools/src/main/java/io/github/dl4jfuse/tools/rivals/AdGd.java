package io.github.dl4jfuse.tools.rivals;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Adaptive gradient descent (Malitsky, Mishchenko, <i>Adaptive Gradient Descent without Descent</i>, ICML 2020, algorithm 1):
 *
 * <pre>
 *   λ ← min( √(1 + θ) λ, |x - x'| / (2 |g - g'|) );   θ ← λ / λ';   x ← x - λ g
 * </pre>
 *
 * from λ = 1e-10 and θ = ∞, where primes mark the step before. The rule is for exact gradients. An updater sees one gradient for each
 * batch, so g and g' are those of two batches here and their difference is mostly noise: this is what the rule does in the place of
 * Adam, not what it does with a second gradient of each batch.
 */
public final class AdGd extends TuningFree {

    private static final double FIRST_STEP = 1e-10;
    private static final int STEP = 0;
    private static final int RATIO = 1;
    private static final int MOVED = 2;
    private static final long serialVersionUID = 1;

    /**
     * AdGD.
     *
     * @param schedule gives a factor of the step, or null for 1
     */
    public AdGd(ISchedule schedule) {
        super(schedule);
    }

    @Override
    int vectors() {
        return 1;
    }

    @Override
    void step(INDArray gradient, INDArray[] vectors, INDArray numbers, double factor) {
        double before = numbers.getDouble(STEP);
        double step = FIRST_STEP;
        double ratio = Double.POSITIVE_INFINITY;
        if (before > 0) {
            double curved = numbers.getDouble(MOVED) / (2 * norm(gradient.sub(vectors[0])));
            double grown = Math.sqrt(1 + numbers.getDouble(RATIO)) * before;
            step = Double.isNaN(curved) ? grown : Math.min(grown, curved);
            ratio = step / before;
        }
        vectors[0].assign(gradient);
        gradient.muli(step * factor);
        numbers.putScalar(STEP, step);
        numbers.putScalar(RATIO, ratio);
        numbers.putScalar(MOVED, norm(gradient));
    }
}
