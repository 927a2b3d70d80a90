package io.github.dl4jfuse.examples.saddles;

import io.github.dl4jfuse.acceleration.Acceleration;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Saddle points of real networks: docs/saddle.md is made by this. */
@Command(
        name = "saddles",
        description = {
            "Saddle points of networks on Fashion-MNIST.",
            "escape: three weight layers, all weights zero, where gradient and Hessian vanish.",
            "probe: eigenpairs of a perceptron of 235,146 parameters, and their cost.",
            "plateau: the autoencoder with its initial weights times 1e-3."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class SaddlesCommand implements Callable<Integer> {

    /** What to show. */
    enum Experiment {
        ESCAPE,
        PROBE,
        PLATEAU
    }

    @Spec
    private CommandSpec spec;

    @Option(names = "--show", description = "One of ${COMPLETION-CANDIDATES}.")
    private Experiment show = Experiment.ESCAPE;

    @Option(names = "--steps", description = "Training steps of a run.")
    private int steps = 1_500;

    @Option(names = "--seeds", description = "Number of seeds, 1, 2, ..")
    private int seeds = 3;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where pictures go.")
    private Path out = Path.of("dl4j-fuse-report", "saddles");

    @Override
    public Integer call() {
        if (steps < 1 || seeds < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--steps and --seeds must be at least 1, not " + steps + " and " + seeds + ".");
        }
        Acceleration.enable();
        PrintWriter writer = spec.commandLine().getOut();
        switch (show) {
            case ESCAPE -> new Escape(writer, steps, seeds).run(out);
            case PROBE -> new ProbeCost(writer).run();
            case PLATEAU -> new Plateau(writer, steps, seeds).run();
        }
        return 0;
    }
}
