package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.tools.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A saved model of one's own and data from files. */
class OwnModelTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    Path folder;

    private Path model() throws IOException {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(3)
                        .nOut(8)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        Path file = folder.resolve("model.zip");
        network.save(file.toFile());
        return file;
    }

    private Path table(String name, int lines, long seed) throws IOException {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder("a,b,c,class\n");
        for (int i = 0; i < lines; i++) {
            double a = random.nextGaussian();
            double b = random.nextGaussian();
            text.append(a)
                    .append(',')
                    .append(b)
                    .append(",1,")
                    .append(a > b ? 1 : 0)
                    .append('\n');
        }
        return Files.writeString(folder.resolve(name), text);
    }

    private int run(String... args) {
        return Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    @Test
    void aSavedModelIsComparedAndAdviceIsGiven() throws IOException {
        int code = run(
                "compare",
                "--model",
                model().toString(),
                "--train",
                table("train.csv", 200, 1).toString(),
                "--test",
                table("test.csv", 100, 2).toString(),
                "--trials",
                "3",
                "--seeds",
                "2",
                "--minutes",
                "0.02",
                "--out",
                folder.resolve("report").toString());
        assertThat(code).as("%s", err).isZero();
        assertThat(out.toString())
                .contains("own network of 2 layers, batch 32")
                .contains("A step takes ")
                .containsAnyOf(
                        "A gain: Preconditioned, time to tuned AdamW's test metric:",
                        "No gain was found (time to tuned AdamW's test metric:");
        List<RunRecord> runs = new ResultsFile(folder.resolve("report/results.jsonl")).runs();
        assertThat(runs).extracting(RunRecord::family).contains("adamw", "preconditioned");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "1,2,3,0|1,2,x,0; 'x' in column 3, which is no number",
                "1,2,3,0|1,2,0; has 3 columns",
                "1,2,3,2; ends in class 2.0; the network knows",
                "0; has 1 columns",
                "a,b; holds no examples",
            })
    void saysWhatIsWrongInATable(String lines, String words) throws IOException {
        Path file = Files.writeString(folder.resolve("bad.csv"), lines.replace('|', '\n'));
        assertThatThrownBy(() -> OwnData.read(file, 2, true, 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(words);
    }

    @Test
    void readsTargetsAndSavedBatches() throws IOException {
        Path file = Files.writeString(folder.resolve("t.csv"), "1,2,.5,.25\n3,4,-.5,7\n");
        DataSet table = OwnData.read(file, 2, false, 10).get(0);
        assertThat(table.getFeatures().toFloatMatrix()).isDeepEqualTo(new float[][] {{1, 2}, {3, 4}});
        assertThat(table.getLabels().toFloatMatrix()).isDeepEqualTo(new float[][] {{.5f, .25f}, {-.5f, 7}});
        assertThat(OwnData.read(file, 2, false, 1)).hasSize(2);
        Path batches = Files.createDirectory(folder.resolve("batches"));
        for (int i = 0; i < 3; i++) {
            new DataSet(Nd4j.valueArrayOf(new long[] {4, 3}, i), Nd4j.ones(4, 2))
                    .save(batches.resolve("batch-" + i + ".bin").toFile());
        }
        List<DataSet> read = OwnData.read(batches, 2, true, 10);
        assertThat(read).extracting(batch -> batch.getFeatures().getInt(0)).containsExactly(0, 1, 2);
        Files.writeString(batches.resolve("notes.txt"), "not a batch");
        assertThatThrownBy(() -> OwnData.read(batches, 2, true, 10)).hasMessageContaining("notes.txt is no DataSet");
        assertThatThrownBy(() -> OwnData.read(folder.resolve("none"), 2, true, 10))
                .hasMessageContaining("There is no file or folder");
    }

    @Test
    void aModelWantsItsData() throws IOException {
        assertThat(run("compare", "--model", model().toString(), "--out", folder.toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--train").contains("--test");
        assertThat(run(
                        "compare",
                        "--model",
                        "none.zip",
                        "--train",
                        "a.csv",
                        "--test",
                        "b.csv",
                        "--out",
                        folder.toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("There is no file none.zip");
    }
}
