package io.github.dl4jfuse.examples.functions;

import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Objective.ArrayFunction;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.smoothness.LfsoSolver;
import io.github.dl4jfuse.smoothness.SmoothnessOracle;
import io.github.dl4jfuse.smoothness.SmoothnessOracles;
import io.github.dl4jfuse.smoothness.SoftmaxRegression;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.tools.report.Charts;
import io.github.dl4jfuse.tools.report.Charts.Band;
import io.github.dl4jfuse.tools.report.HtmlReport;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Gradient descent with exact smoothness oracles beside gradient descent with fixed steps. */
@Command(
        name = "lfso",
        description =
                "Gradient descent with steps from exact smoothness oracles beside fixed steps: a picture of functions"
                        + " with flat minima, and softmax regression on Fashion-MNIST against the best of 10 rates.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class LfsoCommand implements Callable<Integer> {

    private static final String REMEDY = "name another folder with --out";
    private static final int FLAT_STEPS = 100;
    private static final double SMALLEST = 1e-30;
    private static final int RATES = 10;
    private static final double FIRST_RATE = 1e-3;
    private static final double LAST_RATE = 10;

    @Spec
    private CommandSpec spec;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where picture and table go.")
    private Path out = Path.of("dl4j-fuse-report", "lfso");

    @Option(names = "--steps", description = "Full-batch steps of the softmax regression.")
    private int steps = 200;

    @Override
    public Integer call() {
        PrintWriter writer = spec.commandLine().getOut();
        String table = softmaxRegression();
        HtmlReport.write(out.resolve("flat-minima.png"), flatMinima(), REMEDY);
        HtmlReport.write(out.resolve("softmax.md"), table.getBytes(StandardCharsets.UTF_8), REMEDY);
        writer.print(table);
        writer.println("Written to " + out.toAbsolutePath().normalize());
        return 0;
    }

    // --- flat minima

    private static byte[] flatMinima() {
        List<Band> bands = new ArrayList<>();
        for (double p : new double[] {2, 5, 20}) {
            ArrayFunction power = (x, g) -> {
                g[0] = 2 * p * Math.pow(x[0], 2 * p - 1);
                return Math.pow(x[0], 2 * p);
            };
            String name = String.format(Locale.ROOT, "x^%.0f", 2 * p);
            bands.add(lfso(name, power, SmoothnessOracles.normPower(p)));
            if (p < 20) {
                bands.add(fixed(name + ", fixed", power, 1 / (2 * p * (2 * p - 1))));
            }
        }
        ArrayFunction flat = (x, g) -> {
            double f = Math.exp(-1 / (x[0] * x[0]));
            g[0] = f == 0 ? 0 : 2 * f / (x[0] * x[0] * x[0]);
            return f;
        };
        SmoothnessOracle oracle = SmoothnessOracles.exponentialOfInverseSquare();
        bands.add(lfso("exp(-1/x^2)", flat, oracle));
        double largest = oracle.at(Nd4j.createFromArray(1.0)).applyAsDouble(0);
        bands.add(fixed("exp(-1/x^2), fixed", flat, 1 / largest));
        return Charts.bands("steps from x = 1; without \"fixed\": with oracle", "log10 of the value", bands);
    }

    private static Band lfso(String name, ArrayFunction function, SmoothnessOracle oracle) {
        Objective objective = Objective.of(1, function);
        INDArray start = Nd4j.createFromArray(1.0);
        List<Double> values = new ArrayList<>(List.of(objective.value(start)));
        new LfsoSolver(oracle, FLAT_STEPS, 0, each -> values.add(each.value())).run(objective, start);
        return band(name, values);
    }

    private static Band fixed(String name, ArrayFunction function, double step) {
        List<Double> values = new ArrayList<>();
        double[] x = {1};
        double[] slope = new double[1];
        for (int k = 0; k <= FLAT_STEPS; k++) {
            values.add(function.evaluate(x, slope));
            x[0] -= step * slope[0];
        }
        return band(name, values);
    }

    private static Band band(String name, List<Double> values) {
        double[] y = values.stream()
                .mapToDouble(value -> value)
                .takeWhile(value -> value > SMALLEST)
                .map(Math::log10) // on an axis of its own: thirty decades leave no room for labels
                .toArray();
        double[] x = new double[y.length];
        for (int k = 0; k < x.length; k++) {
            x[k] = k;
        }
        return new Band(name, x, y, y, y);
    }

    // --- softmax regression

    private String softmaxRegression() {
        ImageData images = FashionMnist.subset().train().asFlat();
        DataSet data = images.iterator(images.size()).next();
        MultiLayerConfiguration configuration = Networks.dense(
                new NeuralNetConfiguration.Builder().dataType(DataType.DOUBLE).weightInit(WeightInit.ZERO),
                data.getFeatures().columns(),
                new int[0],
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(images.numClasses())
                        .activation(Activation.SOFTMAX));
        data.setFeatures(data.getFeatures().castTo(DataType.DOUBLE));
        data.setLabels(data.getLabels().castTo(DataType.DOUBLE));
        Objective objective = new NetworkObjective(Networks.network(configuration, new Sgd()), data);
        INDArray start = objective.start();
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "Softmax regression, %,d images, zero weights, %d full-batch steps%n| step | training loss |%n| --- | ---: |%n",
                images.size(),
                steps));
        for (int k = 0; k < RATES; k++) {
            double rate = FIRST_RATE * Math.pow(LAST_RATE / FIRST_RATE, k / (RATES - 1.0));
            table.append(String.format(Locale.ROOT, "| %.2e | %.4f |%n", rate, descend(objective, start, rate)));
        }
        Solution minimum = new LfsoSolver(
                        new SoftmaxRegression(data.getFeatures(), images.numClasses()), steps, 0, each -> {})
                .run(objective, start);
        table.append(String.format(Locale.ROOT, "| exact oracle | %.4f |%n", minimum.value()));
        return table.toString();
    }

    private double descend(Objective objective, INDArray start, double rate) {
        INDArray x = start.dup();
        INDArray gradient = start.dup();
        for (int k = 0; k < steps; k++) {
            objective.valueAndGradient(x, gradient);
            Nd4j.getBlasWrapper().level1().axpy(x.length(), -rate, gradient, x);
        }
        return objective.value(x);
    }
}
