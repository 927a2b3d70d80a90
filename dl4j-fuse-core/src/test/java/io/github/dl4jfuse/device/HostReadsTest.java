package io.github.dl4jfuse.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.linalg.Reduction;
import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.optim.Objective;
import io.github.dl4jfuse.optim.lbfgs.ForcedReduction;
import io.github.dl4jfuse.optim.lbfgs.LbfgsSolver;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.optim.linesearch.MoreThuente;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How often a step waits for a number from the backend: on a GPU this, and not arithmetic, is what small steps cost. */
class HostReadsTest {

    /** f = ½ Σ (1 + i) x_i² with arrays only; its value is one read. */
    private static final class Quadratic extends Objective {

        private final INDArray curvatures;

        Quadratic(int n) {
            super(n, DataType.DOUBLE);
            curvatures = Nd4j.arange(n).castTo(DataType.DOUBLE).addi(1);
        }

        @Override
        protected double evaluate(INDArray point, INDArray gradient) {
            point.mul(curvatures, gradient);
            return 0.5 * Nd4j.getBlasWrapper().dot(point, gradient);
        }
    }

    @Test
    void theCounterSeesScalarsOfEveryKind() {
        INDArray x = Nd4j.ones(DataType.DOUBLE, 10);
        try (HostReads reads = new HostReads()) {
            x.addi(1);
            assertThat(reads.take()).isZero();
            Nd4j.getBlasWrapper().dot(x, x);
            Nd4j.getBlasWrapper().level1().dot(10, 1, x, x);
            assertThat(reads.take()).isEqualTo(2);
            x.sumNumber();
            x.norm2Number();
            assertThat(reads.take()).isEqualTo(2);
        }
        assertThat(Nd4j.getBlasWrapper().dot(x, x)).isEqualTo(40);
    }

    private static List<Long> solverSteps(Reduction kernel, int memory, LineSearch search) {
        List<Long> counts = new ArrayList<>();
        List<Long> evaluations = new ArrayList<>();
        try (ForcedReduction forced = new ForcedReduction(kernel);
                HostReads reads = new HostReads()) {
            LbfgsSolver.builder()
                    .memory(memory)
                    .lineSearch(search)
                    .maxIterations(12)
                    .gradientTolerance(0)
                    .progress(step -> {
                        counts.add(reads.take());
                        evaluations.add(step.functionEvaluations());
                    })
                    .build()
                    .run(new Quadratic(40), Nd4j.ones(DataType.DOUBLE, 40));
        }
        List<Long> withOneEvaluation = new ArrayList<>();
        for (int k = 1; k < counts.size(); k++) { // the first has the evaluation at the start
            if (k >= memory && evaluations.get(k) - evaluations.get(k - 1) == 1) {
                withOneEvaluation.add(counts.get(k));
            }
        }
        assertThat(withOneEvaluation).isNotEmpty();
        return withOneEvaluation;
    }

    @ParameterizedTest
    @CsvSource({"1, false", "3, false", "8, false", "3, true"})
    void aStepOfTheSolverReadsThreeTimesBesidesTheValue(int memory, boolean armijo) {
        LineSearch search = armijo ? new ArmijoBacktracking() : new MoreThuente();
        assertThat(solverSteps(Reduction.MATRIX, memory, search)).containsOnly(3L + 1);
    }

