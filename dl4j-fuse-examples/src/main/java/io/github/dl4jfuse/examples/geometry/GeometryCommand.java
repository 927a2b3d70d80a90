package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.examples.course.Course;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.tools.compare.Workload;
import io.github.dl4jfuse.tools.compare.Workloads;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The figures of docs/geometry.md. */
@Command(
        name = "geometry",
        description =
                "Gradient descent in the metric of the outputs against Adam, on a full-batch workload of compare: Adam at"
                        + " several rates and schedules, and how long each method takes to the loss at which the best of them"
                        + " ends. Seconds are those of the processor, after a warm-up.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class GeometryCommand implements Callable<Integer> {

    private static final double TARGET = 1e-4;

    @Spec
    private CommandSpec spec;

    @Option(names = "--workload", description = "regression or physics, those of compare with one batch of all data.")
    private String workload = "regression";

    @Option(names = "--steps", description = "Adam's steps on the workload; steps of each row with --mini-batches.")
    private int steps = 800;

    @Option(names = "--examples", description = "Examples of a Gauss-Newton step on the regression; physics takes all.")
    private int examples = 100;

    @Option(names = "--seeds", description = "Number of initialisations.")
    private int seeds = 3;

    @Option(names = "--first-seed", description = "The first of them.")
    private int firstSeed = 1;

    @Option(names = "--images", description = "Fit so many images of Fashion-MNIST to 1e-4 of the loss at the start.")
    private int images;

    @Option(names = "--cnn", description = "With --images: a small CNN in place of the MLP.")
    private boolean convolutions;

    @Option(names = "--cross-entropy", description = "With --images: in place of the squared loss.")
    private boolean crossEntropy;

    @Option(names = "--rates", split = ",", description = "With --images: rates of Adam.")
    private List<Double> rates = List.of(3e-4, 1e-3, 3e-3);

    @Option(
            names = "--batches",
            split = ",",
            description = "With --images: examples of a step, 0 for the solver on all.")
    private List<Integer> batches = List.of(100, 0);

    @Option(names = "--momentum", description = "With --images: of Gauss-Newton steps, from 0 to below 1.")
    private double momentum;

    @Option(names = "--seconds", description = "With --images: most processor seconds of a run.")
    private double maxSeconds = 60;

    @Option(
            names = "--mini-batches",
            description = "The network fashion-mlp for a few steps, with batches from 1 to 2,048.")
    private boolean miniBatches;

    @Override
    public Integer call() {
        Acceleration.enable();
        PrintWriter out = spec.commandLine().getOut();
        if (images > 0) {
            fitImages(out);
        } else if (miniBatches) {
            out.println(MiniBatches.HEAD);
            MiniBatches fit = new MiniBatches();
            for (Layers layers : Layers.values()) {
                for (int size : MiniBatches.SIZES) {
                    out.println(fit.row(layers, size, steps, 1));
                }
            }
        } else {
            FullBatchFit fit = new FullBatchFit(named(workload), steps, examples);
            fit.warmUp();
            out.println(Course.HEAD);
            for (int seed = firstSeed; seed < firstSeed + seeds; seed++) {
                fit.run(seed, out::println);
            }
        }
        return 0;
    }

    private Workload named(String name) {
        return Stream.of(Workloads.REGRESSION, Workloads.PHYSICS)
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(), "--workload is regression or physics, not '" + name + "'."));
    }

    private void fitImages(PrintWriter out) {
        DataSet data =
                Workloads.FASHION_MLP.data(false).train().iterator(images).next();
        ImageFit fit = new ImageFit(data, convolutions, !crossEntropy, TARGET, maxSeconds);
        out.println(Course.HEAD);
        for (int seed = firstSeed; seed < firstSeed + seeds; seed++) {
            for (int batch : batches) {
                for (double rate : rates) {
                    out.println(fit.adam(seed, rate, batch > 0 ? batch : images));
                }
                out.println(batch > 0 ? fit.gaussNewton(seed, batch, momentum) : fit.solver(seed));
            }
        }
    }
}
