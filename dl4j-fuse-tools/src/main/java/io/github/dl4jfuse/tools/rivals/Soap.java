package io.github.dl4jfuse.tools.rivals;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * SOAP (Vyas et al., <i>SOAP: Improving and Stabilizing Shampoo using Adam</i>, 2024) as in the code of its authors, with
 * β₁ = β₂ = β = .95 and ε = 1e-8. For a matrix with gradient G, t = 1, 2, ..:
 *
 * <pre>
 *   P = Q_Lᵀ G Q_R       M ← β₁ M + (1 - β₁) P       V ← β₂ V + (1 - β₂) P²
 *   W ← W - rate · √(1 - β₂ᵗ) / (1 - β₁ᵗ) · Q_L (M / (√V + ε)) Q_Rᵀ
 *   L ← β L + (1 - β) G Gᵀ       R ← β R + (1 - β) Gᵀ G
 *   every tenth step: columns of Q by falling qᵀ L q (V with them), Q ← Q of the QR decomposition of L Q, M into the new basis
 * </pre>
 *
 * The very first gradient only makes L, R and their eigenvectors Q, and moves no weight, as published. A side that is longer than a
 * bound, or the longer one of the one-sided form, is not rotated. Decay is DL4J's {@code WeightDecay}.
 *
 * <p>As published, M turns with Q and V does not. Where gradients have no full rank (a side longer than the batch) M / √V can be large
 * after a turn, and weights that matter to no example grow, most in the one-sided form.
 */
final class Soap extends MatrixUpdater {

    /** Both averages, also where no matrix is. */
    static final double BETA = 0.95;

    private static final double EPSILON = 1e-8;
    private static final int PERIOD = 10;
    private static final int NUMBERS = 1;
    private static final long serialVersionUID = 1;

    private final boolean oneSided;
    private final long longestSide;

    Soap(ISchedule rate, int layer, List<Matrices> variables, boolean oneSided, long longestSide) {
        super(rate, layer, variables);
        this.oneSided = oneSided;
        this.longestSide = longestSide;
    }

    private boolean rotatesInputs(long inputs, long outputs) {
        return inputs <= longestSide && (!oneSided || inputs < outputs);
    }

    private boolean rotatesOutputs(long inputs, long outputs) {
        return outputs <= longestSide && (!oneSided || outputs <= inputs);
    }

    @Override
    long stateSize(long inputs, long outputs) {
        return NUMBERS
                + 2 * inputs * outputs
                + (rotatesInputs(inputs, outputs) ? SoapSide.stateSize(inputs) : 0)
                + (rotatesOutputs(inputs, outputs) ? SoapSide.stateSize(outputs) : 0);
    }

    @Override
    void stepOfMatrix(INDArray gradient, INDArray state, double rate) {
        if (!Double.isFinite(gradient.norm1Number().doubleValue())) {
            gradient.assign(Double.NaN); // as Adam's would be; eigenvectors could not be computed
            return;
        }
        List<SoapSide> sides = sides(gradient, state);
        double steps = state.getDouble(0); // with the first, which moves nothing
        state.putScalar(0, steps + 1);
        if (steps == 0) {
            sides.forEach(side -> side.average(gradient, BETA));
            sides.forEach(SoapSide::begin);
            gradient.assign(0);
            return;
        }
        long size = gradient.length();
        INDArray m = part(state, NUMBERS, size).reshape('f', gradient.shape());
        INDArray v = part(state, NUMBERS + size, size).reshape('f', gradient.shape());
        INDArray rotated = rotated(gradient, sides);
        m.muli(BETA).addi(rotated.mul(1 - BETA));
        v.muli(BETA).addi(rotated.muli(rotated).muli(1 - BETA));
        double length = rate * Math.sqrt(1 - Math.pow(BETA, steps)) / (1 - Math.pow(BETA, steps));
        INDArray update = m.div(Transforms.sqrt(v, true).addi(EPSILON)).muli(length);
        sides.forEach(side -> side.average(gradient, BETA));
        gradient.assign(rotatedBack(update, sides));
        if (steps % PERIOD == 0) {
            INDArray original = rotatedBack(m, sides);
            sides.forEach(side -> side.refresh(v));
            m.assign(rotated(original, sides));
        }
    }

    private List<SoapSide> sides(INDArray gradient, INDArray state) {
        long inputs = gradient.rows();
        long outputs = gradient.columns();
        List<SoapSide> sides = new ArrayList<>(2);
        long from = NUMBERS + 2 * gradient.length();
        if (rotatesInputs(inputs, outputs)) {
            sides.add(new SoapSide(part(state, from, SoapSide.stateSize(inputs)), inputs, true));
            from += SoapSide.stateSize(inputs);
        }
        if (rotatesOutputs(inputs, outputs)) {
            sides.add(new SoapSide(part(state, from, SoapSide.stateSize(outputs)), outputs, false));
        }
        return sides;
    }

    private static INDArray part(INDArray state, long from, long length) {
        return state.get(NDArrayIndex.interval(from, from + length));
    }

    private static INDArray rotated(INDArray matrix, List<SoapSide> sides) {
        INDArray result = sides.isEmpty() ? matrix.dup('f') : matrix;
        for (SoapSide side : sides) {
            result = side.rotated(result, false);
        }
        return result;
    }

    private static INDArray rotatedBack(INDArray matrix, List<SoapSide> sides) {
        INDArray result = matrix;
        for (SoapSide side : sides) {
            result = side.rotated(result, true);
        }
        return result;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && oneSided == ((Soap) other).oneSided && longestSide == ((Soap) other).longestSide;
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), oneSided, longestSide);
    }

    @Override
    public String toString() {
        return super.toString() + (oneSided ? ", one-sided" : "") + ", sides up to " + longestSide;
    }
}
