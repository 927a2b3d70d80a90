package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.PhaseChange;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
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
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * The blend against two networks that know nothing of it: DL4J's Adam and FusePv's L-BFGS phase, put at the blend's point
 * before each step, with moments and pairs of their own.
 */
class FuseBlendTest {

    private static final int STEPS = 12;
    private static final int BATCH = 24;
    private static final int MEMORY = 3;
    private static final double RATE = 3e-3;

    /** What the blend has to get right beyond the plain case. */
    private enum Case {
        PLAIN,
        REGULARIZED,
        DROPOUT,
        RATES_BY_PARAMETER;

        Options options(DoubleFunction<IUpdater> updater) {
            return switch (this) {
                case PLAIN -> TestNetworks.PLAIN;
                case REGULARIZED ->
                    Options.layer(layer -> layer.l1(1e-3).l2(1e-2).weightDecayBias(0.1));
                case DROPOUT -> Options.layer(layer -> layer.dropOut(0.7));
                case RATES_BY_PARAMETER -> Options.network(builder -> builder.biasUpdater(updater.apply(20 * RATE)));
            };
        }

        Model create(TestNetworks kind, DataType type, DoubleFunction<IUpdater> updater) {
            Model model = kind.create(updater.apply(RATE), type, options(updater));
            if (!(updater.apply(RATE) instanceof Adam)) {
                model.setListeners(new CurvatureListener());
            }
            return model;
        }
    }

    private static IUpdater lbfgs(double rate) {
        return FusePv.builder()
                .learningRate(rate)
                .switchCriterion(SwitchCriterion.iteration(0))
                .memory(MEMORY)
                .build();
    }

    private static Fuse.Builder blend() {
        return Fuse.builder().learningRate(RATE).memory(MEMORY);
    }

    private static CurvatureListener listener(Model model) {
        var listeners = model instanceof MultiLayerNetwork network
                ? network.getListeners()
                : ((ComputationGraph) model).getListeners();
        return (CurvatureListener) listeners.iterator().next();
    }

    /** Where the model goes from a point; dropout's mask depends on nothing but the number of the step. */
    private static INDArray next(Model model, INDArray from, DataSet data, int step) {
        model.params().assign(from);
        Nd4j.getRandom().setSeed(TestNetworks.SEED + step);
        fit(model, data);
        return model.params();
    }

    private static double distance(INDArray a, INDArray b) {
        return a.sub(b).amaxNumber().doubleValue();
    }

    @ParameterizedTest
    @CsvSource({
        "DENSE, FLOAT, 0.5, PLAIN",
        "DENSE, DOUBLE, 0.01, PLAIN",
        "CONVOLUTION, FLOAT, 0.9, PLAIN",
        "BATCH_NORM, DOUBLE, 0.3, PLAIN",
        "GRAPH, FLOAT, 0.5, PLAIN",
        "GRAPH, DOUBLE, 0.7, PLAIN",
        "DENSE, DOUBLE, 0.3, REGULARIZED",
        "GRAPH, FLOAT, 0.6, REGULARIZED",
        "DENSE, DOUBLE, 0.4, DROPOUT",
        "BATCH_NORM, FLOAT, 0.5, DROPOUT",
        "DENSE, DOUBLE, 0.5, RATES_BY_PARAMETER",
        "GRAPH, DOUBLE, 0.2, RATES_BY_PARAMETER"
    })
    void everyStepIsTheWeightedMeanOfBothPoints(TestNetworks kind, DataType type, double theta, Case options) {
        Model fuse = options.create(
                kind, type, rate -> blend().learningRate(rate).theta(theta).build());
        Model adam = options.create(kind, type, Adam::new);
        Model lbfgs = options.create(kind, type, FuseBlendTest::lbfgs);
        for (int step = 0; step < STEPS; step++) {
            boolean small = step % 5 == 4; // it takes Adam's step
            DataSet data = kind.batch(step, small ? BATCH / 3 : BATCH, type);
            INDArray start = fuse.params().dup();
            INDArray ofAdam = next(adam, start, data, step).dup();
            INDArray ofLbfgs = next(lbfgs, start, data, step).dup();
            INDArray expected = small ? ofAdam : ofAdam.mul(theta).addi(ofLbfgs.mul(1 - theta));
            next(fuse, start, data, step);
            assertThat(distance(fuse.params(), expected))
                    .as("step %d, seed %d", step, TestNetworks.SEED)
                    .isLessThan(type == DataType.DOUBLE ? 1e-12 : 1e-6);
        }
        CurvatureStatistics counts = listener(fuse).statistics();
        assertThat(counts.smallBatches()).isEqualTo(2);
        assertThat(counts.gradientEvaluations())
                .as("no more than L-BFGS alone")
                .isEqualTo(listener(lbfgs).statistics().gradientEvaluations());
    }

