package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Figures from runs written by hand. */
class SummaryTest {

    private static final String WORKLOAD = "w";

    /** A run of 10, 20, .. plain steps and 1, 2, .. seconds on its clock, with the given test accuracies in per cent. */
    private static RunRecord run(String contestant, long seed, double share, double... accuracies) {
        return run(WORKLOAD, contestant, seed, share, "", .8, accuracies);
    }

    private static RunRecord run(
            String workload,
            String contestant,
            long seed,
            double share,
            String failure,
            double validation,
            double... accuracies) {
        List<Checkpoint> checkpoints = new ArrayList<>();
        checkpoints.add(checkpoint(0, .1, .1));
        for (int i = 0; i < accuracies.length; i++) {
            checkpoints.add(checkpoint(i + 1, validation, accuracies[i] / 100));
        }
        return new RunRecord(
                workload,
                true,
                "net and data",
                contestant,
                contestant.split(" ", 2)[0],
                "",
                seed,
                "30",
                share,
                "c",
                "m",
                failure,
                10L * accuracies.length,
                8,
                null,
                checkpoints);
    }

    private static Checkpoint checkpoint(int i, double validation, double accuracy) {
        return new Checkpoint(
                10L * i, i, Map.of(StepKind.PLAIN, 10L * i), 1 - accuracy, .5, validation, .6, accuracy, Map.of());
    }

    /** AdamW ends at 80, 82 and 81, so that the target is 81, on which it stands after 3 seconds in the median. */
    private static List<RunRecord> with(RunRecord... more) {
        List<RunRecord> runs = new ArrayList<>(List.of(
                run("adamw", 1, 1, 60, 70, 80), run("adamw", 2, 1, 60, 70, 82), run("adamw", 3, 1, 60, 70, 81)));
        runs.addAll(List.of(more));
        return runs;
    }

    private static Summary summary(RunRecord... more) {
        return Summary.of(with(more)).get(0);
    }

    private static Row ours(RunRecord... more) {
        return summary(more).rows().stream()
                .filter(row -> row.family().equals("ours"))
                .findFirst()
                .orElseThrow();
    }

    private static RunRecord[] threeSeeds(String contestant, double share, double... accuracies) {
        return new RunRecord[] {
            run(contestant, 1, share, accuracies),
            run(contestant, 2, share, accuracies),
            run(contestant, 3, share, accuracies)
        };
    }

    @Test
    void theTargetIsTheBaselinesMedianTestAtTheEnd() {
        Summary summary = summary();
        assertThat(summary.target()).isEqualTo(.81);
        assertThat(summary.baseline().toTarget().reached()).isTrue();
        assertThat(summary.baseline().toTarget().seconds()).isEqualTo(3);
        assertThat(summary.baseline().toTarget().perSeed()).containsExactly(Double.POSITIVE_INFINITY, 3.0, 3.0);
        assertThat(summary.baseline().test().median()).isEqualTo(.81);
    }

    @Test
    void theFirstOfTwoReadingsInARowCounts() {
        assertThat(ours(threeSeeds("ours", 1, 85, 70, 82, 83, 82)).toTarget().seconds())
                .as("a lucky reading alone does not count")
                .isEqualTo(3);
        assertThat(ours(threeSeeds("ours", 1, 70, 70, 82)).toTarget().seconds())
                .as("but the last one does, which is what stays")
                .isEqualTo(3);
        assertThat(ours(threeSeeds("ours", 1, 70, 82, 70)).toTarget().reached()).isFalse();
    }

    @Test
    void theMedianCurveDecidesAndHalfOfTheSeedsHaveToGetThere() {
        TimeToTarget time = ours(
                        run("ours", 1, 1, 90, 90, 90), run("ours", 2, 1, 70, 81, 82), run("ours", 3, 1, 70, 70, 70))
                .toTarget();
        assertThat(time.reached()).isTrue();
        assertThat(time.seconds()).isEqualTo(2);
        assertThat(time.steps()).isEqualTo(20);
        assertThat(time.gradients()).isEqualTo(20);
        assertThat(time.perSeed()).containsExactly(1.0, 2.0, Double.POSITIVE_INFINITY);
        TimeToTarget few = ours(
                        run("ours", 1, 1, 90, 90, 90),
                        run("ours", 2, 1, 70, 85, 70, 85, 70),
                        run("ours", 3, 1, 70, 70, 85, 70, 85, 70))
                .toTarget();
        assertThat(few.reached()).as("one seed of three").isFalse();
    }

