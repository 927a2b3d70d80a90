package io.github.dl4jfuse.examples.course;

import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.tools.report.CurvePoint;
import io.github.dl4jfuse.tools.report.RunResult;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** A run in steps: its training loss over steps and processor seconds, of which only those of the steps count. */
public final class Course {

    /** The head of a table of {@link #row}. */
    public static final String HEAD =
            "| | method | training loss at the end | steps to the target | seconds to the target |\n"
                    + "| --- | --- | ---: | ---: | ---: |";

    private static final int POINTS = 60;

    private final List<CurvePoint> points = new ArrayList<>();
    private int steps;
    private double seconds;

    /** Returns the course of a solver, which tells its losses one by one and is timed as a whole. */
    public static Course ofSolver(Consumer<DoubleConsumer> solver) {
        Course course = new Course();
        List<Double> losses = new ArrayList<>();
        course.step(() -> solver.accept(losses::add));
        course.steps = 0;
        for (double loss : losses) {
            course.steps++;
            course.reached(loss);
        }
        return course;
    }

    /** Trains, and measures the loss on some data every now and then. */
    public static RunResult train(
            String name, MultiLayerNetwork network, DataSetIterator batches, int steps, DataSet measured) {
        Course course = new Course();
        course.reached(network.score(measured, false));
        int every = Math.max(1, steps / POINTS);
        for (int step = 1; step <= steps; step++) {
            DataSet batch = Networks.next(batches);
            course.step(() -> network.fit(batch));
            if (step % every == 0 || step == steps) {
                course.reached(network.score(measured, false));
            }
        }
        return course.result(name);
    }

    /** Returns the processor time of this thread in seconds; all of the work as long as BLAS has one thread. */
    public static double now() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    }

    /** Makes a step; only this is timed. */
    public void step(Runnable step) {
        double begin = now();
        step.run();
        seconds += now() - begin;
        steps++;
    }

    /** Notes the loss where the steps have led. */
    public void reached(double loss) {
        points.add(new CurvePoint(steps, steps, seconds, loss, Double.NaN));
    }

    /** Returns the steps done. */
    public int steps() {
        return steps;
    }

    /** Returns the processor seconds of the steps. */
    public double seconds() {
        return seconds;
    }

    /** Returns the loss that was noted last. */
    public double loss() {
        return points.get(points.size() - 1).trainingLoss();
    }

    /** Returns the run under a name. */
    public RunResult result(String name) {
        return new RunResult(name, "", points, "-");
    }

    /** Returns a row of a table: when the loss was first down to a target. */
    public String row(String first, String method, double target) {
        Optional<CurvePoint> arrival = result(method).reached(target);
        String reached = arrival.isPresent() ? "" : "not reached: ";
        return String.format(
                Locale.ROOT,
                "| %s | %s | %.2e | %s%,d | %s%.2f |",
                first,
                method,
                loss(),
                reached,
                arrival.map(CurvePoint::epoch).orElse(steps),
                reached,
                arrival.map(CurvePoint::seconds).orElse(seconds));
    }
}
