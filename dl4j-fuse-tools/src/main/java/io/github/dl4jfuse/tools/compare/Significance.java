package io.github.dl4jfuse.tools.compare;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.TDistribution;
import org.apache.commons.statistics.inference.WilcoxonSignedRankTest;

/**
 * Whether one contestant is better than another, or was only lucky. The two come in pairs, run under equal conditions:
 * the same workload and seed, or the same split of a table.
 */
public final class Significance {

    /** A difference below this part of the two values is none: it comes from rounding. */
    private static final double ROUNDING = 1e-12;

    /** Differences are ranked by so many digits, as 0.91 - 0.90 and 0.90 - 0.89 are the same but in the last bits. */
    private static final MathContext RANKED_DIGITS = new MathContext(9);

    private Significance() {}

    /**
     * The mean of paired differences, first less second, in the unit of the values.
     *
     * @param mean Σ dᵢ / n
     * @param standardError that of the mean
     * @param pairs n
     */
    public record Difference(double mean, double standardError, int pairs) {

        /**
         * Returns the two-sided p of Student's t = mean / standardError with n - 1 degrees of freedom. Where all
         * differences are the same it is 1 if they are 0, else 0.
         */
        public double p() {
            if (mean == 0) {
                return 1;
            }
            return 2 * TDistribution.of(pairs - 1).survivalProbability(Math.abs(mean) / standardError);
        }
    }

    /**
     * Returns the mean difference of independent pairs. The squared standard error is s² / n with
     * s² = Σ (dᵢ - mean)² / (n - 1).
     *
     * @throws IllegalArgumentException if the numbers of values differ, are below two, or a value is not finite
     */
    public static Difference paired(double[] first, double[] second) {
        double[] differences = differences(first, second);
        return difference(differences, 1.0 / differences.length);
    }

    /**
     * Returns the mean difference over random splits of one table. They share examples, so the values depend on each
     * other and the plain error is too small. This is the corrected resampled t-test of C. Nadeau and Y. Bengio,
     * <i>Inference for the generalization error</i>, Machine Learning 52, 2003: the squared standard error is (1/J +
     * test / training) s² for J splits.
     *
     * @param first one value for each split; several seeds on a split are to be averaged before, as they are no further
     *     splits
     * @param second those of the other contestant, in the same order
     * @param training number of examples that a split is learned from
     * @param test number of examples that a split is judged by
     * @throws IllegalArgumentException if the numbers of values differ, are below two, a value is not finite, or a part
     *     of the split is empty
     */
    public static Difference overSplits(double[] first, double[] second, int training, int test) {
        if (training < 1 || test < 1) {
            throw new IllegalArgumentException("A split needs examples to learn from and to be judged by, but has "
                    + training + " and " + test + ".");
        }
        double[] differences = differences(first, second);
        return difference(differences, 1.0 / differences.length + (double) test / training);
    }

    private static Difference difference(double[] differences, double share) {
        int n = differences.length;
        double mean = Arrays.stream(differences).average().orElseThrow();
        double variance =
                Arrays.stream(differences).map(d -> (d - mean) * (d - mean)).sum() / (n - 1);
        return new Difference(mean, Math.sqrt(share * variance), n);
    }

    /**
     * Returns the two-sided p of Wilcoxon's signed-rank test. Of the differences only signs and order count, but they are
     * ordered over all pairs: where workloads have different units, give parts of the baseline's value or the like. Equal
     * pairs are left out, as Wilcoxon does. The p is exact where no two differences have the same size, else it is the
     * normal approximation with corrections for ties and continuity; 1 if all pairs are equal.
     *
     * @throws IllegalArgumentException if the numbers of values differ, are below two, or a value is not finite
     */
    public static double signedRank(double[] first, double[] second) {
        double[] differences = differences(first, second);
        double[] unequal = IntStream.range(0, differences.length)
                .filter(i -> Math.abs(differences[i]) > ROUNDING * Math.max(Math.abs(first[i]), Math.abs(second[i])))
                .mapToDouble(
                        i -> new BigDecimal(differences[i]).round(RANKED_DIGITS).doubleValue())
                .toArray();
        return unequal.length == 0
                ? 1
                : WilcoxonSignedRankTest.withDefaults().test(unequal).getPValue();
    }

    /**
     * Returns the p of several questions, such as one for each table, corrected so that the chance of even one false
     * "yes" stays below the level: S. Holm, <i>A simple sequentially rejective multiple test procedure</i>,
     * Scandinavian Journal of Statistics 6, 1979. The i-th smallest of m becomes the largest of
     * min(1, (m - j + 1) p₍ⱼ₎) over j ≤ i.
     *
     * @param p from 0 to 1
     * @return in the same order
     * @throws IllegalArgumentException if one is not from 0 to 1
     */
    public static double[] holm(double[] p) {
        for (double one : p) {
            if (!(one >= 0 && one <= 1)) {
                throw new IllegalArgumentException("A p is from 0 to 1, but one is " + one + ".");
            }
        }
        int[] ascending = IntStream.range(0, p.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> p[i]))
                .mapToInt(i -> i)
                .toArray();
        double[] corrected = new double[p.length];
        double largest = 0;
        for (int rank = 0; rank < p.length; rank++) {
            largest = Math.max(largest, Math.min(1, (p.length - rank) * p[ascending[rank]]));
            corrected[ascending[rank]] = largest;
        }
        return corrected;
    }

    private static double[] differences(double[] first, double[] second) {
        if (first.length != second.length || first.length < 2) {
            throw new IllegalArgumentException("At least two pairs are needed, but there are " + first.length
                    + " values of the first and " + second.length + " of the second.");
        }
        for (int i = 0; i < first.length; i++) {
            if (!Double.isFinite(first[i]) || !Double.isFinite(second[i])) {
                throw new IllegalArgumentException(
                        "Pair " + i + " has a value that is not finite: " + first[i] + " and " + second[i] + ".");
            }
        }
        return IntStream.range(0, first.length)
                .mapToDouble(i -> first[i] - second[i])
                .toArray();
    }
}