    @Test
    void theBudgetWhereTheTargetComesSoonestCountsForAllByTheSameRule() {
        List<RunRecord> runs = new ArrayList<>(List.of(threeSeeds("ours", 1, 60, 70, 80, 82, 83)));
        runs.addAll(List.of(threeSeeds("ours", .5, 75, 82, 82)));
        runs.addAll(List.of(threeSeeds("ours", .25, 75)));
        TimeToTarget time = ours(runs.toArray(RunRecord[]::new)).toTarget();
        assertThat(time.share()).isEqualTo(.5);
        assertThat(time.seconds()).isEqualTo(2);
        Summary shorter = summary(threeSeeds("adamw", .5, 70, 82));
        assertThat(shorter.target()).as("that of the whole budget").isEqualTo(.81);
        assertThat(shorter.baseline().toTarget().seconds()).isEqualTo(2);
    }

    /** Its schedule ends at half of the budget, where AdamW's own short budget is as soon. */
    @Test
    void whoWinsByItsScheduleOnlyIsNotFasterThanTheBaselinesShortBudget() {
        List<RunRecord> runs = new ArrayList<>(List.of(threeSeeds("ours", 1, 70, 82, 82, 82)));
        runs.addAll(List.of(threeSeeds("adamw", .5, 70, 82)));
        assertThat(Speedup.of(Summary.of(with(runs.toArray(RunRecord[]::new))), "ours")
                        .mean())
                .isEqualTo(1);
    }

    @Test
    void aLowerTrainingLossWithAWorseTestIsNotFaster() {
        List<RunRecord> runs = with(threeSeeds("ours", 1, 79, 79, 79));
        runs.replaceAll(run -> run.family().equals("ours") ? withTrainingLoss(run, 1e-6) : run);
        Summary summary = Summary.of(runs).get(0);
        Row ours = summary.rows().get(1);
        assertThat(ours.trainingLoss().median()).isEqualTo(1e-6);
        assertThat(ours.toTarget().reached()).isFalse();
        assertThat(Speedup.of(summary, ours).inWords()).isEqualTo("not reached (at most 1.00 times as fast)");
        assertThat(new CompareReport(List.of(summary), List.of(), runs, List.of(), "").markdown())
                .contains("ours, time to the test metric of tuned AdamW: not reached (at most 1.00 times as fast)")
                .contains(
                        "| w | ours | not reached (at most 1.00 times as fast) | -2.00 ± 0.58 points | -2.00 points |")
                .contains("not in 3.00");
    }

    private static RunRecord withTrainingLoss(RunRecord run, double loss) {
        List<Checkpoint> checkpoints = run.checkpoints().stream()
                .map(c -> new Checkpoint(
                        c.gradients(),
                        c.seconds(),
                        c.steps(),
                        loss,
                        c.validationLoss(),
                        c.validationAccuracy(),
                        c.testLoss(),
                        c.testAccuracy(),
                        c.measured()))
                .toList();
        return new RunRecord(
                run.workload(),
                run.full(),
                run.description(),
                run.contestant(),
                run.family(),
                run.settings(),
                run.seed(),
                run.budget(),
                run.share(),
                run.commit(),
                run.machine(),
                run.failure(),
                run.steps(),
                run.extraBytes(),
                run.fingerprint(),
                checkpoints);
    }

