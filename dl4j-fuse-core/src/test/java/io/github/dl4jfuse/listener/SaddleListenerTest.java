package io.github.dl4jfuse.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import io.github.dl4jfuse.saddle.EigenPairs;
import io.github.dl4jfuse.saddle.Lanczos;
import io.github.dl4jfuse.saddle.StagnationDetector;
import io.github.dl4jfuse.saddle.SubspaceStep.Kind;
import io.github.dl4jfuse.saddle.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks at saddle points. */
class SaddleListenerTest {

    private static final int BATCH = 60;
    private static final Map<String, DataSet> BATCHES = new HashMap<>();

    /** Three weight layers without biases: with all weights zero, gradient and Hessian vanish, whatever the data. */
    private static MultiLayerNetwork threeLayers(Activation activation, DataType type, IUpdater updater) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(TestNetworks.SEED)
                .dataType(type)
                .updater(updater)
                .activation(activation)
                .list()
                .layer(new DenseLayer.Builder().nIn(64).nOut(8).hasBias(false).build())
                .layer(new DenseLayer.Builder().nOut(8).hasBias(false).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .hasBias(false)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        return network;
    }

    private static DataSet batch(int index, DataType type) {
        return BATCHES.computeIfAbsent(type + " " + index, key -> TestNetworks.DENSE.batch(index, BATCH, type));
    }

    private static void fit(Model model, int steps, DataType type) {
        for (int step = 0; step < steps; step++) {
            TestNetworks.fit(model, batch(step % 10, type));
        }
    }

    private static double loss(MultiLayerNetwork network, DataType type) {
        double sum = 0;
        for (int i = 0; i < 10; i++) {
            sum += network.score(batch(i, type), false);
        }
        return sum / 10;
    }

    @ParameterizedTest
    @CsvSource({"IDENTITY, DOUBLE", "TANH, DOUBLE", "IDENTITY, FLOAT", "TANH, FLOAT"})
    void leavesTheThirdOrderSaddleWhereAdamSgdAndLbfgsStay(Activation activation, DataType type) {
        for (IUpdater updater : new IUpdater[] {new Adam(1e-2), new Sgd(0.5)}) {
            MultiLayerNetwork stays = threeLayers(activation, type, updater);
            stays.params().assign(0);
            fit(stays, 50, type);
            assertThat(stays.params().norm1Number().doubleValue()).isZero();
        }
        MultiLayerNetwork network = threeLayers(activation, type, new Adam(1e-2));
        network.params().assign(0);
        NetworkObjective objective = new NetworkObjective(network, batch(0, type));
        assertThat(LbfgsSolver.minimize(objective).iterations()).isZero();
        EigenPairs pairs = new Lanczos(20, 1e-2, 1).extremes(objective, objective.start(), 3, 3);
        assertThat(Arrays.stream(pairs.values()).map(Math::abs).max().orElseThrow())
                .as("the Hessian vanishes")
                .isLessThan(1e-12);

        SaddleListener listener = new SaddleListener(batch(0, type)).window(20);
        network.setListeners(listener);
        fit(network, 300, type);
        SaddleListener.Finding first = listener.findings().get(0);
        assertThat(first.report().verdict()).as(first.sentence()).isEqualTo(Verdict.THIRD_ORDER_SADDLE);
        assertThat(first.step()).isEqualTo(Kind.THIRD_ORDER);
        assertThat(first.lossAfter()).isLessThan(first.lossBefore() - 0.01);
        assertThat(first.sentence()).contains("On the 60 examples of the probe batch", "Third-order step", "reset");
        MultiLayerNetwork usual = threeLayers(activation, type, new Adam(1e-2));
        fit(usual, 300, type);
        // The start at zero is 20 steps and some dozen more behind, which is less than 3 % of what there is to gain.
        assertThat(loss(network, type))
                .as("as after a usual start")
                .isLessThan(loss(usual, type) + 0.03 * first.lossBefore());
    }

