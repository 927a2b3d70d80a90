package io.github.dl4jfuse.examples.saddles;

import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.examples.course.Course;
import io.github.dl4jfuse.listener.SaddleListener;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import io.github.dl4jfuse.saddle.EigenPairs;
import io.github.dl4jfuse.saddle.Lanczos;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.tools.report.Charts;
import io.github.dl4jfuse.tools.report.CurvePoint;
import io.github.dl4jfuse.tools.report.HtmlReport;
import io.github.dl4jfuse.tools.report.RunResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Three weight layers 784-32-32-10 without biases, all weights zero, on the 6,000 images of the subset. The loss depends on
 * the product of all three weight matrices, so its first and second derivatives vanish there, on each batch, and the third doesn't.
 */
final class Escape {

    private static final int BATCH = 128;
    private static final int PROBE = 1_000;
    private static final double RATE = 1e-3;
    private static final int HIDDEN = 32;
    private static final double[] SHARES = {0.1, 0.25, 0.5, 0.75, 1};

    private final PrintWriter out;
    private final int steps;
    private final int seeds;
    private final ImageData images = FashionMnist.subset().train().asFlat();
    private final DataSet all = images.iterator(images.size()).next();
    private final DataSet probe =
            images.shuffled(1).range(0, PROBE).iterator(PROBE).next();

    Escape(PrintWriter out, int steps, int seeds) {
        this.out = out;
        this.steps = steps;
        this.seeds = seeds;
    }

    void run(Path folder) {
        for (Activation activation : new Activation[] {Activation.TANH, Activation.IDENTITY}) {
            atZero(activation);
            List<RunResult> runs = new ArrayList<>();
            runs.add(stuck("Adam, weights 0", activation, new Adam(RATE)));
            runs.add(stuck("SGD, weights 0", activation, new Sgd(0.1)));
            for (int seed = 1; seed <= seeds; seed++) {
                MultiLayerNetwork usual = network(activation, new Adam(RATE), seed);
                runs.add(Course.train("Adam, weights Xavier", usual, images.iterator(BATCH, seed), steps, all));
                MultiLayerNetwork zero = network(activation, new Adam(RATE), seed);
                zero.params().assign(0);
                SaddleListener listener = new SaddleListener(probe).window(40);
                zero.setListeners(listener);
                runs.add(Course.train(
                        "Adam and SaddleListener, weights 0", zero, images.iterator(BATCH, seed), steps, all));
                for (SaddleListener.Finding finding : listener.findings()) {
                    out.println("  seed " + seed + ": " + finding.sentence());
                }
            }
            table(runs);
            write(folder, activation.name().toLowerCase(Locale.ROOT), runs);
        }
    }

    private static MultiLayerNetwork network(Activation activation, IUpdater updater, long seed) {
        MultiLayerConfiguration configuration = Networks.builder(seed, WeightInit.XAVIER, activation)
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(28 * 28)
                        .nOut(HIDDEN)
                        .hasBias(false)
                        .build())
                .layer(new DenseLayer.Builder().nOut(HIDDEN).hasBias(false).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(10)
                        .hasBias(false)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
        return Networks.network(configuration, updater);
    }

    private void atZero(Activation activation) {
        MultiLayerNetwork network = network(activation, new Sgd(RATE), 1);
        network.params().assign(0);
        NetworkObjective objective = new NetworkObjective(network, all);
        INDArray x = objective.start();
        INDArray gradient = x.dup();
        double loss = objective.valueAndGradient(x, gradient);
        EigenPairs pairs = new Lanczos(30, 1e-2, 1).extremes(objective, x, 5, 5);
        Solution minimum = LbfgsSolver.minimize(objective);
        out.printf(
                Locale.ROOT,
                "%s, 784-%d-%d-10, all weights zero, %,d images: loss %.6f, |gradient| %.1e, |Hessian| %.1e; L-BFGS: %s%n",
                activation.name().toLowerCase(Locale.ROOT),
                HIDDEN,
                HIDDEN,
                all.numExamples(),
                loss,
                gradient.norm2Number().doubleValue(),
                pairs.scale(),
                minimum);
    }

    private RunResult stuck(String name, Activation activation, IUpdater updater) {
        MultiLayerNetwork network = network(activation, updater, 1);
        network.params().assign(0);
        RunResult run = Course.train(name, network, images.iterator(BATCH, 1), steps, all);
        out.printf(
                Locale.ROOT,
                "%s: after %,d steps the norm of all weights is %.1e%n",
                name,
                steps,
                network.params().norm2Number().doubleValue());
        return run;
    }

    /** Steps to the losses that the usual starts reach, on average, after some shares of their steps. */
    private void table(List<RunResult> runs) {
        List<RunResult> usual =
                runs.stream().filter(run -> run.name().endsWith("Xavier")).toList();
        int last = usual.get(0).curve().size() - 1;
        double[] targets = Arrays.stream(SHARES)
                .map(share -> usual.stream()
                        .mapToDouble(
                                run -> run.curve().get((int) (share * last)).trainingLoss())
                        .average()
                        .orElseThrow())
                .toArray();
        out.print("| run | loss at the end |");
        for (double target : targets) {
            out.printf(Locale.ROOT, " steps to %.4f |", target);
        }
        out.printf("%n| --- | ---: |%s%n", " ---: |".repeat(targets.length));
        for (RunResult run : runs) {
            out.printf(Locale.ROOT, "| %s | %.4f |", run.name(), run.end().trainingLoss());
            for (double target : targets) {
                out.printf(" %s |", stepsTo(run, target));
            }
            out.println();
        }
    }

    /** Returns the first step at which the measured loss is at most a target, or "not reached". */
    static String stepsTo(RunResult run, double target) {
        return run.reached(target)
                .map(point -> String.valueOf(point.gradientEvaluations()))
                .orElse("not reached");
    }

    private static void write(Path folder, String name, List<RunResult> runs) {
        byte[] picture = Charts.curves(
                "training steps, batch " + BATCH,
                "training loss",
                runs,
                CurvePoint::gradientEvaluations,
                CurvePoint::trainingLoss);
        HtmlReport.write(folder.resolve("saddle-" + name + ".png"), picture, "name another folder with --out");
    }
}
