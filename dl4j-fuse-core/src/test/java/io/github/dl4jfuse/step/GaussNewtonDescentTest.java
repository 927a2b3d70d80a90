package io.github.dl4jfuse.step;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

class GaussNewtonDescentTest {

    private final MultiLayerNetwork network =
            stack(builder(new Sgd(1), DataType.DOUBLE), dense(2, 8), meanSquares(8, 1));
    private final CurrentBatch batch = new CurrentBatch(network);
    private final GaussNewtonDescent descent = new GaussNewtonDescent(batch, 1, 0);

    private NetworkOutputs examples(double sign) {
        INDArray features =
                Nd4j.linspace(-1, 1, 40, DataType.DOUBLE).reshape('c', 20, 2).dup();
        INDArray labels = features.prod(1).reshape(20, 1).muli(sign);
        return new NetworkOutputs(network, new DataSet(features, labels));
    }

    private void step(NetworkOutputs outputs) {
        INDArray direction = descent.direction(outputs);
        batch.parameters().subi(direction);
        descent.judge(false);
    }

    @Test
    void aStepThatTheNextExamplesLoseByIsTakenBack() {
        INDArray start = batch.parameters().dup();
        step(examples(1));
        assertThat(descent.steps()).isEqualTo(1);
        descent.direction(examples(-30));
        assertThat(batch.parameters()).as("seed %d", SEED).isEqualTo(start);
        assertThat(descent.undone()).isEqualTo(1);
        assertThat(descent.steps()).isZero();
    }

    @Test
    void parametersThatSomebodyHasSetSinceAreKept() {
        step(examples(1));
        INDArray set = batch.parameters().mul(0.5);
        batch.parameters().assign(set);
        descent.direction(examples(-30));
        assertThat(batch.parameters()).as("seed %d", SEED).isEqualTo(set);
        assertThat(descent.undone()).isZero();
    }

    /** One forward pass instead of two, and otherwise the same, where steps are taken back as well. */
    @Test
    void stepsThatGoOnAtOnceAreTheSameToTheLastBit() {
        INDArray start = batch.parameters().dup();
        List<INDArray> points = new ArrayList<>();
        for (boolean goesOn : new boolean[] {false, true}) {
            batch.restore(start);
            NetworkOutputs outputs = examples(1);
            GaussNewtonDescent bold = new GaussNewtonDescent(batch, 1e-9, 0);
            for (int i = 0; i < 12; i++) {
                batch.parameters().subi(bold.direction(outputs));
                bold.judge(goesOn);
            }
            assertThat(bold.undone()).as("steps taken back, seed %d", SEED).isPositive();
            assertThat(bold.steps()).as("seed %d", SEED).isPositive();
            points.add(batch.parameters().dup());
        }
        assertThat(points.get(1).toDoubleVector())
                .as("seed %d", SEED)
                .isEqualTo(points.get(0).toDoubleVector());
        assertThat(points.get(1).toDoubleVector()).as("seed %d", SEED).isNotEqualTo(start.toDoubleVector());
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
