package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.listeners.CollectScoresIterationListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** {@code setListeners} replaces what was there: the updaters go on safely without their listener, and say so. */
class ListenerTakenOffTest {

    private static final int BATCH = 16;

    /** An updater, and what it says when its listener is missing. */
    private record Case(IUpdater updater, String says) {

        TrainingListener listener() {
            return updater instanceof Lfso ? new LfsoListener() : new CurvatureListener();
        }
    }

    private static FusePv switching() {
        return FusePv.builder().switchCriterion(SwitchCriterion.iteration(2)).build();
    }

    private static List<Case> cases() {
        return List.of(
                new Case(new FusePv(), "FusePv stays with plain Adam"),
                new Case(switching(), "FusePv is in its L-BFGS phase, but no CurvatureListener conducts iteration 4"),
                new Case(
                        Fuse.ofTheta(0.5),
                        "Fuse is in its L-BFGS phase, but no CurvatureListener conducts iteration 4"),
                new Case(new Lfso(), "Lfso takes what it measured last"),
                new Case(Preconditioned.adam(), "Preconditioned trains by plain Adam in the metric as it was last"),
                new Case(
                        Preconditioned.of(switching()),
                        "Preconditioned trains by plain Adam in the metric as it was last"),
                new Case(Preconditioned.of(new Adam()), "Preconditioned trains by Adam in the metric as it was last"));
    }

    private static DataSet good(TestNetworks kind, int index) {
        return kind.batch(index, BATCH, DataType.FLOAT);
    }

    private static DataSet bad(TestNetworks kind) {
        DataSet data = good(kind, 9);
        data.getFeatures().putScalar(3, Float.NaN);
        return data;
    }

    @ParameterizedTest
    @EnumSource(
            value = TestNetworks.class,
            names = {"DENSE", "CONVOLUTION"})
    void noBadBatchGetsThroughAndTheLogSaysOnceThatTheListenerIsMissing(TestNetworks kind) {
        for (Case each : cases()) {
            Model model = kind.create(each.updater(), DataType.FLOAT, TestNetworks.PLAIN);
            model.setListeners(each.listener());
            try (LogLines log = new LogLines()) {
                for (int step = 0; step < 4; step++) {
                    fit(model, good(kind, step));
                }
                assertThat(log.with("none conducts")).as("%s", each).isEmpty();
                assertThat(log.with("no CurvatureListener")).as("%s", each).isEmpty();
                model.setListeners(new CollectScoresIterationListener());
                fit(model, good(kind, 4));
                INDArray before = model.params().dup();
                fit(model, bad(kind));
                assertThat(model.params()).as("%s", each).isEqualTo(before);
                for (int step = 5; step < 8; step++) {
                    fit(model, good(kind, step));
                }
                assertThat(model.params().isNaN().any()).as("%s", each).isFalse();
                assertThat(model.params()).as("%s", each).isNotEqualTo(before);
                assertThat(log.with("onduct"))
                        .as("%s", each)
                        .hasSize(1)
                        .first()
                        .asString()
                        .contains(each.says());
            }
        }
    }

    @Test
    void eachNetworkWithoutAListenerIsToldOfOnce() {
        // Several blocks, each with an updater of its own. In M1.1 a view does not tell what it is part of, and each
        // block speaks.
        TestNetworks kind = TestNetworks.readsModelsOfM2() ? TestNetworks.BATCH_NORM : TestNetworks.DENSE;
        for (IUpdater updater :
                List.of(new FusePv(), new Lfso(), Preconditioned.adam(), Preconditioned.of(new Adam()))) {
            try (LogLines log = new LogLines()) {
                for (int network = 1; network <= 2; network++) {
                    Model model = kind.create(updater, DataType.FLOAT, TestNetworks.PLAIN);
                    fit(model, good(kind, 0));
                    fit(model, good(kind, 1));
                    assertThat(log.with("none conducts")).as("%s", updater).hasSize(network);
                    fit(model, bad(kind));
                    assertThat(log.with("left out the step")).as("%s", updater).hasSize(network);
                }
            }
        }
    }

    @Test
    void aStepThatWasHeldAndNeverCameIsForgotten() {
        for (Case each : cases()) {
            Model model = TestNetworks.DENSE.create(each.updater(), DataType.FLOAT, TestNetworks.PLAIN);
            TrainingListener listener = each.listener();
            model.setListeners(listener);
            fit(model, good(TestNetworks.DENSE, 0));
            INDArray before = model.params().dup();
            INDArray gradient = model.getGradientsViewArray();
            gradient.assign(Float.NaN);
            listener.onGradientCalculation(model); // holds a step that, after an exception elsewhere, does not come
            fit(model, good(TestNetworks.DENSE, 1));
            assertThat(model.params()).as("%s", each).isNotEqualTo(before);
        }
    }

    /** The copy that comes back is of the training as it is, not as it was when the listener left. */
    @Test
    void aListenerThatComesBackTakesANewCopyOfTheParameters() {
        TestNetworks kind = TestNetworks.DENSE;
        for (IUpdater updater : List.of(new FusePv(), new Lfso())) {
            Model model = kind.create(updater, DataType.FLOAT, TestNetworks.PLAIN);
            TrainingListener listener = updater instanceof Lfso ? new LfsoListener() : new CurvatureListener();
            model.setListeners(listener);
            fit(model, good(kind, 0));
            model.setListeners(new CollectScoresIterationListener());
            for (int step = 1; step < 6; step++) {
                fit(model, good(kind, step));
            }
            model.setListeners(listener);
            INDArray back = model.params().dup();
            fit(model, good(kind, 6));
            model.params().assign(Float.NaN);
            for (int step = 0; step < 4; step++) {
                fit(model, good(kind, step));
            }
            assertThat(model.params().isNaN().any()).as("%s", updater).isFalse();
            assertThat(model.params().distance2(back))
                    .as("%s: distance to where the listener came back", updater)
                    .isLessThan(0.5 * model.params().distance2(start(kind)));
        }
    }

    private static INDArray start(TestNetworks kind) {
        return kind.create(new FusePv(), DataType.FLOAT, TestNetworks.PLAIN).params();
    }
}
