package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.datasets.SmallTables;
import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.TableSummary.Entry;
import io.github.dl4jfuse.tools.compare.TableSummary.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Figures from runs written by hand. Iris is split in 90 and 30 flowers for training and test, wine in 107 and 36. */
class TableSummaryTest {

    /** Of the differences 3 and 1 on two splits of iris: s² = 2, and (1/2 + 30/90) s² = 5/3. */
    private static final double ERROR = Math.sqrt(5 / 3.0);

    private static final double P = studentWithOneDegree(2 / ERROR);

    private final List<RunRecord> runs = new ArrayList<>();

    /** Student's t with one degree of freedom is Cauchy's distribution. */
    private static double studentWithOneDegree(double t) {
        return 1 - 2 * Math.atan(t) / Math.PI;
    }

    private void run(String workload, String contestant, long seed, double accuracy, double loss, String failure) {
        Checkpoint start = new Checkpoint(0, 0, Map.of(), 2, 2, accuracy, 2, accuracy, Map.of());
        Checkpoint end = new Checkpoint(9, 1, Map.of(), .1, .2, accuracy, loss, accuracy, Map.of());
        runs.add(new RunRecord(
                workload,
                true,
                "net and data",
                contestant,
                contestant.split(" ", 2)[0],
                "",
                seed,
                "9",
                1,
                "c",
                "m",
                failure,
                9,
                8,
                null,
                List.of(start, end)));
    }

    /** Runs of two seeds with these test accuracies in per cent. */
    private void classes(String workload, String contestant, double first, double second) {
        run(workload, contestant, 1, first / 100, .3, "");
        run(workload, contestant, 2, second / 100, .3, "");
    }

    /** AdamW stands at 91 and 94, ours at 94 and 95, each the mean of two seeds. */
    private void iris() {
        classes("table:iris#0", "adamw 1e-3", 90, 92);
        classes("table:iris#0", "ours", 93, 95);
        classes("table:iris#1", "adamw 1e-2", 94, 94);
        classes("table:iris#1", "ours", 95, 95);
    }

    /** Ours is better by 4 on one split and equal on the other. */
    private void wine() {
        classes("table:wine#0", "adamw 1e-3", 80, 80);
        classes("table:wine#0", "ours", 84, 84);
        classes("table:wine#1", "adamw 1e-3", 80, 80);
        classes("table:wine#1", "ours", 80, 80);
    }

    private List<TableSummary> summaries() {
        return TableSummary.of(Summary.of(runs));
    }

    private TableSummary summary() {
        assertThat(summaries()).hasSize(1);
        return summaries().get(0);
    }

    private static Entry ours(TableSummary summary, int table) {
        return summary.tables().get(table).of("ours");
    }

    @Test
    void averagesSeedsFirstAndCorrectsTheErrorForOverlappingSplits() {
        iris();
        Table table = summary().tables().get(0);
        assertThat(table.title()).isEqualTo("iris");
        assertThat(table.splits()).isEqualTo(2);
        assertThat(table.entries()).extracting(Entry::family).containsExactly("adamw", "ours");
        assertThat(table.baseline().test()).isCloseTo(92.5, within(1e-9));
        assertThat(table.baseline().difference()).isNull();
        Entry ours = table.of("ours");
        assertThat(ours.test()).isCloseTo(94.5, within(1e-9));
        assertThat(ours.difference().mean()).isCloseTo(2, within(1e-9));
        assertThat(ours.difference().pairs()).isEqualTo(2);
        assertThat(ours.difference().standardError()).isCloseTo(ERROR, within(1e-9));
        assertThat(ours.p()).as("one table: nothing to correct").isCloseTo(P, within(1e-9));
        assertThat(ours.runs()).isEqualTo(4);
    }

