package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.StepFunction;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.solvers.accumulation.GradientsAccumulator;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.parallelism.ParallelWrapper.TrainingMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** ParallelWrapper has one listener for several replicas of a network. */
class ParallelTrainingTest {

    private static final int ROUNDS = 12;

    /** Applies a worker's own update and waits for no other. */
    private static final GradientsAccumulator PASSES_ON = (GradientsAccumulator) Proxy.newProxyInstance(
            GradientsAccumulator.class.getClassLoader(),
            new Class<?>[] {GradientsAccumulator.class},
            (proxy, method, arguments) -> {
                if (method.getName().equals("applyUpdate")) {
                    ((StepFunction) arguments[0]).step((INDArray) arguments[1], (INDArray) arguments[2]);
                }
                return method.getName().equals("hasAnything") ? false : null;
            });

    private static List<DataSet> batches(TestNetworks kind) {
        List<DataSet> all = new ArrayList<>();
        for (int i = 0; i < 2 * ROUNDS; i++) {
            all.add(kind.batch(i, 16, DataType.FLOAT));
        }
        return all;
    }

    private static ParallelWrapper wrapper(Model model, TrainingMode mode) {
        return new ParallelWrapper.Builder<>(model)
                .workers(2)
                .prefetchBuffer(0)
                .trainingMode(mode)
                .build();
    }

    private static Model averaged(TestNetworks kind, IUpdater updater, TrainingListener... listener) {
        Model model = kind.create(updater, DataType.FLOAT, TestNetworks.PLAIN);
        model.setListeners(listener);
        wrapper(model, TrainingMode.AVERAGING).fit(new ExistingDataSetIterator(batches(kind)));
        return model;
    }

    /**
     * DL4J copies network and updater state in one worker while the other may have begun to train them: here they wait for
     * each other before anything is changed.
     */
    private static TrainingListener sideBySide() {
        CyclicBarrier both = new CyclicBarrier(2);
        return new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
                try {
                    both.await(1, TimeUnit.MINUTES);
                } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }

    /** Two networks with a listener each, averaged by hand after each step. */
    private static Model averagedByHand(TestNetworks kind, IUpdater updater) {
        Model[] replicas = new Model[2];
        for (int i = 0; i < 2; i++) {
            replicas[i] = kind.create(updater.clone(), DataType.FLOAT, TestNetworks.PLAIN);
            replicas[i].setListeners(new CurvatureListener());
        }
        List<DataSet> data = batches(kind);
        for (int step = 0; step < data.size(); step++) {
            fit(replicas[step % 2], data.get(step));
            if (step % 2 == 1) {
                average(replicas[0].params(), replicas[1].params());
                average(TestNetworks.updaterState(replicas[0]), TestNetworks.updaterState(replicas[1]));
            }
        }
        return replicas[0];
    }

    private static void average(INDArray one, INDArray other) {
        INDArray mean = one.add(other).divi(2);
        one.assign(mean);
        other.assign(mean);
    }

    @ParameterizedTest
    @EnumSource(
            value = TestNetworks.class,
            names = {"DENSE", "GRAPH"})
    void averagedReplicasEachHaveTheirMetric(TestNetworks kind) {
        for (IUpdater updater : List.of(Preconditioned.adam(), Preconditioned.of(new Adam(3e-3)))) {
            try (LogLines log = new LogLines()) {
                Model model = averaged(kind, updater.clone(), sideBySide(), new CurvatureListener());
                assertThat(model.params()
                                .equalsWithEps(averagedByHand(kind, updater).params(), 1e-4))
                        .as("%s as by hand", updater)
                        .isTrue();
                assertThat(log.with("none conducts")).as("%s", updater).isEmpty();
            }
        }
    }

    @Test
    void fixedBatchesOfAveragedReplicasAreLeftToAdam() {
        TestNetworks kind = TestNetworks.DENSE;
        List<DataSet> same = new ArrayList<>();
        for (int step = 0; step < 60; step++) {
            same.add(kind.batch(step % 2, 16, DataType.FLOAT)); // each worker has the same batch at each step
        }
        Model model = kind.network(Preconditioned.adam(), DataType.FLOAT);
        CurvatureListener listener = new CurvatureListener();
        model.setListeners(listener);
        try (LogLines log = new LogLines()) {
            wrapper(model, TrainingMode.AVERAGING).fit(new ExistingDataSetIterator(same));
            assertThat(log.with("from Adam to L-BFGS")).isEmpty();
            assertThat(log.with("several replicas are averaged")).hasSize(1);
        }
        assertThat(model.params().isNaN().any()).isFalse();
    }

    @Test
    void whatCannotBeAveragedIsRefusedToTheCaller() {
        for (IUpdater updater : List.of(Fuse.ofTheta(0.5), new Lfso())) {
            TrainingListener listener = updater instanceof Lfso ? new LfsoListener() : new CurvatureListener();
            assertThatThrownBy(() -> averaged(TestNetworks.DENSE, updater, listener))
                    .as("%s", updater)
                    .hasStackTraceContaining("belongs to one network")
                    .hasStackTraceContaining("only Preconditioned");
        }
    }

    private static TrainingListener listener(IUpdater updater) {
        return updater instanceof Lfso
                ? new LfsoListener()
                : updater instanceof Sgd ? new GaussNewtonListener() : new CurvatureListener();
    }

    /** Each worker as DL4J sets it up, without the barriers of its accumulator. */
    @Test
    void workersThatShareGradientsGoOnWithTheUpdaterAloneAndSaySoOnce()
            throws InterruptedException, ExecutionException {
        TestNetworks kind = TestNetworks.DENSE;
        for (IUpdater updater : List.of(
                Preconditioned.adam(),
                new FusePv(),
                Fuse.ofTheta(0.5),
                new Lfso(),
                Preconditioned.of(new Adam()),
                new Sgd(0.1))) {
            TrainingListener listener = listener(updater);
            Model alone = worker(kind, updater);
            for (DataSet data : batches(kind).subList(0, 6)) {
                fit(alone, data);
            }
            ExecutorService threads = Executors.newFixedThreadPool(2);
            try (LogLines log = new LogLines()) {
                List<Future<Model>> workers = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    workers.add(threads.submit(() -> {
                        Model model = worker(kind, updater.clone());
                        model.setListeners(listener);
                        for (DataSet data : batches(kind).subList(0, 6)) {
                            fit(model, data);
                        }
                        return model;
                    }));
                }
                for (Future<Model> worker : workers) {
                    assertThat(worker.get().params()).as("%s", updater).isEqualTo(alone.params());
                }
                assertThat(log.with("share their gradients")).as("%s", updater).hasSize(1);
                assertThat(log.with("none conducts")).as("%s", updater).isEmpty();
            } finally {
                threads.shutdownNow();
            }
        }
    }

    private static Model worker(TestNetworks kind, IUpdater updater) {
        Model model = kind.create(updater, DataType.FLOAT, TestNetworks.PLAIN);
        if (model instanceof MultiLayerNetwork network) {
            network.setGradientsAccumulator(PASSES_ON);
        } else {
            ((ComputationGraph) model).setGradientsAccumulator(PASSES_ON);
        }
        return model;
    }
}
