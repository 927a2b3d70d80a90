package io.github.dl4jfuse.datasets;

import io.github.dl4jfuse.datasets.SmallTable.Column;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The three synthetic regression problems of J. H. Friedman, <i>Multivariate adaptive regression splines</i>, Annals of
 * Statistics 19, 1991: a known function of uniformly drawn inputs, and normal noise. {@value #EXAMPLES} examples with a
 * fixed seed; the functions are those of StrictMath, so that all machines get the same bits.
 */
final class FriedmanTable {

    static final int EXAMPLES = 1_000;
    private static final long SEED = 1991;

    private static final int INPUTS_OF_FIRST = 10;
    private static final double[] CIRCUIT_LOW = {0, 40 * Math.PI, 0, 1};
    private static final double[] CIRCUIT_HIGH = {100, 560 * Math.PI, 1, 11};

    private FriedmanTable() {}

    /**
     * y = 10 sin(π x₁ x₂) + 20 (x₃ - 1/2)² + 10 x₄ + 5 x₅, noise of deviation 1; x₁ to x₁₀ in [0, 1], half of no use.
     */
    static SmallTable first(SmallTables about) {
        double[] high = new double[INPUTS_OF_FIRST];
        Arrays.fill(high, 1);
        return table(about, new double[INPUTS_OF_FIRST], high, 1, x -> {
            double centred = x[2] - 0.5;
            return 10 * StrictMath.sin(Math.PI * x[0] * x[1]) + 20 * centred * centred + 10 * x[3] + 5 * x[4];
        });
    }

    /** The impedance of a circuit, y = √(x₁² + (x₂ x₃ - 1 / (x₂ x₄))²), noise of deviation 125. */
    static SmallTable second(SmallTables about) {
        return table(about, CIRCUIT_LOW, CIRCUIT_HIGH, 125, x -> Math.sqrt(x[0] * x[0] + reactance(x) * reactance(x)));
    }

    /** The phase of that circuit, y = arctan((x₂ x₃ - 1 / (x₂ x₄)) / x₁), noise of deviation 0.1. */
    static SmallTable third(SmallTables about) {
        return table(about, CIRCUIT_LOW, CIRCUIT_HIGH, 0.1, x -> StrictMath.atan(reactance(x) / x[0]));
    }

    private static double reactance(double[] x) {
        return x[1] * x[2] - 1 / (x[1] * x[3]);
    }

    private static SmallTable table(
            SmallTables about, double[] low, double[] high, double noise, ToDoubleFunction<double[]> function) {
        Random random = new Random(SEED);
        float[][] features = new float[EXAMPLES][low.length];
        float[][] labels = new float[EXAMPLES][1];
        for (int i = 0; i < EXAMPLES; i++) {
            double[] x = new double[low.length];
            for (int j = 0; j < x.length; j++) {
                x[j] = low[j] + (high[j] - low[j]) * random.nextDouble();
                features[i][j] = (float) x[j];
            }
            labels[i][0] = (float) (function.applyAsDouble(x) + noise * random.nextGaussian());
        }
        List<Column> columns = IntStream.rangeClosed(1, low.length)
                .mapToObj(j -> new Column("x" + j, false))
                .toList();
        return new SmallTable(about, columns, List.of(), Nd4j.createFromArray(features), Nd4j.createFromArray(labels));
    }
}
