package io.github.dl4jfuse.examples.functions;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.IntToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The ablation of the FUSE paper: Adam, L-BFGS, the switch and the blend on functions of two variables. */
@Command(
        name = "functions",
        description = "Adam, L-BFGS, FUSE-PV and FUSE on functions of two variables: evaluations until the value is"
                + " 1e-8 above the minimum, and a picture of the paths. Adam's rate is swept for each function and each"
                + " method.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class FunctionsCommand implements Callable<Integer> {

    private static final double[] RATES = {1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1};

    @Spec
    private CommandSpec spec;

    @Option(names = "--switch", description = "Adam's steps before FUSE-PV switches.")
    private int switchStep = 20;

    @Option(names = "--theta", description = "Adam's share in FUSE, between 0 and 1.")
    private double theta = 0.5;

    @Option(names = "--limit", description = "Most evaluations of one run.")
    private int limit = 20_000;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where pictures and table go.")
    private Path out = Path.of("dl4j-fuse-report", "functions");

    @Override
    public Integer call() {
        require(switchStep >= 0, "--switch must be at least 0, not " + switchStep);
        require(theta >= 0 && theta <= 1, "--theta lies between 0 and 1, not at " + theta);
        require(limit >= 1, "--limit must be at least 1, not " + limit);
        Map<String, IntToDoubleFunction> methods = new LinkedHashMap<>();
        methods.put("Adam", step -> 1);
        methods.put("L-BFGS", step -> 0);
        methods.put("FUSE-PV", step -> step < switchStep ? 1 : 0);
        methods.put("FUSE", step -> theta);
        StringBuilder table = new StringBuilder("| function | " + String.join(" | ", methods.keySet()) + " |\n| --- |"
                + " ---: |".repeat(methods.size()) + "\n");
        try {
            Files.createDirectories(out);
            for (Landscape landscape : Landscape.values()) {
                String name = landscape.name().toLowerCase(Locale.ROOT).replace('_', '-');
                table.append("| ").append(name).append(" |");
                Map<String, Blend.Path> paths = new LinkedHashMap<>();
                methods.forEach((method, share) -> {
                    Best best = best(landscape, share);
                    paths.put(method, best.path());
                    table.append(' ').append(best.inWords(method)).append(" |");
                });
                table.append('\n');
                LandscapePicture.write(out.resolve(name + ".png"), landscape, paths);
            }
            Files.writeString(out.resolve("functions.md"), table);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "The pictures cannot be written to " + out + " (" + e + "): name another folder with --out.", e);
        }
        PrintWriter writer = spec.commandLine().getOut();
        writer.print(table);
        writer.println("Pictures: " + out.toAbsolutePath().normalize());
        return 0;
    }

    private void require(boolean holds, String sentence) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), sentence + ".");
        }
    }

    /** A path with the rate that it was found with. */
    private record Best(Blend.Path path, double rate) {

        String inWords(String method) {
            String count = path.arrived() ? String.format(Locale.ROOT, "%,d", path.evaluations()) : "not reached";
            return method.equals("L-BFGS") || !path.arrived()
                    ? count
                    : count + String.format(Locale.ROOT, " (rate %.0e)", rate);
        }
    }

    private Best best(Landscape landscape, IntToDoubleFunction share) {
        return Arrays.stream(RATES)
                .mapToObj(rate -> new Best(Blend.run(landscape, rate, share, limit), rate))
                .min(Comparator.comparingInt(best -> best.path.arrived() ? best.path.evaluations() : Integer.MAX_VALUE))
                .orElseThrow();
    }
}
