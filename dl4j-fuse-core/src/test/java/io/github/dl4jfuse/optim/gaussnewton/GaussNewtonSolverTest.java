package io.github.dl4jfuse.optim.gaussnewton;

import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.EXAMPLES;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.OUTPUTS;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.SEED;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.column;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.dense;
import static io.github.dl4jfuse.optim.gaussnewton.DenseForms.oneHot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolution.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** When a run takes a step, and when it ends. */
class GaussNewtonSolverTest {

    private static final OutputLoss LOSS = new SquaredLoss(new double[] {0}, 1, 1);

    /** One output of one parameter. */
    private record OneNumber(DoubleUnaryOperator x, DoubleUnaryOperator slope, double from) implements ResidualModel {

        @Override
        public long parameters() {
            return 1;
        }

        @Override
        public int examples() {
            return 1;
        }

        @Override
        public int outputsPerExample() {
            return 1;
        }

        @Override
        public DataType dataType() {
            return DataType.DOUBLE;
        }

        @Override
        public INDArray start() {
            return Nd4j.createFromArray(from);
        }

        @Override
        public double[] outputs(INDArray point) {
            return new double[] {x.applyAsDouble(point.getDouble(0))};
        }

        @Override
        public OutputJacobian linearise(INDArray point) {
            double d = slope.applyAsDouble(point.getDouble(0));
            return new OutputJacobian() {
                @Override
                public double[] push(INDArray v) {
                    return new double[] {d * v.getDouble(0)};
                }

                @Override
                public INDArray pull(double[] u) {
                    return Nd4j.createFromArray(d * u[0]);
                }
            };
        }
    }

    private static OneNumber arcTangent(double from) {
        return new OneNumber(Math::atan, x -> 1 / (1 + x * x), from);
    }

    /** From 3 a whole Gauss-Newton step goes to -9.5, and on from there to infinity. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void aStepThatGoesTooFarIsShortened(boolean pseudoInverse) {
        List<Double> losses =
                new ArrayList<>(List.of(LOSS.at(new double[] {Math.atan(3)}).value()));
        GaussNewtonSolution end = (pseudoInverse ? GaussNewtonSolver.flow(1) : GaussNewtonSolver.builder())
                .targetLoss(1e-20)
                .progress(progress -> losses.add(progress.value()))
                .build()
                .run(arcTangent(3), LOSS);
        assertThat(end.status()).isEqualTo(Status.TARGET_REACHED);
        assertThat(end.converged()).isTrue();
        for (int i = 1; i < losses.size(); i++) {
            assertThat(losses.get(i)).as("step %d", i).isLessThan(losses.get(i - 1));
        }
        assertThat(losses).hasSize(end.iterations() + 1);
        assertThat(end.evaluations()).as("some were tried in vain").isGreaterThan(losses.size());
    }

    /** Outputs 1, .99, .98 .. step by step: two small decreases are too few, three in a row are enough. */
    @ParameterizedTest
    @CsvSource({"0.3, TARGET_REACHED, 6", "0.97, STATIONARY, 3"})
    void threeSmallDecreasesInARowEndARun(double fourth, Status status, int iterations) {
        double[] x = {1, 0.99, 0.98, fourth, 0.99 * fourth, 0.98 * fourth, 0};
        double[] points = new double[x.length]; // with D = 1, the step from output x is -x
        for (int i = 1; i < x.length; i++) {
            points[i] = points[i - 1] - x[i - 1];
        }
        DoubleUnaryOperator outputs = at -> {
            int nearest = 0;
            for (int i = 1; i < x.length; i++) {
                nearest = Math.abs(points[i] - at) < Math.abs(points[nearest] - at) ? i : nearest;
            }
            return x[nearest];
        };
        GaussNewtonSolution end = GaussNewtonSolver.flow(1)
                .decreaseTolerance(0.05)
                .targetLoss(1e-12)
                .build()
                .run(new OneNumber(outputs, at -> 1, 0), LOSS);
        assertThat(end.status()).isEqualTo(status);
        assertThat(end.iterations()).isEqualTo(iterations);
    }

