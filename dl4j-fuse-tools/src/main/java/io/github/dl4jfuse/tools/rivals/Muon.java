package io.github.dl4jfuse.tools.rivals;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Muon (Jordan et al., <i>Muon: An optimizer for hidden layers in neural networks</i>, 2024) for a matrix W of r outputs and c inputs,
 * with the step length of Liu et al. (<i>Muon is Scalable for LLM Training</i>, 2025), under which Adam's rates apply:
 *
 * <pre>
 *   M ← μ M + G       X = (G + μ M) / (‖G + μ M‖ + ε)       five times: X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X
 *   W ← W - rate · .2 √max(r, c) · X
 * </pre>
 *
 * with μ = .95, ε = 1e-7 and (a, b, c) = (3.4445, -4.775, 2.0315). The iteration brings all singular values that are not tiny near 1,
 * between about .7 and 1.2. Decay is DL4J's {@code WeightDecay}.
 */
final class Muon extends MatrixUpdater {

    private static final double MOMENTUM = 0.95;
    private static final double EPSILON = 1e-7;
    private static final double LENGTH = 0.2;
    private static final int ITERATIONS = 5;
    private static final double A = 3.4445;
    private static final double B = -4.7750;
    private static final double C = 2.0315;
    private static final long serialVersionUID = 1;

    Muon(ISchedule rate, int layer, List<Matrices> variables) {
        super(rate, layer, variables);
    }

    @Override
    long stateSize(long inputs, long outputs) {
        return inputs * outputs;
    }

    @Override
    void stepOfMatrix(INDArray gradient, INDArray state, double rate) {
        INDArray momentum = state.reshape('f', gradient.shape());
        momentum.muli(MOMENTUM).addi(gradient);
        Nd4j.exec(new Axpy(momentum, gradient, gradient, MOMENTUM));
        INDArray orthogonal = orthogonalised(gradient);
        gradient.assign(orthogonal.muli(rate * LENGTH * Math.sqrt(Math.max(gradient.rows(), gradient.columns()))));
    }

    /** X Xᵀ is taken over the shorter side. */
    private static INDArray orthogonalised(INDArray matrix) {
        boolean wide = matrix.rows() <= matrix.columns();
        long side = Math.min(matrix.rows(), matrix.columns());
        INDArray x = matrix.dup('f');
        x.divi(x.norm2Number().doubleValue() + EPSILON);
        INDArray next = x.ulike();
        INDArray square = Nd4j.createUninitialized(x.dataType(), new long[] {side, side}, 'f');
        INDArray polynomial = square.ulike();
        for (int i = 0; i < ITERATIONS; i++) {
            Nd4j.gemm(x, x, square, !wide, wide, 1, 0);
            polynomial.assign(square);
            Nd4j.gemm(square, square, polynomial, false, false, C, B);
            next.assign(x);
            Nd4j.gemm(wide ? polynomial : x, wide ? x : polynomial, next, false, false, 1, A);
            INDArray swap = x;
            x = next;
            next = swap;
        }
        return x;
    }
}
