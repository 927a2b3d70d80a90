package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.listener.ReferenceLbfgs.Evaluation;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.Sgd;

/** The L-BFGS phase on real networks. */
class CurvaturePhaseTest {

    private static final int BATCH = 32;

    private static FusePv.Builder fromTheStart() {
        return FusePv.builder().switchCriterion(SwitchCriterion.iteration(0)).memory(4);
    }

    private static Model listening(TestNetworks kind, FusePv updater, DataType type, Options options) {
        Model model = kind.create(updater, type, options);
        model.setListeners(new CurvatureListener());
        return model;
    }

    /** Positions of the parameters that are trained, as opposed to BatchNorm's running statistics. */
    private static List<Integer> trained(Model model) {
        var updater = model instanceof MultiLayerNetwork network
                ? (org.deeplearning4j.nn.updater.BaseMultiLayerUpdater<?>) network.getUpdater()
                : ((ComputationGraph) model).getUpdater();
        List<Integer> positions = new ArrayList<>();
        updater.getUpdaterBlocks().stream()
                .filter(block -> !(block.getGradientUpdater().getConfig() instanceof NoOp))
                .forEach(block -> {
                    for (int i = block.getParamOffsetStart(); i < block.getParamOffsetEnd(); i++) {
                        positions.add(i);
                    }
                });
        return positions;
    }

    private static double[] pick(INDArray all, List<Integer> positions) {
        double[] flat = all.castTo(DataType.DOUBLE).reshape(all.length()).toDoubleVector();
        return positions.stream().mapToDouble(i -> flat[i]).toArray();
    }

    private static Evaluation evaluate(Model twin, DataSet data, double[] x, List<Integer> positions) {
        INDArray params = twin.params().reshape(twin.params().length());
        for (int i = 0; i < x.length; i++) {
            params.putScalar(positions.get(i), x[i]);
        }
        if (twin instanceof MultiLayerNetwork network) {
            network.setInput(data.getFeatures());
            network.setLabels(data.getLabels());
        } else {
            ((ComputationGraph) twin).setInputs(data.getFeatures());
            ((ComputationGraph) twin).setLabels(data.getLabels());
        }
        twin.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
        INDArray mean = twin.getGradientsViewArray().div(twin.conf().isMiniBatch() ? data.numExamples() : 1);
        return new Evaluation(twin.score(), pick(mean, positions));
    }