    @Test
    void whereNoTrialStepIsGoodEnoughTheHistoryIsDroppedAndAdamsShareTaken() {
        DoubleFunction<IUpdater> strict =
                rate -> blend().maxEvaluations(1).sufficientDecrease(0.9).build();
        Model fuse = Case.PLAIN.create(TestNetworks.DENSE, DataType.DOUBLE, strict);
        Model adam = Case.PLAIN.create(TestNetworks.DENSE, DataType.DOUBLE, Adam::new);
        fuse.params().muli(10); // far out, where the loss is far from convex
        int rejectedWithPairs = 0;
        for (int step = 0; step < 60; step++) {
            DataSet data = TestNetworks.DENSE.batch(step, 6, DataType.DOUBLE);
            INDArray start = fuse.params().dup();
            long pairs = pairs(fuse);
            long rejected = listener(fuse).statistics().rejectedSteps();
            INDArray half = next(adam, start, data, step).add(start).muli(0.5);
            fit(fuse, data);
            if (listener(fuse).statistics().rejectedSteps() > rejected) {
                rejectedWithPairs += pairs > 0 ? 1 : 0;
                assertThat(pairs(fuse)).isZero();
                assertThat(distance(fuse.params(), half))
                        .as("step %d, seed %d", step, TestNetworks.SEED)
                        .isLessThan(1e-12);
            }
        }
        assertThat(rejectedWithPairs).isPositive();
    }

    private static int pairs(Model model) {
        return TrainingNetwork.ofFuse(model).updaters().get(0).historySize();
    }

    @Test
    void aScheduleRestsTheMomentsAt0AndDropsThePairsAt1() {
        double[] thetas = {0.3, 0.3, 0, 0, 0.6, 1, 1, 0.2, 0.2, 0, 0.5, 0.5};
        MapSchedule.Builder schedule = new MapSchedule.Builder(ScheduleType.ITERATION);
        for (int i = 0; i < thetas.length; i++) {
            schedule.add(i, thetas[i]);
        }
        TestNetworks kind = TestNetworks.DENSE;
        DataType type = DataType.DOUBLE;
        Fuse updater = blend().thetaSchedule(schedule.build()).build();
        Model fuse = Case.PLAIN.create(kind, type, rate -> updater);
        Model adam = Case.PLAIN.create(kind, type, Adam::new);
        Model lbfgs = Case.PLAIN.create(kind, type, FuseBlendTest::lbfgs);
        for (int step = 0; step < thetas.length; step++) {
            DataSet data = kind.batch(step, BATCH, type);
            INDArray start = fuse.params().dup();
            INDArray expected = Nd4j.zerosLike(start);
            if (thetas[step] > 0) {
                ((MultiLayerNetwork) adam).setIterationCount(step);
                expected.addi(next(adam, start, data, step).mul(thetas[step]));
            }
            if (thetas[step] < 1) {
                expected.addi(next(lbfgs, start, data, step).mul(1 - thetas[step]));
            } else {
                lbfgs = Case.PLAIN.create(kind, type, FuseBlendTest::lbfgs);
            }
            fit(fuse, data);
            assertThat(distance(fuse.params(), expected))
                    .as("step %d, seed %d", step, TestNetworks.SEED)
                    .isLessThan(1e-12);
        }
        assertThat(listener(fuse).phaseChanges())
                .extracting(PhaseChange::iteration)
                .containsExactly(0, 5, 7);
        assertThat(listener(fuse).statistics().adamSteps()).isEqualTo(2);
    }

