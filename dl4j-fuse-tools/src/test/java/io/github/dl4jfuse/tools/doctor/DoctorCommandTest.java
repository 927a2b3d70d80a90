package io.github.dl4jfuse.tools.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.Main;
import io.github.dl4jfuse.tools.machine.GpuDiagnosis;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.NativeJar;
import io.github.dl4jfuse.tools.machine.Setting;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine;

class DoctorCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(args);
    }

    @Test
    void readsWhatTheProbePrints() {
        Measurement measured = Candidate.parse("""
                some log line
                Core: SkylakeX
                probe.backend=CpuBackend
                probe.helpers=on
                probe.gflops=120.5
                probe.mlp=30000.0
                probe.cnn=4000.0
                """);
        assertThat(measured.facts()).containsEntry("core", "SkylakeX").containsEntry("helpers", "on");
        assertThat(measured.gflops()).isEqualTo(120.5);
        assertThat(measured.mlp()).isEqualTo(30000);
        assertThat(measured.cnn()).isEqualTo(4000);
    }

    @Test
    void comparesByTheGeometricMeanAndTakesMedians() {
        Measurement slow = new Measurement(Map.of(), 1, 100, 10);
        Measurement fast = new Measurement(Map.of(), 1, 200, 80);
        assertThat(fast.over(slow)).isCloseTo(4, within(1e-12));
        assertThat(slow.over(fast)).isCloseTo(0.25, within(1e-12));
        Measurement odd = new Measurement(Map.of(), 9, 50, 90);
        Measurement median = Measurement.median(List.of(slow, fast, odd));
        assertThat(median.mlp()).isEqualTo(100);
        assertThat(median.cnn()).isEqualTo(80);
    }

    @Test
    void aSettingThatDoesNotRunIsNoMeasurement() {
        Setting impossible = new Setting(Map.of(), List.of("-Xmx1k"), false);
        assertThat(new Candidate("impossible", impossible, Optional.empty()).measure(0.1))
                .isEmpty();
    }

    @Test
    void measuresWithTheLibraryThatItIsTold() {
        NativeJar own = NativeJar.on(Launcher.classPath()).orElseThrow();
        Measurement measured = new Candidate("own", Setting.OUT_OF_THE_BOX, Optional.of(own))
                .measure(0.1)
                .orElseThrow();
        assertThat(measured.facts())
                .containsEntry("classifier", own.classifier())
                .containsEntry("helpers", "not switched on")
                .doesNotContainKey("layers"); // attached
    }

    @Test
    void describesTheMachine() {
        assertThat(run("doctor", "--seconds", "0.2")).as("%s", err).isZero();
        assertThat(out.toString())
                .contains("CPU  ", "backend", "CpuBackend on CPU", "classifier", "OpenBLAS kernels", "oneDNN helpers")
                .contains("heap at most", "off-heap at most", "no NVIDIA GPU found", "self-test          passed")
                .containsPattern("MLP 784-256-10 +[\\d,]+ examples/s")
                .containsPattern("CNN 16-32-128 +[\\d,]+ examples/s");
    }

    @Test
    void theSelfTestAgreesWithPlainJavaAndSeesAnErrorOfAThousandth() {
        assertThat(new SelfTest().run())
                .containsOnlyKeys("product", "training step", "L-BFGS step")
                .allSatisfy((name, error) -> assertThat(error).isLessThan(SelfTest.TOLERANCE));
        assertThat(SelfTest.error(Nd4j.createFromArray(1.001, 2.002), new double[] {1, 2}))
                .isGreaterThan(SelfTest.TOLERANCE);
    }

    @Test
    void aSelfTestThatIsOffOrNaNFails() {
        Map<String, String> facts = Map.of(
                "selftest.product",
                "1e-7",
                "selftest.training step",
                "NaN",
                "selftest.L-BFGS step",
                "0.01",
                "core",
                "Zen");
        Measurement measured = new Measurement(facts, 1, 1, 1);
        assertThat(measured.selfTestErrors()).hasSize(3);
        assertThat(measured.selfTestFailures()).containsOnlyKeys("training step", "L-BFGS step");
        assertThat(measured.passesSelfTest()).isFalse();
    }

    @Test
    void nothingIsSoundWithAFaultOfTheGpuOrOfTheSelfTestOrWithoutOne() {
        GpuDiagnosis fine = new GpuDiagnosis(false, "");
        Measurement passed = new Measurement(Map.of("selftest.product", "1e-7"), 1, 1, 1);
        Measurement failed = new Measurement(Map.of("selftest.product", "1e-2"), 1, 1, 1);
        Measurement without = new Measurement(Map.of("core", "Zen"), 1, 1, 1);
        assertThat(DoctorCommand.isSound(passed, fine)).isTrue();
        assertThat(DoctorCommand.isSound(passed, new GpuDiagnosis(true, ""))).isFalse();
        assertThat(DoctorCommand.isSound(failed, fine)).isFalse();
        assertThat(DoctorCommand.isSound(without, fine)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "NaN", "61"})
    void refusesTimesOutOfRange(String seconds) {
        assertThat(run("doctor", "--seconds", seconds)).isEqualTo(2);
        assertThat(err.toString())
                .contains("--seconds must be positive and at most 60")
                .hasLineCount(1);
    }
}