    /** 4m products in the direction, the slope there; x·x, g·g and the slope at the trial; three of the pair; and the value. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 8})
    void rowByRowItGrowsWithTheMemory(int memory) {
        assertThat(solverSteps(Reduction.ROWS, memory, new MoreThuente())).containsOnly(4L * memory + 1 + 3 + 3 + 1);
    }

    private static long smallest(MultiLayerNetwork network) {
        long smallest = Long.MAX_VALUE;
        for (int step = 0; step < 20; step++) {
            try (HostReads reads = new HostReads()) {
                network.fit(Method.batch(step, DataType.FLOAT));
                smallest = step < 8 ? smallest : Math.min(smallest, reads.take());
            }
        }
        return smallest;
    }

    /** DL4J reads the loss, in an L-BFGS step twice; the updater's own guard reads once where it moves something. */
    @ParameterizedTest
    @CsvSource({"ADAM, 1", "FUSE_PV_ADAM, 4", "FUSE_PV_LBFGS, 4", "FUSE, 5", "PRECONDITIONED, 2", "LFSO, 3"})
    void stepsOfTheUpdatersReadNoMoreThan(Method method, long most) {
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            assertThat(smallest(method.network(DataType.FLOAT))).isBetween(1L, most);
        }
    }

    /**
     * Two losses of DL4J, one transfer for check and direction, one for the pair; BatchNorm cuts the parameters into blocks, and
     * its two running statistics are guarded with a read each.
     */
    @ParameterizedTest
    @CsvSource({"DENSE, 1", "DENSE, 3", "DENSE, 8", "BATCH_NORM, 3"})
    void anLbfgsStepInTrainingReadsTwiceBesidesTheLossesWhateverMemoryAndBlocks(TestNetworks kind, int memory) {
        FusePv updater = FusePv.builder()
                .switchCriterion(SwitchCriterion.iteration(4))
                .memory(memory)
                .build();
        MultiLayerNetwork network = kind.network(updater, DataType.FLOAT);
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            network.setListeners(new CurvatureListener());
            assertThat(smallest(network)).isEqualTo(2 + 2 + (kind == TestNetworks.BATCH_NORM ? 2 : 0));
        }
    }

    /** DL4J's loss, the check, and twice the batch; then for each L-BFGS step a loss, a direction and a pair. */
    @Test
    void onAFixedBatchEachOfTheNineStepsReadsThreeTimes() {
        MultiLayerNetwork network = TestNetworks.DENSE.network(FusePv.ofRate(1e-2), DataType.FLOAT);
        CurvatureListener listener = new CurvatureListener();
        network.setListeners(listener);
        long smallest = Long.MAX_VALUE;
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            for (int step = 0; step < 60; step++) {
                long stepsBefore = listener.statistics().curvatureSteps();
                long evaluations = listener.statistics().gradientEvaluations();
                try (HostReads reads = new HostReads()) {
                    network.fit(Method.batch(0, DataType.FLOAT));
                    boolean nine = listener.statistics().curvatureSteps() - stepsBefore == 9
                            && listener.statistics().gradientEvaluations() - evaluations == 10;
                    smallest = nine ? Math.min(smallest, reads.take()) : smallest;
                }
            }
        }
        assertThat(smallest).isEqualTo(3 + 9 * 3);
    }

    /** A trial adds one transfer for length and slope, and the loss after the step; the first step tries several lengths. */
    @Test
    void aTrialOfLfsoReadsTwiceMore() {
        List<Long> counts = counts(Method.LFSO, 30, DataType.FLOAT);
        assertThat(counts.subList(1, counts.size())).containsOnly(3L, 3L + 2);
    }

    /**
     * DL4J's loss, how long a step the updater made of the direction, and from the second step on whether the parameters are where
     * the last one ended. Arrays that are solved with on the host are not seen.
     */
    @Test
    void aGaussNewtonStepReadsTwiceBesidesTheLoss() {
        List<Long> counts = counts(Method.GAUSS_NEWTON, 12, DataType.FLOAT);
        assertThat(counts.subList(1, counts.size())).containsOnly(1L + 2);
    }

    /** DL4J's loss, and the gradient's norm; at 44 of 45 steps, as one ends with a probe. With this window all steps look. */
    @Test
    void theSaddleListenerReadsOnceWhereItLooks() {
        List<Long> counts = counts(Method.SADDLE, 45, DataType.DOUBLE);
        assertThat(counts.stream().filter(count -> count <= 1 + 1).count()).isGreaterThanOrEqualTo(44);
    }

    private static List<Long> counts(Method method, int steps, DataType type) {
        List<Long> counts = new ArrayList<>();
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            MultiLayerNetwork network = method.network(type);
            for (int step = 0; step < steps; step++) {
                try (HostReads reads = new HostReads()) {
                    network.fit(Method.batch(step, type));
                    counts.add(reads.take());
                }
            }
        }
        return counts;
    }
}
