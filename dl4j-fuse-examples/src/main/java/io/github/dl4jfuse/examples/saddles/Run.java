package io.github.dl4jfuse.examples.saddles;

import io.github.dl4jfuse.tools.report.CurvePoint;
import io.github.dl4jfuse.tools.report.RunResult;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** A training run whose loss is measured every now and then; the time of measuring does not count. */
final class Run {

    private static final int POINTS = 60;

    private Run() {}

    static RunResult train(
            String name, MultiLayerNetwork network, DataSetIterator batches, int steps, DataSet measured) {
        List<CurvePoint> curve = new ArrayList<>();
        int every = Math.max(1, steps / POINTS);
        double seconds = 0;
        curve.add(new CurvePoint(0, 0, 0, network.score(measured, false), Double.NaN));
        for (int step = 1; step <= steps; step++) {
            if (!batches.hasNext()) {
                batches.reset();
            }
            DataSet batch = batches.next();
            double begin = processorSeconds();
            network.fit(batch);
            seconds += processorSeconds() - begin;
            if (step % every == 0 || step == steps) {
                var updater = network.getUpdater();
                double loss = network.score(measured, false);
                network.setUpdater(updater); // score() throws it away, with its state
                curve.add(new CurvePoint(step, step, seconds, loss, Double.NaN));
            }
        }
        return new RunResult(name, network.conf().getLayer().toString(), curve, "-");
    }

    /** Seconds of the training thread; all of the work as long as BLAS has one thread. */
    private static double processorSeconds() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    }

    /** Returns the first step at which the measured loss is at most a target, or "not reached". */
    static String stepsTo(RunResult run, double target) {
        return run.curve().stream()
                .filter(point -> point.trainingLoss() <= target)
                .map(point -> String.valueOf(point.gradientEvaluations()))
                .findFirst()
                .orElse("not reached");
    }

    /** The same in processor seconds of training. */
    static double secondsTo(RunResult run, double target) {
        return run.curve().stream()
                .filter(point -> point.trainingLoss() <= target)
                .mapToDouble(CurvePoint::seconds)
                .findFirst()
                .orElse(Double.POSITIVE_INFINITY);
    }
}