    @Test
    void aTrainingThatProgressesIsLeftAloneBitByBit() {
        MultiLayerNetwork watched = threeLayers(Activation.TANH, DataType.FLOAT, new Adam(1e-3));
        MultiLayerNetwork plain = threeLayers(Activation.TANH, DataType.FLOAT, new Adam(1e-3));
        SaddleListener listener = new SaddleListener(batch(0, DataType.FLOAT)).window(40);
        watched.setListeners(listener);
        fit(watched, 120, DataType.FLOAT);
        fit(plain, 120, DataType.FLOAT);
        assertThat(listener.findings()).isEmpty();
        assertThat(watched.params().toDoubleVector()).isEqualTo(plain.params().toDoubleVector());
    }

    @ParameterizedTest
    @EnumSource(
            value = TestNetworks.class,
            names = {"BATCH_NORM", "GRAPH"})
    void aProbeWithoutAStepLeavesTrainingAsItIsAndTheNextOneWaits(TestNetworks kind) {
        // A rate so small that nothing moves: a plateau without a critical point.
        Options dropout = Options.layer(layer -> layer.dropOut(0.7));
        Model watched = kind.create(new Adam(1e-9), DataType.DOUBLE, dropout);
        Model plain = kind.create(new Adam(1e-9), DataType.DOUBLE, dropout);
        SaddleListener listener = new SaddleListener(kind.batch(0, 40, DataType.DOUBLE))
                .window(20)
                .smallestFall(0.5);
        List<INDArray> updates = new ArrayList<>();
        TrainingListener later = new BaseTrainingListener() {
            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                updates.add(model.getGradientsViewArray().dup());
            }
        };
        watched.setListeners(listener, later);
        plain.setListeners(later);
        DataSet data = kind.batch(1, 20, DataType.DOUBLE);
        for (Model model : new Model[] {watched, plain}) {
            Nd4j.getRandom().setSeed(TestNetworks.SEED);
            for (int step = 0; step < 70; step++) {
                TestNetworks.fit(model, data);
            }
        }
        assertThat(listener.findings().stream().map(SaddleListener.Finding::iteration))
                .as("after 20 steps, and twice as many later")
                .containsExactly(19, 59);
        for (SaddleListener.Finding finding : listener.findings()) {
            assertThat(finding.report().verdict()).as(finding.sentence()).isEqualTo(Verdict.NOT_CRITICAL);
            assertThat(finding.step()).isEqualTo(Kind.NONE);
            assertThat(finding.sentence()).contains("a plateau without a critical point", "No step");
        }
        assertThat(updates.subList(0, 70)).as("what later listeners see").isEqualTo(updates.subList(70, 140));
        assertThat(watched.params().toDoubleVector()).isEqualTo(plain.params().toDoubleVector());
    }

    /** A gradient tolerance that calls each point of a noisy training critical, and a probe batch of ten examples. */
    @Test
    void wrongVerdictsNeverRaiseTheLossOfTheProbeBatch() {
        MultiLayerNetwork network = threeLayers(Activation.TANH, DataType.DOUBLE, new Adam(1e-2));
        DataSet probe = TestNetworks.DENSE.batch(11, 10, DataType.DOUBLE);
        NetworkObjective objective = new NetworkObjective(network, probe);
        SaddleListener listener =
                new SaddleListener(probe).window(20).smallestFall(0.99).gradientTolerance(1e9);
        List<Double> measured = new ArrayList<>();
        network.setListeners(listener, new BaseTrainingListener() {
            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                if (listener.findings().size() > measured.size()) {
                    measured.add(objective.value(objective.start()));
                }
            }
        });
        fit(network, 200, DataType.DOUBLE);
        assertThat(listener.findings().stream().filter(finding -> finding.step() != Kind.NONE))
                .as("steps at points that are not critical")
                .isNotEmpty();
        for (int i = 0; i < measured.size(); i++) {
            SaddleListener.Finding finding = listener.findings().get(i);
            int before = i == 0 ? -1 : listener.findings().get(i - 1).iteration();
            assertThat(finding.iteration() - before)
                    .as("a new window after each probe")
                    .isGreaterThanOrEqualTo(20);
            assertThat(finding.sentence()).contains("On the 10 examples of the probe batch");
            assertThat(finding.lossAfter()).as(finding.sentence()).isLessThanOrEqualTo(finding.lossBefore());
            assertThat(measured.get(i)).as(finding.sentence()).isCloseTo(finding.lossAfter(), within(1e-12));
        }
    }

    @Test
    void updaterStateIsResetUnlessItIsToBeKept() {
        for (boolean keep : new boolean[] {false, true}) {
            MultiLayerNetwork network = threeLayers(Activation.TANH, DataType.DOUBLE, new Adam(1e-3));
            network.params().assign(0);
            SaddleListener listener = new SaddleListener(batch(0, DataType.DOUBLE)).window(20);
            if (keep) {
                listener.keepUpdaterState();
            }
            network.setListeners(
                    new BaseTrainingListener() {
                        @Override
                        public void onGradientCalculation(Model model) {
                            network.updaterState().assign(network.getIterationCount() == 19 ? 1e-12 : 0);
                        }
                    },
                    listener);
            fit(network, 20, DataType.DOUBLE);
            assertThat(listener.findings()).hasSize(1);
            assertThat(network.updaterState().norm1Number().doubleValue() == 0).isEqualTo(!keep);
            assertThat(listener.findings().get(0).sentence()).contains(keep ? "state kept" : "state reset");
        }
    }

    /** Directions that lie in BatchNorm's statistics would make the Hessian unsymmetric. */
    @Test
    void eigenpairsOfANetworkWithBatchNormAndDropoutAreThoseOfTheDenseHessian() {
        TestNetworks kind = TestNetworks.BATCH_NORM;
        Model model = kind.create(new Sgd(0.1), DataType.DOUBLE, Options.network(builder -> builder.dropOut(0.5)));
        NetworkObjective objective = new NetworkObjective(model, kind.batch(0, 12, DataType.DOUBLE));
        INDArray x = objective.start();
        EigenPairs pairs = new Lanczos(60, 1e-6, 3).extremes(objective, x, 1, 2);
        int n = (int) objective.dimension();
        SimpleMatrix dense = new SimpleMatrix(n, n);
        INDArray unit = x.like();
        INDArray column = x.like();
        for (int j = 0; j < n; j++) {
            unit.assign(0).putScalar(j, 1);
            objective.clearFixed(unit);
            objective.hessianVector(x, unit, column);
            dense.setColumn(j, 0, column.toDoubleVector());
        }
        assertThat(dense.minus(dense.transpose()).normF()).as("symmetric").isLessThan(1e-6 * dense.normF());
        double[] exact = dense.plus(dense.transpose()).scale(0.5).eig().getEigenvalues().stream()
                .mapToDouble(e -> e.getReal())
                .sorted()
                .toArray();
        assertThat(pairs.values())
                .containsExactly(new double[] {exact[0], exact[n - 2], exact[n - 1]}, within(1e-5 * pairs.scale()));
    }

    /** Differences in float pass the kinks of ReLU and say 10 % to 60 % too much here. */
    @Test
    void theCurvatureOfAReluNetworkInFloatIsThatOfItsDenseHessian() {
        MultiLayerNetwork network = threeLayers(Activation.RELU, DataType.FLOAT, new Adam(1e-9));
        SaddleListener listener =
                new SaddleListener(batch(0, DataType.FLOAT)).window(40).smallestFall(0.5);
        network.setListeners(listener);
        fit(network, 40, DataType.FLOAT);
        NetworkObjective objective = new NetworkObjective(network, batch(0, DataType.FLOAT)).inDouble();
        INDArray x = objective.start();
        int n = (int) x.length();
        SimpleMatrix dense = new SimpleMatrix(n, n);
        INDArray gradient = x.like();
        INDArray moved = x.like();
        objective.valueAndGradient(x, gradient);
        for (int j = 0; j < n; j++) {
            moved.assign(x).putScalar(j, x.getDouble(j) + 1e-8);
            INDArray column = x.like();
            objective.valueAndGradient(moved, column);
            dense.setColumn(j, 0, column.subi(gradient).divi(1e-8).toDoubleVector());
        }
        double[] exact = dense.plus(dense.transpose()).scale(0.5).eig().getEigenvalues().stream()
                .mapToDouble(e -> e.getReal())
                .sorted()
                .toArray();
        SaddleListener.Finding finding = listener.findings().get(0);
        assertThat(finding.iteration()).as("the 20th look at every second step").isEqualTo(38);
        assertThat(finding.report().largest())
                .as(finding.sentence())
                .isCloseTo(exact[n - 1], within(1e-5 * exact[n - 1]));
        assertThat(finding.report().smallest())
                .as(finding.sentence())
                .isCloseTo(exact[0], within(finding.report().smallestError() + 1e-5));
        assertThat(finding.report().smallestError()).isLessThan(0.05 * Math.abs(exact[0]));
        assertThat(finding.report().gradientEvaluations()).isLessThan(35);
        assertThat(finding.report().gradientTolerance())
                .as("points in float allow no smaller gradient")
                .isCloseTo(Math.sqrt(Math.ulp(1f) / 2) * (1 + finding.lossBefore()), within(1e-9));
    }

    @Test
    void theWatchFiresOnStandstillOnly() {
        StagnationDetector watch = new StagnationDetector(1e-3);
        int fired = 0;
        for (int look = 0; look < 60; look++) {
            fired += watch.observe(10 - 0.1 * look, 1) ? 1 : 0;
        }
        assertThat(fired).as("a fall").isZero();
        watch.clear();
        for (int look = 0; look < 60; look++) {
            fired += watch.observe(4, Math.pow(1.2, look)) ? 1 : 0;
        }
        assertThat(fired).as("a gradient that grows").isZero();
        watch.clear();
        for (int look = 0; look < StagnationDetector.LOOKS - 1; look++) {
            assertThat(watch.observe(4, 1)).isFalse();
        }
        assertThat(watch.observe(4, 1)).isTrue();
        int half = StagnationDetector.LOOKS / 2;
        for (int odd : new int[] {0, half - 1, half, StagnationDetector.LOOKS - 1}) {
            watch.clear();
            boolean still = false;
            for (int look = 0; look < StagnationDetector.LOOKS; look++) {
                still = watch.observe(look == odd ? (odd < half ? 4.1 : 3.9) : 4, 1);
            }
            assertThat(still).as("look %d counts in its half", odd).isFalse();
        }
        watch.clear();
        for (int look = 0; look < StagnationDetector.LOOKS; look++) {
            watch.observe(4, 1);
        }
        assertThat(watch.observe(Double.NaN, 1)).isFalse();
        assertThat(watch.observe(4, 1)).as("a new window").isFalse();
    }

    @Test
    void refusesASecondNetworkAndBadSettings() {
        SaddleListener listener = new SaddleListener(batch(0, DataType.DOUBLE));
        listener.onGradientCalculation(fitted());
        assertThatThrownBy(() -> listener.onGradientCalculation(fitted())).hasMessageContaining("one network");
        assertThatThrownBy(() -> listener.window(19)).hasMessageContaining("at least 20");
        assertThatThrownBy(() -> listener.smallestFall(1)).hasMessageContaining("[0, 1)");
    }

    private static MultiLayerNetwork fitted() {
        MultiLayerNetwork network = threeLayers(Activation.TANH, DataType.DOUBLE, new Adam(1e-3));
        network.fit(batch(0, DataType.DOUBLE));
        return network;
    }
}
