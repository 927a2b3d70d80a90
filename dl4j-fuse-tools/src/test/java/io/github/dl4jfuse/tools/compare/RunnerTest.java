package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Runner.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** Runs on the regression workload, where a step takes milliseconds. */
class RunnerTest {

    private static final Workload WORKLOAD = Workloads.REGRESSION;
    private static final Workload.Split DATA = WORKLOAD.data(false);
    private static final Contestant ADAM = Contestant.of("adam", used -> new Adam(1e-2));

    private static Runner.Course run(Contestant contestant, long seed, int gradients) {
        return new Runner(WORKLOAD, DATA, Budget.gradients(gradients), Reading.EVERYTHING).run(contestant, seed);
    }

    private static List<Double> losses(Runner.Course course) {
        return course.checkpoints().stream().map(Checkpoint::trainingLoss).toList();
    }

    private static Checkpoint end(Runner.Course course) {
        return course.checkpoints().get(course.checkpoints().size() - 1);
    }

    @Test
    void twoRunsGiveTheSameLosses() {
        assertThat(losses(run(ADAM, 3, 40))).isEqualTo(losses(run(ADAM, 3, 40)));
        assertThat(losses(run(ADAM, 3, 40))).isNotEqualTo(losses(run(ADAM, 4, 40)));
    }

    @Test
    void warmingUpTrainsAndChangesNoRun() {
        List<Double> rates = new ArrayList<>();
        Contestant watched = Contestant.of(
                "adam",
                used -> new Adam(new BudgetSchedule(1e-2, Shape.CONSTANT, () -> {
                    rates.add(used.getAsDouble());
                    return 0;
                })));
        List<Double> before = losses(run(ADAM, 3, 40));
        new Runner(WORKLOAD, DATA, Budget.gradients(40), Reading.EVERYTHING).warmUp(watched, 3);
        assertThat(rates)
                .as("share of the budget used, at each step")
                .isNotEmpty()
                .allMatch(used -> used < .5);
        assertThat(losses(run(ADAM, 3, 40))).isEqualTo(before);
    }

    @Test
    void anOptimiserThatThrowsWhileItWarmsUpIsLeftToItsRun() {
        Contestant breaks = Contestant.of("breaks", used -> {
            throw new IllegalStateException("out of luck");
        });
        new Runner(WORKLOAD, DATA, Budget.gradients(40), Reading.EVERYTHING).warmUp(breaks, 1);
        assertThatThrownBy(() -> run(breaks, 1, 40)).hasMessage("out of luck");
    }

    @Test
    void measuresAtTheStartAtEvenPointsAndAtTheEnd() {
        Workload iris = Workloads.IRIS;
        List<Long> gradients = new Runner(iris, iris.data(false), Budget.gradients(40), Reading.EVERYTHING)
                .run(ADAM, 1).checkpoints().stream().map(Checkpoint::gradients).toList();
        assertThat(gradients)
                .hasSize(iris.checkpoints() + 1)
                .startsWith(0L, 2L, 4L)
                .endsWith(38L, 40L);
    }

    @Test
    void everyContestantStartsAtTheSamePoint() {
        Contestant other = Contestant.of("sgd", used -> new Sgd(0.1));
        assertThat(run(other, 5, 20).checkpoints().get(0).trainingLoss())
                .isEqualTo(run(ADAM, 5, 20).checkpoints().get(0).trainingLoss());
    }

    @Test
    void anOptimiserThatBlowsUpHasFailed() {
        Runner.Course course = run(Contestant.of("explodes", used -> new Sgd(1e30)), 1, 40);
        assertThat(course.failure()).isEqualTo("the loss is not finite");
    }

    @Test
    void anOptimiserThatThrowsHasFailedAndKeepsItsCheckpoints() {
        Contestant breaks = Contestant.of(
                "breaks",
                used -> new Sgd(new BudgetSchedule(0.1, Shape.CONSTANT, () -> {
                    if (used.getAsDouble() > 0.4) {
                        throw new IllegalStateException("out of luck");
                    }
                    return 0;
                })));
        Runner.Course course = run(breaks, 1, 40);
        assertThat(course.failure()).contains("out of luck");
        assertThat(course.checkpoints().size()).isBetween(15, 20);
    }

