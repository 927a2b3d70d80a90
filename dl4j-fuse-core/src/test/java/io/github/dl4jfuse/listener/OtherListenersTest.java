package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What another listener does with the network, before or after ours in the list, changes no step; and it sees whole steps. */
class OtherListenersTest {

    private static final long SEED = 20261127;

    /** Who trains, and on how many different batches. */
    private enum Training {
        PRECONDITIONED_FIXED_BATCH(Preconditioned::adam, CurvatureListener::new, 1),
        FUSE_PV(
                () -> FusePv.builder()
                        .switchCriterion(SwitchCriterion.iteration(3))
                        .build(),
                CurvatureListener::new,
                5),
        FUSE(() -> Fuse.ofTheta(0.5), CurvatureListener::new, 5),
        LFSO(Lfso::new, LfsoListener::new, 5),
        GAUSS_NEWTON(() -> new Sgd(1), () -> new GaussNewtonListener(GaussNewtonListener.Layers.OUTPUT_LAYER), 5);

        final Supplier<IUpdater> updater;
        final Supplier<TrainingListener> listener;
        final int batches;

        Training(Supplier<IUpdater> updater, Supplier<TrainingListener> listener, int batches) {
            this.updater = updater;
            this.listener = listener;
            this.batches = batches;
        }
    }

