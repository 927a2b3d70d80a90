package io.github.dl4jfuse.tools.gpu;

import io.github.dl4jfuse.linalg.MemoryEstimate;
import io.github.dl4jfuse.linalg.Reduction;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.tools.machine.Machine;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How fast an L-BFGS direction goes through memory, in both of its forms, on whatever ND4J runs on. */
@Command(
        name = "gpu",
        description = {
            "Measures an L-BFGS direction in float, row by row and as matrix products, against copying an array. Made for"
                    + " GPUs; runs on a CPU too.",
            "A direction with one new pair reads S and Y twice, 16 m n bytes; the rate is that over the median time. The copy"
                    + " counts bytes read and written."
        },
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class GpuCommand implements Callable<Integer> {

    private static final int WARM_UP = 3;
    private static final int FEWEST_ROUNDS = 5;

    @Spec
    private CommandSpec spec;

    @Option(names = "--sizes", split = ",", description = "Numbers of parameters; 100000000 takes 11 GB with m = 10.")
    private List<Integer> sizes = List.of(1_000_000, 10_000_000);

    @Option(names = "--memory", description = "Pairs m.")
    private int memory = 10;

    @Option(names = "--seconds", description = "Seconds for each form and size, after the warm-up.")
    private double seconds = 5;

    @Override
    public Integer call() {
        if (memory < 1
                || !(seconds > 0)
                || sizes.stream().anyMatch(n -> n < 1 || (long) memory * n > Integer.MAX_VALUE)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--memory and each of --sizes are at least 1 and their product below 2^31, and --seconds is positive.");
        }
        for (int n : sizes) {
            if (Reduction.ofBackend() == Reduction.ROWS && bytes(n, memory) > MemoryEstimate.free()) {
                throw new ParameterException(
                        spec.commandLine(),
                        String.format(
                                Locale.ROOT,
                                "%,d parameters with %d pairs take %,d MB, and %,d MB are free: take fewer, or raise"
                                        + " -Dorg.bytedeco.javacpp.maxbytes.",
                                n,
                                memory,
                                bytes(n, memory) >> 20,
                                MemoryEstimate.free() >> 20));
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(Machine.describe());
        out.printf(
                "%n%14s %4s %12s %14s %14s %14s%n", "parameters", "m", "form", "median, ms", "GB/s", "of the copy's");
        for (int n : sizes) {
            double copied = copyRate(n);
            for (Reduction kernel : Reduction.values()) {
                double time = direction(n, kernel);
                double rate = 16.0 * memory * n / time;
                out.printf(
                        Locale.ROOT,
                        "%,14d %4d %12s %14.3f %14.1f %13.0f%%%n",
                        n,
                        memory,
                        kernel + (kernel == Reduction.ofBackend() ? "*" : ""),
                        1e3 * time,
                        rate / 1e9,
                        100 * rate / copied);
            }
        }
        out.println("* what is used on this backend");
        return 0;
    }

    /** The history, a pair, gradient and direction. */
    static long bytes(int n, int memory) {
        return LbfgsHistory.bytes(memory, n, DataType.FLOAT, DataType.FLOAT) + 4L * n * Float.BYTES;
    }

    private double copyRate(int n) {
        INDArray from = Nd4j.rand(DataType.FLOAT, n);
        INDArray to = Nd4j.zeros(DataType.FLOAT, n);
        return 8.0 * n / median(() -> {}, () -> to.assign(from));
    }

    private double direction(int n, Reduction kernel) {
        INDArray[] step = {Nd4j.rand(DataType.FLOAT, n)};
        INDArray[] change = {step[0].mul(2)};
        INDArray[] gradient = {Nd4j.rand(DataType.FLOAT, n)};
        INDArray[] direction = {Nd4j.zeros(DataType.FLOAT, n)};
        LbfgsHistory history = new LbfgsHistory(memory, rows(n), rows(n), DataType.FLOAT, kernel);
        for (int k = 0; k < memory; k++) {
            history.update(step, change);
        }
        return median(() -> history.update(step, change), () -> history.direction(gradient, direction));
    }

    private INDArray[] rows(int n) {
        return new INDArray[] {Nd4j.zeros(DataType.FLOAT, (long) memory * n)};
    }

    /** Returns the median time of the work in seconds; the preparation before each is not in it. */
    private double median(Runnable preparation, Runnable work) {
        List<Double> times = new ArrayList<>();
        long end = Long.MAX_VALUE;
        for (int round = 0; round < WARM_UP + FEWEST_ROUNDS || System.nanoTime() < end; round++) {
            if (round == WARM_UP) {
                end = System.nanoTime() + (long) (seconds * 1e9);
            }
            preparation.run();
            Nd4j.getExecutioner().commit();
            long start = System.nanoTime();
            work.run();
            Nd4j.getExecutioner().commit();
            if (round >= WARM_UP) {
                times.add((System.nanoTime() - start) / 1e9);
            }
        }
        return times.stream().sorted().toList().get(times.size() / 2);
    }
}