    @Test
    void anOptimiserThatStopsEarlyIsJudgedByWhereItEnds() {
        Contestant stops = Contestant.of(
                "stops", used -> new Adam(new BudgetSchedule(1e-2, Shape.LINEAR, () -> 10 * used.getAsDouble())));
        Runner.Course course = run(stops, 1, 200);
        assertThat(course.failure()).isEmpty();
        assertThat(end(course).gradients()).isEqualTo(200);
        assertThat(end(course).trainingLoss())
                .isGreaterThan(3 * end(run(ADAM, 1, 200)).trainingLoss());
    }

    @Test
    void aWrongRateShows() {
        Contestant slow = Contestant.of("slow", used -> new Adam(1e-6));
        assertThat(end(run(slow, 1, 100)).trainingLoss())
                .isGreaterThan(2 * end(run(ADAM, 1, 100)).trainingLoss());
    }

    @Test
    void lineSearchesAreCounted() {
        Contestant fuse = Families.named("fuse-pv").members().get(0);
        assertThat(end(run(fuse, 1, 60)).gradients()).isBetween(60L, 64L);
    }

    /** 60 evaluations: the steps, and a third for each of the 20 to 40 trials of step lengths. */
    @Test
    void lossesAloneCountAThird() {
        Runner.Course course = run(Families.named("lfso").members().get(0), 1, 60);
        assertThat(end(course).gradients()).isBetween(60L, 62L);
        assertThat(course.steps()).isBetween(60L - 40 / 3, 60L - 20 / 3);
    }

    @Test
    void gaussNewtonStepsShowTheGeometryOfTheOutputs() {
        Runner.Course course = run(Families.named("gauss-newton").members().get(0), 1, 20);
        assertThat(course.checkpoints().get(0).measured())
                .as("before the first step")
                .isEmpty();
        Map<String, Double> measured = end(course).measured();
        assertThat(measured.get("rank, as a share of the equations")).isBetween(0.05, 1.0);
        assertThat(measured.get("distance of the outputs from a straight path")).isBetween(1e-3, 2.0);
        double fallen = course.checkpoints().stream()
                .skip(1)
                .mapToDouble(each -> each.measured().get("fall of the log of the loss in a step"))
                .sum();
        assertThat(fallen).as("one step from one checkpoint to the next").isBetween(2.0, 20.0);
        assertThat(end(run(ADAM, 1, 10)).measured()).isEmpty();
    }

    @Test
    void countsStepsAndWhatTheOptimiserKeeps() {
        Runner.Course adam = run(ADAM, 1, 10);
        long parameters = 2 * 64 + 64 + 64 * 64 + 64 + 64 + 1;
        assertThat(adam.steps()).isEqualTo(10);
        assertThat(adam.extraBytes()).isEqualTo(2 * parameters * Double.BYTES);
        Runner.Course sgd = run(Contestant.of("sgd", used -> new Sgd(0.1)), 1, 10);
        assertThat(sgd.extraBytes()).isZero();
        Runner.Course fuse = run(Families.named("fuse-pv").members().get(0), 1, 30);
        assertThat(fuse.steps()).as("an L-BFGS step costs two").isLessThan(30);
        assertThat(fuse.extraBytes())
                .as("moments, 10 pairs, 4 vectors and the last good parameters")
                .isBetween(27 * parameters * Double.BYTES, 28 * parameters * Double.BYTES);
        Runner.Course dl4j = run(Families.named("dl4j-lbfgs").members().get(0), 1, 10);
        assertThat(dl4j.extraBytes()).isEqualTo(RunRecord.UNKNOWN);
        assertThat(dl4j.steps())
                .as("a step of DL4J's LBFGS costs several gradients")
                .isLessThan(5);
    }

