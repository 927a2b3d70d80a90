package io.github.dl4jfuse.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.linalg.Reduction;
import io.github.dl4jfuse.optim.lbfgs.ForcedReduction;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** Every method on whatever backend runs, against what a CPU gave once; models saved on one and resumed on another. */
class AgreementTest {

    /** In double, after 20 steps that amplify differences in rounding. */
    private static final double TOLERANCE = 1e-6;

    /** In float against double; a CPU is at most 1e-5 off. */
    private static final double TOLERANCE_IN_FLOAT = 1e-4;

    /** In float the solver's line search accepts other points: .029 off, to three digits alike on a CPU and on a GPU. */
    private static final double TOLERANCE_OF_THE_SOLVER_IN_FLOAT = 5e-2;

    /** Where a GPU leaves the model that a CPU takes up: run the first with -Pcuda, the second without. */
    private static final Path SAVED_ON_GPU = Path.of("target", "saved-on-gpu.zip");

    @BeforeAll
    static void writeReferenceIfAsked() throws IOException {
        if ("write".equals(System.getProperty("reference"))) {
            Reference.write();
        }
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void inDouble(Method method) {
        double[] actual = Reference.project(method.result(DataType.DOUBLE));
        assertThat(Reference.difference(actual, Reference.read().get(method)))
                .as("relative difference from the reference, seed %d", TestNetworks.SEED)
                .isLessThan(TOLERANCE);
    }

    /** What a GPU computes with, on whatever backend runs. */
    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"FUSE_PV_LBFGS", "FUSE", "LFSO", "GAUSS_NEWTON", "LBFGS_SOLVER"})
    void inTheFormForGpus(Method method) {
        try (ForcedReduction forced = new ForcedReduction(Reduction.MATRIX)) {
            inDouble(method);
        }
    }

    @Gpu
    @ParameterizedTest
    @EnumSource(value = Method.class, names = "SADDLE", mode = EnumSource.Mode.EXCLUDE)
    void inFloatOnAGpu(Method method) {
        double[] actual = Reference.project(method.result(DataType.FLOAT));
        assertThat(Reference.difference(actual, Reference.read().get(method)))
                .as("relative difference from the reference, seed %d", TestNetworks.SEED)
                .isLessThan(method == Method.LBFGS_SOLVER ? TOLERANCE_OF_THE_SOLVER_IN_FLOAT : TOLERANCE_IN_FLOAT);
    }

    /** Sums on a GPU may be added in another order each time. */
    @Gpu
    @ParameterizedTest
    @EnumSource(Method.class)
    void twoRunsOnAGpu(Method method) {
        double[] first = Reference.project(method.result(DataType.DOUBLE));
        double spread = Reference.difference(Reference.project(method.result(DataType.DOUBLE)), first);
        System.out.printf("spread of two runs, %s: %.1e%n", method, spread);
        assertThat(spread).isLessThan(TOLERANCE);
    }

    @Test
    void resumesWhatACpuSaved() throws IOException {
        assumeTrue(
                TestNetworks.readsModelsOfM2(),
                "DL4J 1.0.0-M1.1 cannot read a model that M2.1 has saved: its parameters have another rank.");
        expectTheReferenceAtTheEnd(Reference.savedOnCpu());
    }

    @Gpu
    @Test
    void savesOnAGpu() throws IOException {
        Reference.save(SAVED_ON_GPU);
        expectTheReferenceAtTheEnd(restore(SAVED_ON_GPU.toFile()));
    }

    @Test
    void resumesWhatAGpuSaved() throws IOException {
        assumeTrue(
                Files.exists(SAVED_ON_GPU) && Nd4j.getExecutioner().type() != ExecutionerType.CUDA,
                "There is no " + SAVED_ON_GPU + ", which this test leaves with -Pcuda on a machine with a GPU.");
        expectTheReferenceAtTheEnd(restore(SAVED_ON_GPU.toFile()));
    }

    private static MultiLayerNetwork restore(File file) throws IOException {
        return ModelSerializer.restoreMultiLayerNetwork(file, true);
    }

    private static void expectTheReferenceAtTheEnd(MultiLayerNetwork network) {
        Method method = Reference.SAVED_METHOD;
        method.listen(network);
        method.train(network, Reference.SAVED_AT, method.steps(), DataType.DOUBLE);
        double[] actual = Reference.project(Method.parameters(network));
        assertThat(Reference.difference(actual, Reference.read().get(method)))
                .as("relative difference from the run that was not interrupted, seed %d", TestNetworks.SEED)
                .isLessThan(TOLERANCE);
    }

    @Test
    void skippedTestsSayWhy() {
        ConditionEvaluationResult result = Gpu.Condition.evaluate(ExecutionerType.NATIVE_CPU);
        assertThat(result.isDisabled()).isTrue();
        assertThat(result.getReason().orElseThrow()).contains("NATIVE_CPU", "-Pcuda", "docs/gpu.md");
        assertThat(Gpu.Condition.evaluate(ExecutionerType.CUDA).isDisabled()).isFalse();
    }
}
