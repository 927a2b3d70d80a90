package io.github.dl4jfuse.tools.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.tools.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
        assertThat(run("gpu", "--sizes", "1000,100000", "--memory", "3", "--seconds", "0.01"))
                .as("%s", err)
                .isZero();
        assertThat(out.toString())
                .contains("CpuBackend")
                .containsPattern("1,000 +3 +ROWS\\* +\\d+\\.\\d+ +\\d+\\.\\d+ +\\d+%")
                .containsPattern("1,000 +3 +MATRIX +\\d+\\.\\d+ +\\d+\\.\\d+ +\\d+%");
        Matcher row = Pattern.compile("100,000 +3 +(?:ROWS\\*|MATRIX) +(\\S+) +(\\S+) ")
                .matcher(out.toString());
        for (int form = 0; form < 2; form++) {
            assertThat(row.find()).isTrue();
            double milliseconds = Double.parseDouble(row.group(1));
            double rate = Double.parseDouble(row.group(2));
            double bytes = 2 * 2 * 3 * 100_000 * 4.0; // S and Y, twice, 3 pairs in float
            assertThat(rate)
                    .isCloseTo(bytes / milliseconds / 1e6, within(0.06 + 0.01 * rate)); // one digit behind the point
        }
    }

    @Test
    void saysHowMuchMemoryItTakes() {
        assertThat(GpuCommand.bytes(1_000_000, 10)).isBetween(96_000_000L, 96_010_000L);
        assertThat(run("gpu", "--sizes", "536870911", "--memory", "3")).isEqualTo(2);
        assertThat(err.toString())
                .contains("536,870,911 parameters with 3 pairs take 20,", "are free")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({"0, 1, 1", "3, 0, 1", "100, 100000000, 1", "3, 10, NaN"})
    void refusesWhatDoesNotFit(String memory, String sizes, String seconds) {
        assertThat(run("gpu", "--memory", memory, "--sizes", sizes, "--seconds", seconds))
                .isEqualTo(2);
        assertThat(err.toString()).contains("below 2^31").hasLineCount(1);
    }
}
