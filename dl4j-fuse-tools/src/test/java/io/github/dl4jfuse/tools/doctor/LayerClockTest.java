package io.github.dl4jfuse.tools.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.tools.doctor.LayerClock.Timed;
import io.github.dl4jfuse.tools.doctor.LayerClock.Times;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.dataset.MultiDataSet;

class LayerClockTest {

    private static final int N = DoctorNetworks.EXAMPLES;

    static Stream<Arguments> networks() {
        return Stream.of(
                arguments(DoctorNetworks.convolutional(), DoctorNetworks.batch(new long[] {N, 3, 10, 8}), false),
                arguments(DoctorNetworks.frozen(), DoctorNetworks.batch(new long[] {N, 4}), true),
                arguments(DoctorNetworks.recurrent(), DoctorNetworks.batch(new long[] {N, 2, 7}), false),
                arguments(DoctorNetworks.graph(), DoctorNetworks.batch(new long[] {N, 4}, new long[] {N, 4}), false));
    }

    /** The layers, with what wrappers hold. */
    private static List<Layer> layers(Model network) {
        Stream<Layer> outer = network instanceof MultiLayerNetwork plain
                ? Arrays.stream(plain.getLayers())
                : Arrays.stream(((ComputationGraph) network).getVertices())
                        .filter(GraphVertex::hasLayer)
                        .map(GraphVertex::getLayer);
        return outer.flatMap(layer -> layer instanceof BaseWrapperLayer wrapper
                        ? Stream.of(layer, wrapper.getUnderlying())
                        : Stream.of(layer))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("networks")
    void everyLayerIsTimedAndTheStepsAreThoseWithoutClocks(Model network, MultiDataSet batch, boolean firstIsFrozen) {
        Model twin = new Subject("", network, batch).copy();
        Acceleration.attach(network);
        Acceleration.attach(twin);
        List<Layer> before = layers(network);
        LayerClock clock = new LayerClock(network);
        for (int step = 0; step < 3; step++) {
            Times times = clock.time(() -> Subject.step(network, batch));
            Subject.step(twin, batch);
            assertThat(times.forward()).hasSize(clock.layers().size());
            for (int i = 0; i < times.forward().length; i++) {
                assertThat(times.forward()[i]).isPositive();
                assertThat(times.backward()[i] > 0).isEqualTo(i > 0 || !firstIsFrozen);
            }
            assertThat(times.updater()).isPositive();
            assertThat(times.rest()).isPositive();
            assertThat(times.rest()
                            + times.updater()
                            + Arrays.stream(times.forward()).sum()
                            + Arrays.stream(times.backward()).sum())
                    .isEqualTo(times.whole());
        }
        assertThat(network.params()).isEqualTo(twin.params());
        assertThat(layers(network))
                .usingElementComparator((one, other) -> one == other ? 0 : 1) // a stand-in passes equals on
                .containsExactlyElementsOf(before);
    }

    @Test
    void countsTheOperationsOfAConvolutionAndOfDenseLayers() {
        List<Timed> layers = after(DoctorNetworks.convolutional(), new long[] {N, 3, 10, 8});
        // 8 x 6 places, 5 channels out of 3 x 3 x 3 numbers; nobody needs the images' gradient
        assertThat(layers.get(0).work().forward()).isEqualTo(2.0 * N * 48 * 5 * 27);
        assertThat(layers.get(0).work().backward()).isEqualTo(2.0 * N * 48 * 5 * 27);
        assertThat(layers.get(1).work().operations()).isZero();
        assertThat(layers.get(2).work().forward()).isEqualTo(2.0 * N * (5 * 4 * 3) * 6);
        assertThat(layers.get(2).work().backward()).isEqualTo(2 * 2.0 * N * (5 * 4 * 3) * 6);
        assertThat(layers.get(3).work().forward()).isEqualTo(2.0 * N * 6 * 3);
        // Forward: inputs, outputs, weights and biases. Backward: inputs and weights twice, the outputs' gradient.
        double dense = 60 * 6 + 6;
        assertThat(layers.get(2).work().bytes())
                .isEqualTo(4 * ((60 * N + 6 * N + dense) + (2 * 60 * N + 6 * N + 2 * dense)));
    }

    @Test
    void countsNothingBackwardInAFrozenLayerAndEachTimeOfARecurrentOne() {
        Work frozen = after(DoctorNetworks.frozen(), new long[] {N, 4}).get(0).work();
        assertThat(frozen.forward()).isEqualTo(2.0 * N * 4 * 5);
        assertThat(frozen.backward()).isZero();
        Work lstm =
                after(DoctorNetworks.recurrent(), new long[] {N, 2, 7}).get(0).work();
        assertThat(lstm.forward()).isEqualTo(2.0 * N * 7 * 4 * 3 * (2 + 3));
        // the gradients of all weights, and of what comes from the time before
        assertThat(lstm.backward()).isEqualTo(2.0 * N * 7 * 4 * 3 * (2 + 3) + 2.0 * N * 7 * 4 * 3 * 3);
    }

    private static List<Timed> after(MultiLayerNetwork network, long[] shape) {
        LayerClock clock = new LayerClock(network);
        clock.time(() -> Subject.step(network, DoctorNetworks.batch(shape)));
        return clock.layers();
    }
}
