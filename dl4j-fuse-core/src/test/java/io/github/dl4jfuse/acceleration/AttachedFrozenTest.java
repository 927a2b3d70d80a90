package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgrees;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assertAgreesWithItsTwin;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.output;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.twin;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.preprocessor.BaseInputPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** Layers of ours that are frozen: DL4J's wrappers stay around them. */
class AttachedFrozenTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static final Sgd SGD = new Sgd(0.1);

    private static final UnaryOperator<org.deeplearning4j.nn.conf.layers.Layer> STOPS = FrozenLayer::new;

    private static final UnaryOperator<org.deeplearning4j.nn.conf.layers.Layer> LETS_THROUGH =
            FrozenLayerWithBackprop::new;

    private static MultiLayerConfiguration frozen(UnaryOperator<org.deeplearning4j.nn.conf.layers.Layer> by) {
        return stack(
                SGD,
                by.apply(convolution(3, 4, Activation.RELU).build()),
                by.apply(
                        by == STOPS
                                ? new BatchNormalization()
                                : convolution(1, 4, Activation.SIGMOID).build()),
                by.apply(pooling(PoolingType.MAX, 2, 2, 0)),
                convolution(2, 4, Activation.TANH).build(),
                new DenseLayer.Builder().nOut(6).activation(Activation.TANH).build());
    }

    /** Trained below and above, so that its gradient is needed. */
    private static MultiLayerConfiguration inTheMiddle() {
        return stack(
                SGD,
                convolution(3, 4, Activation.TANH).build(),
                new FrozenLayerWithBackprop(convolution(2, 5, Activation.TANH).build()),
                convolution(2, 4, Activation.TANH).build(),
                new FrozenLayerWithBackprop(new DenseLayer.Builder()
                        .nOut(6)
                        .activation(Activation.TANH)
                        .build()),
                new DenseLayer.Builder().nOut(5).activation(Activation.TANH).build());
    }

    static List<MultiLayerConfiguration> networks() {
        return List.of(frozen(STOPS), frozen(LETS_THROUGH), inTheMiddle());
    }

    @ParameterizedTest
    @MethodSource("networks")
    void outputsAndGradientsAreThoseOfTheDoubleTwin(MultiLayerConfiguration conf) {
        for (int examples : new int[] {1, 6}) {
            MultiLayerNetwork network = network(conf);
            assertThat(Acceleration.attach(network).layers()).hasSize(6);
            assertAgreesWithItsTwin(network, batch(examples, SEED + examples));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = WorkspaceMode.class,
            names = {"ENABLED", "NONE"})
    void twentyStepsAreThoseOfDl4jAndWhatIsFrozenStays(WorkspaceMode mode) {
        for (MultiLayerConfiguration conf : networks()) {
            conf.setTrainingWorkspaceMode(mode);
            conf.setInferenceWorkspaceMode(mode);
            MultiLayerNetwork network = network(conf);
            MultiLayerNetwork plain = network(conf);
            Acceleration.attach(network);
            String frozen = network.getLayer(0) instanceof BaseWrapperLayer ? "0_W" : "1_W";
            INDArray before = network.getParam(frozen).dup();
            for (int step = 0; step < 20; step++) {
                DataSet data = batch(step % 5 == 4 ? 3 : 8, step); // the last batch is smaller
                network.fit(data);
                plain.fit(data);
                assertThat(difference(
                                network.output(data.getFeatures()),
                                plain.output(data.getFeatures()).castTo(DataType.DOUBLE)))
                        .as("step %d", step)
                        .isLessThan(1e-4);
            }
            assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                    .isLessThan(1e-4);
            assertThat(network.getParam(frozen)).isEqualTo(before);
        }
    }

    /** What is trained first computes no gradient for what is frozen below; what asks for the input's gradient has it. */
    @Test
    void theInputsGradientIsThereWhereItIsAskedFor() {
        MultiLayerNetwork network = network(frozen(LETS_THROUGH));
        MultiLayerNetwork twin = twin(network);
        Acceleration.attach(network);
        List<INDArray> gradients = new ArrayList<>();
        for (MultiLayerNetwork each : List.of(network, twin)) {
            DataType type = each.params().dataType();
            DataSet data = batch(4, SEED);
            gradients.add(each.calculateGradients(
                            data.getFeatures().castTo(type), data.getLabels().castTo(type), null, null)
                    .getSecond()
                    .castTo(DataType.DOUBLE));
        }
        assertThat(difference(gradients.get(0), gradients.get(1))).isLessThan(AttachedNetworks.TOLERANCE);
    }

    /** Hands on what comes, and looks at gradients. */
    static final class Looker extends BaseInputPreProcessor {

        static double largest;

        @Override
        public INDArray preProcess(INDArray input, int examples, LayerWorkspaceMgr workspaces) {
            return workspaces.leverageTo(ArrayType.ACTIVATIONS, input);
        }

        @Override
        public INDArray backprop(INDArray output, int examples, LayerWorkspaceMgr workspaces) {
            largest = output.amaxNumber().doubleValue();
            return output;
        }

        @Override
        public InputType getOutputType(InputType inputType) {
            return inputType;
        }
    }

    /** Zeros stand in the place of what would be thrown away, also behind layers without parameters. */
    @Test
    void noGradientIsComputedForWhatIsFrozenBelow() {
        MultiLayerConfiguration conf = stack(
                SGD,
                new FrozenLayer(convolution(3, 4, Activation.RELU).build()),
                new FrozenLayer(convolution(2, 4, Activation.TANH).build()),
                pooling(PoolingType.AVG, 2, 2, 0),
                convolution(2, 4, Activation.TANH).build());
        conf.getInputPreProcessors().put(2, new Looker());
        MultiLayerNetwork network = network(conf);
        network.fit(batch(4, SEED));
        assertThat(Looker.largest).isPositive();
        Acceleration.attach(network);
        network.fit(batch(4, SEED));
        assertThat(Looker.largest).isZero();
    }

    /** Where DL4J's layer works in place on its input, from which it then takes its derivative. */
    @Test
    void activationsThatLetThroughAreRight() {
        MultiLayerConfiguration plain =
                stack(SGD, convolution(3, 4, Activation.TANH).build(), new ActivationLayer(Activation.SIGMOID));
        MultiLayerConfiguration frozen = stack(
                SGD,
                convolution(3, 4, Activation.TANH).build(),
                LETS_THROUGH.apply(new ActivationLayer(Activation.SIGMOID)));
        MultiLayerNetwork network = network(frozen);
        MultiLayerNetwork other = network(plain);
        other.setParams(network.params());
        assertThat(Acceleration.attach(network).layers()).hasSize(3);
        DataSet data = batch(6, SEED);
        assertAgrees(network, data, twin(other), data);
    }

    /** DL4J throws in its backward pass, where our forward and backward pass would not be those of one function. */
    @Test
    void batchNormalizationThatLetsThroughIsDl4js() {
        MultiLayerNetwork network = network(stack(SGD, LETS_THROUGH.apply(new BatchNormalization())));
        assertThat(Acceleration.attach(network).left())
                .containsEntry("layer0", "batch normalization fails within a FrozenLayerWithBackprop");
    }

    @Test
    void wrappersStayAndDl4jsLayersComeBack() {
        MultiLayerNetwork network = network(frozen(STOPS));
        Layer[] wrappers = network.getLayers().clone();
        List<Layer> inner = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            inner.add(((BaseWrapperLayer) wrappers[i]).getUnderlying());
        }
        assertThat(Acceleration.attach(network).left()).isEmpty();
        assertThat(Acceleration.attach(network).layers()).hasSize(6);
        for (int i = 0; i < 3; i++) {
            assertThat(network.getLayer(i)).isSameAs(wrappers[i]);
            assertThat(((BaseWrapperLayer) wrappers[i]).getUnderlying())
                    .isNotSameAs(inner.get(i))
                    .isInstanceOf(inner.get(i).getClass());
        }
        network.fit(batch(8, 1));
        MultiLayerNetwork clone = network.clone(); // has what is frozen within two wrappers
        Acceleration.attach(clone);
        assertThat(difference(
                        clone.output(batch(8, 2).getFeatures()),
                        network.output(batch(8, 2).getFeatures()).castTo(DataType.DOUBLE)))
                .isZero();
        Acceleration.detach(network);
        for (int i = 0; i < 3; i++) {
            assertThat(((BaseWrapperLayer) wrappers[i]).getUnderlying()).isSameAs(inner.get(i));
        }
        network.fit(batch(8, 2));
    }

    /** As a user freezes the lower part of a network, or of a graph. */
    @Test
    void whatTransferLearningFreezesIsCovered() {
        MultiLayerNetwork base = network(stack(
                SGD,
                convolution(3, 4, Activation.RELU).build(),
                new ActivationLayer(Activation.TANH),
                convolution(2, 4, Activation.TANH).build()));
        MultiLayerNetwork network =
                new TransferLearning.Builder(base).setFeatureExtractor(1).build();
        MultiLayerNetwork plain =
                new TransferLearning.Builder(base).setFeatureExtractor(1).build();
        assertThat(Acceleration.attach(network).layers()).hasSize(4);
        ComputationGraphConfiguration conf = builder(SGD)
                .graphBuilder()
                .addInputs("in")
                .addLayer("a", convolution(3, 4, Activation.RELU).build(), "in")
                .addLayer("b", convolution(2, 4, Activation.TANH).build(), "a")
                .addLayer("c", convolution(2, 4, Activation.TANH).build(), "b")
                .addLayer("out", output(), "c")
                .setOutputs("out")
                .setInputTypes(InputType.convolutional(9, 8, 2))
                .build();
        ComputationGraph whole = new ComputationGraph(conf);
        whole.init();
        ComputationGraph graph = new TransferLearning.GraphBuilder(whole)
                .setFeatureExtractor("b")
                .build();
        ComputationGraph plainGraph = new TransferLearning.GraphBuilder(whole)
                .setFeatureExtractor("b")
                .build();
        assertThat(Acceleration.attach(graph).layers()).hasSize(4);
        for (int step = 0; step < 5; step++) {
            network.fit(batch(8, step));
            plain.fit(batch(8, step));
            graph.fit(batch(8, step));
            plainGraph.fit(batch(8, step));
        }
        assertThat(difference(network.params(), plain.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
        assertThat(difference(graph.params(), plainGraph.params().castTo(DataType.DOUBLE)))
                .isLessThan(1e-4);
    }
}
