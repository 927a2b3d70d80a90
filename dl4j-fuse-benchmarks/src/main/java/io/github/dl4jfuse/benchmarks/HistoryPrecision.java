package io.github.dl4jfuse.benchmarks;

import io.github.dl4jfuse.datasets.Iris;
import io.github.dl4jfuse.functions.IrisLogisticRegression;
import io.github.dl4jfuse.functions.Landscapes;
import io.github.dl4jfuse.functions.MoreGarbowHillstrom;
import io.github.dl4jfuse.functions.ScipyReference;
import io.github.dl4jfuse.functions.TestFunction;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.Solution;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import io.github.dl4jfuse.tools.compare.Workload;
import io.github.dl4jfuse.tools.compare.Workloads;
import io.github.dl4jfuse.tools.networks.Networks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongFunction;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** How many evaluations {@link LbfgsSolver} takes with a history in bfloat16 and with one in the objective's type. */
final class HistoryPrecision {

    private static final double ACCURACY = 1e-8;
    private static final int LIMIT = 15_000;
    private static final int[] NETWORK_EVALUATIONS = {100, 400};
    private static final int SEEDS = 5;
    private static final double L2 = 1e-3;

    private HistoryPrecision() {}

    /** Runs everything, in a minute or two, and returns two Markdown tables. */
    static String tables() {
        try {
            return functions() + "\n" + networks();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static LbfgsSolver.Builder solver(boolean rounded) {
        return LbfgsSolver.builder()
                .bfloat16History(rounded)
                .maxIterations(LIMIT)
                .gradientTolerance(0)
                .relativeDecreaseTolerance(0);
    }

    private static String functions() throws IOException {
        List<TestFunction> all = new ArrayList<>(MoreGarbowHillstrom.all());
        all.addAll(Landscapes.all());
        all.add(new IrisLogisticRegression());
        Map<String, Map<String, String>> reference = ScipyReference.rows();
        StringBuilder rows =
                new StringBuilder("| function | double | bfloat16 | ratio |\n| --- | ---: | ---: | ---: |\n");
        List<Double> ratios = new ArrayList<>();
        int lost = 0;
        for (TestFunction function : all) {
            double known = Double.parseDouble(reference.get(function.toString()).get("f_star"));
            long plain = evaluations(function, known, false);
            long rounded = evaluations(function, known, true);
            double ratio = (double) rounded / plain;
            rows.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s |%n",
                    function,
                    inWords(plain),
                    inWords(rounded),
                    plain < 0 || rounded < 0 ? "" : String.format(Locale.ROOT, "%.2f", ratio)));
            if (plain >= 0 && rounded >= 0) {
                ratios.add(ratio);
            } else if (plain >= 0) {
                lost++;
            }
        }
        List<Double> sorted = ratios.stream().sorted().toList();
        int count = sorted.size();
        return rows
                + String.format(
                        Locale.ROOT,
                        "%nRatio over the %d functions that both reach: median %.2f, quartiles %.2f and %.2f, largest %.2f;"
                                + " reached with double alone: %d.%n",
                        count,
                        sorted.get(count / 2),
                        sorted.get(count / 4),
                        sorted.get(3 * count / 4),
                        sorted.get(count - 1),
                        lost);
    }

    private static String inWords(long evaluations) {
        return evaluations < 0 ? "not reached" : String.format(Locale.ROOT, "%,d", evaluations);
    }

    /** Evaluations until f - f* is at most {@value #ACCURACY} max(1, |f*|) after a step; -1 where it never is. */
    private static long evaluations(TestFunction function, double known, boolean rounded) {
        Objective objective = Objective.of(function.dimension(), (x, gradient) -> {
            function.gradient(x, gradient);
            return function.value(x);
        });
        double target = known + ACCURACY * Math.max(1, Math.abs(known));
        double[] value = {function.value(function.start())};
        Solution minimum = solver(rounded)
                .maxEvaluations(LIMIT)
                .progress(step -> value[0] = step.value())
                .cancelWhen(() -> value[0] <= target)
                .build()
                .run(objective, Nd4j.createFromArray(function.start()));
        return minimum.value() <= target ? minimum.functionEvaluations() : -1;
    }

    private static MultiLayerConfiguration iris(long seed) {
        var builder = Networks.builder(seed, WeightInit.XAVIER, Activation.TANH)
                .dataType(DataType.FLOAT)
                .l2(L2);
        return Networks.dense(builder, 4, new int[] {16}, Networks.classes(3));
    }

    private static String networks() {
        Workload regression = Workloads.REGRESSION;
        return "| network, all data in a batch | seed | evaluations | loss | loss, history in bfloat16 |\n"
                + "| --- | ---: | ---: | ---: | ---: |\n"
                + rows(
                        "iris 4-16-3, l2 " + L2 + ", float",
                        seed -> new NetworkObjective(Networks.network(iris(seed), new Sgd()), Iris.standardised()))
                + rows(
                        "regression 2-64-64-1, double",
                        seed -> new NetworkObjective(
                                Networks.network(regression.configuration(seed), new Sgd()),
                                regression.data(false).train().iterator(regression.batch())));
    }

    private static String rows(String name, LongFunction<NetworkObjective> create) {
        StringBuilder rows = new StringBuilder();
        for (int evaluations : NETWORK_EVALUATIONS) {
            for (long seed = 1; seed <= SEEDS; seed++) {
                rows.append(String.format(
                        Locale.ROOT,
                        "| %s | %d | %d | %.3e | %.3e |%n",
                        name,
                        seed,
                        evaluations,
                        loss(create.apply(seed), evaluations, false),
                        loss(create.apply(seed), evaluations, true)));
            }
        }
        return rows.toString();
    }

    private static double loss(NetworkObjective objective, int evaluations, boolean rounded) {
        return solver(rounded)
                .maxEvaluations(evaluations)
                .build()
                .run(objective)
                .value();
    }
}
