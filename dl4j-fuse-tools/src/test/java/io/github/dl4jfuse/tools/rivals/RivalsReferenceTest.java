package io.github.dl4jfuse.tools.rivals;

import static io.github.dl4jfuse.tools.rivals.RivalNetworks.DECAY;
import static io.github.dl4jfuse.tools.rivals.RivalNetworks.RATE;
import static io.github.dl4jfuse.tools.rivals.RivalNetworks.waves;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.tools.rivals.RivalNetworks.Falling;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;

/** Steps of each rival against those of {@code src/test/python/rivals.py}, which knows nothing of the Java code. */
class RivalsReferenceTest {

    private static final int STEPS = 20;

    /** SOAP's bases change three times. */
    private static final int STEPS_ALONE = 32;

    /** Parameters before the output layer. */
    private static final int HIDDEN = 20 + 76;

    private static JsonNode expected;

    @BeforeAll
    static void read() throws IOException {
        try (InputStream in = RivalsReferenceTest.class.getResourceAsStream("/rivals.json")) {
            expected = new ObjectMapper().readTree(in);
        }
    }

    private static double[] numbers(JsonNode node) {
        double[] result = new double[node.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = node.get(i).asDouble();
        }
        assertThat(result).isNotEmpty();
        return result;
    }

    private static StateUpdater rule(String name, int rows, int columns) {
        List<Matrices> shape = List.of(new Matrices(1, rows, columns));
        Falling rate = new Falling();
        return switch (name) {
            case "muon" -> new Muon(rate, 0, shape);
            case "soap" -> new Soap(rate, 0, shape, false, Rivals.LONGEST_SIDE);
            case "soap-one-sided" -> new Soap(rate, 0, shape, true, Rivals.LONGEST_SIDE);
            case "soap-up-to-4" -> new Soap(rate, 0, shape, false, 4);
            case "soap-up-to-3" -> new Soap(rate, 0, shape, false, 3);
            case "schedule-free" -> new ScheduleFree(RATE, 0, 5);
            default -> throw new IllegalArgumentException(name);
        };
    }

    @ParameterizedTest
    @CsvSource({
        "muon, 5, 8",
        "muon, 8, 5",
        "soap, 6, 6",
        "soap, 4, 9",
        "soap-one-sided, 4, 9",
        "soap-one-sided, 9, 4",
        "soap-up-to-4, 9, 4",
        "soap-up-to-3, 9, 4",
        "schedule-free, 3, 4"
    })
    void aRuleAlone(String name, int rows, int columns) {
        int n = rows * columns;
        // rounding in the space beside the gradients is divided by Adam's epsilon there
        boolean lowRank = name.equals("soap") && rows != columns;
        StateUpdater rule = rule(name, rows, columns);
        GradientUpdater<?> updater = rule.instantiate(Nd4j.zeros(DataType.DOUBLE, rule.stateSize(n)), true);
        double[] base = waves(n, 0.5, 2.3, 1);
        double[] w = waves(n, 0.3, 1.1, 1);
        for (int step = 0; step < STEPS_ALONE; step++) {
            double[] g = lowRank
                    ? product(waves(rows * rows, 0.4 + step, 1.9, 1), base, rows, columns)
                    : waves(n, 0.7 + 1.3 * step, 1.7, 1);
            for (int i = 0; i < n && !lowRank; i++) {
                g[i] += 0.5 * w[i];
            }
            INDArray update = Nd4j.createFromArray(g);
            updater.applyUpdater(update, step, 0);
            for (int i = 0; i < n; i++) {
                w[i] -= update.getDouble(i);
            }
        }
        double[] wanted = numbers(expected.get("alone").get(name + " " + rows + " " + columns));
        assertThat(w).containsExactly(wanted, within(lowRank ? 1e-5 : 1e-8));
    }

