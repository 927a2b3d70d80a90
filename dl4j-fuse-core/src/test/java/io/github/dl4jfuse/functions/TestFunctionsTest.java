package io.github.dl4jfuse.functions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The functions against differences, against published numbers, and against the formulas in NumPy. */
class TestFunctionsTest {

    private static final long SEED = 11;
    private static final int POINTS = 5;
    private static final double ULP = Math.ulp(1.0);

    static List<TestFunction> functions() {
        Stream<TestFunction> paper = MoreGarbowHillstrom.all().stream();
        Stream<TestFunction> others = Stream.concat(Landscapes.all().stream(), Stream.of(new IrisLogisticRegression()));
        return Stream.concat(paper, others).toList();
    }

    private static TestFunction function(String name, int n) {
        return functions().stream()
                .filter(f -> f.name().equals(name) && f.dimension() == n)
                .findAny()
                .orElseThrow();
    }

    private static double nearestMinimum(TestFunction f, double value) {
        return Arrays.stream(f.minima())
                .boxed()
                .min(Comparator.comparingDouble(m -> Math.abs(m - value)))
                .orElseThrow();
    }

    private static double[][] points(TestFunction f) {
        Random random = new Random(SEED);
        double[][] points = new double[POINTS + 1][];
        points[0] = f.start();
        for (int k = 1; k <= POINTS; k++) {
            points[k] = f.start();
            for (int j = 0; j < f.dimension(); j++) {
                points[k][j] += 0.05 * (1 + Math.abs(points[k][j])) * random.nextGaussian();
            }
        }
        return points;
    }

    /** Central differences of fourth order, where those of second order are too coarse for the badly scaled. */
    private static void assertIsGradient(double[] g, ToDoubleFunction<double[]> f, double[] x, String what) {
        double value = f.applyAsDouble(x);
        for (int j = 0; j < x.length; j++) {
            double h = 1e-4 * (1 + Math.abs(x[j]));
            double[] there = x.clone();
            double[] at = new double[5];
            for (int k = 0; k < 5; k++) {
                there[j] = x[j] + (k - 2) * h;
                at[k] = f.applyAsDouble(there);
            }
            double difference = (8 * (at[3] - at[1]) - (at[4] - at[0])) / (12 * h);
            assertThat(g[j])
                    .as("component %d, %s, seed %d", j, what, SEED)
                    .isCloseTo(difference, within(1e-6 * Math.abs(difference) + 100 * ULP * (1 + Math.abs(value)) / h));
        }
    }

    @ParameterizedTest
    @MethodSource("functions")
    void gradientAgreesWithDifferences(TestFunction f) {
        double[] g = new double[f.dimension()];
        double[][] points = points(f);
        for (int k = 0; k <= POINTS; k++) {
            f.gradient(points[k], g);
            assertIsGradient(g, f::value, points[k], "gradient at " + (k == 0 ? "the start" : "random point " + k));
        }
    }

    /** Sharper than the gradient: a large residual hides nothing of the small ones. */
    @Test
    void jacobiansAgreeWithDifferences() {
        int checked = 0;
        for (TestFunction f : functions()) {
            if (f instanceof SumOfSquares sum) {
                checked++;
                double[] row = new double[f.dimension()];
                double[] unused = new double[f.dimension()];
                for (double[] x : points(f)) {
                    for (int i = 1; i <= sum.residuals(); i++) {
                        int number = i;
                        sum.residual(i, x, row);
                        assertIsGradient(
                                row, y -> sum.residual(number, y, unused), x, "residual " + number + " of " + f);
                    }
                }
            }
        }
        assertThat(checked).isGreaterThan(40);
    }

    @ParameterizedTest
    @MethodSource("functions")
    void minimisersGiveTheMinimaAndAreStationary(TestFunction f) {
        double[] minima = f.minima();
        double[][] points = f.minimisers();
        double[] g = new double[f.dimension()];
        for (int k = 0; k < minima.length; k++) {
            if (points[k].length > 0) {
                assertThat(f.value(points[k]))
                        .as("minimum %d", k)
                        .isCloseTo(minima[k], within(1e-13 * (1 + minima[k])));
                f.gradient(points[k], g);
                assertThat(g).as("gradient at minimum %d", k).containsExactly(new double[g.length], within(1e-9));
            }
        }
    }

    /** Section 3 of the paper, to its last digit. */
    @ParameterizedTest
    @CsvSource({
        "Freudenstein and Roth, 2, 48.9842",
        "Jennrich and Sampson, 2, 124.362",
        "Bard, 3, 8.21487e-3",
        "Bard, 3, 17.4286",
        "Gaussian, 3, 1.12793e-8",
        "Meyer, 3, 87.9458",
        "Kowalik and Osborne, 4, 3.07505e-4",
        "Kowalik and Osborne, 4, 1.02734e-3",
        "Brown and Dennis, 4, 85822.2",
        "Osborne 1, 5, 5.46489e-5",
        "Biggs EXP6, 6, 5.65565e-3",
        "Osborne 2, 11, 4.01377e-2",
        "Watson, 6, 2.28767e-3",
        "Watson, 9, 1.39976e-6",
        "Watson, 12, 4.72238e-10",
        "Penalty I, 4, 2.24997e-5",
        "Penalty I, 10, 7.08765e-5",
        "Penalty II, 4, 9.37629e-6",
        "Penalty II, 10, 2.93660e-4",
        "Trigonometric, 10, 2.79506e-5",
        "Brown almost-linear, 10, 1",
        "Chebyquad, 8, 3.51687e-3",
        "Chebyquad, 10, 6.50395e-3"
    })
    void minimaHaveThePublishedDigits(String name, int n, double published) {
        assertThat(nearestMinimum(function(name, n), published)).isCloseTo(published, within(1e-5 * published));
    }

