package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.examples.compare.BudgetSchedule;
import io.github.dl4jfuse.examples.compare.Regression;
import io.github.dl4jfuse.geometry.Adaptation;
import io.github.dl4jfuse.geometry.GeometrySolver;
import io.github.dl4jfuse.geometry.OutputLoss;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.network.NetworkOutputs;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The figures of docs/geometry.md. */
@Command(
        name = "geometry",
        description =
                "Gradient descent in the metric of the outputs against Adam, on the regression of compare: Adam at"
                        + " several rates and schedules first, then how long Gauss-Newton steps take to the loss that the best of"
                        + " them ends at. Seconds are those of the processor.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class GeometryCommand implements Callable<Integer> {

    private static final double[] RATES = {3e-3, 1e-2, 3e-2};
    private static final double[] IMAGE_RATES = {3e-4, 1e-3, 3e-3};

    @Spec
    private CommandSpec spec;

    @Option(names = "--steps", description = "Adam's steps, full batch.")
    private int steps = 2_000;

    @Option(names = "--batch", description = "Examples of a Gauss-Newton step, drawn anew for each.")
    private int batch = 100;

    @Option(names = "--seeds", description = "Number of initialisations.")
    private int seeds = 3;

    @Option(names = "--images", description = "Fit so many images of Fashion-MNIST in place of the regression.")
    private int images;

    @Option(names = "--cnn", description = "With --images: a small CNN in place of the MLP.")
    private boolean convolutions;

    @Option(names = "--cross-entropy", description = "With --images: in place of the squared loss.")
    private boolean crossEntropy;

    @Option(names = "--seconds", description = "With --images: most seconds of the solver.")
    private double maxSeconds = 600;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (images > 0) {
            fitImages(out);
            return 0;
        }
        DataSet data = new Regression().data(false).train().iterator(1_000, 1).next();
        gaussNewton(0, data, 0, 30); // so that no method pays for the compiler's warm-up
        adam(0, data, 1e-2, BudgetSchedule.Shape.CONSTANT, 100);
        out.println("| seed | method | training loss | steps | seconds |\n| ---: | --- | ---: | ---: | ---: |");
        for (int seed = 1; seed <= seeds; seed++) {
            Run best = null;
            for (double rate : RATES) {
                for (BudgetSchedule.Shape shape : BudgetSchedule.Shape.values()) {
                    Run run = adam(seed, data, rate, shape, steps);
                    print(out, seed, run);
                    best = best == null || run.loss() < best.loss() ? run : best;
                }
            }
            print(out, seed, gaussNewton(seed, data, best.loss(), steps));
            print(out, seed, solver(seed, data, best.loss()));
            out.flush();
        }
        return 0;
    }

    private void fitImages(PrintWriter out) {
        ImageFit fit = new ImageFit(images, convolutions, !crossEntropy, 1e-4);
        out.println("| problem | method | training loss | steps | seconds |\n| --- | --- | ---: | ---: | ---: |");
        for (int seed = 1; seed <= seeds; seed++) {
            out.println(fit.solver(seed, maxSeconds).row(fit.name()));
            out.flush();
            for (double rate : IMAGE_RATES) {
                out.println(fit.adam(seed, rate, steps).row(fit.name()));
                out.flush();
            }
        }
    }

    private static void print(PrintWriter out, int seed, Run run) {
        out.println(run.row(String.valueOf(seed)));
        out.flush();
    }

    private static MultiLayerNetwork network(int seed, IUpdater updater) {
        MultiLayerConfiguration configuration = new Regression().configuration(seed);
        for (NeuralNetConfiguration conf : configuration.getConfs()) {
            ((BaseLayer) conf.getLayer()).setIUpdater(updater);
            ((BaseLayer) conf.getLayer()).setBiasUpdater(null);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    private static Run adam(int seed, DataSet data, double rate, BudgetSchedule.Shape shape, int steps) {
        int[] done = {0};
        MultiLayerNetwork network =
                network(seed, new Adam(new BudgetSchedule(rate, shape, () -> done[0] / (double) steps)));
        double begin = Run.now();
        for (; done[0] < steps; done[0]++) {
            network.fit(data);
        }
        return new Run(
                String.format(Locale.ROOT, "Adam %.0e %s", rate, shape.name().toLowerCase(Locale.ROOT)),
                network.score(data, false),
                steps,
                Run.now() - begin,
                true);
    }

    private Run gaussNewton(int seed, DataSet data, double target, int most) {
        MultiLayerNetwork network = network(seed, new Sgd(1));
        network.setListeners(new GaussNewtonListener());
        Random random = new Random(seed);
        double spent = 0;
        int done = 0;
        double loss = network.score(data, false);
        while (done < most && loss > target) {
            DataSet some = sample(data, batch, random);
            double begin = Run.now();
            network.fit(some);
            spent += Run.now() - begin;
            done++;
            loss = network.score(data, false); // not counted, as Adam's final score is not
        }
        return new Run("GaussNewtonListener, " + batch + " examples", loss, done, spent, loss <= target);
    }

    private static Run solver(int seed, DataSet data, double target) {
        MultiLayerNetwork network = network(seed, new Sgd(1));
        double begin = Run.now();
        NetworkOutputs outputs = new NetworkOutputs(network, data);
        OutputLoss loss = outputs.loss();
        Adaptation end = GeometrySolver.builder().targetLoss(target).build().run(outputs, loss);
        return new Run(
                "GeometrySolver, all 1,000", end.value(), end.iterations(), Run.now() - begin, end.value() <= target);
    }

    private static DataSet sample(DataSet data, int count, Random random) {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < data.numExamples(); i++) {
            all.add(i);
        }
        Collections.shuffle(all, random);
        int[] rows = all.stream().limit(count).mapToInt(Integer::intValue).toArray();
        return new DataSet(Nd4j.pullRows(data.getFeatures(), 1, rows), Nd4j.pullRows(data.getLabels(), 1, rows));
    }
}