    private static double[] product(double[] a, double[] b, int rows, int columns) {
        double[] result = new double[rows * columns];
        for (int i = 0; i < result.length; i++) {
            for (int k = 0; k < rows; k++) {
                result[i] += a[i / columns * rows + k] * b[k * columns + i % columns];
            }
        }
        return result;
    }

    static Stream<String> names() {
        return Stream.of("adamw", "adam-ema", "nesterov", "muon", "soap-one-sided", "schedule-free");
    }

    static Rival rival(String name) {
        Falling rate = new Falling();
        return switch (name) {
            case "adamw" -> Rivals.adamW(rate, DECAY);
            case "adam-ema" -> Rivals.adamEma(rate, DECAY, 0.9);
            case "nesterov" -> Rivals.nesterov(rate, DECAY);
            case "muon" -> Rivals.muon(rate, DECAY);
            case "soap" -> Rivals.soap(rate, DECAY, false);
            case "soap-one-sided" -> Rivals.soap(rate, DECAY, true);
            case "schedule-free" -> Rivals.scheduleFree(RATE, DECAY, 5);
            case "prodigy" -> Rivals.prodigy(null);
            default -> throw new IllegalArgumentException(name);
        };
    }

    @ParameterizedTest
    @MethodSource("names")
    void aNetwork(String name) {
        Rival rival = rival(name);
        MultiLayerNetwork network = RivalNetworks.network(rival, DataType.DOUBLE);
        start(network);
        for (int step = 0; step < STEPS; step++) {
            network.fit(RivalNetworks.batch(step, DataType.DOUBLE));
        }
        check(name, rival, network);
    }

    @ParameterizedTest
    @MethodSource("names")
    void aGraph(String name) {
        Rival rival = rival(name);
        ComputationGraph graph = RivalNetworks.graph(rival, DataType.DOUBLE);
        start(graph);
        for (int step = 0; step < STEPS; step++) {
            graph.fit(RivalNetworks.batch(step, DataType.DOUBLE));
        }
        check(name, rival, graph);
    }

    /**
     * In float, where layers of ours train; the rules magnify what is rounded. SOAP does so without end where a gradient is zero along
     * a direction, as that of softmax's weights along (1, 1, 1), which no answer depends on: it is judged by the hidden layers.
     */
    @ParameterizedTest
    @MethodSource("names")
    void anAttachedNetwork(String name) {
        Rival rival = rival(name);
        MultiLayerNetwork network = RivalNetworks.network(rival, DataType.FLOAT);
        start(network);
        Acceleration.attach(network);
        for (int step = 0; step < STEPS; step++) {
            network.fit(RivalNetworks.batch(step, DataType.FLOAT));
        }
        assertThat(network.getLayer(1).getClass().getName()).contains("dl4jfuse");
        double[] wanted = numbers(expected.get("network").get(name).get("trained"));
        int judged = name.startsWith("soap") ? HIDDEN : wanted.length;
        assertThat(Arrays.copyOf(network.params().toDoubleVector(), judged))
                .containsExactly(Arrays.copyOf(wanted, judged), within(2e-4));
    }

    private static void start(Model network) {
        network.setParams(Nd4j.createFromArray(waves((int) network.numParams(), 1, 2.3, 0.3))
                .castTo(network.params().dataType()));
    }

    private static void check(String name, Rival rival, Model network) {
        JsonNode wanted = expected.get("network").get(name);
        double[] trained = network.params().toDoubleVector();
        assertThat(trained).containsExactly(numbers(wanted.get("trained")), within(1e-8));
        assertThat(rival.evaluation() != null).isEqualTo(wanted.has("evaluated"));
        if (rival.evaluation() != null) {
            rival.evaluation().enter(network);
            assertThat(network.params().toDoubleVector())
                    .containsExactly(numbers(wanted.get("evaluated")), within(1e-8));
            rival.evaluation().leave(network);
            assertThat(network.params().toDoubleVector()).isEqualTo(trained);
        }
    }
}