    @Test
    void aScheduleByEpochIsLookedUpByEpoch() {
        MapSchedule schedule = new MapSchedule.Builder(ScheduleType.EPOCH)
                .add(0, 1)
                .add(1, 0.5)
                .build();
        Model model = Case.PLAIN.create(TestNetworks.DENSE, DataType.FLOAT, rate -> Fuse.ofTheta(schedule));
        for (int step = 0; step < 6; step++) {
            fit(model, TestNetworks.DENSE.batch(step, BATCH, DataType.FLOAT));
            if (step == 3) {
                TestNetworks.nextEpoch(model);
            }
        }
        assertThat(listener(model).statistics().adamSteps()).isEqualTo(4);
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void pairsBelongToTheLbfgsPointAndObeyTheSecantRelation(TestNetworks kind) {
        DataType type = DataType.DOUBLE;
        Model fuse = Case.PLAIN.create(kind, type, rate -> blend().theta(0.4).build());
        Model lbfgs = Case.PLAIN.create(kind, type, FuseBlendTest::lbfgs);
        Model twin = Case.PLAIN.create(kind, type, FuseBlendTest::lbfgs);
        long kept = 0;
        for (int step = 0; step < STEPS; step++) {
            DataSet data = kind.batch(step, BATCH, type);
            INDArray start = fuse.params().dup();
            INDArray[] displacement = trained(lbfgs, next(lbfgs, start, data, step));
            BlockVectors.axpy(-1, trained(fuse, start), displacement);
            fit(fuse, data);
            INDArray[] s = newest(fuse, FuseUpdater::sRows);
            INDArray[] y = newest(fuse, FuseUpdater::yRows);
            assertThat(relative(s, displacement))
                    .as("s, step %d, seed %d", step, TestNetworks.SEED)
                    .isLessThan(1e-12);
            if (listener(fuse).statistics().pairsKept() > kept) {
                kept = listener(fuse).statistics().pairsKept();
                INDArray[] change = gradient(twin, data, start, s);
                BlockVectors.axpy(-1, gradient(twin, data, start, null), change);
                assertThat(relative(y, change))
                        .as("y, step %d, seed %d", step, TestNetworks.SEED)
                        .isLessThan(1e-9);
            }
            INDArray[] image = BlockVectors.zerosLike(y);
            history(fuse).direction(y, image); // -H y
            BlockVectors.scale(-1, image);
            assertThat(relative(image, s))
                    .as("H y, step %d, seed %d", step, TestNetworks.SEED)
                    .isLessThan(1e-8);
        }
        assertThat(kept).isGreaterThanOrEqualTo(STEPS / 2);
    }

    private static double relative(INDArray[] actual, INDArray[] expected) {
        INDArray[] difference = BlockVectors.zerosLike(expected);
        BlockVectors.assign(difference, expected);
        BlockVectors.axpy(-1, actual, difference);
        return Math.sqrt(BlockVectors.dot(difference, difference) / BlockVectors.dot(expected, expected));
    }

    /** Copies the trained pieces of a vector that is as long as the model's parameters. */
    private static INDArray[] trained(Model model, INDArray all) {
        INDArray kept = model.params().dup();
        model.params().assign(all);
        INDArray[] views = TrainingNetwork.ofFuse(model).parameters();
        INDArray[] copies = BlockVectors.zerosLike(views);
        BlockVectors.assign(copies, views);
        model.params().assign(kept);
        return copies;
    }

    private static INDArray[] newest(Model model, Function<FuseUpdater, INDArray> rows) {
        List<FuseUpdater> updaters = TrainingNetwork.ofFuse(model).updaters();
        INDArray[] pieces = new INDArray[updaters.size()];
        for (int b = 0; b < pieces.length; b++) {
            INDArray ring = rows.apply(updaters.get(b));
            long n = ring.length() / MEMORY;
            int slot = Math.floorMod(updaters.get(b).historyNextSlot() - 1, MEMORY);
            pieces[b] = ring.get(NDArrayIndex.interval(slot * n, (slot + 1) * n));
        }
        return pieces;
    }

    private static LbfgsHistory history(Model model) {
        List<FuseUpdater> updaters = TrainingNetwork.ofFuse(model).updaters();
        LbfgsHistory history = new LbfgsHistory(
                MEMORY,
                updaters.stream().map(FuseUpdater::sRows).toArray(INDArray[]::new),
                updaters.stream().map(FuseUpdater::yRows).toArray(INDArray[]::new));
        history.restore(updaters.get(0).historySize(), updaters.get(0).historyNextSlot());
        return history;
    }

    private static INDArray[] gradient(Model model, DataSet data, INDArray at, INDArray[] displacement) {
        TrainingNetwork<FuseUpdater> network = TrainingNetwork.ofFuse(model);
        model.params().assign(at);
        if (displacement != null) {
            BlockVectors.axpy(1, displacement, network.parameters());
        }
        if (model instanceof MultiLayerNetwork layers) {
            layers.setInput(data.getFeatures());
            layers.setLabels(data.getLabels());
        } else {
            ((ComputationGraph) model).setInputs(data.getFeatures());
            ((ComputationGraph) model).setLabels(data.getLabels());
        }
        model.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
        INDArray[] gradient = BlockVectors.zerosLike(network.parameters());
        network.gradient(gradient);
        return gradient;
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void aBatchWithNanTakesNoStepAndLeavesMomentsAndPairs(TestNetworks kind) {
        DataType type = DataType.FLOAT;
        Model model = Case.PLAIN.create(kind, type, rate -> blend().build());
        for (int step = 0; step < 5; step++) {
            fit(model, kind.batch(step, BATCH, type));
        }
        INDArray before = model.params().dup();
        INDArray state = TestNetworks.updaterState(model).dup();
        DataSet bad = kind.batch(5, BATCH, type);
        bad.getFeatures().reshape(bad.getFeatures().length()).putScalar(7, Float.NaN);
        fit(model, bad);
        fit(model, bad);
        assertThat(model.params()).isEqualTo(before);
        assertThat(TestNetworks.updaterState(model)).isEqualTo(state);
        fit(model, kind.batch(6, BATCH, type));
        assertThat(model.params()).isNotEqualTo(before);
        assertThat(listener(model).statistics().skippedBatches()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.01, 1.01, Double.NaN})
    void aShareOutOfRangeInTheMiddleIsRefusedAndTheParametersStay(double bad) {
        MapSchedule schedule = new MapSchedule.Builder(ScheduleType.ITERATION)
                .add(0, 0.5)
                .add(3, bad)
                .build();
        Model model = Case.PLAIN.create(TestNetworks.DENSE, DataType.FLOAT, rate -> Fuse.ofTheta(schedule));
        for (int step = 0; step < 3; step++) {
            fit(model, TestNetworks.DENSE.batch(step, BATCH, DataType.FLOAT));
        }
        INDArray before = model.params().dup();
        assertThatThrownBy(() -> fit(model, TestNetworks.DENSE.batch(3, BATCH, DataType.FLOAT)))
                .hasMessageContaining("theta " + bad)
                .hasMessageContaining("iteration 3")
                .hasMessageContaining("[0, 1]");
        assertThat(model.params()).isEqualTo(before);
    }

    @Test
    void otherListenersSeeTheUpdateThatWasSubtracted() {
        Model model = TestNetworks.DENSE.create(
                blend().build(), DataType.DOUBLE, Options.layer(layer -> layer.weightDecay(0.1)));
        List<INDArray> updates = new ArrayList<>();
        model.setListeners(new CurvatureListener(), new BaseTrainingListener() {
            @Override
            public void iterationDone(Model done, int iteration, int epoch) {
                updates.add(done.getGradientsViewArray().dup());
            }
        });
        for (int step = 0; step < 5; step++) {
            INDArray before = model.params().dup();
            fit(model, TestNetworks.DENSE.batch(step, BATCH, DataType.DOUBLE));
            assertThat(distance(updates.get(step).reshape(before.shape()), before.sub(model.params())))
                    .as("step %d, seed %d", step, TestNetworks.SEED)
                    .isLessThan(1e-15);
        }
    }

    @Test
    void leavesFrozenLayersAlone() {
        MultiLayerNetwork all = TestNetworks.DENSE.network(blend().build(), DataType.DOUBLE);
        MultiLayerNetwork frozen =
                new TransferLearning.Builder(all).setFeatureExtractor(0).build();
        frozen.setListeners(new CurvatureListener());
        INDArray before = frozen.getLayer(0).params().dup();
        INDArray after = frozen.getLayer(1).params().dup();
        for (int step = 0; step < 5; step++) {
            fit(frozen, TestNetworks.DENSE.batch(step, BATCH, DataType.DOUBLE));
        }
        assertThat(frozen.getLayer(0).params()).isEqualTo(before);
        assertThat(frozen.getLayer(1).params()).isNotEqualTo(after);
        assertThat(listener(frozen).statistics().pairsKept()).isPositive();
    }

    @Test
    void refusesTwoSharesOrTwoMethodsInOneNetwork() {
        for (IUpdater other : List.of(blend().theta(0.25).build(), lbfgs(RATE))) {
            Model model = TestNetworks.DENSE.create(
                    blend().build(), DataType.FLOAT, Options.network(builder -> builder.biasUpdater(other)));
            model.setListeners(new CurvatureListener());
            assertThatThrownBy(() -> fit(model, TestNetworks.DENSE.batch(0, BATCH, DataType.FLOAT)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("only Adam's constants may differ");
        }
    }
}
