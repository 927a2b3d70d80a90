package io.github.dl4jfuse.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.tools.machine.Launcher;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as it is started from a shell, in a process of its own. */
class MainTest {

    @Test
    void whatIsPrintedIsOursAndNoLogOfDl4js(@TempDir Path folder) throws IOException {
        ProcessBuilder program = new ProcessBuilder(Launcher.command(
                        List.of("-Xmx1g"),
                        Launcher.classPath(),
                        Main.class,
                        "train",
                        "--epochs=1",
                        "--report=" + folder.resolve("train.html")))
                .directory(folder.toFile());
        program.environment().put(Launcher.VARIABLE, "off");
        String printed = Launcher.output(program, Duration.ofMinutes(3)).orElseThrow();
        assertThat(printed)
                .contains("training loss", "Preconditioned")
                .contains("Fashion-MNIST") // said by a logger of ours
                .doesNotContain("DEBUG", "org.nd4j", "org.deeplearning4j");
    }
}
