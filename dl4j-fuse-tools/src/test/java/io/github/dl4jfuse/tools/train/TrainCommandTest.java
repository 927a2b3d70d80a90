package io.github.dl4jfuse.tools.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.tools.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command line, from its options to the table and the report. */
class TrainCommandTest {

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

    /** Columns of a table row: epochs, gradient evaluations, seconds, loss, accuracy. */
    private List<String> row(String name) {
        Matcher matcher = Pattern.compile(
                        "^" + Pattern.quote(name) + " +(\\d+) +([\\d,]+) +([\\d.]+) +([\\d.]+) +([\\d.]+) %  (.*)$",
                        Pattern.MULTILINE)
                .matcher(out.toString());
        assertThat(matcher.find()).as("row %s in%n%s", name, out).isTrue();
        return List.of(
                matcher.group(1),
                matcher.group(2),
                matcher.group(3),
                matcher.group(4),
                matcher.group(5),
                matcher.group(6));
    }

    @Test
    void trainsBothAndWritesTheReport() throws IOException {
        Path report = folder.resolve("new").resolve("report.html");
        assertThat(run(
                        "train",
                        "--epochs",
                        "2",
                        "--batch",
                        "500",
                        "--switch",
                        "epoch:1",
                        "--report",
                        report.toString()))
                .as("%s", err)
                .isZero();
        assertThat(out.toString())
                .contains("ND4J ")
                .contains("Fashion-MNIST, 6,000/1,000 subset: 6,000 training and 1,000 test images")
                .contains("MLP, 235,146 parameters, batch 500, seed 1")
                .contains("Report: " + report);
        List<String> adam = row("Adam");
        List<String> fuse = row("FUSE-PV");
        List<String> continued = row("Adam, continued");
        assertThat(adam.get(0)).isEqualTo("2");
        assertThat(adam.get(1)).isEqualTo("24");
        assertThat(Integer.parseInt(fuse.get(1)))
                .as("an L-BFGS step takes two or more")
                .isGreaterThanOrEqualTo(36);
        assertThat(Integer.parseInt(continued.get(1))).isGreaterThanOrEqualTo(Integer.parseInt(fuse.get(1)));
        assertThat(Double.parseDouble(fuse.get(3))).as("training loss").isBetween(0.0, 1.5);
        assertThat(Double.parseDouble(fuse.get(4))).as("test accuracy").isBetween(50.0, 100.0);
        assertThat(fuse.get(5)).contains("iteration 12: epoch 1 was reached").contains("12 L-BFGS steps");

        String html = Files.readString(report);
        assertThat(html).contains("<td>FUSE-PV</td><td>2</td>").contains("--switch epoch:1");
        assertThat(html).doesNotContain("{{").doesNotContain("<script").doesNotContain("src=\"http");
        assertThat(Pattern.compile("data:image/png;base64,")
                        .matcher(html)
                        .results()
                        .count())
                .isEqualTo(3);
    }

    @Test
    void neverSwitchingEqualsAdam() {
        run(
                "train",
                "--epochs",
                "1",
                "--batch",
                "600",
                "--seed",
                "7",
                "--report",
                folder.resolve("r.html").toString());
        assertThat(row("FUSE-PV").subList(3, 5)).isEqualTo(row("Adam").subList(3, 5));
        assertThat(row("FUSE-PV").get(5)).isEqualTo("never (EPOCH(5.0) was not met)");
    }

    @Test
    void trainsTheConvolutionalNetwork() throws IOException {
        for (String part : List.of("train", "t10k")) {
            ByteBuffer labels = ByteBuffer.allocate(8 + 400).putInt(0x0801).putInt(400);
            ByteBuffer images = ByteBuffer.allocate(16 + 400 * 784);
            images.putInt(0x0803).putInt(400).putInt(28).putInt(28);
            for (int i = 0; i < 400; i++) {
                labels.put((byte) (i % 10));
                for (int pixel = 0; pixel < 784; pixel++) {
                    images.put((byte) (i + pixel));
                }
            }
            Files.write(folder.resolve(part + "-labels-idx1-ubyte"), labels.array());
            Files.write(folder.resolve(part + "-images-idx3-ubyte"), images.array());
        }
        assertThat(run(
                        "train",
                        "--model",
                        "cnn",
                        "--data",
                        folder.toString(),
                        "--epochs",
                        "1",
                        "--batch",
                        "40",
                        "--switch",
                        "iteration:8",
                        "--report",
                        folder.resolve("r.html").toString()))
                .as("%s", err)
                .isZero();
        assertThat(row("FUSE-PV").get(5)).contains("2 L-BFGS steps");
    }

    @ParameterizedTest
    @CsvSource({
        "--epochs 0, --epochs must be at least 1",
        "--batch 0, --batch must be at least 1",
        "--epochs many, 'many' is not an int",
        "--learning-rate -1, --learning-rate must be positive",
        "--learning-rate NaN, --learning-rate must be positive",
        "--model transformer, expected one of [MLP, CNN]",
        "--dataset mnist, 'mnist' is neither fashion-mnist nor cifar10",
        "--dataset cifar10 --data subset, --data subset exists for fashion-mnist only",
        "--data /nowhere/at/all, --data must be subset, full or an existing folder",
        "--switch soon, 'soon' is none of epoch:5",
        "--switch epoch:-1, whole number of epochs",
        "--switch loss:low, 'loss:low' is none of epoch:5",
        "--unknown, Unknown option: '--unknown'",
        "--report ., --report names a folder",
    })
    void aBadOptionGetsOneLineAndExitCode2(String options, String sentence) {
        assertThat(run(("train " + options).split(" "))).isEqualTo(2);
        assertThat(err.toString().lines()).hasSize(1);
        assertThat(err.toString()).contains(sentence);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void withoutACommandItSaysWhichThereAre() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).startsWith("Name a command: train, compare, doctor or gpu.");
    }

    @Test
    void damagedDataGetsOneLineAndExitCode1() throws IOException {
        Path data = Files.createDirectory(folder.resolve("data"));
        for (String name : List.of("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")) {
            Files.write(data.resolve(name + "-ubyte"), new byte[] {1, 2, 3});
        }
        assertThat(run("train", "--data", data.toString())).isEqualTo(1);
        assertThat(err.toString().lines()).hasSize(1);
        assertThat(err.toString()).contains("-ubyte");
    }

    @Test
    void helpNamesEveryOption() {
        assertThat(run("train", "--help")).isZero();
        assertThat(out.toString())
                .contains(
                        "--dataset",
                        "--data",
                        "--model",
                        "--epochs",
                        "--batch",
                        "--seed",
                        "--learning-rate",
                        "--switch",
                        "--report",
                        "--help");
    }
}