    @ParameterizedTest
    @CsvSource({
        "DENSE, DOUBLE, 1e-9",
        "CONVOLUTION, DOUBLE, 1e-9",
        "BATCH_NORM, DOUBLE, 1e-9",
        "GRAPH, DOUBLE, 1e-9",
        "DENSE, FLOAT, 1e-4",
        "BATCH_NORM, FLOAT, 1e-4"
    })
    void everyStepEqualsAPlainImplementationOnOneFlatVector(TestNetworks kind, DataType type, double tolerance) {
        Model fuse = listening(kind, fromTheStart().build(), type, PLAIN);
        Model twin = kind.create(new Sgd(0), type, PLAIN);
        ReferenceLbfgs reference =
                new ReferenceLbfgs(4, FusePv.DEFAULT_MAX_EVALUATIONS, type == DataType.DOUBLE ? 1e-14 : 1e-6);
        CurvatureStatistics counts = compareWithReference(kind, fuse, twin, type, BATCH, 10, tolerance, reference);
        assertThat(counts.pairsKept() + counts.pairsDamped()).isGreaterThanOrEqualTo(8);
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void soDoStepsWhoseLengthIsMeasured(TestNetworks kind) {
        Model fuse = listening(kind, fromTheStart().measuredSteps(true).build(), DataType.DOUBLE, PLAIN);
        Model twin = kind.create(new Sgd(0), DataType.DOUBLE, PLAIN);
        ReferenceLbfgs reference = new ReferenceLbfgs(4, FusePv.DEFAULT_MAX_EVALUATIONS, 1e-14, true);
        // The code rounds what it measured to float, so that it can be saved.
        compareWithReference(kind, fuse, twin, DataType.DOUBLE, BATCH, 15, 1e-5, reference);
        assertThat(reference.measuredLengths).isGreaterThan(5);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void soDoStepsThatAreCutBackOrRejectedAndPairsThatAreDamped(int maxEvaluations) {
        TestNetworks kind = TestNetworks.DENSE;
        Model fuse =
                listening(kind, fromTheStart().maxEvaluations(maxEvaluations).build(), DataType.DOUBLE, PLAIN);
        Model twin = kind.create(new Sgd(0), DataType.DOUBLE, PLAIN);
        fuse.params().muli(10); // far out, where the loss is far from convex
        ReferenceLbfgs reference = new ReferenceLbfgs(4, maxEvaluations, 1e-14);
        CurvatureStatistics counts = compareWithReference(kind, fuse, twin, DataType.DOUBLE, 6, 60, 1e-6, reference);
        assertThat(reference.dropped).as("histories dropped").isPositive();
        assertThat(counts.pairsDamped()).isPositive();
        if (maxEvaluations == 1) {
            assertThat(reference.dampedOffUnit)
                    .as("pairs damped after a step of another length than 1")
                    .isPositive();
        } else {
            assertThat(counts.cutBacks()).isPositive();
        }
    }

    private static CurvatureStatistics compareWithReference(
            TestNetworks kind,
            Model fuse,
            Model twin,
            DataType type,
            int batch,
            int steps,
            double tolerance,
            ReferenceLbfgs reference) {
        List<Integer> positions = trained(fuse);
        double[] x = pick(fuse.params(), positions);
        for (int step = 0; step < steps; step++) {
            DataSet data = kind.batch(step, batch, type);
            fit(fuse, data);
            x = reference.step(x, point -> evaluate(twin, data, point, positions));
            double[] actual = pick(fuse.params(), positions);
            double difference = 0;
            double norm = 0;
            for (int i = 0; i < x.length; i++) {
                difference += Math.pow(actual[i] - x[i], 2);
                norm += x[i] * x[i];
            }
            assertThat(Math.sqrt(difference / norm))
                    .as("relative difference after step %d, seed %d", step, TestNetworks.SEED)
                    .isLessThan(tolerance);
            x = actual;
        }
        return ((CurvatureListener) fuse(fuse)).statistics();
    }

    private static Object fuse(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.getListeners().iterator().next()
                : ((ComputationGraph) model).getListeners().iterator().next();
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void theLossOfTheBatchInHandNeverRises(TestNetworks kind) {
        Model model = listening(kind, fromTheStart().build(), DataType.DOUBLE, PLAIN);
        for (int step = 0; step < 30; step++) {
            DataSet data = kind.batch(step % 3, BATCH, DataType.DOUBLE);
            fit(model, data);
            double before = model.score();
            model.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
            assertThat(model.score())
                    .as("step %d, seed %d", step, TestNetworks.SEED)
                    .isLessThanOrEqualTo(before);
        }
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void bothWorkspaceModesGiveTheSameBits(TestNetworks kind) {
        Model with = kind.create(fromTheStart().build(), DataType.FLOAT, PLAIN, WorkspaceMode.ENABLED);
        Model without = kind.create(fromTheStart().build(), DataType.FLOAT, PLAIN, WorkspaceMode.NONE);
        with.setListeners(new CurvatureListener());
        without.setListeners(new CurvatureListener());
        for (int step = 0; step < 15; step++) {
            fit(with, kind.batch(step, BATCH, DataType.FLOAT));
            fit(without, kind.batch(step, BATCH, DataType.FLOAT));
        }
        assertThat(with.params()).isEqualTo(without.params());
    }

    @Test
    void ratesThatDifferByLayerDoNotSplitTheDirection() {
        TestNetworks kind = TestNetworks.DENSE;
        Model one = listening(kind, fromTheStart().build(), DataType.DOUBLE, PLAIN);
        Model split = listening(
                kind,
                fromTheStart().build(),
                DataType.DOUBLE,
                Options.network(builder ->
                        builder.biasUpdater(fromTheStart().learningRate(0.5).build())));
        for (int step = 0; step < 10; step++) {
            fit(one, kind.batch(step, BATCH, DataType.DOUBLE));
            fit(split, kind.batch(step, BATCH, DataType.DOUBLE));
        }
        assertThat(split.params().sub(one.params()).amaxNumber().doubleValue()).isLessThan(1e-10);
    }

    @Test
    void finishesAFixedBatchFarBelowAdamAtTheSameCost() {
        int gradients = 200;
        DataSet data = TestNetworks.DENSE.batch(0, 200, DataType.DOUBLE);
        Options regularized = Options.layer(layer -> layer.l2(1e-3));
        double best = Double.POSITIVE_INFINITY;
        for (double rate : new double[] {1e-3, 3e-3, 1e-2, 3e-2, 1e-1}) {
            Model adam = TestNetworks.DENSE.create(new Adam(rate), DataType.DOUBLE, regularized);
            for (int step = 0; step < gradients; step++) {
                fit(adam, data);
            }
            best = Math.min(best, adam.score());
        }
        CurvatureListener listener = new CurvatureListener();
        Model fuse = TestNetworks.DENSE.create(
                FusePv.builder()
                        .learningRate(1e-2)
                        .switchCriterion(SwitchCriterion.iteration(20))
                        .build(),
                DataType.DOUBLE,
                regularized);
        fuse.setListeners(listener);
        while (listener.statistics().gradientEvaluations() < gradients) {
            fit(fuse, data);
        }
        double reached = fuse.score();
        for (int step = 0; step < 300; step++) {
            fit(fuse, data);
        }
        double floor = fuse.score(); // not zero, because of l2: what is left above it counts
        assertThat(reached - floor).as("Adam at its best ends at %s", best).isLessThan(0.1 * (best - floor));
    }

    @ParameterizedTest
    @EnumSource(names = {"DENSE", "BATCH_NORM", "GRAPH"})
    void gradientIsThatOfTheValueWithL1AndL2(TestNetworks kind) {
        Model model = kind.create(
                fromTheStart().build(),
                DataType.DOUBLE,
                Options.layer(layer -> layer.l2(0.05).l1(0.02)));
        DataSet data = kind.batch(1, BATCH, DataType.DOUBLE);
        fit(model, data);
        assertThat(isRegularized(model)).isTrue();
        checkGradient(model, data);
    }

    @Test
    void gradientLeavesOutDecoupledWeightDecayAsTheValueDoes() {
        Model model = TestNetworks.DENSE.create(
                fromTheStart().build(),
                DataType.DOUBLE,
                Options.layer(layer -> layer.weightDecay(0.3).l2Bias(0.1)));
        DataSet data = TestNetworks.DENSE.batch(1, BATCH, DataType.DOUBLE);
        fit(model, data);
        checkGradient(model, data);
    }

    @Test
    void gradientOfASumLossIsNotDivided() {
        Model model = TestNetworks.DENSE.create(
                fromTheStart().build(), DataType.DOUBLE, Options.network(b -> b.miniBatch(false)));
        DataSet data = TestNetworks.DENSE.batch(1, BATCH, DataType.DOUBLE);
        fit(model, data);
        checkGradient(model, data);
    }

    private static boolean isRegularized(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.calcRegularizationScore(true) > 0
                : ((ComputationGraph) model).calcRegularizationScore(true) > 0;
    }

    private static void checkGradient(Model model, DataSet data) {
        TrainingNetwork<FuseUpdater> network = TrainingNetwork.ofFuse(model);
        List<Integer> positions = trained(model);
        double[] x = pick(model.params(), positions);
        evaluate(model, data, x, positions);
        INDArray[] gradient = network.gradientView();
        INDArray[] target = new INDArray[gradient.length];
        for (int b = 0; b < target.length; b++) {
            target[b] = Nd4j.zeros(DataType.DOUBLE, gradient[b].length());
        }
        network.gradient(target);
        double[] analytic = Nd4j.concat(0, target).toDoubleVector();
        double eps = 1e-6;
        for (int i = 0; i < x.length; i += 7) {
            double[] moved = x.clone();
            moved[i] = x[i] + eps;
            evaluate(model, data, moved, positions);
            double above = network.value();
            moved[i] = x[i] - eps;
            evaluate(model, data, moved, positions);
            double below = network.value();
            assertThat(analytic[i])
                    .as("component %d, seed %d", i, TestNetworks.SEED)
                    .isCloseTo((above - below) / (2 * eps), within(2e-6 * Math.max(1, Math.abs(analytic[i]))));
        }
    }

    @Test
    void decoupledWeightDecayIsAppliedOnTopOfTheStep() {
        double coefficient = 0.2;
        double rate = 0.05;
        FusePv updater = fromTheStart().learningRate(rate).build();
        Model plain = listening(TestNetworks.DENSE, updater, DataType.DOUBLE, PLAIN);
        Model decaying = listening(
                TestNetworks.DENSE, updater, DataType.DOUBLE, Options.layer(layer -> layer.weightDecay(coefficient)));
        MultiLayerNetwork network = (MultiLayerNetwork) decaying;
        INDArray before = network.getParam("0_W").dup();
        DataSet data = TestNetworks.DENSE.batch(0, BATCH, DataType.DOUBLE);
        fit(plain, data);
        fit(decaying, data);
        INDArray expected = ((MultiLayerNetwork) plain).getParam("0_W").sub(before.mul(rate * coefficient));
        assertThat(network.getParam("0_W").sub(expected).amaxNumber().doubleValue())
                .isLessThan(1e-14);
        assertThat(network.getParam("0_b")).isEqualTo(((MultiLayerNetwork) plain).getParam("0_b"));
    }

    @Test
    void dropoutHoldsOneMaskWithinAStep() {
        List<Double> scores = new ArrayList<>();
        Model model = TestNetworks.DENSE.create(
                // A condition that is never met: the trial points come ever closer to the start.
                fromTheStart().maxEvaluations(40).sufficientDecrease(0.999999).build(),
                DataType.DOUBLE,
                Options.layer(layer -> layer.dropOut(0.5).l2(1)));
        model.setListeners(new CurvatureListener(), new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model evaluated) {
                scores.add(evaluated.score());
            }
        });
        fit(model, TestNetworks.DENSE.batch(0, BATCH, DataType.DOUBLE));
        double dl4j = scores.get(0);
        double start = scores.get(1);
        double nearest = scores.get(scores.size() - 1);
        assertThat(nearest).as("value next to the start, under the same mask").isCloseTo(start, within(1e-4));
        assertThat(Math.abs(dl4j - start))
                .as("masks of two evaluations differ otherwise")
                .isGreaterThan(1e-2);
    }

    @Test
    void otherListenersSeeTheUsualScoreAndUpdate() {
        Model model = TestNetworks.BATCH_NORM.create(fromTheStart().build(), DataType.DOUBLE, PLAIN);
        List<Double> evaluations = new ArrayList<>();
        List<INDArray> updates = new ArrayList<>();
        List<Double> scores = new ArrayList<>();
        CurvatureListener fuse = new CurvatureListener();
        model.setListeners(fuse, new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model evaluated) {
                evaluations.add(evaluated.score());
            }

            @Override
            public void iterationDone(Model done, int iteration, int epoch) {
                updates.add(done.getGradientsViewArray().dup());
                scores.add(done.score());
            }
        });
        List<Integer> positions = trained(model);
        for (int step = 0; step < 8; step++) {
            double[] before = pick(model.params(), positions);
            int first = evaluations.size();
            fit(model, TestNetworks.BATCH_NORM.batch(step, BATCH, DataType.DOUBLE));
            double[] after = pick(model.params(), positions);
            double[] update = pick(updates.get(step), positions);
            for (int i = 0; i < before.length; i++) {
                assertThat(update[i]).isCloseTo(before[i] - after[i], within(1e-15));
            }
            assertThat(scores.get(step)).isEqualTo(evaluations.get(first));
        }
        CurvatureStatistics counts = fuse.statistics();
        assertThat(counts.gradientEvaluations()).isEqualTo(evaluations.size());
        assertThat(counts.functionEvaluations()).isEqualTo(evaluations.size());
        assertThat(counts.curvatureSteps()).isEqualTo(8);
        assertThat(counts.adamSteps()).isZero();
        assertThat(counts.extraBytes()).isEqualTo((5L * positions.size() + 2 * 4 * 4) * Double.BYTES);
    }
}
