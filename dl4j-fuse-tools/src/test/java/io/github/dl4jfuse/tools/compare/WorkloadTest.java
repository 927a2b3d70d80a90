package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.datasets.Iris;
import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

class WorkloadTest {

    /** All but those whose data don't come with the program. */
    static List<Workload> workloads() {
        return Workloads.ALL.stream()
                .filter(workload -> !workload.name().startsWith("cifar-"))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("workloads")
    void networkAndDataFitTogetherAndTheSeedMakesTheWeights(Workload workload) {
        Workload.Split data = workload.data(false);
        Model network = workload.architecture(1).build();
        for (DataSource source : List.of(data.train(), data.validation(), data.test())) {
            assertThat(Networks.loss(
                            network, FixedBatches.whole(source.iterator(500).next()), 500))
                    .isFinite();
        }
        assertThat(workload.architecture(1).build().params()).isEqualTo(network.params());
        assertThat(workload.architecture(2).build().params()).isNotEqualTo(network.params());
        assertThat(data.train().iterator(workload.batch()).next().numExamples()).isEqualTo(workload.batch());
    }

    @Test
    void budgetsAreWholeEpochsOfTheWholeSets() {
        assertThat(Workloads.FASHION_MLP.budget(true)).isEqualTo(Budget.gradients(8 * 430));
        assertThat(Workloads.FASHION_2C2D.budget(true)).isEqualTo(Budget.gradients(5 * 430));
        assertThat(Workloads.FASHION_LENET.budget(true)).isEqualTo(Budget.gradients(5 * 860));
        assertThat(Workloads.CIFAR_3C3D.budget(true)).isEqualTo(Budget.gradients(5 * 352));
    }

    @Test
    void earlierNetworksCanBeNamedButAreNotComparedUnasked() {
        assertThat(Workloads.named("cifar-cnn")).isSameAs(Workloads.CIFAR_CNN);
        assertThat(Workloads.DEFAULT).doesNotContain(Workloads.CIFAR_CNN, Workloads.FASHION_CNN);
        assertThat(Workloads.ALL).extracting(Workload::name).doesNotHaveDuplicates();
    }

    @Test
    void fineTuningKeepsWhatWasLearntAndTrainsAboveIt() {
        Workload workload = Workloads.FINETUNE;
        Workload.Split data = workload.data(false);
        assertThat(data.train().size()).isEqualTo(1_000);
        assertThat(data.test().size()).isEqualTo(500);
        Model network = Networks.network(workload.architecture(1), new Adam());
        Model other = workload.architecture(2).build();
        INDArray filters = network.getParam("2_W").dup();
        INDArray dense = network.getParam("4_W").dup();
        assertThat(other.getParam("4_W")).isEqualTo(dense);
        assertThat(other.getParam("5_W")).isNotEqualTo(network.getParam("5_W"));
        DataSetIterator batches = data.train().iterator(workload.batch(), 1);
        while (batches.hasNext()) {
            Networks.fit(network, batches.next());
        }
        assertThat(network.getParam("2_W")).isEqualTo(filters);
        assertThat(network.getParam("4_W")).isNotEqualTo(dense);
        assertThat(Networks.accuracy(network, data.test(), 500)).isGreaterThan(0.75);
    }

    @Test
    void aFingerprintTellsWhereWeightsComeFrom() {
        Workload tuned = Workloads.FINETUNE;
        assertThat(Fingerprint.of(tuned))
                .isNotEqualTo(Fingerprint.of(with(tuned, Architecture.of(tuned.configuration(1)))));
        assertThat(Fingerprint.of(with(tuned, tuned.architecture(1)))).isEqualTo(Fingerprint.of(tuned));
    }

    private static Workload with(Workload workload, Architecture network) {
        return new Workload(
                workload.name(),
                workload.description(),
                workload.example(),
                workload.batch(),
                workload.fastGradients(),
                workload.fullGradients(),
                workload.checkpoints(),
                workload.classifies(),
                workload.hasVariants(),
                workload.reader(),
                seed -> network);
    }

    @Test
    void poissonsExactSolutionHasNoLossAndItsGradientIsThatOfTheLoss() {
        DataSet grid = Workloads.PHYSICS.data(false).train().iterator(1).next();
        int n = grid.numExamples();
        INDArray exact = Nd4j.zeros(DataType.DOUBLE, n, 1);
        for (int i = 0; i < n; i++) {
            double x = grid.getFeatures().getDouble(i);
            assertThat(x).isCloseTo(i / 128.0, within(1e-12));
            exact.putScalar(i, Math.sin(Math.PI * x) + Math.sin(3 * Math.PI * x) / 3);
        }
        PoissonLoss loss = new PoissonLoss();
        assertThat(loss.computeScore(grid.getLabels(), exact, new ActivationIdentity(), null, true))
                .isCloseTo(0, within(1e-18));
        // The difference quotient is close to the derivative: f = π² sin(πx) + 3π² sin(3πx).
        double middle = grid.getLabels().getDouble(64);
        assertThat(middle).isCloseTo(Math.PI * Math.PI * (1 - 3), within(0.02));

        long seed = 4;
        Random random = new Random(seed);
        for (IActivation activation : List.of(new ActivationIdentity(), new ActivationTanH())) {
            INDArray u = exact.dup();
            for (int i = 0; i < n; i++) {
                u.putScalar(i, u.getDouble(i) + 0.1 * random.nextGaussian());
            }
            INDArray gradient = loss.computeGradient(grid.getLabels(), u, activation, null);
            for (int i : new int[] {0, 1, 2, 64, n - 2, n - 1}) {
                double h = 1e-5;
                double difference = (loss.computeScore(grid.getLabels(), moved(u, i, h), activation, null, false)
                                - loss.computeScore(grid.getLabels(), moved(u, i, -h), activation, null, false))
                        / (2 * h);
                assertThat(gradient.getDouble(i))
                        .as("row %d, seed %d", i, seed)
                        .isCloseTo(difference, within(1e-6 * (1 + Math.abs(difference))));
            }
        }
    }

    private static INDArray moved(INDArray u, int i, double by) {
        INDArray copy = u.dup();
        copy.putScalar(i, copy.getDouble(i) + by);
        return copy;
    }

    @Test
    void irisIsComplete() {
        DataSet all = Iris.standardised();
        assertThat(all.numExamples()).isEqualTo(150);
        assertThat(all.getLabels().sum(0).toDoubleVector()).containsExactly(50, 50, 50);
        for (int j = 0; j < 4; j++) {
            assertThat(all.getFeatures().getColumn(j).meanNumber().doubleValue())
                    .isCloseTo(0, within(1e-5));
            assertThat(all.getFeatures().getColumn(j).stdNumber(false).doubleValue())
                    .isCloseTo(1, within(1e-5));
        }
    }

    @Test
    void theAutoencodersTargetsAreItsInputsAlsoWhenThoseAreStandardised() {
        Workload workload = Workloads.AUTOENCODER;
        DataSet plain = workload.data(false).train().iterator(64, 1).next();
        DataSet scaled =
                workload.variant(64, true).data(false).train().iterator(64, 1).next();
        assertThat(plain.getLabels()).isEqualTo(plain.getFeatures());
        assertThat(scaled.getLabels()).isEqualTo(plain.getLabels());
        assertThat(scaled.getFeatures()).isNotEqualTo(plain.getFeatures());
    }

    @Test
    void standardisedInputsHaveMean0AndVariance1OverTheTrainingSet() {
        for (Workload workload : List.of(Workloads.FASHION_MLP, Workloads.FASHION_CNN)) {
            INDArray all = workload.variant(128, true)
                    .data(false)
                    .train()
                    .iterator(5_000)
                    .next()
                    .getFeatures();
            assertThat(all.meanNumber().doubleValue()).as(workload.name()).isCloseTo(0, within(1e-3));
            assertThat(all.stdNumber(false).doubleValue()).as(workload.name()).isCloseTo(1, within(1e-3));
            Workload.Split data = workload.variant(128, true).data(false);
            for (DataSource other : List.of(data.validation(), data.test())) {
                INDArray features = other.iterator(1_000).next().getFeatures();
                assertThat(features.meanNumber().doubleValue()).isCloseTo(0, within(0.1));
                assertThat(features.stdNumber(false).doubleValue()).isCloseTo(1, within(0.1));
            }
        }
    }

    @Test
    void aVariantsBudgetIsForAsManyExamples() {
        assertThat(Workloads.FASHION_MLP.variant(1024, false).budget(false)).isEqualTo(Budget.gradients(100));
    }
}
