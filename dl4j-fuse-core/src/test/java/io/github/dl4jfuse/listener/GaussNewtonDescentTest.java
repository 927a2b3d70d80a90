package io.github.dl4jfuse.listener;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.network.BatchInHand;
import io.github.dl4jfuse.network.NetworkOutputs;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class GaussNewtonDescentTest {

    private static final long SEED = 20261125;

    private final MultiLayerNetwork network = network();
    private final BatchInHand batch = new BatchInHand(network);
    private final GaussNewtonDescent descent = new GaussNewtonDescent(batch, 1, 0);

    private static MultiLayerNetwork network() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .dataType(DataType.DOUBLE)
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(2)
                        .nOut(8)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(8)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        return network;
    }

    private NetworkOutputs examples(double sign) {
        INDArray features =
                Nd4j.linspace(-1, 1, 40, DataType.DOUBLE).reshape('c', 20, 2).dup();
        INDArray labels = features.prod(1).reshape(20, 1).muli(sign);
        return new NetworkOutputs(network, new DataSet(features, labels));
    }

    private void step(NetworkOutputs outputs) {
        INDArray direction = descent.direction(outputs);
        batch.parameters().subi(direction);
        descent.judge();
    }

    @Test
    void aStepThatTheNextExamplesLoseByIsTakenBack() {
        INDArray start = batch.parameters().dup();
        step(examples(1));
        assertThat(descent.steps()).isEqualTo(1);
        descent.direction(examples(-3));
        assertThat(batch.parameters()).as("seed %d", SEED).isEqualTo(start);
        assertThat(descent.undone()).isEqualTo(1);
        assertThat(descent.steps()).isZero();
    }

    /** The last step belongs to what was taken back: it is not judged any more. */
    @Test
    void afterATakeBackThereIsNoLastStep() {
        INDArray start = batch.parameters().dup();
        step(examples(1));
        step(examples(1));
        assertThat(descent.steps()).isEqualTo(2);
        descent.takeBack(start);
        descent.direction(examples(2)); // they would prefer the point of the first step
        assertThat(batch.parameters()).as("seed %d", SEED).isEqualTo(start);
    }
}
