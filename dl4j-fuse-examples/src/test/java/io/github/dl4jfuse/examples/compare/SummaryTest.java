package io.github.dl4jfuse.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.examples.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.examples.compare.Summary.Row;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Figures from runs written by hand. */
class SummaryTest {

    /** A run of 10, 20, .. gradients and 1, 2, .. seconds with the given training losses. */
    private static RunRecord run(
            String contestant, long seed, double validation, double accuracy, String failure, double... losses) {
        List<Checkpoint> checkpoints = new ArrayList<>();
        for (int i = 0; i < losses.length; i++) {
            checkpoints.add(new Checkpoint(10L * i, i, losses[i], validation, validation, accuracy));
        }
        String family = contestant.split(" ", 2)[0];
        return new RunRecord("w", false, contestant, family, "", seed, "30", "c", "m", failure, checkpoints);
    }

    private static Row row(List<RunRecord> runs, String family) {
        return Summary.of(runs).get(0).rows().stream()
                .filter(row -> row.runs().get(0).family().equals(family))
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
        assertThat(summary.rows().get(0).members()).isEqualTo(2);
        assertThat(summary.target()).isEqualTo(1.2);
    }

    @Test
    void costToTargetCountsRunsThatNeverReachItAsInfinite() {
        Row ours = row(
                with(
                        run("ours", 1, .3, .8, "", 9, 1.1, 1, 1),
                        run("ours", 2, .3, .8, "", 9, 2, 1.2, 1),
                        run("ours", 3, .3, .8, "", 9, 9, 9, 9)),
                "ours");
        assertThat(ours.gradientsToTarget().median()).isEqualTo(20);
        assertThat(ours.secondsToTarget().median()).isEqualTo(2);
        assertThat(ours.gradientsToTarget().lowest()).isEqualTo(10);
        assertThat(ours.gradientsToTarget().highest()).isInfinite();
        assertThat(ours.reached()).isEqualTo(2);
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
        assertThat(CompareReport.markdown(Summary.of(with(ours.runs().toArray(new RunRecord[0])))))
                .contains("| ours | 1 | 0 of 3 | 0.001000 (0.001000 .. 0.001000) | 41.00 % (40.00 % .. 42.00 %) | 10 |")
                .contains("| 30 (2 of 3 runs) |");
    }

    @Test
    void theSpeedupIsAGeometricMeanAndEmptyWhereTheTargetWasMissed() {
        List<Summary> once = Summary.of(with(
                run("ours", 1, .3, .8, "", 9, 1, 1, 1),
                run("ours", 2, .3, .8, "", 9, 1, 1, 1),
                run("ours", 3, .3, .8, "", 9, 1, 1, 1)));
        // Adam's own median reaches its median final loss at the third second.
        assertThat(Summary.speedup(once, "ours", row -> row.secondsToTarget().median())
                        .getAsDouble())
                .isCloseTo(3, within(1e-12));
        assertThat(Summary.speedup(
                                List.of(once.get(0), once.get(0)),
                                "ours",
                                row -> row.secondsToTarget().median())
                        .getAsDouble())
                .isCloseTo(3, within(1e-12));
        assertThat(Summary.speedup(
                        Summary.of(with(run("ours", 1, .3, .8, "", 9, 9, 9, 9))),
                        "ours",
                        row -> row.secondsToTarget().median()))
                .isEmpty();
    }
}
