package io.github.dl4jfuse.examples.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

/** Each program for DL4J's maintainers shows its defect: where one no longer does, docs/upstream.md is out of date. */
class UpstreamTest {

    private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?(e[+-]?\\d+)?");

    private static List<String> lines(Consumer<String[]> main) {
        PrintStream before = System.out;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
        try {
            main.accept(new String[0]);
        } finally {
            System.setOut(before);
        }
        return written.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private static String lineWith(Consumer<String[]> main, String words) {
        return lines(main).stream()
                .filter(line -> line.contains(words))
                .findFirst()
                .orElseThrow(() -> new AssertionError("No line with: " + words));
    }

    private static double lastNumber(String line) {
        double last = Double.NaN;
        Matcher numbers = NUMBER.matcher(line);
        while (numbers.find()) {
            last = Double.parseDouble(numbers.group());
        }
        return last;
    }

    @Test
    void forwardPassesAreComputedTwice() {
        assertThat(lineWith(ForwardTwice::main, "in one step of fit")).endsWith(": 2");
        assertThat(lineWith(ForwardTwice::main, "network's input")).contains(": 49152 numbers");
    }

    @Test
    void weightDecayIsDoubled() {
        assertThat(lineWith(WeightDecayDoubled::main, "network's builder")).contains("2 regularization(s)");
    }

    @Test
    void batchNormalizationHasNoActivation() {
        assertThat(lastNumber(lineWith(BatchNormWithoutActivation::main, "with RELU")))
                .isNegative();
    }

    @Test
    void anActivationLayerOverwritesWhatIsBefore() {
        String right = lineWith(ActivationOverwrites::main, "feedForwardToLayer");
        String wrong = lineWith(ActivationOverwrites::main, "feedForward(..)");
        assertThat(right.substring(right.indexOf("[["))).contains("-");
        assertThat(wrong.substring(wrong.indexOf("[["))).doesNotContain("-");
    }

    @Test
    void parametersOfVerticesAreNotCounted() {
        assertThat(lastNumber(lineWith(VertexParametersNotCounted::main, "numParams(): ")))
                .isLessThan(lastNumber(lineWith(VertexParametersNotCounted::main, "params().length()")));
    }

    @Test
    void nanIsTakenForAThreshold() {
        assertThat(lineWith(NanTakenForThreshold::main, "muli(Double.NaN)")).contains("1e-5");
    }

    @Test
    void biasesHaveNoiseInUse() {
        String line = lineWith(BiasNoiseInUse::main, "true");
        String[] outputs = line.substring(line.indexOf("[[")).split(" and ");
        assertThat(outputs[0]).isNotEqualTo(outputs[1]);
    }

    @Test
    void noiseReachesTheOtherBranch() {
        String line = lineWith(NoiseOnAnotherBranch::main, "as is");
        Matcher numbers = NUMBER.matcher(line);
        assertThat(numbers.find()).isTrue();
        assertThat(Double.parseDouble(numbers.group()) / lastNumber(line)).isBetween(0.5, 0.7);
        assertThat(lineWith(NoiseOnAnotherBranch::main, "off")).containsPattern("gradient (-?[\\d.]+), by.*\\1$");
    }

    @Test
    void viewsAreMisread() {
        assumeTrue(
                Nd4j.getBackend().buildInfo().toUpperCase(Locale.ROOT).contains("ONEDNN"),
                "the backend was built without oneDNN");
        assertThat(lastNumber(lineWith(NhwcViewsMisread::main, "FLOAT"))).isNotEqualTo(0);
        assertThat(lastNumber(lineWith(NhwcViewsMisread::main, "DOUBLE"))).isZero();
    }

    @Test
    void aNetworksOwnGradientIsTakenForAnothers() {
        assertThat(lineWith(GradientTakenForAnothers::main, "own array")).endsWith("true");
        assertThat(lineWith(GradientTakenForAnothers::main, "another network's"))
                .endsWith("true");
    }
}
