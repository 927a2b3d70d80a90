package io.github.dl4jfuse.tools.compare;

import static io.github.dl4jfuse.tools.compare.ComparisonTest.SEED;
import static io.github.dl4jfuse.tools.compare.ComparisonTest.comparison;
import static io.github.dl4jfuse.tools.compare.ComparisonTest.data;
import static io.github.dl4jfuse.tools.compare.ComparisonTest.losses;
import static io.github.dl4jfuse.tools.compare.ComparisonTest.network;
import static io.github.dl4jfuse.tools.compare.ComparisonTest.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** Tuning, workers and the costs of steps, on the network and data of {@link ComparisonTest}. */
class TournamentTest {

    @TempDir
    Path folder;

    @Test
    void successiveHalvingKeepsTheBestThirdByValidation() {
        Map<Double, Set<String>> ran = new TreeMap<>();
        List<Contestant> members = new ArrayList<>();
        for (double rate : new double[] {1e-7, 3e-3, 1e-6, 1e-5, 1e-8, 1e-4, 2e-6, 2e-7, 2e-5}) {
            Setting setting = new Setting(rate, Shape.CONSTANT, 0, 0, Double.NaN);
            members.add(Contestant.of("adamw", setting, run -> Equipment.of(new Adam(run.schedule(setting)))));
        }
        Comparison.Outcome outcome = comparison(20, folder)
                .families(List.of(new Family("adamw", "", true, members)))
                .trials(9)
                .seeds(1)
                .budget("180")
                .run();
        outcome.summaries()
                .get(0)
                .tuning()
                .forEach(run -> ran.computeIfAbsent(run.share(), share -> new TreeSet<>())
                        .add(run.contestant()));
        assertThat(ran.keySet()).containsExactly(1 / 3.0, 1.0);
        assertThat(ran.get(1 / 3.0)).hasSize(9);
        assertThat(ran.get(1.0)).isEqualTo(best(outcome.summaries().get(0).tuning(), 1 / 3.0, 3));
        assertThat(outcome.summaries().get(0).tuning())
                .allSatisfy(run -> assertThat(run.end().testAccuracy())
                        .as("tuning never reads the test set")
                        .isNaN());
        assertThat(outcome.runs())
                .filteredOn(run -> run.seed() != RunRecord.TUNING_SEED)
                .extracting(RunRecord::contestant)
                .containsExactlyElementsOf(best(outcome.summaries().get(0).tuning(), 1, 1));
    }

    private static Set<String> best(List<RunRecord> tuning, double share, int count) {
        return tuning.stream()
                .filter(run -> run.share() == share)
                .sorted(Comparator.comparingDouble(run -> -run.validation()))
                .limit(count)
                .map(RunRecord::contestant)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void twoWorkersGiveTheSameNumbersAsOne() {
        List<Double> one = losses(comparison(20, folder)
                .optimizers("adamw", "preconditioned")
                .trials(3)
                .seeds(2)
                .shares(1.0, .5)
                .budget("60")
                .run());
        List<Double> two = losses(comparison(20, folder)
                .optimizers("adamw", "preconditioned")
                .trials(3)
                .seeds(2)
                .shares(1.0, .5)
                .budget("60")
                .workers(2)
                .out(folder.resolve("two"))
                .run());
        assertThat(two).isEqualTo(one);
    }

    @Test
    void costsAreMeasuredForAllInOneCallAndKept() {
        Comparison comparison = comparison(50, folder)
                .optimizers("adam", "preconditioned-open")
                .seeds(1)
                .budget("40")
                .clocked(true);
        Comparison.Outcome outcome = comparison.run();
        List<StepCosts> costs = new ResultsFile(folder.resolve(Comparison.RESULTS))
                .costs("own-network", outcome.runs().get(0).full());
        assertThat(costs).extracting(StepCosts::contestant).containsExactly("adam", "preconditioned-open");
        assertThat(costs.get(0).milliseconds()).containsOnlyKeys(StepKind.PLAIN);
        assertThat(costs.get(1).milliseconds()).containsKeys(StepKind.PLAIN, StepKind.parse("1 look"));
        assertThat(costs).allSatisfy(one -> {
            assertThat(one.clocked()).isPositive();
            assertThat(one.predicted()).isPositive();
        });
        Row adam = row(outcome, "adam");
        assertThat(adam.millisecondsPerStep())
                .isEqualTo(costs.get(0).milliseconds().get(StepKind.PLAIN), within(1e-9));
        comparison.resume(true).run();
        assertThat(new ResultsFile(folder.resolve(Comparison.RESULTS))
                        .costs("own-network", adam.runs().get(0).full()))
                .as("not measured again")
                .isEqualTo(costs);
        MultiLayerConfiguration wider = network();
        ((DenseLayer) wider.getConf(0).getLayer()).setNOut(65);
        ((OutputLayer) wider.getConf(1).getLayer()).setNIn(65);
        List<DataSet> data = data(200, 0.3, new Random(SEED)).batchBy(50);
        Comparison.of(wider, new ExistingDataSetIterator(data), new ExistingDataSetIterator(data))
                .optimizers("adam", "preconditioned-open")
                .seeds(1)
                .shares(1.0)
                .budget("40")
                .out(folder)
                .resume(true)
                .run();
        List<StepCosts> ofWider = new ResultsFile(folder.resolve(Comparison.RESULTS))
                .costs("own-network", adam.runs().get(0).full());
        assertThat(ofWider).as("those of another network").hasSize(2).doesNotContainAnyElementsOf(costs);
    }

    @Test
    void everyContestantWarmsUpBeforeItsFirstRunOnItsOwnClock() {
        AtomicInteger adam = new AtomicInteger();
        AtomicInteger sgd = new AtomicInteger();
        Comparison.Outcome outcome = comparison(50, folder)
                .families(List.of(
                        Family.of(Contestant.of("adam", used -> new Adam(1e-2 + 0 * adam.incrementAndGet()))),
                        Family.of(Contestant.of("sgd", used -> new Sgd(1e-2 + 0 * sgd.incrementAndGet())))))
                .seeds(2)
                .budget("8")
                .run();
        assertThat(outcome.runs()).hasSize(4);
        assertThat(adam).as("two runs and the warm-up").hasValue(3);
        assertThat(sgd).hasValue(3);
    }
}
