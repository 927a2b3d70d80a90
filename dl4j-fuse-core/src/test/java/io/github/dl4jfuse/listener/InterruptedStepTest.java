package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** An exception in one of the evaluations of a step: the parameters are where the step began, and training can go on. */
class InterruptedStepTest {

    /** Throws at one of the backward passes to come. */
    private static final class Breaker extends BaseTrainingListener {

        private int passesLeft = Integer.MAX_VALUE;

        /** Throws in the evaluation that follows so many others; DL4J's own is one of a step. */
        void arm(int others) {
            passesLeft = others;
        }

        @Override
        public void onBackwardPass(Model model) {
            if (passesLeft-- == 0) {
                passesLeft = Integer.MAX_VALUE;
                throw new IllegalStateException("as a test");
            }
        }
    }

    private static IUpdater updater(String name) {
        return switch (name) {
            case "FUSE" -> Fuse.ofTheta(0.5);
            case "FUSE_PV" ->
                FusePv.builder().switchCriterion(SwitchCriterion.iteration(3)).build();
            case "LFSO" -> new Lfso();
            default -> Preconditioned.adam();
        };
    }

    private static TrainingListener ours(String name) {
        return name.equals("LFSO") ? new LfsoListener() : new CurvatureListener();
    }

    private static DataSet batch(TestNetworks kind, String name, int step) {
        return name.equals("PRECONDITIONED")
                ? kind.batch(0, 200, DataType.FLOAT)
                : kind.batch(step, 24, DataType.FLOAT);
    }

    @ParameterizedTest
    @CsvSource({
        "FUSE_PV, DENSE, 1", "FUSE, BATCH_NORM, 1", "LFSO, GRAPH, 1",
        "PRECONDITIONED, DENSE, 1", "PRECONDITIONED, DENSE, 4", "PRECONDITIONED, GRAPH, 2"
    })
    void parametersAreWhereTheStepBegan(String name, TestNetworks kind, int evaluation) {
        Model model = kind.create(updater(name), DataType.FLOAT, PLAIN);
        Breaker breaker = new Breaker();
        TrainingListener ours = ours(name);
        model.setListeners(breaker, ours);
        int steps = 0;
        do {
            fit(model, batch(kind, name, steps++));
        } while (ours instanceof CurvatureListener fuse && !fuse.inCurvaturePhase());
        DataSet next = batch(kind, name, steps);
        Map<String, INDArray> before = trained(model);
        breaker.arm(evaluation);
        assertThatThrownBy(() -> fit(model, next)).isInstanceOf(IllegalStateException.class);
        assertThat(trained(model)).isEqualTo(before);
        long taken = ours instanceof CurvatureListener fuse ? fuse.statistics().curvatureSteps() : 0;
        for (int step = steps; step < steps + 4; step++) {
            fit(model, batch(kind, name, step));
        }
        assertThat(model.params().sumNumber().doubleValue()).isFinite();
        if (ours instanceof CurvatureListener fuse) {
            assertThat(fuse.statistics().curvatureSteps()).isGreaterThanOrEqualTo(taken + 4);
        }
    }

    /** All but the running statistics of BatchNorm, which have seen the batch. */
    private static Map<String, INDArray> trained(Model model) {
        Map<String, INDArray> trained = new TreeMap<>();
        model.paramTable().forEach((name, values) -> {
            if (!name.matches(".*_(mean|var|log10stdev)")) {
                trained.put(name, values.dup());
            }
        });
        return trained;
    }

    /** The metrics look at step 16, and when it is made again after an exception. */
    @Test
    void metricsLookAgain() {
        Preconditioned updater = Preconditioned.of(
                FusePv.builder().switchCriterion(SwitchCriterion.iteration(3)).build());
        MultiLayerNetwork network = TestNetworks.DENSE.network(updater, DataType.FLOAT);
        Breaker breaker = new Breaker();
        network.setListeners(new CurvatureListener(), breaker);
        for (int step = 0; step < 15; step++) {
            network.fit(TestNetworks.DENSE.batch(step, 24, DataType.FLOAT));
        }
        DataSet data = TestNetworks.DENSE.batch(15, 24, DataType.FLOAT);
        breaker.arm(1);
        assertThatThrownBy(() -> network.fit(data)).isInstanceOf(IllegalStateException.class);
        INDArray before = metric(network.updaterState());
        network.fit(data);
        assertThat(metric(network.updaterState())).isNotEqualTo(before);
    }

    /** The end of the metrics' memory, which is behind the rule's. */
    private static INDArray metric(INDArray state) {
        INDArray flat = state.reshape(state.length());
        return flat.get(NDArrayIndex.interval(flat.length() - 1024, flat.length()))
                .dup();
    }

    /** A step was to be left out, another listener threw, and so it never came: the next one is made. */
    @ParameterizedTest
    @ValueSource(strings = {"FUSE_PV", "LFSO"})
    void aStepThatNeverCameIsNotLeftOutLater(String name) {
        MultiLayerNetwork network = TestNetworks.DENSE.network(updater(name), DataType.FLOAT);
        boolean[] armed = {false};
        network.setListeners(ours(name), new BaseTrainingListener() {
            @Override
            public void onGradientCalculation(Model model) {
                if (armed[0]) {
                    throw new IllegalStateException("as a test");
                }
            }
        });
        DataSet good = TestNetworks.DENSE.batch(0, 24, DataType.FLOAT);
        DataSet bad = TestNetworks.DENSE.batch(0, 24, DataType.FLOAT);
        bad.getFeatures().putScalar(3, 5, Float.NaN);
        network.fit(good);
        INDArray before = network.params().dup();
        armed[0] = true;
        assertThatThrownBy(() -> network.fit(bad)).isInstanceOf(IllegalStateException.class);
        armed[0] = false;
        network.fit(good);
        assertThat(network.params()).isNotEqualTo(before);
    }

    /** A hyperbolic tangent that throws when it is told to. */
    public static final class BreakingTanh extends ActivationTanH {

        private static boolean armed;

        @Override
        public INDArray getActivation(INDArray in, boolean training) {
            if (armed) {
                armed = false;
                throw new IllegalStateException("as a test");
            }
            return super.getActivation(in, training);
        }
    }

    /** What evaluates a Gauss-Newton step shows no passes to listeners. */
    @ParameterizedTest
    @EnumSource(GaussNewtonListener.Layers.class)
    void gaussNewtonStepsGoBackToo(GaussNewtonListener.Layers layers) {
        MultiLayerNetwork network = TestNetworks.stack(
                TestNetworks.builder(new Sgd(1), DataType.DOUBLE).activation(new BreakingTanh()),
                TestNetworks.dense(2, 8),
                TestNetworks.meanSquares(8, 1));
        boolean[] due = {false};
        network.setListeners(new GaussNewtonListener(layers), new BaseTrainingListener() {
            @Override
            public void onGradientCalculation(Model model) {
                BreakingTanh.armed = due[0];
            }
        });
        DataSet data = TestNetworks.surface(30, TestNetworks.SEED);
        for (int step = 0; step < 3; step++) {
            network.fit(data);
        }
        INDArray before = network.params().dup();
        due[0] = true;
        assertThatThrownBy(() -> network.fit(data)).isInstanceOf(IllegalStateException.class);
        assertThat(network.params()).isEqualTo(before);
        due[0] = false;
        double score = network.score(data, false);
        for (int step = 0; step < 3; step++) {
            network.fit(data);
        }
        assertThat(network.score(data, false)).isLessThan(score);
    }
}
