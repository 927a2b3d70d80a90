package io.github.dl4jfuse.tools.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Starts real processes: the environment of a JVM is fixed when it starts. */
class LauncherTest {

    /** Relaunches itself, says what it finds, and ends with the code it is told. */
    static final class Program {
        public static void main(String[] args) {
            OptionalInt launched = Launcher.startAgain(Program.class, args);
            if (launched.isPresent()) {
                System.exit(launched.getAsInt());
            }
            System.out.println("threads=" + System.getenv(Setting.OPENMP_THREADS) + " done=" + Launcher.isDone()
                    + " given=" + System.getProperty("given") + " args=" + List.of(args));
            System.exit(Integer.parseInt(args[0]));
        }
    }

    private static String run(int exitCode, String variable, String value) throws IOException, InterruptedException {
        List<Path> classPath = List.of(
                Path.of("target", "classes").toAbsolutePath(),
                Path.of("target", "test-classes").toAbsolutePath());
        ProcessBuilder builder = new ProcessBuilder(
                Launcher.command(List.of("-Dgiven=yes"), classPath, Program.class, String.valueOf(exitCode), "a b"));
        builder.environment().keySet().removeAll(List.of(Launcher.VARIABLE, Setting.OPENMP_THREADS));
        if (variable != null) {
            builder.environment().put(variable, value);
        }
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        assertThat(process.waitFor()).as(output).isEqualTo(exitCode);
        return output;
    }

    @Test
    void startsTheProgramAgainWithTheSettingAndPassesOnArgumentsOptionsAndExitCode() throws Exception {
        assertThat(run(7, null, null)).isEqualTo("threads=1 done=true given=yes args=[7, a b]");
    }

    @Test
    void leavesWhatTheUserHasSet() throws Exception {
        assertThat(run(0, Setting.OPENMP_THREADS, "5")).isEqualTo("threads=5 done=true given=yes args=[0, a b]");
    }

    @Test
    void canBeSwitchedOff() throws Exception {
        assertThat(run(0, Launcher.VARIABLE, "off")).isEqualTo("threads=null done=false given=yes args=[0, a b]");
    }
}
