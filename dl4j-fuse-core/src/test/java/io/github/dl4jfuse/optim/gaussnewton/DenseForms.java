package io.github.dl4jfuse.optim.gaussnewton;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.ejml.simple.SimpleMatrix;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Small problems and the dense matrices of their formulas, by EJML. */
final class DenseForms {

    static final long SEED = 20261124;
    static final int EXAMPLES = 5;
    static final int OUTPUTS = 3;
    static final int N = EXAMPLES * OUTPUTS;

    private DenseForms() {}

    static double[] oneHot() {
        Random random = new Random(SEED);
        double[] labels = new double[N];
        for (int i = 0; i < EXAMPLES; i++) {
            labels[i * OUTPUTS + random.nextInt(OUTPUTS)] = 1;
        }
        return labels;
    }

    static SoftmaxLoss softmax() {
        return new SoftmaxLoss(oneHot(), EXAMPLES, OUTPUTS, 0.1, SoftmaxLoss.Metric.SOFTMAX);
    }

    /** S, block by block, written out: diag(√p) - p √p'. */
    static SimpleMatrix root(OutputLoss.Local local) {
        double[] p = local.coordinates();
        SimpleMatrix s = new SimpleMatrix(N, N);
        for (int i = 0; i < N; i++) {
            for (int e = i / OUTPUTS * OUTPUTS; e < (i / OUTPUTS + 1) * OUTPUTS; e++) {
                s.set(i, e, (i == e ? Math.sqrt(p[i]) : 0) - p[i] * Math.sqrt(p[e]));
            }
        }
        return s;
    }

    static SimpleMatrix dense(INDArray matrix) {
        return new SimpleMatrix(
                (int) matrix.size(0),
                (int) matrix.size(1),
                true,
                matrix.dup('c').data().asDouble());
    }

    static SimpleMatrix column(double[] v) {
        return new SimpleMatrix(v.length, 1, true, v);
    }

    static void assertSame(SimpleMatrix expected, INDArray actual, double tolerance, String what) {
        SimpleMatrix difference = expected.minus(column(actual.toDoubleVector()));
        assertThat(difference.normF() / expected.normF())
                .as("%s, seed %d", what, SEED)
                .isLessThan(tolerance);
    }
}
