package io.github.dl4jfuse.examples.saddles;

import io.github.dl4jfuse.examples.course.Course;
import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.SaddleListener;
import io.github.dl4jfuse.tools.compare.Workload;
import io.github.dl4jfuse.tools.compare.Workloads;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.tools.report.CurvePoint;
import io.github.dl4jfuse.tools.report.RunResult;
import io.github.dl4jfuse.updater.FusePv;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** The autoencoder of six layers with its initial weights times 1e-3: how long training stays on the plateau. */
final class Plateau {

    private static final double SHRINK = 1e-3;
    private static final int PROBE = 500;

    private final PrintWriter out;
    private final int steps;
    private final int seeds;
    private final Workload workload = Workloads.AUTOENCODER;
    private final Workload.Split data = workload.data(false);
    private final DataSet measured = data.train().iterator(1_000).next();
    private final DataSet probe = data.train().iterator(PROBE, 1).next();

    Plateau(PrintWriter out, int steps, int seeds) {
        this.out = out;
        this.steps = steps;
        this.seeds = seeds;
    }

    void run() {
        out.println("| updater | seed | listener | loss at the end | steps to leave | processor seconds to leave |");
        out.println("| --- | ---: | --- | ---: | ---: | ---: |");
        List<Supplier<IUpdater>> updaters = List.of(() -> new Adam(1e-3), FusePv::new);
        for (Supplier<IUpdater> updater : updaters) {
            for (int seed = 1; seed <= seeds; seed++) {
                one(updater, seed, false);
                one(updater, seed, true);
            }
        }
    }

    private void one(Supplier<IUpdater> updater, int seed, boolean watched) {
        MultiLayerNetwork network = Networks.network(workload.configuration(seed), updater.get());
        network.params().muli(SHRINK);
        SaddleListener listener = new SaddleListener(probe).window(40);
        if (updater.get() instanceof FusePv) {
            network.addListeners(new CurvatureListener());
        }
        if (watched) {
            network.addListeners(listener);
        }
        String name = updater.get().getClass().getSimpleName();
        RunResult run = Course.train(name, network, data.train().iterator(workload.batch(), seed), steps, measured);
        // The best output that does not depend on the input is reached first; 1 % less is off the plateau.
        double constant = constantOutput();
        out.printf(
                Locale.ROOT,
                "| %s | %d | %s | %.2f | %s | %.2f |%n",
                name,
                seed,
                watched ? "SaddleListener" : "none",
                run.end().trainingLoss(),
                Escape.stepsTo(run, 0.99 * constant),
                run.reached(0.99 * constant).map(CurvePoint::seconds).orElse(Double.POSITIVE_INFINITY));
        listener.findings().forEach(finding -> out.println("  " + finding.sentence()));
    }

    /** Cross-entropy of the mean image. */
    private double constantOutput() {
        double[] mean = measured.getLabels().mean(0).castTo(DataType.DOUBLE).toDoubleVector();
        double loss = 0;
        for (double p : mean) {
            loss -= p > 0 && p < 1 ? p * Math.log(p) + (1 - p) * Math.log(1 - p) : 0;
        }
        return loss;
    }
}
