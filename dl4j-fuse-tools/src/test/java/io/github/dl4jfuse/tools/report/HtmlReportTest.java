package io.github.dl4jfuse.tools.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlReportTest {

    @TempDir
    Path folder;

    private static RunResult run(String name, double... losses) {
        List<CurvePoint> curve = java.util.stream.IntStream.range(0, losses.length)
                .mapToObj(i -> new CurvePoint(i, 100L * i, 1.5 * i, losses[i], 0.8))
                .toList();
        return new RunResult(name, name + "()", curve, "-");
    }

    private static ReportData data(RunResult... runs) {
        return new ReportData("Title", "data", "model", "machine", "command", List.of(runs), List.of("note"));
    }

    @Test
    void escapesWhatItIsGiven() throws IOException {
        Path file = folder.resolve("r.html");
        HtmlReport.write(file, data(run("a < b & \"c\"", 2, 1)));
        assertThat(Files.readString(file))
                .contains("a &lt; b &amp; &quot;c&quot;")
                .doesNotContain("a < b");
    }

    @Test
    void showsAFailedRunAsWhatItIs() throws IOException {
        Path file = folder.resolve("r.html");
        HtmlReport.write(file, data(run("good", 2, 1, 0.5), run("failed", 2, Double.NaN, Double.NaN)));
        assertThat(Files.readString(file)).contains("<td>failed</td>").contains("<td>NaN</td>");
    }

    @Test
    void saysWhereItCannotWrite() throws IOException {
        Path blocked = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> HtmlReport.write(blocked.resolve("r.html"), data(run("a", 2, 1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot be written")
                .hasMessageContaining("--report");
    }

    @Test
    void drawsEachRunInItsOwnColour() throws IOException {
        byte[] png = Charts.curves(
                "x",
                "y",
                List.of(run("a", 2, 1, 0.5), run("b", 2, 1.5, 1)),
                CurvePoint::gradientEvaluations,
                CurvePoint::trainingLoss);
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
        assertThat(count(image, 0x0072B2)).isGreaterThan(200);
        assertThat(count(image, 0xD55E00)).isGreaterThan(200);
    }

    @Test
    void stacksThePartsOfABarInTheirColours() throws IOException {
        byte[] png = Charts.bars(
                "ms",
                List.of("a", "b"),
                List.of(new Charts.Part("forward", List.of(1.0, 1.0)), new Charts.Part("backward", List.of(3.0, 3.0))));
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
        assertThat((double) count(image, 0xD55E00) / count(image, 0x0072B2)).isBetween(2.5, 3.5);
    }

    private static int count(BufferedImage image, int colour) {
        int count = 0;
        for (int x = 0; x < image.getWidth(); x++) {
            for (int y = 0; y < image.getHeight(); y++) {
                if ((image.getRGB(x, y) & 0xFFFFFF) == colour) {
                    count++;
                }
            }
        }
        return count;
    }
}
