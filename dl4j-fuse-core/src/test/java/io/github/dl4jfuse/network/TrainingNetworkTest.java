package io.github.dl4jfuse.network;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.updater.Lfso;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class TrainingNetworkTest {

    /** After each step: the value alone, and the value that comes with a gradient, at the new parameters and one mask of dropout. */
    private static final class BothWays extends BaseTrainingListener {

        private final List<Double> alone = new ArrayList<>();
        private final List<Double> withGradient = new ArrayList<>();
        private final List<Boolean> forward = new ArrayList<>();

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {
            TrainingNetwork<?> network = TrainingNetwork.ofLfso(model);
            long[] random = network.randomState();
            forward.add(network.hasForwardPass());
            alone.add(network.evaluateValue());
            network.setRandomState(random);
            network.evaluate();
            withGradient.add(network.value());
        }

        void check(boolean expectForward) {
            assertThat(forward).containsOnly(expectForward).hasSize(3);
            for (int i = 0; i < alone.size(); i++) {
                assertThat(alone.get(i))
                        .as("seed %d, step %d", TestNetworks.SEED, i)
                        .isCloseTo(withGradient.get(i), within(1e-12));
            }
            assertThat(alone).doesNotHaveDuplicates();
        }
    }

    static Stream<Arguments> networks() {
        return Stream.of(
                Arguments.of(TestNetworks.DENSE, PLAIN),
                Arguments.of(TestNetworks.DENSE, Options.network(b -> b.l2(0.1))),
                Arguments.of(TestNetworks.DENSE, Options.layer(b -> b.weightDecay(0.1))),
                Arguments.of(TestNetworks.DENSE, Options.network(b -> b.dropOut(0.5))),
                Arguments.of(TestNetworks.CONVOLUTION, PLAIN),
                Arguments.of(TestNetworks.BATCH_NORM, PLAIN),
                Arguments.of(TestNetworks.GRAPH, PLAIN));
    }

    @ParameterizedTest
    @MethodSource("networks")
    void theValueAloneIsTheValueThatComesWithTheGradient(TestNetworks kind, Options options) {
        Model model = kind.create(new Lfso(), DataType.DOUBLE, options);
        BothWays listener = new BothWays();
        model.setListeners(listener);
        for (int step = 0; step < 3; step++) {
            fit(model, kind.batch(step, 16, DataType.DOUBLE));
        }
        listener.check(kind != TestNetworks.GRAPH);
    }

    /** Masks of inputs, of labels, of both: what is masked must not count, and batches without masks use the forward pass again. */
    @Test
    void masksCount() {
        MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(TestNetworks.SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Lfso())
                .list()
                .layer(new LSTM.Builder().nOut(4).build())
                .layer(new RnnOutputLayer.Builder(LossFunction.MSE)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.recurrent(3))
                .build());
        net.init();
        INDArray x = Nd4j.linspace(-1, 1, 4 * 3 * 5, DataType.DOUBLE).reshape(4, 3, 5);
        INDArray y = Nd4j.linspace(1, -2, 4 * 2 * 5, DataType.DOUBLE).reshape(4, 2, 5);
        INDArray mask = Nd4j.ones(DataType.DOUBLE, 4, 5);
        mask.putScalar(1, 4, 0);
        mask.putScalar(2, 3, 0);
        mask.putScalar(2, 4, 0);
        BothWays masked = new BothWays();
        net.setListeners(masked);
        net.fit(new DataSet(x, y, mask, mask));
        net.fit(new DataSet(x, y, null, mask));
        net.fit(new DataSet(x, y, mask, mask));
        masked.check(false);
        BothWays plain = new BothWays();
        net.setListeners(plain);
        for (int step = 0; step < 3; step++) {
            net.fit(new DataSet(x, y));
        }
        plain.check(true);
    }
}
