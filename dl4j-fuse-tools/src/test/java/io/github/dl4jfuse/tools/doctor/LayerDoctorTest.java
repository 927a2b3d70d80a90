package io.github.dl4jfuse.tools.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.Main;
import io.github.dl4jfuse.tools.doctor.StepTable.Row;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class LayerDoctorTest {

    private static final Limit LIMIT = new Limit(100, 10, 16);

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(args);
    }

    private String saved(Model network) throws IOException {
        File file = folder.resolve("model.zip").toFile();
        ModelSerializer.writeModel(network, file, true);
        return file.toString();
    }

    private static Row row(String name, long channels, boolean ours, double time, double operations, double bytes) {
        return new Row(name, "Layer", channels, ours, ours ? "" : "reason", time, time, new Work(operations, 0, bytes));
    }

    @Test
    void aModelsTableHasEachLayerOnceAndGoesIntoTheReportWithThePairedRatio() throws IOException {
        Path report = folder.resolve("layers.html");
        String model = saved(DoctorNetworks.convolutional());
        assertThat(run(
                        "doctor",
                        "--layers",
                        model,
                        "--shape=3,10,8",
                        "--batch=4",
                        "--against=dl4j",
                        "--seconds=0.1",
                        "--report=" + report))
                .as("%s", err)
                .isZero();
        String printed = out.toString();
        assertThat(printed.lines().findFirst().orElseThrow()).contains("Measures the layers", "seconds");
        assertThat(printed)
                .contains("batch 4, random examples of shape [3, 10, 8]")
                .containsOnlyOnce("conv  ")
                .containsOnlyOnce("dense  ")
                .containsPattern("conv +ConvolutionLayer +oneDNN \\(ours\\) +[\\d.]+ +[\\d.]+ +\\d+ % +[\\d.]+ +\\d+ %")
                .containsPattern("SubsamplingLayer +oneDNN \\(ours\\) .* - +-")
                .containsPattern("out +OutputLayer +oneDNN \\(ours\\) ")
                .containsPattern("dense +DenseLayer +DL4J ")
                .contains("dense is DL4J's: its activation function is elu(alpha=1.0).")
                .containsPattern(
                        "(?s)all layers +[\\d.]+ ms.*updater +[\\d.]+ ms.*the step measured by itself +[\\d.]+ ms")
                .containsPattern(
                        "DL4J [\\d.]+ ms, attached [\\d.]+ ms, ratio of a pair [\\d.]+ \\(95 % interval [\\d.]+ to");
        assertThat(Files.readString(report))
                .contains("<td>conv</td>", "<td>SubsamplingLayer</td>", "<td>updater</td>", "data:image/png;base64,")
                .contains("ratio of a pair", "--batch");
    }

    @Test
    void aGraphTellsTheShapesOfItsInputsAndItsVerticesAreNamed() throws IOException {
        StepTable table = new LayerDoctor(Subject.of(saved(DoctorNetworks.graph()), 4, List.of()), 0.05).table();
        assertThat(table.rows()).extracting(Row::name).containsExactlyInAnyOrder("a", "b", "out");
        assertThat(table.rows()).allMatch(Row::ours);
    }

    @Test
    void aNetworkInDoubleHasATableAndTheReasonWhyNothingIsOurs() throws IOException {
        StepTable table = new LayerDoctor(Subject.of(saved(DoctorNetworks.doubles()), 4, List.of()), 0.05).table();
        assertThat(table.rows()).hasSize(2).noneMatch(Row::ours);
        assertThat(table.sentences()).anyMatch(sentence -> sentence.contains("the network is in DOUBLE"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    --layers=nonsense             | there is no workload 'nonsense'; there are fashion-mlp
                    --layers=missing.zip          | There is no file
                    --layers=iris --shape=4       | leave --shape out
                    --layers=iris --shape=4,x     | --shape is a list of whole numbers
                    --layers=iris --batch=0       | --batch must be at least 1
                    --layers=iris --against=torch | --against takes dl4j, not torch
                    --layers=iris --tune          | ask for one at a time
                    --batch=4                     | go with --layers
                    """)
    void whatMakesNoSenseIsRefusedInOneSentence(String arguments, String sentence) {
        assertThat(run(("doctor " + arguments).split(" "))).isNotZero();
        assertThat(err.toString()).containsIgnoringCase(sentence).hasLineCount(1);
    }

    @Test
    void aModelThatDoesNotSayItsShapeOrIsNoneOrGetsAWrongShapeIsRefusedInOneSentence() throws IOException {
        String model = saved(DoctorNetworks.convolutional());
        assertThat(run("doctor", "--layers", model)).isEqualTo(1);
        assertThat(err.toString())
                .contains("model.zip does not say which shape its examples have", "--shape", "3,32,32")
                .hasLineCount(1);
        err.getBuffer().setLength(0);
        assertThat(run("doctor", "--layers", model, "--shape=4,10,8")).isEqualTo(1);
        assertThat(err.toString())
                .contains("takes no step on random examples of shape [4, 10, 8]")
                .hasLineCount(1);
        err.getBuffer().setLength(0);
        Path none = Files.writeString(folder.resolve("none.zip"), "no zip");
        assertThat(run("doctor", "--layers", none.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("is no saved model").hasLineCount(1);
    }

    @Test
    void theCausesFollowFromTheNumbers() {
        StepTable table = new StepTable(
                List.of(
                        row("near", 3, true, 1, 2e8, 1e6), // 100 GFLOP/s
                        row("few", 3, true, 1, 2e7, 1e6), // 10
                        row("moving", 32, true, 1, 2e7, 1.8e7), // 1.8 of 2 ms at 10 GB/s
                        row("calling", 3, true, 1, 2e6, 1e6), // 16 / 3 of 0.02 ms is far from 2
                        row("theirs", 0, false, 1, 0, 1e6)),
                2,
                1,
                13,
                1.05,
                LIMIT,
                "");
        assertThat(table.sum()).isCloseTo(13, within(1e-12));
        assertThat(table.cells(table.rows().get(1)))
                .containsExactly("few", "Layer", "oneDNN (ours)", "1.000", "1.000", "15 %", "10.0", "10 %");
        List<String> sentences = table.sentences();
        assertThat(sentences).noneMatch(sentence -> sentence.startsWith("near "));
        assertThat(sentences)
                .contains("theirs is DL4J's: reason.")
                .contains("few reaches 10 % of the limit: few channels, 3 of the 16 numbers that a vector register"
                        + " holds.")
                .contains(
                        "moving reaches 10 % of the limit: memory decides, as reading and writing 18.0 MB takes 1.800 of"
                                + " its 2.000 ms at the rate of a copy.")
                .anyMatch(sentence -> sentence.startsWith("calling reaches 1 % of the limit: its products take 0.020"));
        assertThat(sentences).noneMatch(sentence -> sentence.contains("measured by itself"));
        assertThat(sentences).contains("A step with clocks around its layers takes 1.05 times one without, in turn.");
        assertThat(new StepTable(table.rows(), 2, 1, 20, 1.05, LIMIT, "").sentences())
                .anyMatch(sentence -> sentence.startsWith("The sum is 65 % of the step measured by itself"));
    }
}
