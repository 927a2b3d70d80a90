package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.datasets.SmallTables;
import io.github.dl4jfuse.tools.compare.TableSummary.Entry;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Sgd;

class TablesTest {

    @TempDir
    Path folder;

    @Test
    void eachSplitOfATableIsAWorkload() {
        List<Workload> all = Workloads.allNamed("tables");
        assertThat(all).hasSize(10 * SmallTables.values().length).hasSizeGreaterThanOrEqualTo(120);
        assertThat(all).extracting(Workload::name).doesNotHaveDuplicates().contains("table:iris#0", "table:diabetes#9");
        assertThat(all).noneMatch(Workload::timed).allMatch(workload -> workload.seeds() == 2);
        assertThat(Workloads.allNamed("tables-raw"))
                .extracting(Workload::name)
                .contains("table-raw:iris#0")
                .hasSize(all.size());
        assertThat(Workloads.allNamed("table-raw:iris")).hasSize(10);
        assertThat(Workloads.allNamed("iris")).containsExactly(Workloads.IRIS);
        assertThat(Workloads.IRIS.timed()).isTrue();
        assertThatThrownBy(() -> Workloads.allNamed("table:titanic"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("There is no small table 'titanic'; there are iris, wine");
    }

    @Test
    void takesSixtyEpochsOfItsTrainingPart() {
        Workload iris = Tables.of(SmallTables.IRIS, false, 1).get(0);
        assertThat(iris.budget(true)).as("90 flowers in batches of 32").isEqualTo(Budget.gradients(60 * 3));
        assertThat(iris.budget(false)).isEqualTo(Budget.gradients(20 * 3));
        assertThat(iris.description())
                .contains("split 0, standardised inputs, 4-64-64-3 ReLU, cross-entropy, batch 32");
    }

    @Test
    void theNetworkFitsTheLabels() {
        for (SmallTables table : List.of(SmallTables.WINE, SmallTables.MACHINE_CPU)) {
            Workload workload = Tables.of(table, false, 1).get(0);
            Split split = workload.data(true);
            var batch = split.test().iterator(20).next();
            INDArray output = ((MultiLayerNetwork)
                            workload.architecture(1).withUpdater(new Sgd(0)).build())
                    .output(batch.getFeatures());
            assertThat(output.shape()).isEqualTo(batch.getLabels().shape());
            assertThat(workload.classifies()).isEqualTo(table == SmallTables.WINE);
            if (workload.classifies()) {
                assertThat(output.sum(1).sub(1).amaxNumber().doubleValue())
                        .as("softmax")
                        .isLessThan(1e-5);
            } else {
                assertThat(output.minNumber().doubleValue()).as("identity").isNegative();
            }
        }
    }

    @Test
    void seedsShuffleTheExamplesAndRawInputsKeepTheirUnits() {
        Split raw = Tables.of(SmallTables.WINE, true, 1).get(0).data(true);
        Split standardised = Tables.of(SmallTables.WINE, false, 1).get(0).data(true);
        assertThat(raw.train().size()).isEqualTo(107);
        assertThat(raw.train().iterator(200).next().getFeatures().maxNumber().doubleValue())
                .isGreaterThan(1_000);
        assertThat(standardised
                        .train()
                        .iterator(200)
                        .next()
                        .getFeatures()
                        .maxNumber()
                        .doubleValue())
                .isLessThan(10);
        DataSetIterator one = raw.train().iterator(200, 1);
        INDArray first = one.next().getFeatures();
        one.reset();
        INDArray second = one.next().getFeatures();
        assertThat(second).isNotEqualTo(first);
        assertThat(second.sumNumber().doubleValue()).isCloseTo(first.sumNumber().doubleValue(), within(1.0));
        assertThat(raw.train().iterator(200, 1).next().getFeatures()).isEqualTo(first);
        assertThat(raw.train().iterator(200, 2).next().getFeatures()).isNotEqualTo(first);
    }

    @Test
    void comparesSplitBySplitAndReportsTableByTable() {
        Comparison.Outcome outcome = Comparison.of(Stream.of(
                                Tables.of(SmallTables.IRIS, false, 2),
                                Tables.of(SmallTables.MACHINE_CPU, false, 2),
                                Tables.of(SmallTables.WINE, true, 2),
                                List.of(Workloads.IRIS))
                        .flatMap(List::stream)
                        .toList())
                .families(List.of(
                        Families.named("adamw"),
                        Families.named("preconditioned"),
                        Family.of(Contestant.of("not-a-number", used -> new Sgd(Double.NaN)))))
                .trials(3)
                .shares(1.0, 0.5)
                .budget("12")
                .clocked(false)
                .out(folder)
                .run();
        List<RunRecord> split = outcome.runs().stream()
                .filter(run -> run.workload().equals("table:iris#1"))
                .toList();
        assertThat(split).as("three trials, then two seeds of each").hasSize(3 + 2 * 3);
        assertThat(split)
                .extracting(RunRecord::share)
                .as("the whole budget only")
                .containsOnly(1.0);
        assertThat(split)
                .filteredOn(run -> run.seed() != RunRecord.TUNING_SEED && !run.failed())
                .extracting(run -> run.checkpoints().size())
                .as("start and end")
                .containsOnly(2);
        assertThat(outcome.summaries()).extracting(Summary::workload).containsExactly("iris");
        assertThat(Speedup.of(outcome.summaries(), "preconditioned").workloads())
                .isOne();
        assertThat(outcome.tables()).extracting(TableSummary::raw).containsExactly(false, true);
        TableSummary standardised = outcome.tables().get(0);
        assertThat(standardised.tables()).extracting(TableSummary.Table::title).containsExactly("iris", "machine-cpu");
        for (TableSummary.Table table : standardised.tables()) {
            assertThat(table.entries())
                    .extracting(Entry::family)
                    .containsExactly("adamw", "preconditioned", "not-a-number");
            assertThat(table.of("preconditioned").difference().pairs()).isEqualTo(2);
            assertThat(table.of("preconditioned").failures()).isZero();
            assertThat(table.of("not-a-number").failures()).isEqualTo(4);
        }
        assertThat(outcome.markdown())
                .contains("## iris\n", "## small tables, standardised inputs", "| machine-cpu | R² |")
                .doesNotContain("## table");
    }

    @Test
    void stepsOfTablesAreNotClocked() {
        Comparison.Outcome outcome = Comparison.of(Tables.of(SmallTables.IRIS, true, 1))
                .optimizers("adam")
                .budget("3")
                .out(folder)
                .run();
        assertThat(outcome.runs()).hasSize(2);
        assertThat(outcome.summaries()).isEmpty();
        assertThat(outcome.markdown()).doesNotContain("What a step costs").doesNotContain("seconds");
        assertThat(folder).isDirectoryNotContaining("glob:**costs*");
    }
}
