package io.github.dl4jfuse.examples.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.examples.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class GpuCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(args);
    }

    @Test
    void measuresBothFormsAndMarksTheOneInUse() {
        assertThat(run("gpu", "--sizes", "1000,3000", "--memory", "3", "--seconds", "0.01"))
                .as("%s", err)
                .isZero();
        assertThat(out.toString())
                .contains("CpuBackend")
                .containsPattern("1,000 +3 +ROWS\\* +\\d+\\.\\d+ +\\d+\\.\\d+ +\\d+%")
                .containsPattern("3,000 +3 +MATRIX +\\d+\\.\\d+ +\\d+\\.\\d+ +\\d+%");
    }

    @ParameterizedTest
    @CsvSource({"0, 1, 1", "3, 0, 1", "100, 100000000, 1", "3, 10, NaN"})
    void refusesWhatDoesNotFit(String memory, String sizes, String seconds) {
        assertThat(run("gpu", "--memory", memory, "--sizes", sizes, "--seconds", seconds))
                .isEqualTo(2);
        assertThat(err.toString()).contains("below 2^31").hasLineCount(1);
    }
}