    @Test
    void aRunEndsWhenItIsTold() {
        var endless = GaussNewtonSolver.flow(0.1).decreaseTolerance(0);
        int[] asked = {0};
        GaussNewtonSolution cancelled =
                endless.cancelWhen(() -> asked[0]++ == 3).build().run(arcTangent(1), LOSS);
        assertThat(cancelled.status()).isEqualTo(Status.CANCELLED);
        assertThat(cancelled.iterations()).isEqualTo(3);
        assertThat(cancelled.time()).isCloseTo(-3 * Math.log(0.9), within(1e-12));
        GaussNewtonSolution limited =
                endless.cancelWhen(() -> false).maxIterations(2).build().run(arcTangent(1), LOSS);
        assertThat(limited.status()).isEqualTo(Status.ITERATION_LIMIT);
        assertThat(limited.iterations()).isEqualTo(2);
        GaussNewtonSolution late = endless.maxSeconds(1e-9).build().run(arcTangent(1), LOSS);
        assertThat(late.status()).isEqualTo(Status.TIME_LIMIT);
        assertThat(late.iterations()).isZero();
    }

    @Test
    void whereNothingHasAnInfluenceNoStepIsTaken() {
        GaussNewtonSolution end = GaussNewtonSolver.minimize(new OneNumber(at -> 2, at -> 0, 5), LOSS);
        assertThat(end.status()).isEqualTo(Status.NO_DECREASE);
        assertThat(end.converged()).isFalse();
        assertThat(end.point().getDouble(0)).isEqualTo(5);
        assertThat(end.value()).isEqualTo(2);
    }

    @Test
    void refusesWhatMakesNoSense() {
        assertThatThrownBy(() -> new SoftmaxLoss(new double[] {1, 1}, 1, 2, 0, SoftmaxLoss.Metric.SOFTMAX))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("add up to 2.0");
        assertThatThrownBy(() -> new SquaredLoss(new double[] {1, Double.NaN}, 1, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NaN");
        assertThatThrownBy(() -> GaussNewtonSolver.builder().eta(1.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(0, 1]");
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, 20, SEED);
        OutputLoss other = new SquaredLoss(new double[4], 4, 1);
        assertThatThrownBy(() -> GaussNewtonSolver.minimize(model, other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the same data");
    }

    @Test
    void aStartThatIsNotFiniteIsSaid() {
        LinearModel model = new LinearModel(
                LinearModel.random(EXAMPLES, OUTPUTS, 20, SEED).d,
                new double[] {Double.NaN, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                EXAMPLES);
        GaussNewtonSolution end = GaussNewtonSolver.minimize(model, new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS));
        assertThat(end.status()).isEqualTo(GaussNewtonSolution.Status.NON_FINITE);
    }

    /** Linear least squares is one step, whatever the form. */
    @ParameterizedTest
    @CsvSource({"40", "7"})
    void aLinearModelIsSolvedInOneStep(int parameters) {
        LinearModel model = LinearModel.random(EXAMPLES, OUTPUTS, parameters, SEED);
        OutputLoss loss = new SquaredLoss(oneHot(), EXAMPLES, OUTPUTS);
        GaussNewtonSolution end =
                GaussNewtonSolver.flow(1).maxIterations(1).build().run(model, loss);
        SimpleMatrix residual = column(loss.at(model.outputs(model.start())).whitened());
        SimpleMatrix d = dense(model.d);
        SimpleMatrix left = residual.minus(d.mult(d.pseudoInverse().mult(residual)));
        assertThat(end.value())
                .as("seed %d", SEED)
                .isCloseTo(left.normF() * left.normF() / (2 * EXAMPLES), within(1e-12));
    }
}
