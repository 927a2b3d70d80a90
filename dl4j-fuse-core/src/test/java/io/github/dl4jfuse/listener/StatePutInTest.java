package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** A state that is put into an updater at work is gone on from, to the last bit, as DL4J's own updaters do. */
class StatePutInTest {

    private static IUpdater updater(String name) {
        return switch (name) {
            case "PRECONDITIONED" -> Preconditioned.adam();
            case "PRECONDITIONED_ADAM" -> Preconditioned.of(new Adam(1e-3));
            case "FUSE" -> Fuse.ofTheta(0.5);
            case "FUSE_PV" ->
                FusePv.builder()
                        .switchCriterion(SwitchCriterion.iteration(4))
                        .memory(3)
                        .build();
            default -> new Lfso();
        };
    }

    private static Model training(TestNetworks kind, String name) {
        Model model = kind.create(updater(name), DataType.FLOAT, PLAIN);
        model.setListeners(name.equals("LFSO") ? new LfsoListener() : new CurvatureListener());
        return model;
    }

    private static void put(Model model, INDArray parameters, INDArray state, int iteration) {
        model.setParams(parameters);
        if (model instanceof MultiLayerNetwork network) {
            network.getUpdater().setStateViewArray(network, state, false);
            network.setIterationCount(iteration);
        } else {
            ComputationGraph graph = (ComputationGraph) model;
            graph.getUpdater().setStateViewArray(state);
            graph.getConfiguration().setIterationCount(iteration);
        }
    }

    private static void train(TestNetworks kind, Model model, int from, int to) {
        for (int step = from; step < to; step++) {
            fit(model, kind.batch(step, 24, DataType.FLOAT));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "PRECONDITIONED, DENSE",
        "PRECONDITIONED, GRAPH",
        "PRECONDITIONED_ADAM, CONVOLUTION",
        "FUSE_PV, DENSE",
        "FUSE_PV, BATCH_NORM",
        "FUSE, GRAPH",
        "LFSO, DENSE",
        "LFSO, GRAPH"
    })
    void thatOfAnotherTraining(String name, TestNetworks kind) {
        Model donor = training(kind, name);
        train(kind, donor, 0, 10);
        Model model = training(kind, name);
        train(kind, model, 7, 8);
        put(model, donor.params().dup(), TestNetworks.updaterState(donor).dup(), 10);
        for (int step = 10; step < 14; step++) {
            train(kind, donor, step, step + 1);
            train(kind, model, step, step + 1);
            assertThat(model.params())
                    .as("step %d, seed %d", step, TestNetworks.SEED)
                    .isEqualTo(donor.params());
        }
        assertThat(TestNetworks.updaterState(model)).isEqualTo(TestNetworks.updaterState(donor));
    }

    /** Its own of some steps ago, when the ring of pairs stood at the same slot. */
    @ParameterizedTest
    @CsvSource({"FUSE_PV, DENSE", "FUSE_PV, GRAPH", "LFSO, DENSE"})
    void itsOwnOfSomeStepsAgo(String name, TestNetworks kind) {
        Model model = training(kind, name);
        train(kind, model, 0, 10);
        INDArray parameters = model.params().dup();
        INDArray state = TestNetworks.updaterState(model).dup();
        train(kind, model, 10, 13);
        INDArray end = model.params().dup();
        put(model, parameters, state, 10);
        train(kind, model, 10, 13);
        assertThat(model.params()).as("seed %d", TestNetworks.SEED).isEqualTo(end);
    }
}
