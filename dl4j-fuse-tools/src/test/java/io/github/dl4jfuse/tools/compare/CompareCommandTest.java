package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.tools.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class CompareCommandTest {

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

    private int compare(int seeds, String... more) {
        List<String> args = new ArrayList<>(List.of(
                "compare",
                "--workloads",
                "regression",
                "--optimizers",
                "fuse-pv,dl4j-lbfgs",
                "--budget",
                "20",
                "--shares",
                "1",
                "--own-clock",
                "--seeds",
                String.valueOf(seeds),
                "--out",
                folder.toString()));
        args.addAll(List.of(more));
        return run(args.toArray(new String[0]));
    }

    private List<RunRecord> results() {
        return new ResultsFile(folder.resolve("results.jsonl")).runs();
    }

    @Test
    void runsInterleavedAndReports() throws IOException {
        assertThat(compare(2)).as("%s", err).isZero();
        assertThat(results())
                .extracting(RunRecord::contestant)
                .containsExactly("fuse-pv", "dl4j-lbfgs", "fuse-pv", "dl4j-lbfgs");
        assertThat(results()).extracting(RunRecord::seed).containsExactly(1L, 1L, 2L, 2L);
        RunRecord first = results().get(0);
        assertThat(first.settings()).startsWith("FusePv(learningRate=0.001");
        assertThat(first.machine()).contains("ND4J");
        assertThat(first.budget()).isEqualTo("20");
        assertThat(first.commit()).isNotEmpty();
        assertThat(first.checkpoints().size()).isGreaterThan(5);
        assertThat(out.toString()).contains("## regression").contains("| dl4j-lbfgs | 1 |");
        assertThat(Files.readString(folder.resolve("results.md"))).contains("## Verdict", "## regression");
        assertThat(Files.readString(folder.resolve("results.csv"))).startsWith("workload,contestant,seed");
        assertThat(Files.readString(folder.resolve("results.html")))
                .contains("<td>dl4j-lbfgs</td>")
                .contains("data:image/png;base64,")
                .contains(
                        "compare --workloads regression --optimizers fuse-pv,dl4j-lbfgs --budget 20 --shares 1 --own-clock --seeds 2<")
                .doesNotContain("{{")
                .doesNotContain("src=\"http");
    }

    @Test
    void goesOnWhereItStoppedEvenAfterALineThatWasCutOff() throws IOException {
        compare(1);
        List<RunRecord> before = results();
        Path file = folder.resolve("results.jsonl");
        String content = Files.readString(file);
        Files.writeString(file, content.substring(0, content.length() - 100));
        assertThat(compare(2, "--resume")).as("%s", err).isZero();
        List<RunRecord> after = results();
        assertThat(after).hasSize(4);
        assertThat(after.get(0)).as("what was finished stays to the letter").isEqualTo(before.get(0));
        assertThat(after.get(1).checkpoints())
                .as("what was cut off is done again, with the same losses")
                .extracting(RunRecord.Checkpoint::trainingLoss)
                .isEqualTo(before.get(1).checkpoints().stream()
                        .map(RunRecord.Checkpoint::trainingLoss)
                        .toList());
    }

    @Test
    void neverMixesBudgetsInOneTable() {
        compare(1);
        assertThat(run(
                        "compare",
                        "--workloads",
                        "regression",
                        "--optimizers",
                        "fuse-pv",
                        "--budget",
                        "10",
                        "--shares",
                        "1",
                        "--own-clock",
                        "--seeds",
                        "1",
                        "--out",
                        folder.toString(),
                        "--resume"))
                .as("%s", err)
                .isZero();
        assertThat(results()).hasSize(3);
        String last = out.toString().substring(out.toString().lastIndexOf("## regression"));
        assertThat(last).contains("| fuse-pv | 1 |").doesNotContain("dl4j-lbfgs");
    }

    @Test
    void neverOverwritesResults() throws IOException {
        compare(1);
        String content = Files.readString(folder.resolve("results.jsonl"));
        assertThat(compare(1)).isEqualTo(2);
        assertThat(err.toString())
                .contains("holds results already: add --resume")
                .hasLineCount(1);
        assertThat(Files.readString(folder.resolve("results.jsonl"))).isEqualTo(content);
    }

    @Test
    void aDamagedLineInTheMiddleIsNamedAndNothingIsLost() throws IOException {
        compare(1);
        Path file = folder.resolve("results.jsonl");
        String damaged = "{broken\n" + Files.readString(file);
        Files.writeString(file, damaged);
        assertThat(compare(1, "--resume")).isEqualTo(1);
        assertThat(err.toString())
                .contains("Line 1 of ")
                .contains("is not a run")
                .hasLineCount(1);
        assertThat(Files.readString(file)).isEqualTo(damaged);
    }

    @Test
    void saysWhereItCannotWrite() throws IOException {
        Path blocked = Files.writeString(folder.resolve("file"), "");
        assertThat(run(
                        "compare",
                        "--workloads",
                        "regression",
                        "--out",
                        blocked.resolve("x").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("name another folder with --out").hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({
        "--workloads mnist, There is no workload 'mnist'; there are fashion-mlp",
        "--workloads table:titanic, There is no small table 'titanic'; there are iris",
        "--optimizers sgd, There is no optimizer 'sgd'; there are adam",
        "--seeds 0, At least one seed is needed",
        "--seeds 1000, At most 999 seeds",
        "--trials 0, At least one trial",
        "--shares 2, above 0 and up to 1",
        "--workers 0, At least one worker",
        "--fast --full, mutually exclusive",
        "--budget 0, A budget is a positive number",
        "--budget much, A budget is a number of gradient evaluations",
        "--batch 0, A batch has at least one example",
        "--inputs purple, Invalid value for option '--inputs'",
    })
    void badInputGetsOneLineAndExitCode2(String options, String sentence) {
        assertThat(run(("compare --out " + folder + " " + options).split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(sentence).hasLineCount(1);
        assertThat(folder.resolve("results.jsonl")).doesNotExist();
    }

    @Test
    void listsWhatThereIs() {
        assertThat(run("compare", "--list")).isZero();
        assertThat(out.toString())
                .contains("fashion-mlp")
                .contains("fashion-cnn")
                .contains("regression")
                .contains("tables-raw")
                .contains("table:breast-cancer")
                .contains("fuse-pv");
    }

    @Test
    void takesTablesSplitBySplitWithTwoSeeds() {
        assertThat(run(
                        "compare",
                        "--workloads",
                        "table:iris,table:iris",
                        "--optimizers",
                        "adam,preconditioned",
                        "--budget",
                        "3",
                        "--out",
                        folder.toString()))
                .as("%s", err)
                .isZero();
        assertThat(results()).hasSize(10 * 2 * 2);
        assertThat(results()).extracting(RunRecord::workload).contains("table:iris#0", "table:iris#9");
        assertThat(out.toString())
                .contains("## small tables, standardised inputs", "| table | metric | adam | preconditioned |")
                .doesNotContain("## table", "| 1 |");
    }

    @Test
    void theFastFormTakesASubsetAndTheWholeFormIsTheDefault() {
        assertThat(compare(1)).isZero();
        assertThat(results()).extracting(RunRecord::full).containsOnly(true);
        assertThat(compare(1, "--full", "--resume")).isZero();
        assertThat(results()).as("--full changes nothing").hasSize(2);
        assertThat(compare(1, "--fast", "--resume")).isZero();
        assertThat(results()).extracting(RunRecord::full).containsExactly(true, true, false, false);
    }

    @Test
    void tunesWithASeedOfItsOwnAndRunsTheBestWithAll() {
        assertThat(run(
                        "compare",
                        "--workloads",
                        "iris",
                        "--optimizers",
                        "adamw,fuse-pv",
                        "--trials",
                        "3",
                        "--budget",
                        "24",
                        "--seeds",
                        "2",
                        "--own-clock",
                        "--out",
                        folder.toString()))
                .as("%s", err)
                .isZero();
        List<RunRecord> tuning = results().stream()
                .filter(run -> run.seed() == RunRecord.TUNING_SEED)
                .toList();
        assertThat(tuning).hasSize(3).allMatch(run -> run.family().equals("adamw"));
        String best = tuning.stream()
                .max(Comparator.comparingDouble(RunRecord::validation))
                .orElseThrow()
                .contestant();
        for (long seed : new long[] {1, 2}) {
            assertThat(results())
                    .filteredOn(run -> run.seed() == seed)
                    .extracting(RunRecord::contestant)
                    .containsExactly(best, "fuse-pv", best, "fuse-pv", best, "fuse-pv", best, "fuse-pv");
            assertThat(results())
                    .filteredOn(run -> run.seed() == seed)
                    .extracting(RunRecord::share)
                    .containsExactly(1.0, 1.0, .5, .5, .25, .25, .125, .125);
        }
        assertThat(results())
                .filteredOn(run -> run.share() == .5)
                .allMatch(run -> run.budget().equals("12") && run.end().gradients() >= 12);
        assertThat(out.toString()).contains("| " + best + " | 3 |");
    }

    @Test
    void variantsAreWorkloadsOfTheirOwn() {
        assertThat(run(
                        "compare",
                        "--workloads",
                        "fashion-mlp,iris",
                        "--fast",
                        "--optimizers",
                        "fuse-pv",
                        "--batch",
                        "128,1024",
                        "--inputs",
                        "unit,standardised",
                        "--budget",
                        "1",
                        "--shares",
                        "1",
                        "--own-clock",
                        "--seeds",
                        "1",
                        "--out",
                        folder.toString()))
                .as("%s", err)
                .isZero();
        assertThat(results())
                .extracting(RunRecord::workload)
                .containsExactly("fashion-mlp", "fashion-mlp+std", "fashion-mlp@1024", "fashion-mlp@1024+std", "iris");
        assertThat(results().get(1).checkpoints().get(0).trainingLoss())
                .isNotEqualTo(results().get(0).checkpoints().get(0).trainingLoss());
    }

    @Test
    void takesGivenRatesInsteadOfTheSweep() {
        int code = run(
                "compare",
                "--workloads",
                "regression",
                "--optimizers",
                "adamw,fuse-pv",
                "--rates",
                "1e-3,1e-2",
                "--shares",
                "1",
                "--own-clock",
                "--budget",
                "20",
                "--seeds",
                "1",
                "--out",
                folder.toString());
        assertThat(code).as("%s", err).isZero();
        assertThat(results())
                .extracting(RunRecord::contestant)
                .containsExactly("adamw 1.0e-03 linear", "adamw 1.0e-02 linear", "fuse-pv");
        assertThat(out.toString()).contains("| adamw 1.0e-02 linear | 2 |").doesNotContain("| adamw 1.0e-03 linear |");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {"adamw; -1; positive numbers", "adamw; NaN; positive numbers"})
    void refusesRatesThatMakeNoSense(String optimizer, String rate, String words) {
        int code = run("compare", "--optimizers", optimizer, "--rates", rate, "--out", folder.toString());
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(words).hasLineCount(1);
    }
}
