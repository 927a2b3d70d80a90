package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.tools.Main;
import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Runner.Reading;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import io.github.dl4jfuse.tools.networks.Networks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Programs that say prepared lines, and PyTorch's where it is installed. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the programs are shell scripts")
class PeerTest {

    private static final int IRIS_BYTES = 150 * (4 * Float.BYTES + Long.BYTES);

    private static final String RUN = "{\"failure\": \"\", \"steps\": 20, \"extraBytes\": 7, \"checkpoints\": ["
            + reading(0, 0.3) + ", " + reading(10, 0.9) + ", " + reading(20, 0.95) + "]}";

    private static final long SEED = 7;

    private static final Path SCRIPT = Path.of("src/main/python/compare_peer.py");

    @TempDir
    Path folder;

    private Path log;

    @BeforeEach
    void place() {
        log = folder.resolve("log");
    }

    private static String reading(int steps, double accuracy) {
        return String.format(
                Locale.ROOT,
                "{\"gradients\": %d, \"seconds\": 1, \"steps\": {\"1\": %1$d}, \"trainingLoss\": 1, \"validationLoss\": 1,"
                        + " \"validationAccuracy\": %f, \"testLoss\": \"NaN\", \"testAccuracy\": %2$f, \"measured\": {}}",
                steps,
                accuracy);
    }

    /** A program that takes Iris and notes what it is asked. */
    private Path program(String onRun) throws IOException {
        return answering(onRun, "echo '{\"steps\": 10, \"seconds\": 0.02}'");
    }

    private Path answering(String onRun, String onBlock) throws IOException {
        return program(
                "echo started >> " + log,
                "read -r first",
                "echo '{\"ready\": true}'",
                "head -c " + IRIS_BYTES + " > /dev/null",
                "echo '{\"machine\": \"a small machine\"}'",
                "while read -r request; do",
                "  echo \"$request\" >> " + log,
                "  case \"$request\" in",
                "    *'\"do\":\"run\"'*) " + onRun + " ;;",
                "    *) " + onBlock + " ;;",
                "  esac",
                "done");
    }

