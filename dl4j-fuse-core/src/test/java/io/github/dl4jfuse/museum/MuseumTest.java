package io.github.dl4jfuse.museum;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.Preconditioned;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Models saved by older versions load, and go on as they did. There is a hall for each format; {@code -Dmuseum=write} adds one,
 * made by the present code, and touches no other.
 */
class MuseumTest {

    private static final Path SOURCES = Path.of("src/test/resources/io/github/dl4jfuse/museum");

    /** DL4J's kernels add in another order on another processor. */
    private static final double NETWORK_TOLERANCE = 1e-4;

    @BeforeAll
    static void writeAHallIfAsked() throws IOException {
        if (isWriting() && !"off".equals(System.getProperty("acceleration"))) {
            int hall = 1;
            while (Files.exists(SOURCES.resolve("" + hall))) {
                hall++;
            }
            Curator.fill(SOURCES.resolve("" + hall));
        }
    }

    @BeforeEach
    void skipWhereNothingCanBeRead() {
        assumeTrue(
                TestNetworks.readsModelsOfM2(),
                "DL4J 1.0.0-M1.1 cannot read a model that M2.1 has saved: its parameters have another rank.");
    }

    private static boolean isWriting() {
        return "write".equals(System.getProperty("museum"));
    }

    static Stream<Exhibit> exhibits() {
        try {
            Path copied = Path.of(
                    MuseumTest.class.getResource("/io/github/dl4jfuse/museum").toURI());
            return read(isWriting() ? SOURCES : copied);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static Stream<Exhibit> withPairs() {
        return exhibits().filter(exhibit -> exhibit.has(Exhibit.DIRECTIONS));
    }

    private static Stream<Exhibit> read(Path museum) {
        try (Stream<Path> files = Files.walk(museum)) {
            return files.filter(file -> file.toString().endsWith(".zip")).sorted().map(Exhibit::read).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Nothing but our arithmetic and the elementwise operations of ND4J, whose result does not depend on the processor: metrics of
     * layers so small are applied in Java, without BLAS. Other architectures may fuse a product and a sum.
     */
    @ParameterizedTest
    @MethodSource("exhibits")
    void updatersGiveTheSameUpdates(Exhibit exhibit) throws IOException {
        Model model = exhibit.restore();
        DataType type = model.params().dataType();
        double[][] expected = exhibit.rows(Exhibit.UPDATES, type, model.numParams());
        double[][] actual = exhibit.updates();
        boolean sameArithmetic = List.of("amd64", "x86_64").contains(System.getProperty("os.arch"))
                && Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU;
        for (int step = 0; step < expected.length; step++) {
            if (sameArithmetic) {
                assertThat(actual[step]).as("update %d", step).containsExactly(expected[step]);
            } else {
                assertThat(actual[step]).as("update %d", step).containsExactly(expected[step], rounding(type));
            }
        }
    }

    /** The products with the pairs are BLAS's, which adds in another order on another processor. */
    @ParameterizedTest
    @MethodSource("withPairs")
    void pairsGiveTheSameDirections(Exhibit exhibit) throws IOException {
        Model model = exhibit.restore();
        DataType type = model.params().dataType();
        double[][] expected = exhibit.rows(Exhibit.DIRECTIONS, type, model.numParams());
        double[][] actual = exhibit.directions();
        for (int step = 0; step < expected.length; step++) {
            assertThat(actual[step]).as("direction %d", step).containsExactly(expected[step], rounding(type));
        }
    }

    private static Offset<Double> rounding(DataType type) {
        return within(type == DataType.DOUBLE ? 1e-12 : 1e-4);
    }

    @ParameterizedTest
    @MethodSource("exhibits")
    void networksTrainOn(Exhibit exhibit) throws IOException {
        Model model = exhibit.restore();
        double[] expected = exhibit.rows(Exhibit.PARAMETERS, model.params().dataType(), model.numParams())[0];
        assertThat(exhibit.trainedOn()).containsExactly(expected, within(NETWORK_TOLERANCE));
    }

    @Test
    void thereIsAHall() {
        assertThat(exhibits()).hasSizeGreaterThan(20);
    }

    /** The name went out of use before anything was released. */
    @Test
    void whatWasSavedAsAdaptedIsPreconditioned() throws IOException {
        for (String name : List.of("1/adapted.zip", "1/adapted-graph.zip")) {
            Exhibit exhibit = exhibits()
                    .filter(each -> each.toString().equals(name))
                    .findFirst()
                    .orElseThrow();
            try (LogLines log = new LogLines()) {
                Model model = exhibit.restore();
                assertThat(log.with("the updater Adapted, which is Preconditioned now"))
                        .hasSize(1);
                String json = model instanceof MultiLayerNetwork network
                        ? network.getLayerWiseConfigurations().toJson()
                        : ((ComputationGraph) model).getConfiguration().toJson();
                assertThat(json).contains(Preconditioned.class.getName()).doesNotContain("updater.Adapted");
            }
        }
    }
}
