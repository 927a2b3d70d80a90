package io.github.dl4jfuse.tools.rivals;

import java.util.List;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Schedule-Free AdamW (Defazio et al., <i>The Road Less Scheduled</i>, 2024) with β₁ = .9, β₂ = .999, ε = 1e-8, as in the code of
 * its authors. The network holds y; g is the gradient at y, t = 1, 2, .., and T the steps of the warm-up:
 *
 * <pre>
 *   γ = rate · min(1, t / T)         c = γ² / (sum of all γ² so far)
 *   v ← β₂ v + (1 - β₂) g²           d = g / (√(v / (1 - β₂ᵗ)) + ε) + decay · y
 *   z ← z - γ d                      x ← (1 - c) x + c z                  y ← (1 - β₁) z + β₁ x
 * </pre>
 *
 * <p>Kept are v and y - z; x, the point that answers, is y + (1 - β₁) / β₁ (y - z). DL4J shows its parameters to an updater by way of
 * {@link DecayPoint} only, so the layers of a block with decay must have one.
 */
final class ScheduleFree extends TuningFree {

    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final int STEPS = 0;
    private static final int LAG = 1;
    private static final long serialVersionUID = 1;

    private final double decay;
    private final int warmUpSteps;
    private double rate;

    ScheduleFree(double rate, double decay, int warmUpSteps) {
        super(null);
        this.rate = rate;
        this.decay = decay;
        this.warmUpSteps = warmUpSteps;
    }

    @Override
    int vectors() {
        return 2;
    }

    @Override
    void step(INDArray gradient, INDArray[] vectors, INDArray numbers, double factor) {
        double t = numbers.getDouble(STEPS) + 1;
        INDArray v = vectors[0];
        INDArray lag = vectors[LAG]; // y - z
        double c = weight(t) / weights(t);
        double step = rate * Math.sqrt(weight(t));
        v.muli(BETA2).addi(gradient.mul(gradient).muli(1 - BETA2));
        INDArray root = Transforms.sqrt(v.div(1 - Math.pow(BETA2, t)), false).addi(EPSILON);
        gradient.divi(root);
        if (decay != 0) {
            addDecay(gradient);
        }
        INDArray direction = gradient.dup();
        gradient.muli(step * (1 - BETA1 * (1 - c)));
        Nd4j.exec(new Axpy(lag, gradient, gradient, c));
        Nd4j.exec(new Axpy(direction, lag, lag, BETA1 * step));
        lag.muli(1 - c);
        numbers.putScalar(STEPS, t);
    }

    private void addDecay(INDArray gradient) {
        List<INDArray> parameters = DecayPoint.take();
        long from = 0;
        for (INDArray each : parameters) {
            INDArray part = gradient.get(NDArrayIndex.interval(from, from + each.length()));
            Nd4j.exec(new Axpy(each.reshape(each.length()), part, part, decay));
            from += each.length();
        }
        if (from != gradient.length()) {
            throw new IllegalStateException("Schedule-Free's decay needs all " + gradient.length()
                    + " parameters of its block, and saw " + from + ": set it by Rivals.scheduleFree.");
        }
    }

    /** γ² of step t over rate². */
    private double weight(double t) {
        double share = warmUpSteps == 0 ? 1 : Math.min(1, t / warmUpSteps);
        return share * share;
    }

    /** Sum of {@link #weight} over steps 1 to t: squares, then ones. */
    private double weights(double t) {
        double w = Math.min(t, warmUpSteps);
        double squares = warmUpSteps == 0 ? 0 : w * (w + 1) * (2 * w + 1) / 6 / warmUpSteps / warmUpSteps;
        return squares + Math.max(0, t - warmUpSteps);
    }

    /** Moves a block's parameters from y to x. */
    void moveToAverage(INDArray parameters, INDArray state) {
        INDArray lag = vector(state, LAG, parameters.length());
        Nd4j.exec(new Axpy(lag, parameters, parameters, (1 - BETA1) / BETA1));
    }

    @Override
    public double getLearningRate(int iteration, int epoch) {
        return rate;
    }

    @Override
    public boolean hasLearningRate() {
        return true;
    }

    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        if (lrSchedule != null) {
            throw new IllegalArgumentException("Schedule-Free takes a rate and no schedule.");
        }
        rate = lr;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScheduleFree that
                && rate == that.rate
                && decay == that.decay
                && warmUpSteps == that.warmUpSteps;
    }

    @Override
    public int hashCode() {
        return Objects.hash(rate, decay, warmUpSteps);
    }

    @Override
    public String toString() {
        return "ScheduleFree(rate=" + rate + ", decay=" + decay + ", warmUpSteps=" + warmUpSteps + ")";
    }
}
