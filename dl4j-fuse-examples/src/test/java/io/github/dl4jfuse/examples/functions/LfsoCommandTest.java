package io.github.dl4jfuse.examples.functions;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.examples.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LfsoCommandTest {

    @TempDir
    Path folder;

    @Test
    void theOracleBeatsTheBestOfTenRatesAndThePictureIsOne() throws IOException {
        StringWriter out = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .execute("lfso", "--steps", "20", "--out", folder.toString());
        assertThat(code).isZero();
        List<Double> losses = out.toString()
                .lines()
                .filter(line -> line.matches("\\| .*[0-9.e+-]+ \\| [0-9.]+ \\|") || line.startsWith("| exact"))
                .map(line -> Double.valueOf(line.split("\\|")[2].strip()))
                .toList();
        assertThat(losses).hasSize(11);
        double best =
                losses.subList(0, 10).stream().mapToDouble(loss -> loss).min().orElseThrow();
        assertThat(losses.get(10)).isLessThanOrEqualTo(best);
        assertThat(ImageIO.read(folder.resolve("flat-minima.png").toFile()).getWidth())
                .isGreaterThan(800);
        assertThat(Files.readString(folder.resolve("softmax.md"))).contains("exact oracle");
    }
}
