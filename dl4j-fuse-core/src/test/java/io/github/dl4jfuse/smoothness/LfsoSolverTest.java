package io.github.dl4jfuse.smoothness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class LfsoSolverTest {

    private static final long SEED = 20261124;

    /** |x| shrinks by 1 - a with a (2p - 1) (1 + a)^(2p - 2) = 1, the values to 5 digits found by solving that equation. */
    @ParameterizedTest
    @CsvSource({"1, 1.00000", "2, 0.22290", "3, 0.12490", "5, 0.06642", "10, 0.03060", "20, 0.01472"})
    void contractsPowersOfTheNormAtTheKnownRate(double p, double a) {
        Objective objective = Objective.of(3, SmoothnessOraclesTest.normPower(p));
        INDArray start = Nd4j.createFromArray(0.6, -0.5, 0.2);
        List<Double> lengths = new ArrayList<>();
        LfsoSolver solver = new LfsoSolver(
                SmoothnessOracles.normPower(p),
                10,
                0,
                each -> lengths.add(each.step().length()));
        double before = SmoothnessOracles.norm(start);
        Solution minimum = solver.run(objective, start);
        double after = SmoothnessOracles.norm(minimum.point());
        if (p == 1) {
            assertThat(after).isLessThan(1e-9);
            return;
        }
        assertThat(minimum.iterations()).isEqualTo(10);
        for (double length : lengths) {
            assertThat(length / before).isCloseTo(a, within(0.5e-5 + 1e-9));
            before -= length;
        }
        assertThat(after).isCloseTo(before, within(1e-12));
    }

    @Test
    void convergesLinearlyWhereGradientDescentWithAFixedStepDoesNot() {
        Objective objective = Objective.of(1, SmoothnessOraclesTest.normPower(5));
        Solution minimum = new LfsoSolver(SmoothnessOracles.normPower(5), 200, 0, each -> {})
                .run(objective, Nd4j.createFromArray(1.0));
        // 200 steps at 0.93358; gradient descent with 1 / L of the unit ball stands at .532 by then.
        assertThat(minimum.point().getDouble(0)).isCloseTo(Math.pow(0.93358, 200), within(0.005 * 1.1e-6));
    }

    @Test
    void goesTowardsTheMinimumOfAFunctionFlatterThanAnyPower() {
        Objective objective = Objective.of(1, (x, g) -> {
            double f = Math.exp(-1 / (x[0] * x[0]));
            g[0] = 2 / (x[0] * x[0] * x[0]) * f;
            return f;
        });
        Solution minimum = new LfsoSolver(SmoothnessOracles.exponentialOfInverseSquare(), 20_000, 1e-140, each -> {})
                .run(objective, Nd4j.createFromArray(1.0));
        assertThat(minimum.status()).isEqualTo(Solution.Status.CONVERGED_GRADIENT);
        assertThat(minimum.value()).isLessThan(1e-135);
    }

    @Test
    void everyStepKeepsItsPromise() {
        double[][] data = new double[40][3];
        Random random = new Random(SEED);
        for (double[] row : data) {
            for (int j = 0; j < 3; j++) {
                row[j] = 3 * random.nextGaussian();
            }
        }
        int n = 12;
        Objective objective = Objective.of(n, SmoothnessOraclesTest.softmax(data, 3));
        SoftmaxRegression oracle = new SoftmaxRegression(Nd4j.createFromArray(data), 3);
        double[] previous = {objective.value(Nd4j.zeros(DataType.DOUBLE, n))};
        Solution minimum = new LfsoSolver(oracle, 500, 1e-6, each -> {
                    double g = each.gradientNorm();
                    double l = each.step().smoothness();
                    assertThat(previous[0] - each.value())
                            .as("step %d, seed %d", each.iteration(), SEED)
                            .isGreaterThanOrEqualTo(g * g / (2 * l) * (1 - 1e-6) - 1e-14);
                    assertThat(each.step().radius()).isCloseTo(g / l, within(1e-6 * g / l));
                    previous[0] = each.value();
                })
                .run(objective, Nd4j.zeros(DataType.DOUBLE, n));
        assertThat(minimum.status()).isEqualTo(Solution.Status.CONVERGED_GRADIENT);
        assertThat(minimum.functionEvaluations()).isEqualTo(minimum.iterations() + 1);
    }

    @Test
    void finishesASoftmaxRegressionInDeeplearning4j() {
        MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .list()
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(5)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        net.init();
        Random random = new Random(SEED);
        INDArray features = Nd4j.zeros(DataType.DOUBLE, 60, 5);
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, 60, 3);
        for (int i = 0; i < 60; i++) {
            for (int j = 0; j < 5; j++) {
                features.putScalar(i, j, random.nextGaussian());
            }
            labels.putScalar(i, random.nextInt(3), 1);
        }
        DataSet data = new DataSet(features, labels);
        Solution minimum = new LfsoSolver(new SoftmaxRegression(features, 3), 2_000, 1e-7, each -> {})
                .run(new NetworkObjective(net, data));
        assertThat(minimum.status()).as(minimum.message()).isEqualTo(Solution.Status.CONVERGED_GRADIENT);
        assertThat(net.score(data)).isCloseTo(minimum.value(), within(1e-12));
    }

    /** An oracle that is too small would be believed without the check of each step. */
    @Test
    void anOracleOfAnotherFunctionEndsTheRunAtTheBestPoint() {
        Objective objective = Objective.of(1, SmoothnessOraclesTest.normPower(1));
        Solution minimum = new LfsoSolver(SmoothnessOracles.lipschitz(0.9)).run(objective, Nd4j.createFromArray(3.0));
        assertThat(minimum.status()).isEqualTo(Solution.Status.SEARCH_FAILED);
        assertThat(minimum.message()).contains("not one of this function");
        assertThat(minimum.point().getDouble(0)).isEqualTo(3.0);
        assertThat(minimum.value()).isEqualTo(9.0);
    }

    @Test
    void nothingNonFiniteIsAccepted() {
        Objective objective = Objective.of(1, (x, g) -> {
            g[0] = 1;
            return x[0] < 0.5 ? Double.NaN : x[0];
        });
        Solution minimum = new LfsoSolver(SmoothnessOracles.lipschitz(1)).run(objective, Nd4j.createFromArray(1.0));
        assertThat(minimum.status()).isEqualTo(Solution.Status.NON_FINITE);
        assertThat(minimum.point().getDouble(0)).isEqualTo(1.0);
        assertThat(minimum.value()).isEqualTo(1.0);
        assertThat(new LfsoSolver(SmoothnessOracles.lipschitz(1))
                        .run(objective, Nd4j.createFromArray(0.0))
                        .status())
                .isEqualTo(Solution.Status.NON_FINITE);
    }

    @Test
    void aConstantFunctionAndALinearOneEndAtOnce() {
        Objective constant = Objective.of(2, (x, g) -> 7);
        assertThat(new LfsoSolver(SmoothnessOracles.lipschitz(1))
                        .run(constant, Nd4j.createFromArray(1.0, 2.0))
                        .status())
                .isEqualTo(Solution.Status.CONVERGED_GRADIENT);
        Objective linear = Objective.of(1, (x, g) -> {
            g[0] = 1;
            return x[0];
        });
        assertThat(new LfsoSolver(SmoothnessOracles.lipschitz(0))
                        .run(linear, Nd4j.createFromArray(1.0))
                        .status())
                .isEqualTo(Solution.Status.UNBOUNDED);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-100, 1e-4, 1, 1e4, 1e100})
    void theFirstGuessOfTheRadiusDoesNotMatter(double guess) {
        SafeStep step = SafeStep.longest(r -> 2 + r, 3, guess);
        assertThat(step.radius()).isCloseTo(1, within(1e-9)); // R (2 + R) = 3
        assertThat(step.length()).isCloseTo(1, within(1e-9));
    }

    @Test
    void whereTheOracleJumpsTheStepEndsBeforeTheJump() {
        SafeStep step = SafeStep.longest(r -> r < 2 ? 1 : Double.POSITIVE_INFINITY, 5, 1);
        assertThat(step.length()).isCloseTo(2, within(1e-8)).isLessThanOrEqualTo(2);
        assertThat(step.smoothness()).isEqualTo(1);
        assertThat(SafeStep.longest(r -> Double.POSITIVE_INFINITY, 5, 1).length())
                .isZero();
        assertThatThrownBy(() -> SafeStep.longest(r -> Double.NaN, 5, 1)).hasMessageContaining("gave NaN");
    }
}