    @Test
    void correctsTheChanceForTheNumberOfTables() {
        iris();
        wine();
        TableSummary summary = summary();
        double wine = studentWithOneDegree(2 / Math.sqrt((1 / 2.0 + 36 / 107.0) * 8));
        assertThat(wine).isBetween(P, 2 * P);
        assertThat(ours(summary, 0).p()).isCloseTo(2 * P, within(1e-9));
        assertThat(ours(summary, 1).p()).as("never below a smaller one").isCloseTo(2 * P, within(1e-9));
        assertThat(summary.medianDifference("ours")).isCloseTo(2, within(1e-9));
        assertThat(summary.count("ours", 1)).isZero();
        assertThat(summary.count("ours", 0)).isEqualTo(2);
    }

    @Test
    void countsWhatIsBeyondChance() {
        iris();
        for (int split = 0; split < 2; split++) {
            classes("table:wine#" + split, "adamw 1e-3", 75, 75);
            classes("table:wine#" + split, "ours", 50, 50);
        }
        assertThat(ours(summary(), 1).p()).isZero();
        assertThat(ours(summary(), 1).verdict()).isEqualTo(-1);
        assertThat(summary().count("ours", -1)).isOne();
        assertThat(new TableReport(summary()).sentences())
                .containsExactly(
                        "ours against adamw on small tables, standardised inputs (2): median difference -11.50 points;"
                                + " better on 0 and worse on 1 beyond chance (p < 0.05 after Holm).");
    }

    @Test
    void aNumberToPredictIsJudgedByTheShareOfItsVariance() {
        double[] variances = new double[2];
        for (int split = 0; split < 2; split++) {
            double[] labels = SmallTables.DIABETES
                    .load()
                    .split(split, true)
                    .test()
                    .getLabels()
                    .toDoubleVector();
            double mean = 0;
            for (double label : labels) {
                mean += label / labels.length;
            }
            for (double label : labels) {
                variances[split] += (label - mean) * (label - mean) / labels.length;
            }
            run("table:diabetes#" + split, "adamw 1e-3", 1, Double.NaN, .5 * variances[split], "");
            run("table:diabetes#" + split, "ours", 1, Double.NaN, (.25 + .5 * split) * variances[split], "");
        }
        Table table = summary().tables().get(0);
        assertThat(table.classes()).isFalse();
        assertThat(table.baseline().test()).isCloseTo(50, within(1e-4));
        assertThat(table.of("ours").difference().mean()).isCloseTo(0, within(1e-4));
        double s = Math.sqrt(2) * 25;
        assertThat(table.of("ours").difference().standardError())
                .isCloseTo(Math.sqrt(1 / 2.0 + 88 / 265.0) * s, within(1e-3));
    }

    @Test
    void howBadANumberIsPredictedDoesNotCountBelowMinusOne() {
        for (int split = 0; split < 2; split++) {
            run("table:diabetes#" + split, "adamw 1e-3", 1, Double.NaN, 0, "");
            run("table:diabetes#" + split, "ours", 1, Double.NaN, 1e9 * split, "");
            run("table:diabetes#" + split, "other", 1, Double.NaN, 0, "not finite");
        }
        Table table = summary().tables().get(0);
        assertThat(table.of("ours").test()).as("100 and -100").isCloseTo(0, within(1e-9));
        assertThat(table.of("other").test()).as("a failed run").isEqualTo(Double.NEGATIVE_INFINITY);
    }

    @Test
    void aFailedRunIsInfinitelyBadAndItsTableStaysAQuestion() {
        iris();
        classes("table:wine#0", "adamw 1e-3", 80, 80);
        classes("table:wine#0", "ours", 90, 90);
        run("table:wine#1", "adamw 1e-3", 1, .8, .3, "");
        run("table:wine#1", "ours", 1, .9, .3, "the loss is not finite");
        classes("table:sonar#0", "adamw 1e-3", 80, 80);
        classes("table:sonar#0", "ours", 90, 90);
        TableSummary summary = summary();
        assertThat(ours(summary, 1).test()).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(ours(summary, 1).difference()).isNull();
        assertThat(ours(summary, 1).p()).isNaN();
        assertThat(ours(summary, 1).verdict()).isZero();
        assertThat(ours(summary, 1).failures()).isOne();
        assertThat(ours(summary, 0).p()).as("still three tables").isCloseTo(Math.min(1, 3 * P), within(1e-9));
        assertThat(ours(summary, 2).difference()).as("one split has no error").isNull();
        assertThat(summary.medianDifference("ours"))
                .as("of 2, minus infinity and 10")
                .isCloseTo(2, within(1e-9));
        TableReport report = new TableReport(summary);
        assertThat(report.rows().get(1)).containsExactly("wine", "accuracy", "80.00", "1 of 3 failed");
        assertThat(report.sentences().get(0)).endsWith("; failed runs: 1.");
    }