    @Test
    void replacesTheUpdaterOfEveryLayer() {
        // The workload's own updater is DL4J's default, Sgd, which would end far above.
        assertThat(run(ADAM, 1, 10).settings()).startsWith("Adam(learningRate=0.01");
        assertThat(end(run(Contestant.of("still", used -> new Sgd(0)), 1, 10)).trainingLoss())
                .isEqualTo(run(ADAM, 1, 10).checkpoints().get(0).trainingLoss());
    }

    @Test
    void stepsAreCountedByKind() {
        assertThat(end(run(ADAM, 1, 12)).steps()).containsOnly(Map.entry(StepKind.PLAIN, 12L));
        Map<StepKind, Long> fuse =
                end(run(Families.named("fuse-pv").members().get(0), 1, 60)).steps();
        assertThat(fuse.keySet()).contains(StepKind.PLAIN).anyMatch(kind -> kind.gradients() > 1);
        assertThat(fuse.entrySet().stream()
                        .mapToDouble(entry -> entry.getValue() * entry.getKey().evaluations())
                        .sum())
                .isBetween(60.0, 64.0);
        Map<StepKind, Long> lfso =
                end(run(Families.named("lfso").members().get(0), 1, 60)).steps();
        assertThat(lfso.keySet()).anyMatch(kind -> kind.forwardPasses() > 0);
        Workload iris = Workloads.IRIS;
        Map<StepKind, Long> looks = end(new Runner(iris, iris.data(false), Budget.gradients(20), Reading.EVERYTHING)
                        .run(Families.named("preconditioned-open").members().get(0), 1))
                .steps();
        assertThat(looks.get(StepKind.parse("1 look")))
                .as("steps 1, 2, 4, 8 and 16 at least")
                .isGreaterThanOrEqualTo(5);
    }

    @Test
    void aRunThatTunesReadsNothingButTheValidationAtItsEnd() {
        Runner.Course course = new Runner(WORKLOAD, DATA, Budget.gradients(40), Reading.VALIDATION).run(ADAM, 3);
        assertThat(course.checkpoints()).hasSize(2);
        assertThat(end(course).validationLoss()).isEqualTo(end(run(ADAM, 3, 40)).validationLoss());
        assertThat(end(course).testLoss()).isNaN();
        assertThat(end(course).trainingLoss()).isNaN();
    }

    @Test
    void textsOfKindsAreReadAgain() {
        for (String text : List.of("1", "1 look", "3", "1 2f", "0 1g", "2 3f 1g look")) {
            assertThat(StepKind.parse(text)).hasToString(text);
        }
        assertThat(StepKind.parse("1 3f 2g look").evaluations()).isEqualTo(4);
        assertThatThrownBy(() -> StepKind.parse("steep")).hasMessageContaining("no kind of step");
    }

    @Test
    void schedulesFallWithTheBudgetUsed() {
        double[] used = {0};
        for (Shape shape : Shape.values()) {
            var schedule = new BudgetSchedule(2, shape, () -> used[0]);
            assertThat(schedule.clone()).isSameAs(schedule);
            used[0] = 0;
            assertThat(schedule.valueAt(0, 0)).isEqualTo(2);
            used[0] = 0.25;
            double expected = switch (shape) {
                case CONSTANT -> 2;
                case COSINE -> 1 + Math.sqrt(0.5);
                case LINEAR -> 1.5;
            };
            assertThat(schedule.valueAt(7, 7)).isCloseTo(expected, within(1e-15));
            used[0] = 1.2;
            assertThat(schedule.valueAt(9, 9)).isEqualTo(shape == Shape.CONSTANT ? 2 : 0);
        }
    }

    @Test
    void budgetsOfSecondsEndByTheClock() {
        Runner.Course course = new Runner(WORKLOAD, DATA, Budget.parse("0.3s"), Reading.EVERYTHING).run(ADAM, 1);
        assertThat(end(course).seconds()).isGreaterThanOrEqualTo(0.3);
        assertThat(end(course).gradients()).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-5", "0s", "abc", "", "s", "1.5", "NaNs"})
    void refusesBudgetsThatAreNone(String text) {
        assertThatThrownBy(() -> Budget.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("budget");
    }
}
