package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.surface;
import static io.github.dl4jfuse.TestNetworks.surfaceFit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** Gauss-Newton as an updater: a value, Adam alone, and its listener's steps as they are. */
class GaussNewtonTest {

    private static final List<GaussNewton> SAMPLES = List.of(
            GaussNewton.onBatches(),
            GaussNewton.onBatches().withDamping(1e-3),
            GaussNewton.onBatches().withMomentum(0.9),
            GaussNewton.onBatches().withExamplesPerStep(20, 7),
            GaussNewton.onBatches().withExamplesPerStep(20, 8));

    @Test
    void isAValueThatSurvivesJsonAndYaml() {
        for (GaussNewton sample : SAMPLES) {
            assertThat(sample.clone())
                    .isEqualTo(sample)
                    .hasSameHashCodeAs(sample)
                    .isNotSameAs(sample);
            MultiLayerConfiguration layers =
                    TestNetworks.DENSE.network(sample, DataType.FLOAT).getLayerWiseConfigurations();
            for (MultiLayerConfiguration back : List.of(
                    MultiLayerConfiguration.fromJson(layers.toJson()),
                    MultiLayerConfiguration.fromYaml(layers.toYaml()))) {
                assertThat(((BaseLayer) back.getConf(0).getLayer()).getIUpdater())
                        .isEqualTo(sample);
            }
        }
        assertThat(SAMPLES).doesNotHaveDuplicates();
    }

    @Test
    void refusesWhatMakesNoSense() {
        GaussNewton config = GaussNewton.onBatches();
        assertThatThrownBy(() -> config.withDamping(0)).hasMessageContaining("damping must be in (0, ");
        assertThatThrownBy(() -> config.withDamping(Double.NaN)).hasMessageContaining("damping must be in (0, ");
        assertThatThrownBy(() -> config.withMomentum(1)).hasMessageContaining("momentum must be in [0, 1)");
        assertThatThrownBy(() -> config.withExamplesPerStep(0, 1)).hasMessageContaining("at least 1, not 0");
        assertThatThrownBy(() -> Preconditioned.of(config)).hasMessageContaining("take it without Preconditioned");
        MultiLayerNetwork net = surfaceFit(config, Activation.TANH, 0);
        assertThatThrownBy(() -> net.setLearningRate(0.1)).hasMessageContaining("GaussNewton has no learning rate");
    }

    @Test
    void aDamagedConfigurationIsRefused() {
        String json = TestNetworks.DENSE
                .network(GaussNewton.onBatches(), DataType.FLOAT)
                .getLayerWiseConfigurations()
                .toJson();
        String damaged = json.replace("\"damping\" : 0.1", "\"damping\" : -0.1");
        assertThat(damaged).isNotEqualTo(json);
        assertThatThrownBy(() -> new MultiLayerNetwork(MultiLayerConfiguration.fromJson(damaged))
                        .fit(TestNetworks.DENSE.batch(0, 8, DataType.FLOAT)))
                .hasMessageContaining("damping must be in (0, ");
    }

    /** To the last bit, and said once. */
    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void aloneItIsAdam(TestNetworks kind) {
        Model model = kind.create(GaussNewton.onBatches(), DataType.FLOAT, PLAIN);
        Model adam = kind.create(new Adam(), DataType.FLOAT, PLAIN);
        try (LogLines lines = new LogLines()) {
            for (int step = 0; step < 4; step++) {
                TestNetworks.fit(model, kind.batch(step, 16, DataType.FLOAT));
                TestNetworks.fit(adam, kind.batch(step, 16, DataType.FLOAT));
            }
            // On DL4J 1.0.0-M1.1 each block of parameters says it, see OncePerNetwork; this network has one.
            boolean oneBlock = kind == TestNetworks.DENSE;
            assertThat(lines.with("GaussNewton trains by plain Adam")).hasSizeBetween(1, oneBlock ? 1 : 5);
        }
        assertThat(model.params().data().asFloat())
                .isEqualTo(adam.params().data().asFloat());
    }

    @Test
    void aGradientThatIsNotFiniteGivesNoStep() {
        GaussNewton config = GaussNewton.onBatches();
        INDArray state = Nd4j.zeros(DataType.FLOAT, config.stateSize(3));
        INDArray gradient = Nd4j.createFromArray(1f, Float.NaN, 2f);
        config.instantiate(state, true).applyUpdater(gradient, 0, 0);
        assertThat(gradient.toFloatVector()).containsExactly(0, 0, 0);
        assertThat(state.toFloatVector()).containsOnly(0);
    }

