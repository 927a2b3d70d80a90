package io.github.dl4jfuse.examples.functions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.examples.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class FunctionsCommandTest {

    private static final long SEED = 12;

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(args);
    }

    @ParameterizedTest
    @EnumSource(Landscape.class)
    void gradientsAreThoseOfTheValues(Landscape landscape) {
        Random random = new Random(SEED);
        double[] unused = new double[2];
        for (int trial = 0; trial < 20; trial++) {
            double[] x = {random.nextGaussian(), random.nextGaussian()};
            double[] gradient = new double[2];
            landscape.evaluate(x, gradient);
            for (int i = 0; i < 2; i++) {
                double h = 1e-6;
                double[] up = x.clone();
                double[] down = x.clone();
                up[i] += h;
                down[i] -= h;
                double difference = (landscape.evaluate(up, unused) - landscape.evaluate(down, unused)) / (2 * h);
                assertThat(gradient[i])
                        .as("%s, seed %d", landscape, SEED)
                        .isCloseTo(difference, within(1e-5 * (1 + Math.abs(difference))));
            }
        }
    }

    /** SciPy's L-BFGS-B takes 43, 15 and 15 evaluations to 1e-8 from the same starts. */
    @ParameterizedTest
    @CsvSource({"ROSENBROCK,43", "BEALE,15"})
    void lbfgsTakesAsManyEvaluationsAsScipy(Landscape landscape, int evaluations) {
        assertThat(Blend.run(landscape, 1, step -> 0, 1_000).evaluations()).isEqualTo(evaluations);
    }

    /** Adam written down once more, as in its paper but with ε as DL4J takes it. */
    @Test
    void withShare1ThePathIsAdams() {
        double rate = 0.05;
        Blend.Path path = Blend.run(Landscape.BEALE, rate, step -> 1, 30);
        double[] x = Landscape.BEALE.start.clone();
        double[] g = new double[2];
        double[] m = new double[2];
        double[] v = new double[2];
        for (int step = 1; step < path.points().size(); step++) {
            Landscape.BEALE.evaluate(x, g);
            for (int i = 0; i < 2; i++) {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                double corrected = rate * Math.sqrt(1 - Math.pow(0.999, step)) / (1 - Math.pow(0.9, step));
                x[i] -= corrected * m[i] / (Math.sqrt(v[i]) + 1e-8);
            }
            assertThat(path.points().get(step)).as("step %d", step).containsExactly(x, within(1e-10));
        }
        assertThat(path.points()).hasSize(30);
        assertThat(path.arrived()).isFalse();
    }

    @Test
    void theBlendLiesBetween() {
        double[] adam =
                Blend.run(Landscape.HIMMELBLAU, 0.1, step -> 1, 2).points().get(1);
        double[] curvature =
                Blend.run(Landscape.HIMMELBLAU, 0.1, step -> 0, 2).points().get(1);
        double[] blend =
                Blend.run(Landscape.HIMMELBLAU, 0.1, step -> 0.25, 2).points().get(1);
        for (int i = 0; i < 2; i++) {
            assertThat(blend[i]).isCloseTo(0.25 * adam[i] + 0.75 * curvature[i], within(1e-12));
        }
    }

    @Test
    void drawsAndTabulates() throws IOException {
        assertThat(run("functions", "--limit", "300", "--out", folder.toString()))
                .as("%s", err)
                .isZero();
        assertThat(out.toString()).contains("| rosenbrock | not reached | 43 |");
        assertThat(Files.readString(folder.resolve("functions.md"))).contains("| himmelblau |");
        for (String name : new String[] {"rosenbrock", "himmelblau", "beale", "ill-conditioned"}) {
            assertThat(ImageIO.read(folder.resolve(name + ".png").toFile()).getWidth())
                    .isEqualTo(1_000);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--theta 2, --theta lies between 0 and 1",
        "--switch -1, --switch must be at least 0",
        "--limit 0, --limit must be at least 1",
    })
    void badInputGetsOneLineAndExitCode2(String options, String sentence) {
        assertThat(run(("functions " + options).split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(sentence).hasLineCount(1);
    }

    @Test
    void saysWhereItCannotWrite() throws IOException {
        Path blocked = Files.writeString(folder.resolve("file"), "");
        assertThat(run(
                        "functions",
                        "--limit",
                        "1",
                        "--out",
                        blocked.resolve("x").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("name another folder with --out").hasLineCount(1);
    }
}
