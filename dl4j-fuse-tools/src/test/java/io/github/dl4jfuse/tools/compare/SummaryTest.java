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

    /** A run of 10, 20, .. gradients and 1, 2, .. seconds with the given training losses. */
    private static RunRecord run(
            String contestant, long seed, double validation, double accuracy, String failure, double... losses) {
        List<Checkpoint> checkpoints = new ArrayList<>();
        for (int i = 0; i < losses.length; i++) {
            checkpoints.add(new Checkpoint(10L * i, i, losses[i], validation, validation, accuracy, Map.of()));
        }
        String family = contestant.split(" ", 2)[0];
        return new RunRecord(
                "w",
                false,
                "net and data",
                contestant,
                family,
                "",
                seed,
                "30",
                "c",
                "m",
                failure,
                30,
                8,
                null,
                checkpoints);
    }

    private static Row row(List<RunRecord> runs, String family) {
        return Summary.of(runs).get(0).rows().stream()
                .filter(row -> row.family().equals(family))
                .findFirst()
                .orElseThrow();
    }

    private static List<RunRecord> with(RunRecord... more) {
        List<RunRecord> runs = new ArrayList<>(List.of(
                run("adam good", 1, .30, .80, "", 9, 4, 2, 1),
                run("adam good", 2, .32, .82, "", 9, 5, 3, 1.2),
                run("adam good", 3, .31, .81, "", 9, 5, 3, 1.4),
                run("adam flashy", 1, .50, .99, "", 9, 1, .5, .1),
                run("adam flashy", 2, .50, .99, "", 9, 1, .5, .1),
                run("adam flashy", 3, .50, .99, "", 9, 1, .5, .1)));
        runs.addAll(List.of(more));
        return runs;
    }

    @Test
    void theValidationLossChoosesNeitherTrainingLossNorTestSet() {
        Summary summary = Summary.of(with()).get(0);
        assertThat(summary.rows()).hasSize(1);
        assertThat(summary.rows().get(0).contestant()).isEqualTo("adam good");
        assertThat(summary.rows().get(0).tried()).isEqualTo(2);
        assertThat(summary.targetLoss()).isEqualTo(1.2);
    }

    @Test
    void afterSomeSecondsCountsWhatWasMeasuredByThen() {
        RunRecord run = run("ours", 1, .3, .8, "", 9, 4, 2, 1);
        assertThat(run.after(2).trainingLoss()).isEqualTo(2);
        assertThat(run.after(1.9).trainingLoss()).isEqualTo(4);
        assertThat(run.after(99)).isEqualTo(run.end());
    }

    @Test
    void costToTargetCountsRunsThatNeverReachItAsInfinite() {
        Row ours = row(
                with(
                        run("ours", 1, .3, .8, "", 9, 1.1, 1, 1),
                        run("ours", 2, .3, .8, "", 9, 2, 1.2, 1),
                        run("ours", 3, .3, .8, "", 9, 9, 9, 9)),
                "ours");
        assertThat(ours.toLoss().gradients().median()).isEqualTo(20);
        assertThat(ours.toLoss().seconds().median()).isEqualTo(2);
        assertThat(ours.toLoss().gradients().lowest()).isEqualTo(10);
        assertThat(ours.toLoss().gradients().highest()).isInfinite();
        assertThat(ours.toLoss().reached()).isEqualTo(2);
    }

    @Test
    void aFailureIsCountedAndInfinitelyBad() {
        Row ours = row(
                with(
                        run("ours", 1, .1, .8, "it broke", 9, 1, .5, .4),
                        run("ours", 2, .1, .8, "", 9, 2, Double.NaN),
                        run("ours", 3, .1, .8, "", 9, 2, 1, .9)),
                "ours");
        assertThat(ours.failures()).isEqualTo(1);
        assertThat(ours.trainingLoss().median()).isInfinite();
        assertThat(ours.trainingLoss().lowest()).isEqualTo(.9);
    }

    @Test
    void overfittingShowsInTheTestColumn() {
        Row ours = row(
                with(
                        run("ours", 1, 5, .40, "", 9, .1, .01, .001),
                        run("ours", 2, 5, .42, "", 9, .1, .01, .001),
                        run("ours", 3, 5, .41, "", 9, .1, .01, .001)),
                "ours");
        assertThat(ours.trainingLoss().median()).isEqualTo(.001);
        assertThat(ours.testAccuracy().median()).isEqualTo(.41);
        assertThat(ours.testLoss().median()).isEqualTo(5);
        List<RunRecord> runs = with(ours.runs().toArray(new RunRecord[0]));
        assertThat(new CompareReport(Summary.of(runs), runs, "the command").markdown())
                .contains("| ours | 1 | 0 of 3 | 0.001000 (0.001000 .. 0.001000) | 41.00 % (40.00 % .. 42.00 %) | 10 |")
                .contains("| 30 (2 of 3 runs) |")
                .contains("| w | adam good | ours | 3.00 times faster | -40.00 points | -40.00 points | 0 of 3 |")
                .contains("net and data.")
                .contains("the command");
    }

    private static Speedup speedup(RunRecord... more) {
        return Speedup.of(Summary.of(with(more)), "ours");
    }

    @Test
    void theSpeedupIsTheRatioOfMedians() {
        // Adam's runs reach its median final loss, 1.2, after 3 seconds or only just miss it there.
        Speedup speedup = speedup(
                run("ours", 1, .3, .8, "", 9, 1, 1, 1),
                run("ours", 2, .3, .8, "", 9, 1, 1, 1),
                run("ours", 3, .3, .8, "", 9, 1, 1, 1));
        assertThat(speedup.mean()).isCloseTo(3, within(1e-12));
        assertThat(speedup.low()).isCloseTo(3, within(1e-12));
        assertThat(speedup.high()).isCloseTo(3, within(1e-12));
        assertThat(speedup.missed()).isZero();
        assertThat(speedup.inWords()).isEqualTo("3.00 times faster");
    }

    @Test
    void theIntervalSpansTheSeeds() {
        Speedup speedup = speedup(
                run("ours", 1, .3, .8, "", 9, 1, 1, 1),
                run("ours", 2, .3, .8, "", 9, 2, 1, 1),
                run("ours", 3, .3, .8, "", 9, 2, 2, 1));
        assertThat(speedup.mean()).isCloseTo(1.5, within(1e-12));
        assertThat(speedup.low()).isCloseTo(1, within(1e-12));
        assertThat(speedup.high()).isCloseTo(3, within(1e-12));
    }

    @Test
    void theSpeedupOverWorkloadsIsAGeometricMean() {
        List<RunRecord> runs = new ArrayList<>();
        for (String workload : List.of("fast", "slow")) {
            for (long seed = 1; seed <= 3; seed++) {
                runs.add(elsewhere(workload, run("adam", seed, .3, .8, "", 9, 5, 3, 1)));
                runs.add(elsewhere(
                        workload,
                        workload.equals("fast")
                                ? run("ours", seed, .3, .8, "", 9, 1, 1, 1)
                                : run("ours", seed, .3, .8, "", 9, 5, 5, 5, 5, 5, 1)));
            }
        }
        Speedup both = Speedup.of(Summary.of(runs), "ours");
        assertThat(both.mean()).isCloseTo(Math.sqrt(3 * 3.0 / 6), within(1e-12));
        assertThat(both.workloads()).isEqualTo(2);
        List<Profile> profiles = Profile.of(Summary.of(runs));
        assertThat(profiles).extracting(Profile::family).containsExactly("adam", "ours");
        assertThat(profiles.get(0).factors()).containsExactly(3.0, 1.0);
        assertThat(profiles.get(1).factors()).containsExactly(1.0, 2.0);
        assertThat(profiles.get(1).within(1)).isEqualTo(0.5);
        assertThat(profiles.get(1).within(2)).isEqualTo(1);
    }

    private static RunRecord elsewhere(String workload, RunRecord run) {
        return new RunRecord(
                workload,
                run.full(),
                run.description(),
                run.contestant(),
                run.family(),
                run.settings(),
                run.seed(),
                run.budget(),
                run.commit(),
                run.machine(),
                run.failure(),
                run.steps(),
                run.extraBytes(),
                run.fingerprint(),
                run.checkpoints());
    }

    @Test
    void whatDoesNotGetThereIsAnUpperBoundAndAnEarlyEndIsNotFast() {
        Speedup slow = speedup(
                run("ours", 1, .3, .8, "", 9, 9, 9, 9, 9, 9, 9),
                run("ours", 2, .3, .8, "", 9, 9, 9, 9, 9, 9, 9),
                run("ours", 3, .3, .8, "", 9, 9, 9, 9, 9, 9, 9));
        assertThat(slow.mean()).isCloseTo(0.5, within(1e-12));
        assertThat(slow.missed()).isEqualTo(1);
        assertThat(slow.inWords()).isEqualTo("not reached (at most 0.50 times as fast)");
        Speedup failed = speedup(
                run("ours", 1, .3, .8, "broke", 9, 1),
                run("ours", 2, .3, .8, "broke", 9, 1),
                run("ours", 3, .3, .8, "", 9, 1));
        assertThat(failed.mean()).as("two failures that had reached the target").isCloseTo(1, within(1e-12));
        assertThat(failed.missed()).isEqualTo(1);
    }

    @Test
    void tuningRunsChooseNothingAndAreCountedAsTried() {
        Summary summary = Summary.of(with(
                        run("adam lucky", RunRecord.TUNING_SEED, .01, .99, "", 9, 0),
                        run("adam good", RunRecord.TUNING_SEED, .3, .8, "", 9, 1),
                        run("adam flashy", RunRecord.TUNING_SEED, .3, .8, "", 9, 1)))
                .get(0);
        assertThat(summary.rows().get(0).contestant()).isEqualTo("adam good");
        assertThat(summary.rows().get(0).runs()).hasSize(3);
        assertThat(summary.rows().get(0).tried()).isEqualTo(3);
        assertThat(summary.tuning()).hasSize(3);
    }

    @Test
    void theTestTargetIsTheBaselinesMedianAccuracy() {
        assertThat(Summary.of(with()).get(0).targetTest()).isEqualTo(.81);
        Row ours = row(
                with(
                        run("ours", 1, .3, .81, "", 9, 9),
                        run("ours", 2, .3, .80, "", 9, 9),
                        run("ours", 3, .3, .82, "", 9, 9)),
                "ours");
        assertThat(ours.toTest().reached()).isEqualTo(2);
    }

    @Test
    void failedRunsAreNamedInTheReport() {
        List<RunRecord> runs = with(run("ours", 1, .3, .8, "the loss is not finite", 9, 1));
        CompareReport report = new CompareReport(Summary.of(runs), runs, "");
        assertThat(report.markdown()).contains("- ours, seed 1 failed at 10 gradients: the loss is not finite");
        assertThat(report.html()).contains("ours, seed 1 failed at 10 gradients: the loss is not finite");
    }

    @Test
    void aBestRateAtTheEdgeOfTheSweepIsSaid() {
        List<RunRecord> edge = List.of(run("adam 3e-02 linear", 1, .3, .8, "", 9, 1));
        List<RunRecord> middle = List.of(run("adam 1e-02 linear", 1, .3, .8, "", 9, 1));
        assertThat(new CompareReport(Summary.of(edge), edge, "").markdown()).contains("at the edge of the sweep");
        assertThat(new CompareReport(Summary.of(middle), middle, "").markdown())
                .doesNotContain("at the edge of the sweep");
    }
}