    @Test
    void secondsAreStepsByKindTimesTheirCosts() {
        StepKind look = StepKind.parse("1 look");
        StepCosts adamw = new StepCosts(
                WORKLOAD, true, "adamw", "c", "m", null, Map.of(StepKind.PLAIN, 2.0), Map.of(), Double.NaN, Double.NaN);
        StepCosts ours = new StepCosts(
                WORKLOAD,
                true,
                "ours",
                "c",
                "m",
                null,
                Map.of(StepKind.PLAIN, 3.0, look, 50.0),
                Map.of(),
                Double.NaN,
                Double.NaN);
        List<RunRecord> runs = with(threeSeeds("ours", 1, 82, 82, 82));
        Row row = Summary.of(runs, List.of(adamw, ours)).get(0).rows().get(1);
        assertThat(row.toTarget().seconds()).as("10 steps of 3 ms").isCloseTo(.03, within(1e-12));
        assertThat(row.millisecondsPerStep()).isCloseTo(3, within(1e-12));
        assertThat(ours.seconds(Map.of(StepKind.PLAIN, 100L, look, 2L))).isCloseTo(.4, within(1e-12));
        assertThat(ours.seconds(Map.of(StepKind.parse("2 3f"), 1L)))
                .as("never clocked: three evaluations in ordinary steps")
                .isCloseTo(.009, within(1e-12));
        Row half = Summary.of(runs, List.of(ours)).get(0).rows().get(1);
        assertThat(half.toTarget().seconds())
                .as("where one is not clocked, all count their own clocks")
                .isEqualTo(1);
        String sentence = "Seconds are those on each run's own clock here";
        assertThat(CompareReport.of(runs, List.of(ours), "").markdown()).contains(sentence);
        assertThat(CompareReport.of(runs, List.of(adamw, ours), "").markdown()).doesNotContain(sentence);
    }

    @Test
    void aFailureIsCountedAndInfinitelyBad() {
        Row ours = ours(
                run(WORKLOAD, "ours", 1, 1, "it broke", .8, 90, 90),
                run("ours", 2, 1, 90, 90, Double.NaN),
                run("ours", 3, 1, 90, 90, 90));
        assertThat(ours.failures()).isEqualTo(1);
        assertThat(ours.test().lowest()).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(ours.test().highest()).isEqualTo(.9);
        Row all = ours(
                run(WORKLOAD, "ours", 1, 1, "it broke", .8, 90),
                run(WORKLOAD, "ours", 2, 1, "it broke", .8, 90),
                run("ours", 3, 1, 70, 70, 70));
        assertThat(all.toTarget().reached())
                .as("two that broke after a good reading")
                .isFalse();
        assertThat(Speedup.of(summary(all.runs().toArray(RunRecord[]::new)), all)
                        .mean())
                .as("an early end is not fast")
                .isEqualTo(1);
    }

    @Test
    void losses() {
        List<RunRecord> runs = new ArrayList<>();
        for (RunRecord run : with(threeSeeds("ours", 1, 50, 90, 95))) {
            runs.add(asLosses(run));
        }
        Summary summary = Summary.of(runs).get(0);
        assertThat(summary.classes()).isFalse();
        assertThat(summary.target()).as("minus the loss").isCloseTo(-.19, within(1e-12));
        assertThat(summary.rows().get(1).toTarget().seconds()).isEqualTo(2);
        assertThat(new CompareReport(List.of(summary), List.of(), runs, List.of(), "").markdown())
                .contains("Target: test loss 0.1900")
                .contains("0.263 times the loss");
    }

    private static RunRecord asLosses(RunRecord run) {
        List<Checkpoint> checkpoints = run.checkpoints().stream()
                .map(c -> new Checkpoint(
                        c.gradients(),
                        c.seconds(),
                        c.steps(),
                        c.trainingLoss(),
                        .5,
                        Double.NaN,
                        1 - c.testAccuracy(),
                        Double.NaN,
                        Map.of()))
                .toList();
        RunRecord same = withTrainingLoss(run, 1);
        return new RunRecord(
                same.workload(),
                true,
                same.description(),
                same.contestant(),
                same.family(),
                "",
                same.seed(),
                same.budget(),
                same.share(),
                "c",
                "m",
                "",
                same.steps(),
                8,
                null,
                checkpoints);
    }

    @Test
    void ofSeveralBaselinesTheValidationChooses() {
        List<RunRecord> runs = new ArrayList<>();
        for (long seed = 1; seed <= 3; seed++) {
            runs.add(run(WORKLOAD, "adamw a", seed, 1, "", .80, 60, 70));
            runs.add(run(WORKLOAD, "adamw b", seed, 1, "", .81, 60, 65));
        }
        Summary summary = Summary.of(runs).get(0);
        assertThat(summary.baseline().contestant())
                .as("although its test is worse")
                .isEqualTo("adamw b");
        assertThat(summary.target()).isEqualTo(.65);
        assertThat(summary.rows()).as("the other is no rival of its own family").hasSize(1);
        assertThat(summary.baseline().tried()).isEqualTo(2);
    }