    /** The norms of the residuals that MINPACK's test programs for LMDER print, and exact values. */
    @ParameterizedTest
    @CsvSource({
        "Linear full rank, 5, 5.0",
        "Linear rank 1, 5, 2.9152187e+02",
        "Linear rank 1 with zeros, 5, 1.2603968e+02",
        "Extended Rosenbrock, 2, 4.9193496",
        "Helical valley, 3, 50",
        "Extended Powell singular, 4, 14.662878",
        "Freudenstein and Roth, 2, 20.012496",
        "Bard, 3, 6.4561363",
        "Kowalik and Osborne, 4, 7.2891510e-2",
        "Meyer, 3, 4.1153467e+4",
        "Watson, 6, 5.4772256",
        "Watson, 9, 5.4772256",
        "Watson, 12, 5.4772256",
        "Box three-dimensional, 3, 32.111584",
        "Jennrich and Sampson, 2, 64.585650",
        "Brown and Dennis, 4, 2.8154384e+3",
        "Chebyquad, 8, 0.19651386",
        "Chebyquad, 10, 0.18374783",
        "Brown almost-linear, 10, 16.530216",
        "Osborne 1, 5, 0.93756402",
        "Osborne 2, 11, 1.4468654",
        "Beale, 2, 3.7687034", // √14.203125
        "Wood, 4, 138.53519", // √19192
        "Himmelblau, 2, 13.038405" // √170
    })
    void startsHaveThePublishedNorms(String name, int n, double published) {
        TestFunction f = function(name, n);
        assertThat(Math.sqrt(f.value(f.start()))).isCloseTo(published, within(1e-7 * published));
    }

    @Test
    void everyFunctionHasOneRowOfReferences() throws IOException {
        assertThat(functions().stream().map(TestFunction::toString))
                .containsExactlyInAnyOrderElementsOf(ScipyReference.rows().keySet());
    }

    @ParameterizedTest
    @MethodSource("functions")
    void valuesGradientAndMinimumAgreeWithNumPy(TestFunction f) throws IOException {
        Map<String, String> row = ScipyReference.rows().get(f.toString());
        double[] x = f.start();
        assertAgrees(f.value(x), row, "f0");
        assertAgrees(f.value(x), row, "f_start_check");
        for (int j = 0; j < x.length; j++) {
            x[j] += (1 + Math.abs(x[j])) * (7 * (j + 1) % 11 - 5) / 64;
        }
        assertAgrees(f.value(x), row, "f_further");
        double[] g = new double[x.length];
        f.gradient(x, g);
        assertAgrees(Math.sqrt(Arrays.stream(g).map(v -> v * v).sum()), row, "g_further");
        assertAgrees(nearestMinimum(f, Double.parseDouble(row.get("f_star"))), row, "f_star");
    }

    private static void assertAgrees(double value, Map<String, String> row, String column) {
        double expected = Double.parseDouble(row.get(column));
        assertThat(value)
                .as("%s of %s (n = %s)", column, row.get("name"), row.get("n"))
                .isCloseTo(expected, within(1e-10 * Math.abs(expected)));
    }

    /** The means of Fisher's table; the copy with two misprints in samples 35 and 38 has 3.418, 1.464 and 0.244. */
    @Test
    void irisesAreFishers() throws IOException {
        double[][] means = new double[3][4];
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                TestFunctionsTest.class.getResourceAsStream("iris.csv"), StandardCharsets.UTF_8))) {
            List<String> lines = in.lines().skip(1).toList();
            assertThat(lines).hasSize(150);
            for (String line : lines) {
                String[] cells = line.split(",", -1);
                for (int j = 0; j < 4; j++) {
                    means[Integer.parseInt(cells[4])][j] += Double.parseDouble(cells[j]) / 50;
                }
            }
        }
        assertThat(means[0]).containsExactly(new double[] {5.006, 3.428, 1.462, 0.246}, within(1e-12));
        assertThat(means[1]).containsExactly(new double[] {5.936, 2.770, 4.260, 1.326}, within(1e-12));
        assertThat(means[2]).containsExactly(new double[] {6.588, 2.974, 5.552, 2.026}, within(1e-12));
    }

    @Test
    void startIsAFreshCopy() {
        for (TestFunction f : functions()) {
            double[] x = f.start();
            Arrays.fill(x, Double.NaN);
            assertThat(f.start()).as("start of %s", f).doesNotContain(Double.NaN);
        }
    }
}
