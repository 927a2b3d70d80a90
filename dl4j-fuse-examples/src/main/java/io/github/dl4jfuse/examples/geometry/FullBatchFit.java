package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.examples.course.Course;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.tools.compare.BudgetSchedule;
import io.github.dl4jfuse.tools.compare.Workload;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;
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
     * Runs all methods with one seed and gives the rows of a table; the target is the smallest loss at which one of Adam's ends.
     * Points are drawn by the data only where the loss is a sum over them.
     */
    void run(int seed, Consumer<String> print) {
        String first = "seed " + seed;
        Map<String, Course> adam = new LinkedHashMap<>();
        for (double rate : RATES) {
            for (BudgetSchedule.Shape shape : BudgetSchedule.Shape.values()) {
                String name = String.format(
                        Locale.ROOT, "Adam %.0e %s", rate, shape.name().toLowerCase(Locale.ROOT));
                adam.put(name, adam(seed, rate, shape, steps));
            }
        }
        double target = adam.values().stream().mapToDouble(Course::loss).min().orElseThrow();
        adam.forEach((name, course) -> print.accept(course.row(first, name, target)));
        if (!hasOwnGeometry) {
            print.accept(drawn(seed, target, steps)
                    .row(first, "GaussNewtonListener, " + examples + " points drawn for each step", target));
        }
        String allPoints = "GaussNewtonListener, all points" + (hasOwnGeometry ? "" : ", examplesPerStep " + examples);
        print.accept(fullBatch(seed, target, steps).row(first, allPoints, target));
        print.accept(solver(seed, target, steps).row(first, "GaussNewtonSolver, all points", target));
    }

    private MultiLayerNetwork network(int seed, IUpdater updater) {
        return Networks.network(workload.configuration(seed), updater);
    }

    private Course adam(int seed, double rate, BudgetSchedule.Shape shape, int most) {
        Course course = new Course();
        MultiLayerNetwork network =
                network(seed, new Adam(new BudgetSchedule(rate, shape, () -> course.steps() / (double) most)));
        return train(course, network, () -> data, Double.NEGATIVE_INFINITY, most);
    }

    private Course drawn(int seed, double target, int most) {
        Random random = new Random(seed);
        return gaussNewton(seed, new GaussNewtonListener(), () -> draw(random), target, most);
    }

    private Course fullBatch(int seed, double target, int most) {
        return gaussNewton(seed, new GaussNewtonListener().examplesPerStep(examples, seed), () -> data, target, most);
    }

    private Course gaussNewton(
            int seed, GaussNewtonListener listener, Supplier<DataSet> batches, double target, int most) {
        MultiLayerNetwork network = network(seed, new Sgd(1));
        network.setListeners(listener);
        return train(new Course(), network, batches, target, most);
    }

    private Course train(Course course, MultiLayerNetwork network, Supplier<DataSet> batches, double target, int most) {
        double loss = Double.POSITIVE_INFINITY;
        while (course.steps() < most && loss > target) {
            DataSet batch = batches.get();
            course.step(() -> network.fit(batch));
            loss = network.score(data, false);
            course.reached(loss);
        }
        return course;
    }

    private Course solver(int seed, double target, int most) {
        NetworkOutputs outputs = new NetworkOutputs(network(seed, new Sgd(1)), data);
        return Course.ofSolver(losses -> GaussNewtonSolver.builder()
                .targetLoss(target)
                .maxIterations(most)
                .progress(progress -> losses.accept(progress.value()))
                .build()
                .run(outputs, outputs.loss()));
    }

    private DataSet draw(Random random) {
        int[] rows =
                random.ints(0, data.numExamples()).distinct().limit(examples).toArray();
        return new DataSet(Nd4j.pullRows(data.getFeatures(), 1, rows), Nd4j.pullRows(data.getLabels(), 1, rows));
    }
}
