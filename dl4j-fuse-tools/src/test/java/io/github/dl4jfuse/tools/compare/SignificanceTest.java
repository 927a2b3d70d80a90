package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.compare.Significance.Difference;
import org.junit.jupiter.api.Test;

/** The values named R are those of R 4.2.2: {@code t.test}, {@code wilcox.test} (paired) and {@code p.adjust}. */
class SignificanceTest {

    private static final double DIGITS = 1e-12;

    /** Two contestants' accuracies on ten splits; the differences in hundredths are 1, 0, 2, -1, 3, 0, 2, 3, 0, 3. */
    private static final double[] FIRST = {.91, .90, .93, .88, .95, .92, .90, .94, .89, .93};

    private static final double[] SECOND = {.90, .90, .91, .89, .92, .92, .88, .91, .89, .90};

    /**
     * Hamilton's depression scale of nine patients before and after, from Hollander and Wolfe 1973; an example of R's.
     */
    private static final double[] BEFORE = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};

    private static final double[] AFTER = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};

    @Test
    void givesMeanAndErrorOfPairs() {
        Difference difference = Significance.paired(FIRST, SECOND);
        assertThat(difference.mean()).isCloseTo(0.013, within(DIGITS));
        assertThat(difference.standardError()).isCloseTo(0.0047258156262526, within(DIGITS));
        assertThat(difference.p()).as("R").isCloseTo(0.022445658672, within(1e-11));
        assertThat(Significance.paired(SECOND, FIRST).mean()).isCloseTo(-0.013, within(DIGITS));
        assertThat(Significance.paired(SECOND, FIRST).p()).isCloseTo(difference.p(), within(DIGITS));
    }

    /**
     * By hand, in hundredths: mean 13/10, Σ d² = 37, s² = (37 - 16.9) / 9 = 2.2333; with 60 examples for training and
     * 20 for testing the squared error is (1/10 + 1/3) s² = 0.967778. Its p is R's 2 pt(-1.32146458776481, 9).
     */
    @Test
    void widensTheErrorForSplitsThatShareExamples() {
        Difference difference = Significance.overSplits(FIRST, SECOND, 60, 20);
        assertThat(difference.mean()).isCloseTo(0.013, within(DIGITS));
        assertThat(difference.standardError()).isCloseTo(Math.sqrt(0.9677777777777778) / 100, within(DIGITS));
        assertThat(difference.p()).isCloseTo(0.218951800257329, within(DIGITS));
    }

    @Test
    void countsOnlySignsAndOrder() {
        assertThat(Significance.signedRank(BEFORE, AFTER)).as("R, exact").isCloseTo(0.0390625, within(DIGITS));
        assertThat(Significance.signedRank(AFTER, BEFORE)).isCloseTo(0.0390625, within(DIGITS));
    }

    /** R gives it for the differences rounded by hand; those of the doubles themselves have no ties. */
    @Test
    void seesTiesBehindRounding() {
        assertThat(Significance.signedRank(FIRST, SECOND)).as("R").isCloseTo(0.0403197213958959, within(DIGITS));
    }

    /** Six differences of the same sign: 2 of 64 arrangements are as far out. */
    @Test
    void losesNoSmallDifferenceBesideALargeOne() {
        double[] many = {3e7, 2e-9, 4e-9, 6e-9, 8e-9, 9e-9};
        double[] few = {1e7, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9};
        assertThat(Significance.signedRank(many, few)).isCloseTo(2 / 64.0, within(DIGITS));
        double[] rounded = {0.1 + 0.2, 0.5};
        assertThat(Significance.signedRank(rounded, new double[] {0.3, 0.5})).isEqualTo(1);
    }

    @Test
    void saysNothingOfEqualPairs() {
        assertThat(Significance.signedRank(FIRST, FIRST)).isEqualTo(1);
        assertThat(Significance.paired(FIRST, FIRST)).isEqualTo(new Difference(0, 0, 10));
        assertThat(Significance.paired(FIRST, FIRST).p()).isEqualTo(1);
        assertThat(Significance.paired(new double[] {3, 4}, new double[] {1, 2}).p())
                .as("always 2 more")
                .isZero();
        assertThat(Significance.paired(new double[2], new double[2]).p()).isEqualTo(1);
    }

    @Test
    void correctsForSeveralQuestions() {
        assertThat(Significance.holm(new double[] {.01, .04, .03, .005}))
                .as("R")
                .containsExactly(new double[] {.03, .06, .06, .02}, within(DIGITS));
        assertThat(Significance.holm(new double[] {.01, .01, .04, .2, .9}))
                .as("R")
                .containsExactly(new double[] {.05, .05, .12, .4, .9}, within(DIGITS));
        assertThat(Significance.holm(new double[] {.7, .6})).containsExactly(1, 1);
        assertThat(Significance.holm(new double[0])).isEmpty();
    }

    @Test
    void refusesWhatIsNoPairAndNoProbability() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Significance.paired(new double[3], new double[2]))
                .withMessageContaining("3 values of the first and 2 of the second");
        assertThatIllegalArgumentException().isThrownBy(() -> Significance.signedRank(new double[1], new double[1]));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Significance.paired(new double[] {1, Double.NaN}, new double[2]))
                .withMessage("Pair 1 has a value that is not finite: NaN and 0.0.");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Significance.overSplits(FIRST, SECOND, 60, 0))
                .withMessageContaining("has 60 and 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Significance.holm(new double[] {.5, 1.5}))
                .withMessage("A p is from 0 to 1, but one is 1.5.");
    }
}
