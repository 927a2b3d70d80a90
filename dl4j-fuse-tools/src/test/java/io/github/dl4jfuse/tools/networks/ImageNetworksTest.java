package io.github.dl4jfuse.tools.networks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.regularization.L2Regularization;

/** Shapes, sizes and starts as they were published. */
class ImageNetworksTest {

    static Stream<Arguments> networks() {
        return Stream.of(
                Arguments.of("2c2d", Architecture.of(ImageNetworks.twoConvolutions(1)), 1, 28, 3_274_634),
                Arguments.of("LeNet", Architecture.of(ImageNetworks.lenet(1)), 1, 28, 431_080),
                Arguments.of("3c3d", Architecture.of(ImageNetworks.threeConvolutions(1)), 3, 32, 895_210),
                Arguments.of("residual", Architecture.of(ImageNetworks.residual(1)), 3, 32, 78_714),
                Arguments.of("VGG", Architecture.of(ImageNetworks.vgg(1)), 3, 32, 148_442));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void takesItsImagesAndHasAsManyParametersAsPublished(
            String name, Architecture architecture, int channels, int side, long parameters) {
        Model network = architecture.build();
        assertThat(network.numParams()).isEqualTo(parameters);
        INDArray images = Nd4j.ones(2, channels, side, side);
        INDArray output = network instanceof MultiLayerNetwork layers
                ? layers.output(images)
                : ((ComputationGraph) network).outputSingle(images);
        assertThat(output.shape()).containsExactly(2, 10);
        assertThat(output.sum(1).getDouble(0)).isCloseTo(1, within(1e-5));
    }

    @Test
    void imagesShrinkAsIn3c3d() {
        MultiLayerNetwork network = (MultiLayerNetwork)
                Architecture.of(ImageNetworks.threeConvolutions(1)).build();
        long[] sides = network.feedForward(Nd4j.ones(1, 3, 32, 32)).stream()
                .filter(array -> array.rank() == 4)
                .mapToLong(array -> array.size(2))
                .toArray();
        assertThat(sides).containsExactly(32, 28, 14, 12, 6, 6, 3);
    }

    @Test
    void startsOf2c2dAreCutOff() {
        Model network = Architecture.of(ImageNetworks.twoConvolutions(1)).build();
        INDArray dense = network.getParam("4_W");
        assertThat(dense.amaxNumber().doubleValue()).isBetween(0.09, 0.1001); // two deviations
        assertThat(dense.meanNumber().doubleValue()).isCloseTo(0, within(1e-3));
        assertThat(network.getParam("4_b").meanNumber().doubleValue()).isCloseTo(0.05, within(1e-6));
        assertThat(network.getParam("5_b").meanNumber().doubleValue()).isCloseTo(0.05, within(1e-6));
    }

    @Test
    void weightsArePenalisedAndBiasesAreNot() {
        for (Architecture architecture : new Architecture[] {
            Architecture.of(ImageNetworks.lenet(1)), Architecture.of(ImageNetworks.threeConvolutions(1))
        }) {
            BaseLayer first = (BaseLayer) architecture.layers().get(0);
            double expected = architecture.layers().size() == 6 ? 5e-4 : 2e-3;
            L2Regularization l2 =
                    (L2Regularization) first.getRegularizationByParam("W").get(0);
            assertThat(l2.getL2().valueAt(0, 0)).isEqualTo(expected);
            assertThat(first.getRegularizationByParam("b")).isNullOrEmpty();
        }
    }

    /** DL4J's BatchNorm ignores an activation, so each but those before a sum has its own layer. */
    @Test
    void aReluFollowsBatchNormAsALayer() {
        ComputationGraph graph =
                (ComputationGraph) Architecture.of(ImageNetworks.residual(1)).build();
        assertThat(graph.getConfiguration().getVertices().keySet())
                .contains("stem-relu", "block1-1-relu", "block2-relu", "block3-past-norm")
                .doesNotContain("block1-past-norm");
        assertThat(Stream.of(graph.getLayers())
                        .filter(layer -> layer.conf().getLayer() instanceof BatchNormalization)
                        .count())
                .isEqualTo(9);
        var values = graph.feedForward(Nd4j.rand(2, 3, 32, 32), true); // else DL4J takes ReLU in place
        assertThat(values.get("stem-norm").minNumber().doubleValue()).isNegative();
        assertThat(values.get("stem-relu").minNumber().doubleValue()).isZero();
        assertThat(values.get("block3-relu").shape()).containsExactly(2, 64, 8, 8);
        assertThat(values.get("block1-sum"))
                .isEqualTo(values.get("block1-2-norm").add(values.get("stem-relu")));
    }
}
