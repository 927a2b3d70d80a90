package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.tools.compare.BudgetSchedule;
import io.github.dl4jfuse.tools.compare.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** A full-batch workload of compare: how long each method takes to the loss at which the best Adam ends. */
final class FullBatchFit {

    private static final double[] RATES = {1e-2, 3e-2};
    private static final int WARM_UP_STEPS = 60;

    private final Workload workload;
    private final DataSet data;
    private final boolean hasOwnGeometry;
    private final int steps;
    private final int examples;

    /** Adam makes so many steps on all points; Gauss-Newton steps are solved on so many examples. */
    FullBatchFit(Workload workload, int steps, int examples) {
        this.workload = workload;
        data = workload.data(false).train().iterator(1, 1).next();
        hasOwnGeometry = new NetworkOutputs(network(0, new Sgd(1)), data).hasOwnGeometry();
        this.steps = steps;
        this.examples = examples;
    }

    /** Runs all methods for a while, so that none of those measured later pays for the compiler. */
    void warmUp() {
        adam(0, RATES[0], BudgetSchedule.Shape.CONSTANT, 2 * WARM_UP_STEPS);
        if (!hasOwnGeometry) {
            drawn(0, 0, WARM_UP_STEPS);
        }
        fullBatch(0, 0, WARM_UP_STEPS);
        solver(0, 0, 10);
    }

    /**
     * Runs all methods with one seed; the target is the smallest loss at which one of Adam's ends. Points are drawn by the data
     * only where the loss is a sum over them.
     */
    void run(int seed, Consumer<Run> print) {
        List<Course> adam = new ArrayList<>();
        for (double rate : RATES) {
            for (BudgetSchedule.Shape shape : BudgetSchedule.Shape.values()) {
                adam.add(adam(seed, rate, shape, steps));
            }
        }
        double target = adam.stream().mapToDouble(Course::loss).min().orElseThrow();
        adam.forEach(course -> print.accept(course.to(target)));
        if (!hasOwnGeometry) {
            print.accept(drawn(seed, target, steps).to(target));
        }
        print.accept(fullBatch(seed, target, steps).to(target));
        print.accept(solver(seed, target, steps).to(target));
    }

    private MultiLayerNetwork network(int seed, IUpdater updater) {
        MultiLayerConfiguration configuration = workload.configuration(seed);
        for (NeuralNetConfiguration conf : configuration.getConfs()) {
            ((BaseLayer) conf.getLayer()).setIUpdater(updater);
            ((BaseLayer) conf.getLayer()).setBiasUpdater(null);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    private Course adam(int seed, double rate, BudgetSchedule.Shape shape, int most) {
        int[] done = {0};
        MultiLayerNetwork network =
                network(seed, new Adam(new BudgetSchedule(rate, shape, () -> done[0] / (double) most)));
        Course course = new Course(
                String.format(Locale.ROOT, "Adam %.0e %s", rate, shape.name().toLowerCase(Locale.ROOT)));
        for (; done[0] < most; done[0]++) {
            course.step(() -> network.fit(data));
            course.reached(network.score(data, false));
        }
        return course;
    }

    private Course drawn(int seed, double target, int most) {
        Random random = new Random(seed);
        return gaussNewton(
                "GaussNewtonListener, " + examples + " points drawn for each step",
                network(seed, new Sgd(1)),
                new GaussNewtonListener(),
                () -> draw(random),
                target,
                most);
    }

    private Course fullBatch(int seed, double target, int most) {
        return gaussNewton(
                hasOwnGeometry
                        ? "GaussNewtonListener, all points"
                        : "GaussNewtonListener, all points, examplesPerStep " + examples,
                network(seed, new Sgd(1)),
                new GaussNewtonListener().examplesPerStep(examples, seed),
                () -> data,
                target,
                most);
    }

    private Course gaussNewton(
            String name,
            MultiLayerNetwork network,
            GaussNewtonListener listener,
            Supplier<DataSet> batches,
            double target,
            int most) {
        network.setListeners(listener);
        Course course = new Course(name);
        double loss = Double.POSITIVE_INFINITY;
        for (int i = 0; i < most && loss > target; i++) {
            DataSet batch = batches.get();
            course.step(() -> network.fit(batch));
            loss = network.score(data, false);
            course.reached(loss);
        }
        return course;
    }

    private Course solver(int seed, double target, int most) {
        Course course = new Course("GaussNewtonSolver, all points");
        NetworkOutputs outputs = new NetworkOutputs(network(seed, new Sgd(1)), data);
        course.step(() -> GaussNewtonSolver.builder()
                .targetLoss(target)
                .maxIterations(most)
                .progress(progress -> course.reached(progress.value()))
                .build()
                .run(outputs, outputs.loss()));
        return course.endedAt(course.seconds());
    }

    private DataSet draw(Random random) {
        int[] rows =
                random.ints(0, data.numExamples()).distinct().limit(examples).toArray();
        return new DataSet(Nd4j.pullRows(data.getFeatures(), 1, rows), Nd4j.pullRows(data.getLabels(), 1, rows));
    }
}
