package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.images;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.output;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.acceleration.updating.FastAdam;
import io.github.dl4jfuse.acceleration.updating.FastUpdater;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.MultiLayerUpdater;
import org.deeplearning4j.nn.updater.graph.ComputationGraphUpdater;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/** The updater of ours alone: layers are DL4J's, so every bit has to be. */
class FastUpdaterTest {

    private static DenseLayer.Builder dense() {
        return new DenseLayer.Builder().nOut(6).activation(Activation.TANH);
    }

    static List<MultiLayerConfiguration> rules() {
        List<MultiLayerConfiguration> all = new ArrayList<>();
        for (IUpdater updater : new IUpdater[] {new Adam(1e-2), new Nesterovs(0.05), new Sgd(0.1)}) {
            all.add(images(updater, Activation.RELU)); // whose batch normalization has what is no gradient
        }
        all.add(stack(new Adam(1e-2), dense().l2(1e-2).build(), dense().l1(1e-3).build()));
        all.add(stack(new Adam(1e-2), dense().weightDecay(1e-2).build(), dense().build()));
        all.add(stack(
                new Adam(1e-2),
                dense().updater(new Sgd(0.1)).build(),
                dense().build(),
                new FrozenLayer(dense().build())));
        all.add(stack(
                new Adam(1e-2),
                dense().gradientNormalization(GradientNormalization.ClipL2PerLayer)
                        .gradientNormalizationThreshold(0.01)
                        .build(),
                dense().biasUpdater(new Sgd(0.2)).build()));
        return all;
    }

    private static void assertSameBits(MultiLayerNetwork ours, MultiLayerNetwork dl4js) {
        assertThat(ours.params().data().asFloat())
                .isEqualTo(dl4js.params().data().asFloat());
        INDArray state = dl4js.getUpdater().getStateViewArray();
        if (state != null) {
            assertThat(ours.getUpdater().getStateViewArray().data().asFloat())
                    .isEqualTo(state.data().asFloat());
        }
    }

    @ParameterizedTest
    @MethodSource("rules")
    void networksTrainAsWithDl4js(MultiLayerConfiguration conf) {
        MultiLayerNetwork ours = network(conf);
        MultiLayerNetwork dl4js = network(conf);
        for (int step = 0; step < 9; step++) {
            if (step == 0 || step == 3) {
                FastUpdater.attach(ours);
                assertThat(ours.getUpdater().getClass()).isNotEqualTo(MultiLayerUpdater.class);
            } else if (step == 6) {
                FastUpdater.renew(ours, false);
                assertThat(ours.getUpdater().getClass()).isEqualTo(MultiLayerUpdater.class);
            } else if (step == 5) {
                ours.setLearningRate(0.02);
                dl4js.setLearningRate(0.02);
            }
            ours.fit(batch(step == 7 ? 5 : 8, step));
            dl4js.fit(batch(step == 7 ? 5 : 8, step));
            assertSameBits(ours, dl4js);
        }
    }

    @Test
    void adamIsOursWhileItIsAttached() {
        MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
        FastUpdater.attach(network);
        assertThat(rule(network)).isInstanceOf(FastAdam.class);
        FastUpdater.renew(network, true);
        assertThat(rule(network)).isInstanceOf(FastAdam.class);
        FastUpdater.renew(network, false);
        assertThat(rule(network)).isExactlyInstanceOf(AdamUpdater.class);
    }

    private static Object rule(MultiLayerNetwork network) {
        return ((MultiLayerUpdater) network.getUpdater())
                .getUpdaterBlocks()
                .get(0)
                .getGradientUpdater();
    }

