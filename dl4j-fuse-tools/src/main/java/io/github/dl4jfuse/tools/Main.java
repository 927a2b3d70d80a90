package io.github.dl4jfuse.tools;

import io.github.dl4jfuse.datasets.DataException;
import io.github.dl4jfuse.tools.compare.CompareCommand;
import io.github.dl4jfuse.tools.doctor.DoctorCommand;
import io.github.dl4jfuse.tools.gpu.GpuCommand;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.train.TrainCommand;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line.
 *
 * <p>Exit codes: 0 done, 1 the work failed, 2 a bad option. What goes wrong is said in one line on standard error.
 */
@Command(
        name = "dl4j-fuse",
        description = "Compares optimisers, finds what slows a machine down, trains and reports.",
        subcommands = {
            TrainCommand.class,
            CompareCommand.class,
            DoctorCommand.class,
            GpuCommand.class,
            HelpCommand.class
        },
        mixinStandardHelpOptions = true,
        version = Main.VERSION)
public final class Main implements Runnable {

    /** What {@code --version} says. */
    public static final String VERSION = "dl4j-fuse 0.1.0-SNAPSHOT";

    private static final String LOG_CONFIGURATION = "logback.configurationFile";

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Name a command: train, compare, doctor or gpu.");
    }

    public static void main(String[] args) {
        keepLogQuiet();
        Launcher.startAgain(Main.class, args).ifPresent(System::exit);
        System.exit(commandLine().execute(args));
    }

    /**
     * Makes Logback, if that is what logs, say what we have to say and warnings of others, as programs do that are not told anything else. To
     * be called before the first logger is made. As a library the tools leave the log alone, so no logback.xml comes with them.
     */
    public static void keepLogQuiet() {
        boolean told = System.getProperty(LOG_CONFIGURATION) != null || Main.class.getResource("/logback.xml") != null;
        if (!told) {
            System.setProperty(LOG_CONFIGURATION, Main.class.getPackageName().replace('.', '/') + "/logback.xml");
        }
    }

    /** Returns the command line, ready to execute; it never ends the process itself. */
    public static CommandLine commandLine() {
        return commandLine(new Main());
    }

    /** Returns a command line of other commands that says in the same way what goes wrong. */
    public static CommandLine commandLine(Object commands) {
        CommandLine line = new CommandLine(commands);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler((exception, args) -> {
            CommandLine command = exception.getCommandLine();
            say(command.getErr(), exception.getMessage() + " (--help lists the options)");
            return CommandLine.ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((exception, command, result) -> {
            if (exception instanceof DataException || exception instanceof IllegalArgumentException) {
                say(command.getErr(), exception.getMessage());
                return CommandLine.ExitCode.SOFTWARE;
            }
            throw exception;
        });
        return line;
    }

    private static void say(PrintWriter err, String message) {
        err.println(message.lines().findFirst().orElse(message));
    }
}
