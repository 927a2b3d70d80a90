package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A network and data of one's own, with labels of which some are wrong so that one can overfit. */
class ComparisonTest {

    static final long SEED = 31;

    @TempDir
    Path folder;

    static MultiLayerConfiguration network() {
        return new NeuralNetConfiguration.Builder()
                .updater(new Sgd(123))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(10)
                        .nOut(64)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
    }

    static DataSet data(int examples, double wrong, Random random) {
        INDArray features = Nd4j.zeros(examples, 10);
        INDArray labels = Nd4j.zeros(examples, 2);
        for (int i = 0; i < examples; i++) {
            double sum = 0;
            for (int j = 0; j < 10; j++) {
                double x = random.nextGaussian();
                features.putScalar(i, j, x);
                sum += x;
            }
            labels.putScalar(i, sum > 0 ^ random.nextDouble() < wrong ? 1 : 0, 1);
        }
        return new DataSet(features, labels);
    }

    private Comparison comparison(int batch) {
        return comparison(batch, folder);
    }

    /** Compares on this network with three seeds, at the whole budget and on the runs' own clocks. */
    static Comparison comparison(int batch, Path folder) {
        Random random = new Random(SEED);
        List<DataSet> train = data(200, 0.3, random).batchBy(batch);
        return Comparison.of(
                        network(),
                        new ExistingDataSetIterator(train),
                        new ExistingDataSetIterator(List.of(data(500, 0, random))))
                .seeds(3)
                .shares(1.0)
                .clocked(false)
                .out(folder);
    }