    private Path program(String... lines) throws IOException {
        Path program = folder.resolve("peer.sh");
        Files.writeString(program, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        return program;
    }

    private Comparison comparison(Path program, int seeds) {
        return Comparison.of(List.of(Workloads.IRIS))
                .optimizers("adamw")
                .trials(3)
                .seeds(seeds)
                .shares(1.0)
                .budget("20")
                .clocked(false)
                .out(folder.resolve("out"))
                .resume(true)
                .peer(program);
    }

    private List<JsonNode> asked(String what) throws IOException {
        List<JsonNode> requests = new ArrayList<>();
        for (String line : Files.readAllLines(log)) {
            if (line.contains("\"do\":\"" + what + "\"")) {
                requests.add(new ObjectMapper().readTree(line));
            }
        }
        return requests;
    }

    private List<RunRecord> kept() {
        return new ResultsFile(folder.resolve("out").resolve(Comparison.RESULTS)).runs();
    }

    @Test
    void itsRunsAndCostsStandBesideTheOthers() throws IOException {
        Comparison.Outcome outcome =
                comparison(program("echo '" + RUN + "'"), 2).clocked(true).run();
        Row row = outcome.summaries().get(0).rows().get(1);
        assertThat(row.family()).isEqualTo("pytorch-adamw");
        assertThat(row.tried()).isEqualTo(3);
        assertThat(row.test().median()).isEqualTo(0.95);
        assertThat(row.millisecondsPerStep()).as("20 ms for 10 steps").isEqualTo(2);
        assertThat(row.extraBytes()).isEqualTo(7);
        assertThat(row.runs().get(0).machine()).isEqualTo("a small machine");
        assertThat(row.curves().get(0).costs().machine()).isEqualTo("a small machine");
        assertThat(outcome.summaries().get(0).baseline().runs().get(0).machine())
                .contains("ND4J");
        assertThat(outcome.markdown())
                .contains("pytorch-adamw alone draws weights")
                .contains("What a whole switch to PyTorch with tuned AdamW would bring: pytorch-adamw, time to");
        assertThat(asked("run")).as("3 to tune, 2 seeds, and on the clock").hasSize(5 + CostMeter.CHECKS);
    }

    @Test
    void itTriesTheBaselinesSettingsAndIsAskedForWhatOthersRun() throws IOException {
        assertThat(Peer.family().trials(27))
                .extracting(Contestant::setting)
                .isEqualTo(Families.named("adamw").trials(27).stream()
                        .map(Contestant::setting)
                        .toList());
        comparison(program("echo '" + RUN + "'"), 1).run();
        List<Setting> settings = new ArrayList<>();
        for (JsonNode request : asked("run").subList(0, 3)) {
            assertThat(request.get("seed").asLong()).isEqualTo(RunRecord.TUNING_SEED);
            assertThat(request.get("readings").asInt()).isZero();
            JsonNode setting = request.get("setting");
            settings.add(new Setting(
                    setting.get("rate").asDouble(),
                    Shape.valueOf(setting.get("shape").asText().toUpperCase(Locale.ROOT)),
                    setting.get("decay").asDouble(),
                    setting.get("dropout").asDouble(),
                    Double.NaN));
        }
        assertThat(settings).isEqualTo(SearchSpace.of(1e-3, 2e-4, 2e-2).trials(3));
        JsonNode last = asked("run").get(3);
        assertThat(last.get("seed").asLong()).isEqualTo(1);
        assertThat(last.get("readings").asInt()).isEqualTo(Workload.CHECKPOINTS);
        assertThat(last.get("budget").get("amount").asDouble()).isEqualTo(20);
    }

    @Test
    void onlyWhatIsMissingIsAskedFor() throws IOException {
        Path program = program("echo '" + RUN + "'");
        comparison(program, 1).run();
        assertThat(asked("run")).hasSize(4);
        comparison(program, 1).run();
        assertThat(Files.readAllLines(log)).as("not even started").hasSize(5);
        comparison(program, 2).run();
        assertThat(asked("run")).hasSize(5);
        Files.writeString(program, Files.readString(program) + "# another program\n");
        comparison(program, 2).run();
        assertThat(asked("run")).hasSize(10);
    }

    @Test
    void oneThatFailsInTheMiddleIsLeftOutAndGoesOnLater() throws IOException {
        Comparison.Outcome outcome = comparison(
                        program("[ $(grep -c run " + log + ") -lt 3 ] && echo '" + RUN + "' || exit 3"), 1)
                .run();
        assertThat(outcome.summaries().get(0).rows()).extracting(Row::family).containsExactly("adamw");
        assertThat(outcome.markdown()).contains("| adamw ").doesNotContain("pytorch");
        assertThat(kept())
                .filteredOn(run -> run.family().equals("pytorch-adamw"))
                .hasSize(2);
        assertThat(kept()).filteredOn(run -> run.family().equals("adamw")).hasSize(4);
    }

    @Test
    void oneThatFailsOnTheClockIsLeftOutToo() throws IOException {
        Path program = answering("echo '" + RUN + "'", "exit 4");
        Comparison.Outcome outcome = comparison(program, 1).clocked(true).run();
        Row only = outcome.summaries().get(0).baseline();
        assertThat(outcome.summaries().get(0).rows()).containsExactly(only);
        assertThat(only.curves().get(0).costs().contestant()).isEqualTo(only.contestant());
    }

    @Test
    void theCommandTakesAPeer() throws IOException {
        int code = Main.commandLine()
                .execute(
                        "compare",
                        "--workloads",
                        "iris",
                        "--trials",
                        "1",
                        "--seeds",
                        "1",
                        "--shares",
                        "1",
                        "--budget",
                        "5",
                        "--own-clock",
                        "--peer",
                        program("echo '" + RUN + "'").toString(),
                        "--out",
                        folder.resolve("out").toString());
        assertThat(code).isZero();
        assertThat(kept())
                .extracting(RunRecord::family)
                .containsExactlyInAnyOrder("adamw", "preconditioned", "pytorch-adamw");
    }

    private PeerProcess start(Path program) {
        return new PeerProcess(program, Workloads.IRIS, Workloads.IRIS.data(true));
    }

    @Test
    void saysInASentenceWhyItFailed() throws IOException {
        Path fails = program("echo first >&2", "echo 'there is no PyTorch' >&2", "echo >&2", "exit 3");
        assertThatThrownBy(() -> start(fails))
                .hasMessage("the program " + fails + " ended with exit code 3: there is no PyTorch");
        Path talks = program("read -r first", "echo hello");
        assertThatThrownBy(() -> start(talks)).hasMessageEndingWith("answered 'hello', which is no JSON");
        Path none = folder.resolve("none");
        assertThatThrownBy(() -> start(none)).hasMessageStartingWith("the program " + none + " cannot be started");
        Path answersOther = program("read -r first", "echo '{\"steps\": 3}'");
        assertThat(comparison(answersOther, 1).run().summaries().get(0).rows())
                .extracting(Row::family)
                .containsExactly("adamw");
    }

    /** PyTorch's moments take 8 bytes for each parameter. */
    @ParameterizedTest
    @ValueSource(strings = {"fashion-mlp", "fashion-2c2d", "fashion-lenet", "cifar-3c3d"})
    void theScriptHasTheSameNetworks(String name) {
        Workload workload = Workloads.named(name);
        long[] shape = new long[workload.example().length + 1];
        shape[0] = 20;
        System.arraycopy(workload.example(), 0, shape, 1, workload.example().length);
        DataSet images = new DataSet(Nd4j.rand(SEED, shape), Nd4j.eye(10).repeat(0, 2));
        FixedBatches batches = FixedBatches.whole(images);
        Contestant contestant = Peer.family().members().get(0);
        try (Peer peer = new Peer(SCRIPT)) {
            Runner.Course course = peer.run(
                            workload,
                            new Workload.Split(batches, batches, batches),
                            contestant,
                            1,
                            Budget.gradients(30),
                            Reading.EVERYTHING)
                    .course();
            Model network = Networks.network(workload.architecture(1), new Adam());
            assertThat(course.extraBytes()).isEqualTo(8 * network.numParams());
            List<Checkpoint> read = course.checkpoints();
            assertThat(read).hasSize(1 + workload.checkpoints());
            assertThat(read.get(workload.checkpoints()).trainingLoss())
                    .isLessThan(read.get(0).trainingLoss());
        } catch (Peer.Failure e) {
            assumeThat(e.getMessage())
                    .as("without PyTorch")
                    .doesNotContain("PyTorch is not there", "cannot be started");
            throw e;
        }
    }
}
