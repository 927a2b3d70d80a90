package io.github.dl4jfuse.examples;

import io.github.dl4jfuse.examples.functions.FunctionsCommand;
import io.github.dl4jfuse.examples.functions.LfsoCommand;
import io.github.dl4jfuse.examples.geometry.GeometryCommand;
import io.github.dl4jfuse.examples.saddles.SaddlesCommand;
import io.github.dl4jfuse.tools.machine.Launcher;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of the programs that redo the papers' figures; exit codes as in dl4j-fuse-tools. */
@Command(
        name = "dl4j-fuse-examples",
        description = "Redoes the figures of the papers.",
        subcommands = {
            FunctionsCommand.class,
            GeometryCommand.class,
            SaddlesCommand.class,
            LfsoCommand.class,
            HelpCommand.class
        },
        mixinStandardHelpOptions = true,
        version = io.github.dl4jfuse.tools.Main.VERSION)
public final class Main implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Name a command: functions, lfso, geometry or saddles.");
    }

    public static void main(String[] args) {
        Launcher.startAgain(Main.class, args).ifPresent(System::exit);
        System.exit(commandLine().execute(args));
    }

    /** Returns the command line, ready to execute; it never ends the process itself. */
    public static CommandLine commandLine() {
        return io.github.dl4jfuse.tools.Main.commandLine(new Main());
    }
}