    static Row row(Comparison.Outcome outcome, String family) {
        return outcome.summaries().get(0).rows().stream()
                .filter(row -> row.family().equals(family))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void plantedCheatsShowAsWhatTheyAre() {
        Comparison.Outcome outcome = comparison(20)
                .families(List.of(
                        Family.of(Contestant.of("adam", used -> new Adam(2e-3))),
                        Family.of(Contestant.of("wrong-rate", used -> new Adam(1e-7))),
                        Family.of(Contestant.of(
                                "stops-early",
                                used -> new Adam(
                                        new BudgetSchedule(2e-3, Shape.LINEAR, () -> 100 * used.getAsDouble())))),
                        Family.of(Contestant.of("not-a-number", used -> new Sgd(Double.NaN))),
                        Family.of(Contestant.of("overfits", used -> new Adam(5e-2)))))
                .budget("500")
                .run();
        Row adam = row(outcome, "adam");
        assertThat(adam.runs().get(0).checkpoints().get(0).gradients()).isZero();
        for (String slow : List.of("wrong-rate", "stops-early")) {
            assertThat(row(outcome, slow).toTarget().reached()).as(slow).isFalse();
            assertThat(Speedup.of(outcome.summaries(), slow).missed()).as(slow).isOne();
        }
        assertThat(row(outcome, "not-a-number").failures()).isEqualTo(3);
        Row overfits = row(outcome, "overfits");
        assertThat(overfits.trainingLoss().median())
                .isLessThan(adam.trainingLoss().median());
        assertThat(overfits.test().median())
                .as("labels of the test set are right, so fitting wrong ones shows (seed %d)", SEED)
                .isLessThan(adam.test().median());
        assertThat(outcome.markdown())
                .contains("the loss is not finite")
                .contains("| own-network | not-a-number | not reached");
    }

    @Test
    void aNetworkOfOnesOwnGetsTheSameReport() {
        Comparison.Outcome outcome =
                comparison(20).seeds(2).trials(9).shares(.5, 1.0).budget("30").run();
        assertThat(outcome.summaries()).hasSize(1);
        assertThat(outcome.summaries().get(0).workload()).isEqualTo("own-network");
        assertThat(outcome.summaries().get(0).rows())
                .as("what is compared unless something else is asked for")
                .extracting(Row::family)
                .containsExactly("adamw", "preconditioned");
        assertThat(row(outcome, "adamw").tried()).isEqualTo(9);
        assertThat(row(outcome, "adamw").curves()).extracting(Curve::share).containsExactly(1.0, .5);
        assertThat(outcome.report()).exists();
        assertThat(outcome.report().resolveSibling("results.csv")).exists();
    }

    @Test
    void twoRunsGiveTheSameLossesAndResumingRunsNothing() {
        Comparison.Outcome first = comparison(20)
                .optimizers("adam", "fuse-pv")
                .seeds(2)
                .budget("30")
                .run();
        Comparison.Outcome second = comparison(20)
                .optimizers("adam", "fuse-pv")
                .seeds(2)
                .budget("30")
                .out(folder.resolve("again"))
                .run();
        assertThat(losses(second)).isEqualTo(losses(first));
        Comparison.Outcome resumed = comparison(20)
                .optimizers("adam", "fuse-pv")
                .seeds(2)
                .budget("30")
                .resume(true)
                .run();
        assertThat(resumed.runs().equals(first.runs())).isTrue(); // a failure must not print them all
        assertThat(first.runs().get(0).settings()).contains("learningRate=0.001");
    }

    private Comparison.Outcome resumed(MultiLayerConfiguration network, DataSet train, double rate) {
        return Comparison.of(
                        network,
                        new ExistingDataSetIterator(train.batchBy(20)),
                        new ExistingDataSetIterator(List.of(data(20, 0, new Random(1)))))
                .families(List.of(Family.of(Contestant.of("adam", used -> new Adam(rate)))))
                .seeds(1)
                .budget("5")
                .shares(1.0)
                .clocked(false)
                .out(folder)
                .resume(true)
                .run();
    }

    @Test
    void resumingCountsNoRunOfAnotherNetworkDataOrUpdater() {
        DataSet train = data(100, 0, new Random(SEED));
        MultiLayerConfiguration wider = network();
        ((DenseLayer) wider.getConf(0).getLayer()).setNOut(65);
        ((OutputLayer) wider.getConf(1).getLayer()).setNIn(65);
        DataSet oneOther = train.copy();
        oneOther.getFeatures().putScalar(7, 3, 9);
        double first = losses(resumed(network(), train, 1e-2)).get(1);
        assertThat(losses(resumed(wider, train, 1e-2)).get(1)).isNotEqualTo(first);
        assertThat(losses(resumed(network(), oneOther, 1e-2)).get(1)).isNotEqualTo(first);
        assertThat(losses(resumed(network(), train, 1e-3)).get(1)).isNotEqualTo(first);
        assertThat(new ResultsFile(folder.resolve(Comparison.RESULTS)).runs()).hasSize(4);
        assertThat(losses(resumed(network(), train, 1e-2)).get(1)).isEqualTo(first);
        assertThat(new ResultsFile(folder.resolve(Comparison.RESULTS)).runs())
                .as("all were there")
                .hasSize(4);
    }

    @Test
    void anErrorEndsOneRunOnly() {
        Contestant adam = Contestant.of("adam", used -> new Adam(1e-2));
        Contestant exhausted = Contestant.of(
                "exhausted",
                used -> new Sgd(new BudgetSchedule(0.1, Shape.CONSTANT, () -> {
                    if (used.getAsDouble() > 0.4) {
                        throw new StackOverflowError("too deep");
                    }
                    return 0;
                })));
        Contestant unmakeable = Contestant.of("unmakeable", used -> {
            throw new OutOfMemoryError("too large");
        });
        Comparison.Outcome outcome = comparison(20)
                .families(List.of(Family.of(exhausted), Family.of(unmakeable), Family.of(adam)))
                .seeds(2)
                .budget("10")
                .run();
        assertThat(row(outcome, "exhausted").failures()).isEqualTo(2);
        assertThat(row(outcome, "unmakeable").failures()).isEqualTo(2);
        assertThat(outcome.markdown()).contains("too deep").contains("too large");
        List<RunRecord> alone = comparison(20)
                .families(List.of(Family.of(adam)))
                .seeds(2)
                .budget("10")
                .out(folder.resolve("alone"))
                .run()
                .runs();
        assertThat(row(outcome, "adam").runs())
                .extracting(run -> run.end().trainingLoss())
                .containsExactlyElementsOf(
                        alone.stream().map(run -> run.end().trainingLoss()).toList());
    }

    @Test
    void whatListenersMeasureIsKeptAndDrawn() throws IOException {
        Comparison.Outcome outcome =
                comparison(20).optimizers("adam", "lfso").seeds(2).budget("60").run();
        List<RunRecord.Checkpoint> adam = row(outcome, "adam").runs().get(0).checkpoints();
        assertThat(adam).allSatisfy(point -> assertThat(point.measured()).isEmpty());
        List<RunRecord.Checkpoint> lfso = row(outcome, "lfso").runs().get(0).checkpoints();
        assertThat(lfso.get(0).measured()).isEmpty();
        assertThat(lfso.subList(1, lfso.size())).allSatisfy(point -> {
            assertThat(point.measured()).containsOnlyKeys("step length", "smoothness L", "radius R", "refused trials");
            assertThat(point.measured().get("radius R")).isPositive();
        });
        String page = Files.readString(outcome.report());
        assertThat(page).contains("smoothness L over seconds");
        Comparison.Outcome resumed = comparison(20)
                .optimizers("adam", "lfso")
                .seeds(2)
                .budget("60")
                .resume(true)
                .run();
        assertThat(row(resumed, "lfso")
                        .runs()
                        .get(1)
                        .checkpoints()
                        .equals(row(outcome, "lfso").runs().get(1).checkpoints()))
                .isTrue();
    }

    static List<Double> losses(Comparison.Outcome outcome) {
        return outcome.runs().stream()
                .flatMap(run -> run.checkpoints().stream())
                .map(RunRecord.Checkpoint::trainingLoss)
                .toList();
    }

    @Test
    void biasesGetTheSameUpdater() {
        MultiLayerConfiguration configuration = network();
        for (NeuralNetConfiguration conf : configuration.getConfs()) {
            ((BaseLayer) conf.getLayer()).setBiasUpdater(new Sgd(0));
        }
        DataSet data = data(20, 0, new Random(SEED));
        Comparison.Outcome outcome = Comparison.of(
                        configuration,
                        new ExistingDataSetIterator(List.of(data)),
                        new ExistingDataSetIterator(List.of(data)))
                .families(List.of(Family.of(Contestant.of("adam", used -> new Adam(1e-2)))))
                .seeds(1)
                .budget("1")
                .shares(1.0)
                .clocked(false)
                .out(folder)
                .run();
        long parameters = 10 * 64 + 64 + 64 * 2 + 2;
        assertThat(outcome.runs().get(0).extraBytes()).isEqualTo(2 * parameters * Float.BYTES);
    }

    @Test
    void oneBatchIsSplitByExamplesAndKeptWhole() {
        Comparison.Outcome outcome =
                comparison(200).optimizers("fuse-pv").seeds(1).run();
        assertThat(outcome.runs().get(0).steps()).isLessThanOrEqualTo(OwnNetwork.EPOCHS);
    }

    @Test
    void badInputIsRefusedWithASentence() {
        assertThatThrownBy(() -> comparison(20).seeds(0)).hasMessageContaining("At least one seed");
        assertThatThrownBy(() -> comparison(20).trials(0)).hasMessageContaining("At least one trial");
        assertThatThrownBy(() -> comparison(20).workers(0)).hasMessageContaining("At least one worker");
        assertThatThrownBy(() -> comparison(20).shares(1.5)).hasMessageContaining("above 0 and up to 1");
        assertThatThrownBy(() -> comparison(20).budget("0")).hasMessageContaining("positive number");
        assertThatThrownBy(() -> comparison(20).families(List.of())).hasMessageContaining("nobody to compare");
        assertThatThrownBy(() -> Comparison.of(List.of())).hasMessageContaining("nothing to compare on");
        assertThatThrownBy(() -> Comparison.of(
                        network(), new ExistingDataSetIterator(List.of()), new ExistingDataSetIterator(List.of())))
                .hasMessageContaining("training data are empty");
        comparison(20).optimizers("fuse-pv").seeds(1).budget("1").run();
        assertThatThrownBy(() -> comparison(20).run()).hasMessageContaining("resume(true)");
    }
}
