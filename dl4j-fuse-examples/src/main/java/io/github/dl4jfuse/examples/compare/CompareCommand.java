package io.github.dl4jfuse.examples.compare;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.examples.console.Terminal;
import io.github.dl4jfuse.examples.machine.Launcher;
import io.github.dl4jfuse.examples.machine.Machine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Compares optimisers with swept Adam over workloads and seeds. */
@Command(
        name = "compare",
        description = "Compares optimisers with swept Adam over several seeds: same initial weights and batches, runs"
                + " interleaved, every finished run kept in results.jsonl.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class CompareCommand implements Callable<Integer> {

    private static final String RESULTS = "results.jsonl";

    @Spec
    private CommandSpec spec;

    @Option(names = "--workloads", split = ",", description = "Some of those that --list shows.")
    private List<String> workloads = Workload.ALL.stream().map(Workload::name).toList();

    @Option(names = "--optimizers", split = ",", description = "Some of those that --list shows.")
    private List<String> optimizers = List.of("adam", "fuse-pv");

    @Option(names = "--seeds", description = "Number of seeds: 1, 2, ..")
    private int seeds = 3;

    @Option(
            names = "--budget",
            paramLabel = "N|Ns",
            description = "Gradient evaluations (2000) or seconds (30s) for each run. Default: that of the workload.",
            showDefaultValue = Visibility.NEVER)
    private String budget;

    @Option(names = "--full", description = "Whole data sets and long budgets instead of the fast form.")
    private boolean full;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where results and reports go.")
    private Path out = Path.of("dl4j-fuse-report", "compare");

    @Option(names = "--resume", description = "Go on with the results in --out.")
    private boolean resume;

    @Option(names = "--list", description = "Show workloads and optimizers, and do nothing.")
    private boolean list;

    /** One run that is to be done. */
    private record Job(Workload workload, Budget budget, Contestant contestant, long seed) {
        RunRecord.Key key(boolean full) {
            return new RunRecord.Key(workload.name(), full, contestant.name(), seed, budget.toString());
        }
    }

    @Override
    public Integer call() {
        PrintWriter writer = spec.commandLine().getOut();
        if (list) {
            Workload.ALL.forEach(w -> writer.printf("%-14s %s%n", w.name(), w.description()));
            writer.println("optimizers:    " + String.join(", ", Contestant.FAMILIES));
            writer.flush();
            return 0;
        }
        List<Job> jobs = jobs();
        Path file = out.resolve(RESULTS);
        require(
                resume || !Files.exists(file),
                file + " holds results already: add --resume to go on with them, or name another folder with --out");
        ResultsFile results = new ResultsFile(file);
        if (Launcher.isDone()) {
            Acceleration.enable();
        }
        String machine = Machine.describe();
        writer.println(machine);
        writer.flush();
        run(jobs, results, machine);
        // A file may hold runs of other budgets or forms, which must not be mixed into one table.
        Set<RunRecord.Key> asked = jobs.stream().map(job -> job.key(full)).collect(Collectors.toSet());
        report(
                writer,
                results.runs().stream().filter(run -> asked.contains(run.key())).toList(),
                machine);
        return 0;
    }

    private List<Job> jobs() {
        require(seeds >= 1, "--seeds must be at least 1, not " + seeds);
        List<Job> jobs = new ArrayList<>();
        try {
            Budget given = budget == null ? null : Budget.parse(budget);
            List<Contestant> contestants = optimizers.stream()
                    .flatMap(family -> Contestant.family(family).stream())
                    .toList();
            for (String name : workloads) {
                Workload workload = workload(name);
                Budget each = given == null ? workload.budget(full) : given;
                for (long seed = 1; seed <= seeds; seed++) {
                    for (Contestant contestant : contestants) {
                        jobs.add(new Job(workload, each, contestant, seed));
                    }
                }
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        return jobs;
    }

    private Workload workload(String name) {
        return Workload.ALL.stream()
                .filter(workload -> workload.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(),
                        "There is no workload '" + name + "'; there are "
                                + String.join(
                                        ", ",
                                        Workload.ALL.stream()
                                                .map(Workload::name)
                                                .toList())
                                + "."));
    }

    private void require(boolean holds, String sentence) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), sentence + ".");
        }
    }

    private void run(List<Job> jobs, ResultsFile results, String machine) {
        Set<RunRecord.Key> done = new HashSet<>();
        results.runs().forEach(run -> done.add(run.key()));
        List<Job> open =
                jobs.stream().filter(job -> !done.contains(job.key(full))).toList();
        String commit = commit();
        Map<Workload, Workload.Split> data = new HashMap<>();
        try (ProgressBar bar = Terminal.isPresent()
                ? new ProgressBarBuilder()
                        .setTaskName("Comparing")
                        .setInitialMax(open.size())
                        .build()
                : null) {
            for (Job job : open) {
                Workload.Split split = data.computeIfAbsent(job.workload(), workload -> workload.data(full));
                Runner.Course course =
                        new Runner(job.workload(), split, job.budget()).run(job.contestant(), job.seed());
                results.add(new RunRecord(
                        job.workload().name(),
                        full,
                        job.contestant().name(),
                        job.contestant().family(),
                        course.settings(),
                        job.seed(),
                        job.budget().toString(),
                        commit,
                        machine,
                        course.failure(),
                        course.checkpoints()));
                if (bar != null) {
                    bar.step();
                }
            }
        }
    }

    private static String commit() {
        try {
            Process git = new ProcessBuilder("git", "rev-parse", "--short", "HEAD").start();
            String answer = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
            return git.waitFor() == 0 && !answer.isEmpty() ? answer : "unknown";
        } catch (IOException e) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }

    private void report(PrintWriter writer, List<RunRecord> runs, String machine) {
        List<Summary> summaries = Summary.of(runs);
        String tables = CompareReport.markdown(summaries);
        String repeat = "java -jar dl4j-fuse-examples/target/dl4j-fuse-examples.jar "
                + String.join(" ", spec.root().commandLine().getParseResult().originalArgs());
        try {
            Files.writeString(out.resolve("results.md"), tables);
            Files.writeString(out.resolve("results.csv"), CompareReport.csv(runs));
            Files.writeString(out.resolve("results.html"), CompareReport.html(summaries, machine, repeat));
        } catch (IOException e) {
            throw new IllegalArgumentException("The report cannot be written to " + out + " (" + e + ").", e);
        }
        writer.println();
        writer.print(tables);
        for (String family : optimizers) {
            if (!family.equals(Contestant.BASELINE)) {
                OptionalDouble speedup = Summary.speedup(
                        summaries, family, row -> row.secondsToTarget().median());
                writer.println(family + ", seconds to tuned Adam's training loss, geometric mean: "
                        + (speedup.isPresent()
                                ? String.format(Locale.ROOT, "%.2f times faster", speedup.getAsDouble())
                                : "not reached on every workload"));
            }
        }
        writer.println("Report: " + out.resolve("results.html").toAbsolutePath().normalize());
        writer.flush();
    }
}
