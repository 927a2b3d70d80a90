package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.network.Surroundings;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.listeners.CollectScoresIterationListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;

class DL4JFuseTest {

    static Stream<IUpdater> ofCurvature() {
        return Stream.of(
                Preconditioned.adam(), Preconditioned.of(new Nesterovs(0.1, 0.9)), new FusePv(), Fuse.ofTheta(0.5));
    }

    private static void checkAttached(IUpdater updater, Class<? extends TrainingListener> kind) {
        for (TestNetworks networks : new TestNetworks[] {TestNetworks.DENSE, TestNetworks.CONVOLUTION}) {
            Model model = networks.create(updater, DataType.FLOAT, PLAIN);
            TrainingListener own = new CollectScoresIterationListener(1);
            model.setListeners(own);
            DL4JFuse.attach(model);
            assertThat(Surroundings.listeners(model)).hasSize(2).contains(own).hasAtLeastOneElementOfType(kind);
            DL4JFuse.attach(model);
            assertThat(Surroundings.listeners(model)).as("a second time").hasSize(2);
            TestNetworks.fit(model, networks.batch(0, 8, DataType.FLOAT));
            assertThat(Surroundings.listeners(model)).hasSize(2);
        }
    }

    @ParameterizedTest
    @MethodSource("ofCurvature")
    void addsWhatCompletesTheUpdaterAndLeavesOthers(IUpdater updater) {
        checkAttached(updater, CurvatureListener.class);
    }

    @Test
    void addsThatOfLfso() {
        checkAttached(new Lfso(), LfsoListener.class);
    }

    /** The module is on the class path of these tests. */
    @Test
    void attachesTheFastLayersToo() {
        Model model = TestNetworks.DENSE.create(Preconditioned.adam(), DataType.FLOAT, PLAIN);
        DL4JFuse.attach(model);
        Layer first = ((MultiLayerNetwork) model).getLayer(0);
        assertThat(first.getClass().getPackageName().startsWith("io.github.dl4jfuse.acceleration"))
                .isEqualTo(!Acceleration.attach(model).layers().isEmpty());
        Model inDouble = TestNetworks.DENSE.create(Preconditioned.adam(), DataType.DOUBLE, PLAIN);
        DL4JFuse.attach(inDouble);
        assertThat(((MultiLayerNetwork) inDouble).getLayer(0).getClass().getPackageName())
                .startsWith("org.deeplearning4j");
    }

    @Test
    void refusesWhatItCannotComplete() {
        Model adam = TestNetworks.DENSE.create(new Adam(), DataType.FLOAT, PLAIN);
        assertThatThrownBy(() -> DL4JFuse.attach(adam))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("configure .updater(Preconditioned.adam())");
        var mixed = new NeuralNetConfiguration.Builder()
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(2)
                        .nOut(2)
                        .updater(new Lfso())
                        .build())
                .layer(new OutputLayer.Builder()
                        .nIn(2)
                        .nOut(2)
                        .updater(new FusePv())
                        .build())
                .build();
        MultiLayerNetwork network = new MultiLayerNetwork(mixed);
        assertThatThrownBy(() -> DL4JFuse.attach(network)).hasMessageContaining("call init() first");
        network.init();
        assertThatThrownBy(() -> DL4JFuse.attach(network)).hasMessageContaining("one conductor");
        assertThatThrownBy(() -> DL4JFuse.attach(null)).hasMessageContaining("not with a null");
    }
}
