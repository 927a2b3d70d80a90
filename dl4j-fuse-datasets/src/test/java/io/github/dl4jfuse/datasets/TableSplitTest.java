package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.datasets.SmallTable.Parts;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class TableSplitTest {

    @ParameterizedTest
    @EnumSource
    void putsEachExampleIntoOnePart(SmallTables about) {
        SmallTable table = about.load();
        for (int index = 0; index < SmallTable.SPLITS; index++) {
            Parts parts = table.parts(index);
            assertThat(together(parts).sorted().toArray())
                    .as("split %d", index)
                    .isEqualTo(IntStream.range(0, table.size()).toArray());
        }
    }

    @ParameterizedTest
    @EnumSource
    void givesEachPartItsShareOfEachClass(SmallTables about) {
        SmallTable table = about.load();
        INDArray whole = table.classes().isEmpty()
                ? Nd4j.createFromArray((float) table.size())
                : table.labels().sum(0);
        for (int index = 0; index < SmallTable.SPLITS; index++) {
            TableSplit split = table.split(index, true);
            shareIs(0.6, split.training(), whole, table);
            shareIs(0.2, split.validation(), whole, table);
            shareIs(0.2, split.test(), whole, table);
        }
    }

    private static void shareIs(double share, DataSet part, INDArray whole, SmallTable table) {
        double[] counts = table.classes().isEmpty()
                ? new double[] {part.numExamples()}
                : part.getLabels().sum(0).toDoubleVector();
        double[] expected = whole.mul(share).toDoubleVector();
        for (int c = 0; c < expected.length; c++) {
            assertThat(counts[c]).as("%s, class %d", table.about(), c).isCloseTo(expected[c], within(1.0));
        }
    }

    @Test
    void isTheSameEachTimeAndAnotherForEachIndex() {
        SmallTable glass = SmallTables.GLASS.load();
        assertThat(SmallTables.GLASS.load().split(3, true)).isEqualTo(glass.split(3, true));
        int common = 0;
        for (int i = 0; i < SmallTable.SPLITS; i++) {
            for (int j = 0; j < i; j++) {
                Set<Integer> first =
                        Arrays.stream(glass.parts(i).test()).boxed().collect(Collectors.toSet());
                common += (int) Arrays.stream(glass.parts(j).test())
                        .filter(first::contains)
                        .count();
            }
        }
        // Two random fifths of 214 have a twenty-fifth in common: 8.6 of 43, with a deviation of 2.3 for each of 45
        // pairs.
        assertThat(common / 45.0).isCloseTo(214 / 25.0, within(1.5));
    }

    @Test
    void mixesTheClassesOfAPart() {
        INDArray labels = SmallTables.SEGMENT.load().split(0, true).training().getLabels();
        assertThat(labels.getRows(IntStream.range(0, 100).toArray())
                        .sum(0)
                        .minNumber()
                        .intValue())
                .as("of the rarest of seven classes in the first hundred")
                .isGreaterThan(3);
    }

    @Test
    void standardisesByTheTrainingPartAlone() {
        SmallTable table = SmallTables.WINE.load();
        TableSplit split = table.split(4, true);
        Parts parts = table.parts(4);
        INDArray features = split.training().getFeatures();
        assertThat(features.mean(0).toDoubleVector()).containsExactly(new double[13], within(1e-5));
        assertThat(features.std(false, 0).sub(1).amaxNumber().doubleValue()).isLessThan(1e-5);
        double[] proline =
                table.features().getRows(parts.training()).getColumn(12).toDoubleVector();
        double mean = Arrays.stream(proline).average().orElseThrow();
        double deviation = Math.sqrt(Arrays.stream(proline)
                .map(x -> (x - mean) * (x - mean))
                .average()
                .orElseThrow());
        for (int i = 0; i < parts.test().length; i++) {
            double raw = table.features().getDouble(parts.test()[i], 12);
            assertThat(split.test().getFeatures().getDouble(i, 12)).isCloseTo((raw - mean) / deviation, within(1e-5));
        }
        assertThat(split.test().getFeatures().mean(0).amaxNumber().doubleValue())
                .as("not by the test part")
                .isGreaterThan(0.05);
        assertThat(split.targetMean()).isZero();
        assertThat(split.targetDeviation()).isEqualTo(1);
    }

    @Test
    void leavesRawFeaturesAndTheRightLabels() {
        SmallTable table = SmallTables.GERMAN_CREDIT.load();
        Parts parts = table.parts(7);
        TableSplit raw = table.split(7, false);
        assertThat(raw.validation().getFeatures()).isEqualTo(table.features().getRows(parts.validation()));
        assertThat(raw.validation().getLabels()).isEqualTo(table.labels().getRows(parts.validation()));
        assertThat(table.split(7, true).validation().getLabels())
                .isEqualTo(raw.validation().getLabels());
    }

    @Test
    void leavesCategoriesAtZeroAndOneAndNumbersOfOneValueAtZero() {
        SmallTable votes = SmallTables.VOTES.load();
        assertThat(votes.split(0, true).test()).isEqualTo(votes.split(0, false).test());
        SmallTable segment = SmallTables.SEGMENT.load();
        assertThat(segment.features().getColumn(2).toFloatVector()).containsOnly(9);
        assertThat(segment.split(0, true).test().getFeatures().getColumn(2).toFloatVector())
                .containsOnly(0);
    }

    @ParameterizedTest
    @EnumSource(names = {"DIABETES", "CONCRETE", "MACHINE_CPU", "PENGUIN_MASS", "FRIEDMAN_2"})
    void standardisesTargetsAndKeepsTheirFactor(SmallTables about) {
        SmallTable table = about.load();
        int[] test = table.parts(2).test();
        for (boolean standardised : new boolean[] {true, false}) {
            TableSplit split = table.split(2, standardised);
            INDArray training = split.training().getLabels();
            assertThat(training.meanNumber().doubleValue()).isCloseTo(0, within(1e-5));
            assertThat(training.stdNumber(false).doubleValue()).isCloseTo(1, within(1e-5));
            for (int i = 0; i < test.length; i++) {
                double own = split.test().getLabels().getDouble(i, 0) * split.targetDeviation() + split.targetMean();
                double raw = table.labels().getDouble(test[i], 0);
                assertThat(own).isCloseTo(raw, within(1e-5 * Math.max(split.targetDeviation(), Math.abs(raw))));
            }
        }
    }

    @Test
    void refusesASplitThatThereIsNot() {
        SmallTable iris = SmallTables.IRIS.load();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> iris.split(10, true))
                .withMessage("There is no split 10; the splits are 0 to 9.");
        assertThatIllegalArgumentException().isThrownBy(() -> iris.split(-1, true));
    }

    private static IntStream together(Parts parts) {
        return IntStream.concat(
                Arrays.stream(parts.training()),
                IntStream.concat(Arrays.stream(parts.validation()), Arrays.stream(parts.test())));
    }
}