    @Test
    void graphsTrainAsWithDl4js() {
        var conf = builder(new Adam(1e-2))
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(9, 8, 2))
                .addLayer("a", convolution(3, 4, Activation.RELU).build(), "in")
                .addLayer("norm", new BatchNormalization(), "a")
                .addLayer("dense", dense().l2(1e-2).build(), "norm")
                .addLayer("out", output(), "dense")
                .setOutputs("out")
                .build();
        ComputationGraph ours = new ComputationGraph(conf.clone());
        ComputationGraph dl4js = new ComputationGraph(conf.clone());
        ours.init();
        dl4js.init();
        for (int step = 0; step < 6; step++) {
            if (step == 0 || step == 2) {
                FastUpdater.attach(ours);
                assertThat(ours.getUpdater().getClass()).isNotEqualTo(ComputationGraphUpdater.class);
            } else if (step == 4) {
                FastUpdater.renew(ours, false);
            }
            ours.fit(batch(8, step));
            dl4js.fit(batch(8, step));
            assertThat(ours.params().data().asFloat())
                    .isEqualTo(dl4js.params().data().asFloat());
        }
        assertThat(ours.getUpdater().getClass()).isEqualTo(ComputationGraphUpdater.class);
    }

    /** Gradients in another array than the network's own are updated where they lie. */
    @Test
    void gradientsFromElsewhereAreStillFromElsewhere() {
        MultiLayerNetwork ours = network(images(new Adam(1e-2), Activation.RELU));
        MultiLayerNetwork dl4js = network(images(new Adam(1e-2), Activation.RELU));
        FastUpdater.attach(ours);
        INDArray[] updates = new INDArray[2];
        MultiLayerNetwork[] networks = {ours, dl4js};
        for (int i = 0; i < networks.length; i++) {
            networks[i].fit(batch(8, 1));
            updates[i] = networks[i].params().dup().muli(1e-2);
            networks[i]
                    .getUpdater()
                    .update(
                            networks[i].getLayer(0),
                            new DefaultGradient(updates[i]),
                            1,
                            0,
                            8,
                            LayerWorkspaceMgr.noWorkspaces());
        }
        assertThat(updates[0].data().asFloat()).isEqualTo(updates[1].data().asFloat());
        assertSameBits(ours, dl4js);
    }

    /** An updater of the user's own class. */
    private static final class OwnUpdater extends MultiLayerUpdater {

        OwnUpdater(MultiLayerNetwork network) {
            super(network);
        }
    }

    @Test
    void anUpdaterOfTheUsersClassStays() {
        assumeThatThereAreAny();
        MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
        OwnUpdater own = new OwnUpdater(network);
        network.setUpdater(own);
        Acceleration.attach(network);
        network.fit(batch(4, 1));
        assertThat(network.getUpdater()).isSameAs(own);
        Acceleration.detach(network);
        assertThat(network.getUpdater()).isSameAs(own);
    }

    /** DL4J goes on with the blocks that it has made until someone makes another updater; in other blocks moments would be others'. */
    @Test
    void configurationsThatWereChangedSinceMoveNoMoments() {
        MultiLayerConfiguration conf =
                stack(new Adam(1e-2), dense().updater(new Adam(2e-2)).build(), dense().build());
        MultiLayerNetwork ours = network(conf);
        MultiLayerNetwork dl4js = network(conf);
        for (MultiLayerNetwork network : List.of(ours, dl4js)) {
            network.fit(batch(8, 1));
            ((DenseLayer) network.getLayer(0).conf().getLayer())
                    .setIUpdater(new Adam(1e-2)); // that of the layers behind
        }
        FastUpdater.attach(ours);
        ours.fit(batch(8, 2));
        dl4js.fit(batch(8, 2));
        assertSameBits(ours, dl4js);
    }

    /** Loading a model for its outputs costs no room for moments. */
    @Test
    void anAttachedNetworkHasNoUpdaterBeforeItsFirstStep() {
        assumeThatThereAreAny();
        MultiLayerNetwork network = network(images(new Adam(1e-2), Activation.RELU));
        Acceleration.attach(network);
        network.output(batch(4, 1).getFeatures());
        assertThat(network.getUpdater(false)).isNull();
        network.fit(batch(4, 1));
        assertThat(rule(network)).isInstanceOf(FastAdam.class);
        network.setLearningRate(0.02); // DL4J makes another one
        network.fit(batch(4, 1));
        assertThat(rule(network)).isInstanceOf(FastAdam.class);
    }
}
