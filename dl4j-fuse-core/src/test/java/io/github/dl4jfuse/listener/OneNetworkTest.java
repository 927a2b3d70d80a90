package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.util.List;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingGraphTrainer;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** Who may listen to whom, and that a refusal reaches whoever asked for it. */
class OneNetworkTest {

    private static DataSet batch(TestNetworks kind) {
        return kind.batch(0, 16, DataType.FLOAT);
    }

    private static Model refusing(TestNetworks kind, IUpdater updater, TrainingListener... listeners) {
        Model model = kind.create(updater, DataType.FLOAT, TestNetworks.PLAIN);
        model.setListeners(listeners);
        INDArray before = model.params().dup();
        for (int time = 0; time < 2; time++) {
            assertThatThrownBy(() -> fit(model, batch(kind)))
                    .as("%s, time %d", List.of(listeners), time)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("have a say in its steps")
                    .hasMessageContaining(listeners[0].getClass().getSimpleName());
        }
        assertThat(model.params()).isEqualTo(before);
        return model;
    }

    @ParameterizedTest
    @EnumSource(
            value = TestNetworks.class,
            names = {"DENSE", "GRAPH"})
    void oneListenerHasTheSay(TestNetworks kind) {
        CurvatureListener twice = new CurvatureListener();
        refusing(kind, Preconditioned.adam(), new CurvatureListener(), new CurvatureListener());
        refusing(kind, new FusePv(), twice, twice);
        refusing(kind, new Lfso(), new LfsoListener(), new LfsoListener());
        refusing(kind, new FusePv(), new CurvatureListener(), new LfsoListener());
        refusing(kind, Preconditioned.adam(), new GaussNewtonListener(Layers.OUTPUT_LAYER), new CurvatureListener());
        refusing(kind, new Lfso(), new LfsoListener(), new GaussNewtonListener(Layers.OUTPUT_LAYER));
        GaussNewtonListener kept = new GaussNewtonListener(Layers.OUTPUT_LAYER);
        Model model = refusing(kind, new Sgd(0.1), kept, new GaussNewtonListener(Layers.OUTPUT_LAYER));
        model.setListeners(kept);
        fit(model, batch(kind));
        assertThat(kept.statistics().steps()).isOne();
    }

    @Test
    void oneThatIsAddedLaterIsRefusedToo() {
        Model model = TestNetworks.DENSE.network(Preconditioned.adam(), DataType.FLOAT);
        CurvatureListener first = new CurvatureListener();
        model.setListeners(first);
        fit(model, batch(TestNetworks.DENSE));
        model.addListeners(new CurvatureListener());
        assertThatThrownBy(() -> fit(model, batch(TestNetworks.DENSE)))
                .hasMessageContaining("CurvatureListener, CurvatureListener");
        model.setListeners(first);
        fit(model, batch(TestNetworks.DENSE));
    }

    @Test
    void watchersMayBeThereTwice() {
        MultiLayerNetwork model = TestNetworks.surfaceFit(Preconditioned.adam(), Activation.TANH, 0);
        DataSet data = TestNetworks.surface(8, 1);
        GeometryListener first = new GeometryListener();
        GeometryListener second = new GeometryListener();
        model.setListeners(new CurvatureListener(), first, second, new SaddleListener(data), new SaddleListener(data));
        fit(model, data);
        assertThat(first.reports()).hasSameSizeAs(second.reports()).isNotEmpty();
    }

    @Test
    void theCloneOfAGraphIsNamedWhereItsListIsTheFault() {
        for (boolean ofItsOwn : new boolean[] {false, true}) {
            ComputationGraph graph = (ComputationGraph)
                    TestNetworks.GRAPH.create(Preconditioned.adam(), DataType.FLOAT, TestNetworks.PLAIN);
            graph.setListeners(new CurvatureListener());
            fit(graph, batch(TestNetworks.GRAPH));
            ComputationGraph copy = graph.clone();
            if (ofItsOwn) {
                copy.setListeners(new CurvatureListener());
                fit(copy, batch(TestNetworks.GRAPH));
            }
            assertThatThrownBy(() -> fit(ofItsOwn ? graph : copy, batch(TestNetworks.GRAPH)))
                    .as("with a listener of its own: %s", ofItsOwn)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ComputationGraph.clone()")
                    .hasMessageNotContaining("Spark");
        }
    }