    /** The steps are those that Sgd with rate 1 takes of the same listener, to the last bit, whoever chose the settings. */
    @Test
    void itsListenersStepsAreTakenAsTheyAre() {
        GaussNewton config =
                GaussNewton.onBatches().withDamping(1e-2).withMomentum(0.5).withExamplesPerStep(30, 5);
        MultiLayerNetwork net = surfaceFit(config, Activation.TANH, 0);
        DL4JFuse.attach(net);
        MultiLayerNetwork other = surfaceFit(new Sgd(1), Activation.TANH, 0);
        other.setListeners(new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, 0.5).examplesPerStep(30, 5));
        try (LogLines lines = new LogLines()) {
            for (DataSet batch : surface(400, SEED).batchBy(40)) {
                net.fit(batch);
                other.fit(batch);
            }
            assertThat(lines.with("plain Adam")).isEmpty();
        }
        assertThat(net.params().data().asDouble())
                .isEqualTo(other.params().data().asDouble());
        assertThat(DL4JFuse.reports(net).get(0).details())
                .isEqualTo(DL4JFuse.reports(other).get(0).details())
                .containsEntry("gradientEvaluations", 10.0);
    }

    /** Whoever takes the listener off goes on with Adam, and no gradient is ever taken for a step. */
    @Test
    void withoutItsListenerItGoesOnAsAdam() {
        MultiLayerNetwork net = surfaceFit(GaussNewton.onBatches(), Activation.TANH, 0);
        DL4JFuse.attach(net);
        List<DataSet> batches = surface(120, SEED).batchBy(40);
        net.fit(batches.get(0));
        INDArray before = net.params().dup();
        net.setListeners();
        net.fit(batches.get(1));
        double largest = net.params().sub(before).amaxNumber().doubleValue();
        assertThat(largest).as("Adam moves nothing by more than its rate").isBetween(1e-6, 1.1e-3);
    }

    @Test
    void aSavedNetworkGoesOnAsAdam(@TempDir Path folder) throws IOException {
        DataSet data = TestNetworks.DENSE.batch(0, 16, DataType.FLOAT);
        MultiLayerNetwork net = TestNetworks.DENSE.network(GaussNewton.onBatches(), DataType.FLOAT);
        net.fit(data);
        File file = folder.resolve("net.zip").toFile();
        ModelSerializer.writeModel(net, file, true);
        MultiLayerNetwork back = ModelSerializer.restoreMultiLayerNetwork(file, true);
        for (int step = 0; step < 3; step++) {
            net.fit(data);
            back.fit(data);
        }
        assertThat(back.params().data().asFloat()).isEqualTo(net.params().data().asFloat());
        assertThat(net.getUpdater().getStateViewArray().length()).isEqualTo(2 * net.numParams());
    }

    @Test
    void settingsHaveOneOwner() {
        GaussNewton config = GaussNewton.onBatches().withDamping(1e-2);
        MultiLayerNetwork net = surfaceFit(config, Activation.TANH, 0);
        DataSet data = surface(40, SEED);
        net.setListeners(new GaussNewtonListener(Layers.ALL_LAYERS, 1e-1, 0));
        assertThatThrownBy(() -> net.fit(data)).hasMessageContaining("leave them to the updater");
        net.setListeners(new GaussNewtonListener(Layers.OUTPUT_LAYER));
        assertThatThrownBy(() -> net.fit(data)).hasMessageContaining("OUTPUT_LAYER leaves the other layers");
        GaussNewtonListener same = new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, 0);
        net.setListeners(same);
        net.fit(data);
        assertThat(same.statistics().steps() + same.statistics().undone()).isEqualTo(1);
        MultiLayerNetwork mixed = surfaceFit(config, Activation.TANH, 0);
        ((BaseLayer) mixed.getLayer(0).conf().getLayer()).setIUpdater(GaussNewton.onBatches());
        DL4JFuse.attach(mixed);
        assertThatThrownBy(() -> mixed.fit(data)).hasMessageContaining("different settings of GaussNewton");
    }
}