    /** Does something whenever a step is over, and when a gradient is there. */
    private static BaseTrainingListener other(Consumer<Model> atGradient, Consumer<Model> afterStep) {
        return new BaseTrainingListener() {
            @Override
            public void onGradientCalculation(Model model) {
                atGradient.accept(model);
            }

            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                afterStep.accept(model);
            }
        };
    }

    private static void score(Model model, DataSet data) {
        if (model instanceof MultiLayerNetwork network) {
            network.score(data, false);
        } else {
            ((ComputationGraph) model).score(data, false);
        }
    }

    private static void output(Model model, INDArray inputs) {
        if (model instanceof MultiLayerNetwork network) {
            network.output(inputs);
        } else {
            ((ComputationGraph) model).output(inputs);
        }
    }

    private static INDArray train(
            Training training, Model model, TestNetworks kind, int steps, TrainingListener... all) {
        model.setListeners(all);
        for (int step = 0; step < steps; step++) {
            TestNetworks.fit(model, kind.batch(step % training.batches, 24, DataType.FLOAT));
        }
        return model.params().dup();
    }

    @ParameterizedTest
    @CsvSource({
        "PRECONDITIONED_FIXED_BATCH, DENSE, ENABLED",
        "PRECONDITIONED_FIXED_BATCH, GRAPH, NONE",
        "FUSE_PV, CONVOLUTION, ENABLED",
        "FUSE_PV, GRAPH, ENABLED",
        "FUSE_PV, BATCH_NORM, NONE",
        "FUSE, DENSE, ENABLED",
        "FUSE, GRAPH, NONE",
        "LFSO, DENSE, NONE",
        "LFSO, GRAPH, ENABLED",
        "GAUSS_NEWTON, DENSE, ENABLED",
        "GAUSS_NEWTON, GRAPH, NONE"
    })
    void evaluatingOtherDataChangesNothing(Training training, TestNetworks kind, WorkspaceMode workspaces) {
        int steps = training.batches == 1 ? 24 : 14;
        Supplier<Model> fresh = () -> kind.create(training.updater.get(), DataType.FLOAT, PLAIN, workspaces);
        INDArray alone = train(training, fresh.get(), kind, steps, training.listener.get());
        DataSet fewer = kind.batch(77, 9, DataType.FLOAT);
        DataSet asMany = kind.batch(78, 24, DataType.FLOAT);
        for (boolean outputs : new boolean[] {false, true}) {
            TrainingListener other = other(
                    model -> score(model, asMany), // fewer would mislead DL4J, which divides by their number
                    model -> {
                        if (outputs) {
                            output(model, fewer.getFeatures());
                        } else {
                            score(model, fewer);
                        }
                    });
            for (boolean first : new boolean[] {true, false}) {
                TrainingListener ours = training.listener.get();
                TrainingListener[] order =
                        first ? new TrainingListener[] {other, ours} : new TrainingListener[] {ours, other};
                assertThat(train(training, fresh.get(), kind, steps, order))
                        .as("other first: %s, by outputs: %s, seed %d", first, outputs, TestNetworks.SEED)
                        .isEqualTo(alone);
            }
        }
    }

    private static INDArray random(Random random, long... shape) {
        long length = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        double[] numbers = random.doubles(length).map(x -> 2 * x - 1).toArray();
        return Nd4j.createFromArray(numbers).reshape('c', shape).castTo(DataType.FLOAT);
    }

    /** Sequences of up to 5 steps; labels are masked for each step, or for each single output. */
    private static DataSet sequences(long seed, int examples, boolean perOutput) {
        Random random = new Random(seed);
        INDArray mask = Nd4j.ones(DataType.FLOAT, examples, 5);
        INDArray outputMask = Nd4j.ones(DataType.FLOAT, examples, 2, 5);
        for (int i = 0; i < examples; i++) {
            for (int t = 1 + random.nextInt(4); t < 5; t++) {
                mask.putScalar(i, t, 0);
                outputMask.putScalar(new int[] {i, random.nextInt(2), t}, 0);
            }
        }
        return new DataSet(
                random(random, examples, 3, 5), random(random, examples, 2, 5), mask, perOutput ? outputMask : mask);
    }

    @ParameterizedTest
    @CsvSource({"FUSE, true", "FUSE, false", "LFSO, true", "LFSO, false", "PRECONDITIONED_FIXED_BATCH, false"})
    void masksComeBackWithTheirBatch(Training training, boolean perOutput) {
        INDArray[] ends = new INDArray[3];
        for (int run = 0; run < ends.length; run++) {
            MultiLayerNetwork network = TestNetworks.stack(
                    TestNetworks.builder(training.updater.get(), DataType.FLOAT),
                    new LSTM.Builder().nIn(3).nOut(4).build(),
                    new RnnOutputLayer.Builder(LossFunction.MSE)
                            .nIn(4)
                            .nOut(2)
                            .activation(Activation.IDENTITY)
                            .build());
            DataSet elsewhere = sequences(SEED - 1, 7, false);
            DataSet asMany = sequences(SEED - 1, 12, false); // DL4J would apply the masks of 12 to 7
            TrainingListener ours = training.listener.get();
            TrainingListener masked = other(m -> {}, m -> score(m, elsewhere));
            TrainingListener unmasked = other(m -> {}, m -> output(m, asMany.getFeatures()));
            network.setListeners(
                    run == 0
                            ? new TrainingListener[] {ours}
                            : new TrainingListener[] {run == 1 ? masked : unmasked, ours});
            for (int step = 0; step < 16; step++) {
                network.fit(sequences(SEED + step % training.batches, 12, perOutput));
            }
            ends[run] = network.params().dup();
        }
        assertThat(ends[1]).as("seed %d", SEED).isEqualTo(ends[0]);
        assertThat(ends[2]).as("seed %d", SEED).isEqualTo(ends[0]);
    }

    private static MultiDataSet pairs(long seed, int examples) {
        Random random = new Random(seed);
        INDArray mask = Nd4j.ones(DataType.FLOAT, examples, 1);
        for (int i = 0; i < examples; i += 3) {
            mask.putScalar(i, 0, 0);
        }
        return new MultiDataSet(
                new INDArray[] {random(random, examples, 3), random(random, examples, 2)},
                new INDArray[] {random(random, examples, 2), random(random, examples, 1)},
                null,
                new INDArray[] {mask, null});
    }

    @ParameterizedTest
    @EnumSource(
            value = Training.class,
            names = {"GAUSS_NEWTON"},
            mode = EnumSource.Mode.EXCLUDE)
    void severalInputsAndOutputs(Training training) {
        INDArray[] ends = new INDArray[2];
        for (int run = 0; run < 2; run++) {
            var configuration = TestNetworks.builder(training.updater.get(), DataType.FLOAT)
                    .graphBuilder()
                    .addInputs("a", "b")
                    .addLayer("h", new DenseLayer.Builder().nIn(5).nOut(6).build(), "a", "b")
                    .addLayer("y", linear(2), "h")
                    .addLayer("z", linear(1), "h")
                    .setOutputs("y", "z")
                    .build();
            ComputationGraph graph = new ComputationGraph(configuration);
            graph.init();
            MultiDataSet elsewhere = pairs(SEED - 1, 7);
            TrainingListener ours = training.listener.get();
            graph.setListeners(
                    run == 0
                            ? new TrainingListener[] {ours}
                            : new TrainingListener[] {other(m -> {}, m -> graph.score(elsewhere, false)), ours});
            for (int step = 0; step < 20; step++) {
                graph.fit(pairs(SEED + step % training.batches, 12));
            }
            ends[run] = graph.params().dup();
        }
        assertThat(ends[1]).as("seed %d", SEED).isEqualTo(ends[0]);
    }

    private static OutputLayer linear(int outputs) {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nIn(6)
                .nOut(outputs)
                .activation(Activation.IDENTITY)
                .build();
    }

    /** Whoever saves in iterationDone saves what the next step starts from, at the first step already. */
    @ParameterizedTest
    @CsvSource({
        "FUSE_PV, DENSE",
        "FUSE_PV, GRAPH",
        "FUSE, BATCH_NORM",
        "FUSE, GRAPH",
        "LFSO, DENSE",
        "LFSO, GRAPH",
        "GAUSS_NEWTON, DENSE",
        "PRECONDITIONED_FIXED_BATCH, GRAPH"
    })
    void whoeverSavesBeforeOursSavesWholeSteps(Training training, TestNetworks kind) {
        List<INDArray> saved = new ArrayList<>();
        Model model = kind.create(training.updater.get(), DataType.FLOAT, PLAIN);
        model.setListeners(
                other(m -> {}, m -> {
                    saved.add(m.params().dup());
                    saved.add(state(m));
                }),
                training.listener.get());
        for (int step = 0; step < 16; step++) {
            TestNetworks.fit(model, kind.batch(step % training.batches, 24, DataType.FLOAT));
            assertThat(saved.get(2 * step)).as("parameters after step %d", step).isEqualTo(model.params());
            assertThat(saved.get(2 * step + 1)).as("state after step %d", step).isEqualTo(state(model));
        }
    }

    private static INDArray state(Model model) {
        INDArray state = TestNetworks.updaterState(model);
        return state == null ? Nd4j.empty(DataType.FLOAT) : state.dup();
    }

    /** Writes down who was called. */
    private static BaseTrainingListener writing(String name, List<String> calls) {
        return other(model -> calls.add(name + " gradient"), model -> calls.add(name + " done"));
    }

    @ParameterizedTest
    @EnumSource(
            value = TestNetworks.class,
            names = {"DENSE", "GRAPH"})
    void eachListenerIsCalledOnceInEachStepAndOursComesFirst(TestNetworks kind) {
        List<String> calls = new ArrayList<>();
        Model model = kind.create(new Lfso(), DataType.FLOAT, PLAIN);
        TrainingListener geometry = new GeometryListener();
        TrainingListener ours = new LfsoListener();
        TrainingListener a = writing("a", calls);
        TrainingListener b = writing("b", calls);
        TrainingListener c = writing("c", calls);
        model.setListeners(List.of(a, geometry, b, ours, c));
        DataSet data = kind.batch(0, 24, DataType.FLOAT);
        TestNetworks.fit(model, data);
        assertThat(calls).containsExactly("a gradient", "b gradient", "c gradient", "a done", "b done", "c done");
        assertThat(listeners(model)).containsExactly(ours, geometry, a, b, c);
        calls.clear();
        TrainingListener d = writing("d", calls);
        model.addListeners(d);
        TestNetworks.fit(model, data);
        assertThat(calls)
                .containsExactly(
                        "a gradient", "b gradient", "c gradient", "d gradient", "a done", "b done", "c done", "d done");
        calls.clear();
        model.setListeners(List.of(d, ours));
        IntStream.range(0, 2).forEach(i -> TestNetworks.fit(model, data));
        assertThat(calls).containsExactly("d gradient", "d done", "d gradient", "d done");
        assertThat(listeners(model)).containsExactly(ours, d);
    }

    private static List<TrainingListener> listeners(Model model) {
        return List.copyOf(
                model instanceof MultiLayerNetwork network
                        ? network.getListeners()
                        : ((ComputationGraph) model).getListeners());
    }

    /** A listener that sets other ones in the middle of a step, after ours has moved, disturbs nothing. */
    @Test
    void listenersMayBeSetInTheMiddleOfAStep() {
        MultiLayerNetwork network = TestNetworks.DENSE.network(new Lfso(), DataType.FLOAT);
        List<String> calls = new ArrayList<>();
        TrainingListener ours = new LfsoListener();
        TrainingListener late = writing("late", calls);
        network.setListeners(other(m -> {}, m -> m.setListeners(ours, late)), ours);
        for (int step = 0; step < 3; step++) {
            network.fit(TestNetworks.DENSE.batch(step, 24, DataType.FLOAT));
        }
        assertThat(calls).hasSize(4);
    }

    /** What the user evaluates between two steps is no step's business: metrics, averages and counters do not see it. */
    @ParameterizedTest
    @CsvSource({"PRECONDITIONED_FIXED_BATCH, DENSE", "FUSE_PV, DENSE", "FUSE, GRAPH", "LFSO, DENSE", "LFSO, GRAPH"})
    void aGradientOfTheUsersBetweenTwoStepsChangesNothing(Training training, TestNetworks kind) {
        INDArray[] ends = new INDArray[2];
        INDArray[] states = new INDArray[2];
        for (int run = 0; run < 2; run++) {
            Model model = kind.create(
                    training == Training.FUSE_PV ? Preconditioned.adam() : training.updater.get(),
                    DataType.FLOAT,
                    PLAIN);
            model.setListeners(training.listener.get());
            for (int step = 0; step < 20; step++) {
                if (run == 1) {
                    computeGradient(model, kind.batch(100 + step, 7, DataType.FLOAT));
                }
                TestNetworks.fit(model, kind.batch(step % training.batches, 24, DataType.FLOAT));
            }
            ends[run] = model.params().dup();
            states[run] = TestNetworks.updaterState(model).dup();
        }
        assertThat(ends[1]).as("seed %d", TestNetworks.SEED).isEqualTo(ends[0]);
        assertThat(states[1]).as("seed %d", TestNetworks.SEED).isEqualTo(states[0]);
    }

    private static void computeGradient(Model model, DataSet data) {
        if (model instanceof MultiLayerNetwork network) {
            network.setInput(data.getFeatures());
            network.setLabels(data.getLabels());
        } else {
            ComputationGraph graph = (ComputationGraph) model;
            graph.setInputs(data.getFeatures());
            graph.setLabels(data.getLabels());
        }
        model.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
    }
}