    @Test
    void whereBothFailThereIsNoDifference() {
        for (String contestant : List.of("adamw 1e-3", "ours")) {
            run("table:iris#0", contestant, 1, .8, .3, "failed");
            run("table:iris#1", contestant, 1, .8, .3, "");
        }
        assertThat(summary().medianDifference("ours")).isNaN();
        assertThat(new TableReport(summary()).sentences().get(0)).contains("median difference none, as both failed");
        wine();
        assertThat(summary().medianDifference("ours")).isCloseTo(2, within(1e-9));
    }

    @Test
    void theLogLossStandsWhereBothAreNearlyPerfect() {
        iris();
        for (int split = 0; split < 2; split++) {
            run("table:wine#" + split, "adamw 1e-3", 1, .98, .2, "");
            run("table:wine#" + split, "ours", 1, .98, .1 + .1 * split, "");
            run("table:wine#" + split, "other", 1, .96, .1, "");
        }
        for (int split = 0; split < 2; split++) {
            classes("table:iris#" + split, "other", 98, 98);
        }
        List<List<String>> rows = new TableReport(summary()).rows();
        assertThat(rows.get(0).get(3)).startsWith("94.50 (+2.00 ± 1.29), p ").doesNotContain("log loss");
        assertThat(rows.get(0).get(4)).as("adamw is at 92.5").doesNotContain("log loss");
        assertThat(rows.get(1).get(2)).isEqualTo("98.00; log loss 0.200");
        assertThat(rows.get(1).get(3)).contains("; log loss 0.150 (+0.050 ± 0.06)");
        assertThat(rows.get(1).get(4)).doesNotContain("log loss");
        assertThat(rows.get(2)).containsExactly("median difference", "points", "", "+1.00 points", "+1.75 points");
    }

    @Test
    void rawInputsAreAQuestionOfTheirOwnAndOtherWorkloadsAreNoTables() {
        iris();
        classes("table-raw:iris#0", "adamw 1e-3", 60, 60);
        classes("table-raw:iris#0", "ours", 70, 70);
        classes("table-raw:iris#1", "adamw 1e-3", 60, 60);
        classes("table-raw:iris#1", "ours", 70, 70);
        classes("iris", "adamw 1e-3", 60, 60);
        classes("iris", "ours", 60, 60);
        assertThat(summaries()).extracting(TableSummary::raw).containsExactly(false, true);
        assertThat(ours(summaries().get(0), 0).p()).isCloseTo(P, within(1e-9));
        CompareReport report = CompareReport.of(runs, List.of(), "");
        assertThat(report.summaries()).extracting(Summary::workload).containsExactly("iris");
        assertThat(report.markdown())
                .contains("## small tables, standardised inputs", "## small tables, raw inputs")
                .contains("an R² below -1 counts as that", "accuracies are above 97 %")
                .contains("| table | metric | adamw | ours |")
                .contains("| iris | accuracy | 60.00 | 70.00 (+10.00 ± 0.00), p 0.0 |")
                .doesNotContain("## table");
        assertThat(report.html())
                .contains("<h2>small tables, raw inputs</h2>")
                .contains("<td>70.00 (+10.00 ± 0.00), p 0.0</td>")
                .doesNotContain("table:iris#0")
                .doesNotContain("{{");
    }
}
