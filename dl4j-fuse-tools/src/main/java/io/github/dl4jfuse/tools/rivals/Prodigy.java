package io.github.dl4jfuse.tools.rivals;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Prodigy in its Adam form (Mishchenko, Defazio, <i>Prodigy: An Expeditiously Adaptive Parameter-Free Learner</i>, 2023), with the
 * constants of its authors: d = 1e-6 at the start, β₁ = .9, β₂ = .999, ε = 1e-8, and γ = 1 times a schedule.
 *
 * <pre>
 *   m ← β₁ m + (1 - β₁) d g          v ← β₂ v + (1 - β₂) d² g²
 *   r ← √β₂ r + (1 - √β₂) γ d² g·(x₀ - x)     s ← √β₂ s + (1 - √β₂) γ d² g
 *   x ← x - γ d m / (√v + d ε)       d ← max(d, r / |s|₁)
 * </pre>
 *
 * <p>x₀ - x is the sum of the updates, as long as nothing else moves x (no weight decay). One d for each updater block.
 */
public final class Prodigy extends TuningFree {

    private static final double FIRST_DISTANCE = 1e-6;
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final int DISTANCE = 0;
    private static final int PRODUCT = 1;
    private static final long serialVersionUID = 1;

    /**
     * Prodigy.
     *
     * @param schedule gives γ, or null for 1
     */
    public Prodigy(ISchedule schedule) {
        super(schedule);
    }

    @Override
    int vectors() {
        return 4;
    }

    @Override
    void step(INDArray gradient, INDArray[] vectors, INDArray numbers, double factor) {
        INDArray m = vectors[0];
        INDArray v = vectors[1];
        INDArray s = vectors[2];
        INDArray moved = vectors[3]; // x₀ - x
        double d = Math.max(FIRST_DISTANCE, numbers.getDouble(DISTANCE));
        double decay = Math.sqrt(BETA2);
        double weight = (1 - decay) * factor * d * d;
        double r = decay * numbers.getDouble(PRODUCT)
                + weight * Nd4j.getBlasWrapper().dot(gradient, moved);
        s.muli(decay).addi(gradient.mul(weight));
        m.muli(BETA1).addi(gradient.mul((1 - BETA1) * d));
        v.muli(BETA2).addi(gradient.mul(gradient).muli((1 - BETA2) * d * d));
        INDArray root = Transforms.sqrt(v, true).addi(d * EPSILON);
        gradient.assign(m).divi(root).muli(factor * d);
        moved.addi(gradient);
        double size = s.norm1Number().doubleValue();
        numbers.putScalar(DISTANCE, size > 0 ? Math.max(d, r / size) : d);
        numbers.putScalar(PRODUCT, r);
    }
}
