package io.github.dl4jfuse.optim.lbfgs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.functions.IrisLogisticRegression;
import io.github.dl4jfuse.functions.Landscapes;
import io.github.dl4jfuse.functions.MoreGarbowHillstrom;
import io.github.dl4jfuse.functions.ScipyReference;
import io.github.dl4jfuse.functions.TestFunction;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.Solution.Status;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LbfgsSolverTest {

    /** SciPy's options, as far as they mean the same. */
    static LbfgsSolver.Builder asScipy() {
        return LbfgsSolver.builder()
                .gradientTolerance(1e-8)
                .decreaseTolerance(1e-15)
                .relativeDecreaseTolerance(1e-15)
                .maxIterations(15_000)
                .maxEvaluations(15_000);
    }

    static List<TestFunction> functions() {
        List<TestFunction> all = new ArrayList<>(MoreGarbowHillstrom.all());
        all.addAll(Landscapes.all());
        all.add(new IrisLogisticRegression());
        return all;
    }

    static Objective objective(TestFunction function) {
        return Objective.of(function.dimension(), (x, gradient) -> {
            function.gradient(x, gradient);
            return function.value(x);
        });
    }

    static INDArray start(TestFunction function) {
        return Nd4j.createFromArray(function.start());
    }

    /** The trial point lay in the slot of the oldest pair, which is gone even if the new pair is refused. */
    @Test
    void aRefusedPairTakesTheOldestWithIt() {
        // Convex and concave in turn; one trial for each step, so a step may end where the slope still falls.
        Objective waves = Objective.of(1, (x, gradient) -> {
            double at = x[0];
            gradient[0] = at / 10 + Math.cos(at);
            return at * at / 20 + Math.sin(at);
        });
        int refusedWhenFull = 0;
        for (int start = 2; start < 30; start++) {
            List<LbfgsProgress> steps = new ArrayList<>();
            LbfgsSolver.builder()
                    .memory(1)
                    .maxSearchEvaluations(1)
                    .progress(steps::add)
                    .build()
                    .run(waves, Nd4j.createFromArray((double) start));
            for (int k = 1; k < steps.size() - 1; k++) {
                boolean fullBefore = steps.get(k - 1).slope() > steps.get(k - 1).previousSlope();
                boolean refused = steps.get(k).slope() <= steps.get(k).previousSlope();
                if (fullBefore && refused) {
                    refusedWhenFull++;
                    double norm = steps.get(k).gradientNorm();
                    assertThat(steps.get(k + 1).previousSlope())
                            .as("after step %d of %s", k, steps)
                            .isCloseTo(-norm * norm, within(1e-12 * norm * norm));
                }
            }
        }
        assertThat(refusedWhenFull).isPositive();
    }

    /** Twice the gradient has the same zeros, so nothing but the decreases can tell. */
    @ParameterizedTest
    @ValueSource(doubles = {1, 2, 0.5})
    void saysWhenTheValueDoesNotFallAsTheGradientSays(double times) {
        for (TestFunction function : functions()) {
            Objective objective = Objective.of(function.dimension(), (x, gradient) -> {
                function.gradient(x, gradient);
                for (int i = 0; i < gradient.length; i++) {
                    gradient[i] *= times;
                }
                return function.value(x);
            });
            Solution minimum =
                    LbfgsSolver.builder().gradientTolerance(0).build().run(objective, start(function));
            boolean fewSteps = minimum.iterations() <= 5; // too few to tell
            assertThat(minimum.status())
                    .as("%s: %s", function, minimum)
                    .isNotEqualTo(
                            times == 1 || fewSteps
                                    ? Solution.Status.GRADIENT_MISMATCH
                                    : Solution.Status.CONVERGED_DECREASE);
        }
    }

    @Test
    void solvesWhatScipySolvesWithAsManyEvaluations() throws IOException {
        Map<String, Map<String, String>> reference = ScipyReference.rows();
        List<Double> ratios = new ArrayList<>();
        for (TestFunction function : functions()) {
            Map<String, String> row = reference.get(function.toString());
            if (row.get("nfev_to_1e8").isEmpty()) {
                continue; // SciPy does not get there
            }
            Solution ours = asScipy().build().run(objective(function), start(function));
            double known = Double.parseDouble(row.get("f_star"));
            assertThat(ours.value())
                    .as("%s: %s", function, ours)
                    .isCloseTo(known, within(1e-8 * Math.max(1, Math.abs(known))));
            double ratio = ours.functionEvaluations() / Double.parseDouble(row.get("nfev"));
            assertThat(ratio).as("%s: %s", function, ours).isLessThanOrEqualTo(1.5);
            ratios.add(ratio);
        }
        assertThat(ratios).hasSizeGreaterThan(40);
        Collections.sort(ratios);
        assertThat(ratios.get(ratios.size() / 2)).isLessThanOrEqualTo(1.0);
    }

    @ParameterizedTest
    @MethodSource("functions")
    void everyAcceptedStepMeetsTheWolfeConditionsAndTheValueNeverRises(TestFunction function) {
        List<LbfgsProgress> steps = new ArrayList<>();
        Solution minimum =
                asScipy().maxIterations(300).progress(steps::add).build().run(objective(function), start(function));
        double rounding = 10 * Math.ulp(1.0) / 2;
        for (LbfgsProgress step : steps) {
            assertThat(step.value()).isLessThanOrEqualTo(step.previousValue());
            if (step.wolfe() && step.previousValue() - step.value() > rounding * Math.abs(step.previousValue())) {
                assertThat(step.value())
                        .as("%s: sufficient decrease of %s", function, step)
                        .isLessThanOrEqualTo(step.previousValue()
                                + MoreThuente.DEFAULT_SUFFICIENT_DECREASE * step.step() * step.previousSlope());
                assertThat(Math.abs(step.slope()))
                        .as("%s: curvature condition of %s", function, step)
                        .isLessThanOrEqualTo(-MoreThuente.DEFAULT_CURVATURE * step.previousSlope());
            }
        }
        assertThat(steps.stream().filter(LbfgsProgress::wolfe).count())
                .as("%s: %s", function, minimum)
                .isGreaterThanOrEqualTo((long) (0.9 * steps.size()));
        double[] gradient = new double[function.dimension()];
        function.gradient(minimum.point().toDoubleVector(), gradient);
        assertThat(minimum.value()).isEqualTo(function.value(minimum.point().toDoubleVector()));
        assertThat(minimum.gradientNorm())
                .isCloseTo(
                        Math.sqrt(Arrays.stream(gradient).map(g -> g * g).sum()),
                        within(1e-12 * (1 + minimum.gradientNorm())));
        assertThat(minimum.iterations()).isEqualTo(steps.size());
    }

    /** Powers of two change no digit, so nothing may change at all. */
    @ParameterizedTest
    @MethodSource("functions")
    void scalesOfValueAndPointDoNotMatter(TestFunction function) {
        int steps = 40;
        Solution plain = LbfgsSolver.builder().maxIterations(steps).build().run(objective(function), start(function));
        double ofValue = 0x1p-30;
        Solution scaledValue = LbfgsSolver.builder()
                .maxIterations(steps)
                .gradientTolerance(ofValue * Math.sqrt(Math.ulp(1.0) / 2))
                .build()
                .run(
                        Objective.of(function.dimension(), (x, gradient) -> {
                            function.gradient(x, gradient);
                            Arrays.setAll(gradient, i -> ofValue * gradient[i]);
                            return ofValue * function.value(x);
                        }),
                        start(function));
        assertThat(scaledValue.point())
                .as("%s: %s against %s", function, scaledValue, plain)
                .isEqualTo(plain.point());
        double ofPoint = 0x1p20;
        Solution scaledPoint = LbfgsSolver.builder()
                .maxIterations(steps)
                .gradientTolerance(Math.sqrt(Math.ulp(1.0) / 2) / ofPoint)
                .firstStepLength(ofPoint)
                .build()
                .run(
                        Objective.of(function.dimension(), (x, gradient) -> {
                            double[] original =
                                    Arrays.stream(x).map(xi -> xi / ofPoint).toArray();
                            function.gradient(original, gradient);
                            Arrays.setAll(gradient, i -> gradient[i] / ofPoint);
                            return function.value(original);
                        }),
                        start(function).mul(ofPoint));
        assertThat(scaledPoint.point().div(ofPoint))
                .as("%s: %s against %s", function, scaledPoint, plain)
                .isEqualTo(plain.point());
    }

    @ParameterizedTest
    @MethodSource("searches")
    void minimisesInFloatDownToItsRounding(LineSearch search) {
        long seed = 5;
        Random random = new Random(seed);
        int n = 50;
        double[] centre = random.doubles(n).toArray();
        Objective quadratic = new Objective(n, DataType.FLOAT) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                INDArray away = point.sub(Nd4j.createFromArray(centre).castTo(DataType.FLOAT));
                INDArray weighted = away.mul(Nd4j.linspace(1, 100, n, DataType.FLOAT));
                if (gradient != null) {
                    gradient.assign(weighted);
                }
                return 3 + (float) Nd4j.getBlasWrapper().dot(away, weighted) / 2;
            }
        };
        Solution minimum =
                LbfgsSolver.builder().lineSearch(search).build().run(quadratic, Nd4j.zeros(DataType.FLOAT, n));
        assertThat(minimum.converged()).as("%s, seed %d", minimum, seed).isTrue();
        assertThat(minimum.point().dataType()).isEqualTo(DataType.FLOAT);
        for (int i = 0; i < n; i++) {
            // A decrease of 10 rounding units of f moves the flattest variable by this much.
            assertThat(minimum.point().getDouble(i)).as("seed %d", seed).isCloseTo(centre[i], within(3e-3));
        }
    }

    @Test
    void armijoWithDampingSolvesRosenbrockToo() {
        TestFunction rosenbrock = MoreGarbowHillstrom.all().get(0);
        Solution minimum =
                asScipy().lineSearch(new ArmijoBacktracking()).build().run(objective(rosenbrock), start(rosenbrock));
        assertThat(minimum.value()).as("%s", minimum).isLessThan(1e-12);
    }

    @Test
    void stopsWhereItIsToldAndSaysSo() {
        TestFunction rosenbrock = MoreGarbowHillstrom.all().get(1);
        assertThat(LbfgsSolver.builder().maxIterations(3).build().run(objective(rosenbrock), start(rosenbrock)))
                .satisfies(minimum -> {
                    assertThat(minimum.status()).isEqualTo(Status.ITERATION_LIMIT);
                    assertThat(minimum.iterations()).isEqualTo(3);
                });
        for (long limit : new long[] {1, 2, 5, 17}) {
            Objective counted = objective(rosenbrock);
            Solution minimum =
                    LbfgsSolver.builder().maxEvaluations(limit).build().run(counted, start(rosenbrock));
            assertThat(minimum.status()).isEqualTo(Status.EVALUATION_LIMIT);
            assertThat(minimum.functionEvaluations())
                    .as("one more where the best trial step has to be taken up again")
                    .isBetween(limit, limit + 1)
                    .isEqualTo(counted.functionEvaluations());
        }
        assertThat(LbfgsSolver.builder()
                        .maxSeconds(1e-9)
                        .build()
                        .run(objective(rosenbrock), start(rosenbrock))
                        .status())
                .isEqualTo(Status.TIME_LIMIT);
        AtomicReference<LbfgsProgress> last = new AtomicReference<>();
        Solution cancelled = LbfgsSolver.builder()
                .progress(last::set)
                .cancelWhen(() -> last.get() != null && last.get().iteration() == 4)
                .build()
                .run(objective(rosenbrock), start(rosenbrock));
        assertThat(cancelled.status()).isEqualTo(Status.CANCELLED);
        assertThat(cancelled.iterations()).isEqualTo(4);
    }

    @Test
    void aCallbackThatThrowsLosesNothing() {
        TestFunction rosenbrock = MoreGarbowHillstrom.all().get(0);
        AtomicReference<INDArray> accepted = new AtomicReference<>();
        Objective told = new Objective(2, DataType.DOUBLE) {
            @Override
            protected double evaluate(INDArray point, INDArray gradient) {
                double[] g = new double[2];
                rosenbrock.gradient(point.toDoubleVector(), g);
                gradient.assign(Nd4j.createFromArray(g));
                return rosenbrock.value(point.toDoubleVector());
            }

            @Override
            public void accept(INDArray best) {
                accepted.set(best);
            }
        };
        assertThatThrownBy(() -> LbfgsSolver.builder()
                        .progress(each -> {
                            throw new IllegalStateException("no more");
                        })
                        .build()
                        .run(told, start(rosenbrock)))
                .hasMessage("no more");
        assertThat(rosenbrock.value(accepted.get().toDoubleVector())).isLessThan(rosenbrock.value(rosenbrock.start()));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
    void refusesSettingsThatMakeNoSense(int which) {
        LbfgsSolver.Builder builder = LbfgsSolver.builder();
        String[] names = {
            "memory",
            "maxIterations",
            "maxEvaluations",
            "maxSeconds",
            "gradientTolerance",
            "relativeGradientTolerance",
            "decreaseTolerance",
            "relativeDecreaseTolerance",
            "firstStepLength",
            "lineSearch"
        };
        switch (which) {
            case 0 -> builder.memory(0);
            case 1 -> builder.maxIterations(-1);
            case 2 -> builder.maxEvaluations(0);
            case 3 -> builder.maxSeconds(Double.NaN);
            case 4 -> builder.gradientTolerance(-1e-8);
            case 5 -> builder.relativeGradientTolerance(Double.NaN);
            case 6 -> builder.decreaseTolerance(-1);
            case 7 -> builder.relativeDecreaseTolerance(-1);
            case 8 -> builder.firstStepLength(0);
            default -> builder.lineSearch(null);
        }
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(names[which]);
    }

    @Test
    void refusesPointsThatDoNotFitAndTolerancesThatCannotBeMet() {
        Objective plane = Objective.of(2, (x, g) -> 0);
        assertThatThrownBy(() -> LbfgsSolver.minimize(plane, Nd4j.zeros(DataType.DOUBLE, 3)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rank-1 array of 2 elements");
        assertThatThrownBy(() -> LbfgsSolver.minimize(plane, Nd4j.zeros(DataType.FLOAT, 2)))
                .hasMessageContaining("DOUBLE");
        assertThatThrownBy(() -> LbfgsSolver.minimize(plane, null)).hasMessageContaining("not null");
        assertThatThrownBy(() -> LbfgsSolver.minimize(plane)).hasMessageContaining("no start of its own");
        assertThatThrownBy(() -> Objective.of(0, (x, g) -> 0)).hasMessageContaining("at least one variable");
        assertThatThrownBy(() -> LbfgsSolver.builder()
                        .relativeDecreaseTolerance(1e-17)
                        .build()
                        .run(plane, Nd4j.zeros(DataType.DOUBLE, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("below the rounding unit");
    }

    static List<LineSearch> searches() {
        return List.of(new MoreThuente(), new ArmijoBacktracking());
    }
}