    @Test
    void theSpeedupOverWorkloadsIsAGeometricMeanWithAnInterval() {
        List<RunRecord> runs = new ArrayList<>();
        for (String workload : List.of("fast", "slow")) {
            for (long seed = 1; seed <= 3; seed++) {
                runs.add(run(workload, "adamw", seed, 1, "", .8, 60, 70, 80, 80));
                runs.add(
                        workload.equals("fast")
                                ? run(workload, "ours", seed, 1, "", .8, 81, 81, 81, 81)
                                : run(workload, "ours", seed, 1, "", .8, 1, 1, 1, 1, 1, 81));
            }
        }
        Speedup both = Speedup.of(Summary.of(runs), "ours");
        assertThat(both.mean()).isCloseTo(Math.sqrt(3 * 3.0 / 6), within(1e-12));
        assertThat(both.low()).isCloseTo(both.mean(), within(1e-12));
        assertThat(both.workloads()).isEqualTo(2);
        Speedup scattered = Speedup.of(
                Summary.of(with(
                        run("ours", 1, 1, 90, 90, 90), run("ours", 2, 1, 70, 90, 90), run("ours", 3, 1, 70, 70, 90))),
                "ours");
        assertThat(scattered.mean()).isCloseTo(1.5, within(1e-12));
        assertThat(scattered.low()).isCloseTo(1, within(1e-12));
        assertThat(scattered.high()).isCloseTo(3, within(1e-12));
        assertThat(scattered.inWords()).isEqualTo("1.50 times sooner");
    }

    @Test
    void tuningRunsAreNoPartOfAnyFigureAndAreCountedAsTried() {
        Summary summary =
                summary(run("adamw lucky", RunRecord.TUNING_SEED, 1, 99), run("adamw", RunRecord.TUNING_SEED, 1, 80));
        assertThat(summary.rows()).hasSize(1);
        assertThat(summary.baseline().tried()).isEqualTo(2);
        assertThat(summary.tuning()).hasSize(2);
    }

    @Test
    void settingsAreChosenByTheValidationAndTiesByItsLoss() {
        RunRecord better = run(WORKLOAD, "a", 1, 1, "", .81, 1);
        RunRecord worse = run(WORKLOAD, "a", 1, 1, "", .80, 99);
        RunRecord failed = run(WORKLOAD, "a", 1, 1, "it broke", .99, 99);
        assertThat(better.validation()).isGreaterThan(worse.validation());
        assertThat(worse.validation()).isGreaterThan(failed.validation());
        Checkpoint sure = new Checkpoint(1, 1, Map.of(), 1, .4, .8, 1, .5, Map.of());
        Checkpoint unsure = new Checkpoint(1, 1, Map.of(), 1, .5, .8, 1, .9, Map.of());
        assertThat(ending(better, sure).validation())
                .isGreaterThan(ending(better, unsure).validation());
    }

    private static RunRecord ending(RunRecord run, Checkpoint end) {
        return new RunRecord(
                WORKLOAD,
                true,
                "",
                "a",
                "a",
                "",
                1,
                "1",
                1,
                "c",
                "m",
                "",
                1,
                1,
                null,
                List.of(run.checkpoints().get(0), end));
    }

    @Test
    void failedRunsAreNamedInTheReport() {
        List<RunRecord> runs = with(run(WORKLOAD, "ours", 1, .5, "the loss is not finite", .8, 9));
        CompareReport report = CompareReport.of(runs, List.of(), "the command");
        String sentence = "ours, seed 1, budget 1/2 failed at 10 gradients: the loss is not finite";
        assertThat(report.markdown()).contains("- " + sentence).contains("the command");
        assertThat(report.html())
                .contains(sentence)
                .as("sections of which there is nothing")
                .doesNotContain("What the optimizers measured", "The trials of the tuning", "What a step costs");
    }
}
