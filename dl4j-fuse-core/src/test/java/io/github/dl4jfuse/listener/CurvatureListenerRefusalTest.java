package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.SwitchCriterion;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Combinations that make no sense are refused at the first step, with the remedy, and the parameters stay. */
class CurvatureListenerRefusalTest {

    private static final TestNetworks KIND = TestNetworks.DENSE;

    private static FusePv published() {
        return FusePv.builder()
                .switchCriterion(SwitchCriterion.epoch(FusePv.PUBLISHED_SWITCH_EPOCH))
                .build();
    }

    private static DataSet good(int index) {
        return KIND.batch(index, 16, DataType.FLOAT);
    }

    @Test
    void refusesClippingWithTheRemedy() {
        for (GradientNormalization kind : GradientNormalization.values()) {
            if (kind != GradientNormalization.None) {
                assertRefused(
                        KIND.create(published(), DataType.FLOAT, Options.network(b -> b.gradientNormalization(kind))),
                        "remove .gradientNormalization(..)");
            }
        }
    }

    @Test
    void refusesOtherUpdatersOtherSettingsAndOtherAlgorithms() {
        assertRefused(KIND.network(new Adam(), DataType.FLOAT), "configure .updater(Preconditioned.adam())");
        assertRefused(
                KIND.create(published(), DataType.FLOAT, Options.network(b -> b.biasUpdater(new Sgd(0.1)))),
                "b of layer \"layer0\" uses Sgd");
        assertRefused(
                KIND.create(
                        published(),
                        DataType.FLOAT,
                        Options.network(
                                b -> b.biasUpdater(FusePv.builder().memory(3).build()))),
                "only Adam's constants may differ");
        assertRefused(
                KIND.create(
                        published(),
                        DataType.FLOAT,
                        Options.network(b -> b.optimizationAlgo(OptimizationAlgorithm.CONJUGATE_GRADIENT))),
                "optimizationAlgo(STOCHASTIC_GRADIENT_DESCENT)");
    }

    private static void assertRefused(Model model, String sentence) {
        model.setListeners(new CurvatureListener());
        INDArray before = model.params().dup();
        assertThatThrownBy(() -> fit(model, good(0)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(sentence);
        assertThat(model.params()).isEqualTo(before);
    }

    @Test
    void refusesTruncatedBackpropagation() {
        var network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .updater(published())
                .list()
                .layer(new LSTM.Builder().nIn(3).nOut(4).build())
                .layer(new RnnOutputLayer.Builder(LossFunction.MSE)
                        .activation(Activation.IDENTITY)
                        .nIn(4)
                        .nOut(2)
                        .build())
                .backpropType(BackpropType.TruncatedBPTT)
                .tBPTTLength(5)
                .build());
        network.init();
        network.setListeners(new CurvatureListener());
        DataSet data = new DataSet(Nd4j.ones(2, 3, 10), Nd4j.ones(2, 2, 10));
        assertThatThrownBy(() -> network.fit(data))
                .hasMessageContaining("truncated backpropagation")
                .hasMessageContaining("or Preconditioned.adam(), which then keeps to Adam in the metric");
    }

    @Test
    void refusesASecondNetwork() {
        CurvatureListener shared = new CurvatureListener();
        Model first = KIND.network(new FusePv(), DataType.FLOAT);
        Model second = KIND.network(new FusePv(), DataType.FLOAT);
        first.setListeners(shared);
        second.setListeners(shared);
        fit(first, good(0));
        assertThatThrownBy(() -> fit(second, good(0))).hasMessageContaining("belongs to one network");
    }
}
