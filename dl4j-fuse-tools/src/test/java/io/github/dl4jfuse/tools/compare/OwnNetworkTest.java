package io.github.dl4jfuse.tools.compare;

import static io.github.dl4jfuse.tools.compare.ComparisonTest.SEED;
import static io.github.dl4jfuse.tools.compare.ComparisonTest.data;
import static io.github.dl4jfuse.tools.compare.ComparisonTest.network;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.tools.networks.Architecture;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** How a user's network and data become a workload. */
class OwnNetworkTest {

    @TempDir
    Path folder;

    @Test
    void aSmallLastBatchIsNotAllOfTheValidation() {
        DataSet all = data(201, 0, new Random(SEED));
        for (int batch : new int[] {20, 100, 200, 201}) {
            Workload own = OwnNetwork.of(
                    Architecture.of(network()),
                    new ExistingDataSetIterator(all.batchBy(batch)),
                    new ExistingDataSetIterator(List.of(data(10, 0, new Random(1)))));
            assertThat(own.data(false).validation().size())
                    .as("batch %d", batch)
                    .isBetween(21, 101);
            assertThat(own.data(false).train().size()
                            + own.data(false).validation().size())
                    .isEqualTo(201);
        }
    }

    @Test
    void theLastTenthOfTheBatchesIsForValidationAndEachSeedHasItsOwnOrder() {
        List<DataSet> batches = data(200, 0, new Random(SEED)).batchBy(10);
        Workload own = OwnNetwork.of(
                Architecture.of(network()),
                new ExistingDataSetIterator(batches),
                new ExistingDataSetIterator(List.of(data(10, 0, new Random(1)))));
        assertThat(((FixedBatches) own.data(false).train()).batches()).isEqualTo(batches.subList(0, 18));
        assertThat(((FixedBatches) own.data(false).validation()).batches()).isEqualTo(batches.subList(18, 20));
        List<DataSet> first = order(own, 1);
        assertThat(first).containsExactlyInAnyOrderElementsOf(batches.subList(0, 18));
        assertThat(order(own, 1)).isEqualTo(first);
        assertThat(order(own, 2)).isNotEqualTo(first);
    }

    private static List<DataSet> order(Workload own, long seed) {
        List<DataSet> order = new ArrayList<>();
        own.data(false).train().iterator(10, seed).forEachRemaining(order::add);
        return order;
    }

    private static ComputationGraphConfiguration graph(String... inputs) {
        int width = 10 * inputs.length;
        return new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs(inputs)
                .addLayer(
                        "out",
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nIn(width)
                                .nOut(2)
                                .activation(Activation.SOFTMAX)
                                .build(),
                        inputs)
                .setOutputs("out")
                .build();
    }

    @Test
    void takesAGraphOfOnesOwn() {
        List<DataSet> train = data(200, 0, new Random(SEED)).batchBy(20);
        Comparison.Outcome outcome = Comparison.of(
                        graph("in"), new ExistingDataSetIterator(train), new ExistingDataSetIterator(train))
                .out(folder)
                .families(List.of(Family.of(Contestant.of("adam", used -> new Adam(3e-2)))))
                .seeds(1)
                .shares(1.0)
                .clocked(false)
                .budget("100")
                .run();
        RunRecord run = outcome.runs().get(0);
        assertThat(run.failure()).isEmpty();
        RunRecord.Checkpoint end = run.checkpoints().get(run.checkpoints().size() - 1);
        assertThat(end.gradients()).isEqualTo(100);
        assertThat(end.testAccuracy()).isGreaterThan(0.9);
        assertThat(run.extraBytes()).isEqualTo(2 * 22 * 4);
    }

    @Test
    void refusesAGraphOfTwoInputs() {
        ExistingDataSetIterator train = new ExistingDataSetIterator(List.of(data(20, 0, new Random(SEED))));
        assertThatThrownBy(() -> Comparison.of(graph("left", "right"), train, train))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 inputs and 1 outputs");
    }
}