    /** What is refused at the first step is refused at the second, too. */
    @Test
    void earlyStoppingLetsARefusalThrough() {
        FusePv published =
                FusePv.builder().switchCriterion(SwitchCriterion.epoch(1)).build();
        Options clipped = Options.network(b -> b.gradientNormalization(GradientNormalization.ClipL2PerLayer));
        Options decaying = Options.layer(layer -> layer.weightDecay(0.01));
        Options dropping = Options.layer(layer -> layer.dropOut(0.5));
        for (TestNetworks kind : new TestNetworks[] {TestNetworks.DENSE, TestNetworks.GRAPH}) {
            early(
                    kind.create(published, DataType.FLOAT, clipped),
                    new CurvatureListener(),
                    kind,
                    "remove .gradientNorm");
            early(
                    kind.create(Preconditioned.of(published), DataType.FLOAT, clipped),
                    new CurvatureListener(),
                    kind,
                    "remove .gradientNorm");
            early(
                    kind.create(new Lfso(), DataType.FLOAT, decaying),
                    new LfsoListener(),
                    kind,
                    "instead of .weightDecay");
            early(kind.create(new Sgd(1), DataType.FLOAT, dropping), new GaussNewtonListener(), kind, "remove them");
            early(
                    kind.create(new Sgd(1), DataType.FLOAT, TestNetworks.PLAIN),
                    new CurvatureListener(),
                    kind,
                    "Preconditioned.adam()");
        }
    }

    private static void early(Model model, TrainingListener listener, TestNetworks kind, String sentence) {
        model.setListeners(listener);
        DataSetIterator data = new ExistingDataSetIterator(List.of(batch(kind)));
        for (int time = 0; time < 2; time++) {
            assertThatThrownBy(() -> fitEarly(model, data))
                    .as("%s on %s, time %d", listener, kind, time)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(sentence);
            assertThatThrownBy(() -> fit(model, batch(kind)))
                    .as("%s on %s, time %d", listener, kind, time)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(sentence);
        }
    }

    private static void fitEarly(Model model, DataSetIterator data) {
        if (model instanceof MultiLayerNetwork network) {
            new EarlyStoppingTrainer(
                            new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                                    .scoreCalculator(new DataSetLossCalculator(data, true))
                                    .epochTerminationConditions(new MaxEpochsTerminationCondition(1))
                                    .build(),
                            network,
                            data)
                    .fit();
        } else {
            new EarlyStoppingGraphTrainer(
                            new EarlyStoppingConfiguration.Builder<ComputationGraph>()
                                    .scoreCalculator(new DataSetLossCalculator(data, true))
                                    .epochTerminationConditions(new MaxEpochsTerminationCondition(1))
                                    .build(),
                            (ComputationGraph) model,
                            data)
                    .fit();
        }
    }

    @Test
    void theLogCallsTheUpdaterAsTheUserDoes() {
        try (LogLines log = new LogLines()) {
            for (IUpdater updater : new IUpdater[] {Preconditioned.adam(), new FusePv()}) {
                Model model = TestNetworks.DENSE.network(updater, DataType.FLOAT);
                model.setListeners(new CurvatureListener());
                for (int step = 0; step < 15; step++) {
                    fit(model, batch(TestNetworks.DENSE));
                }
            }
            assertThat(log.with("from Adam to L-BFGS")).hasSize(2);
            assertThat(log.with("from Adam to L-BFGS").get(0)).startsWith("Preconditioned goes");
            assertThat(log.with("from Adam to L-BFGS").get(1)).startsWith("FusePv switches");
        }
    }

    /** Spark says of a listener that it cannot send no more than what this exception says. */
    @Test
    void whoSerializesAListenerIsToldWhatToDo() {
        DataSet probe = batch(TestNetworks.DENSE);
        for (TrainingListener listener : List.of(
                new CurvatureListener(),
                new LfsoListener(),
                new GaussNewtonListener(),
                new GeometryListener(),
                new SaddleListener(probe))) {
            assertThatThrownBy(() -> new ObjectOutputStream(OutputStream.nullOutputStream()).writeObject(listener))
                    .isInstanceOf(NotSerializableException.class)
                    .hasMessageContaining(listener.getClass().getSimpleName() + " belongs to one network")
                    .hasMessageContaining("TrainingHook");
        }
    }

    @Test
    void theRuleOfAnotherLayerIsNamed() {
        Model model = TestNetworks.DENSE.create(
                FusePv.builder().switchCriterion(SwitchCriterion.epoch(1)).build(),
                DataType.FLOAT,
                Options.layer(layer -> layer.biasUpdater(Preconditioned.of(new Sgd(0.1)))));
        model.setListeners(new CurvatureListener());
        assertThatThrownBy(() -> fit(model, batch(TestNetworks.DENSE)))
                .hasMessageContaining("b of layer \"layer0\" uses Preconditioned with Sgd");
    }
}
