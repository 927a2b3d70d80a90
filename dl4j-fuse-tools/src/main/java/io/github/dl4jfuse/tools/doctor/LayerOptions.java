package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.Machine;
import io.github.dl4jfuse.tools.report.Charts;
import io.github.dl4jfuse.tools.report.HtmlReport;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code doctor --layers} and what goes with it. */
final class LayerOptions {

    /** Seconds for the steps unless the user says otherwise. */
    static final int SECONDS = 10;

    private static final String DL4J = "dl4j";
    private static final String TEMPLATE = "layers.html";

    /** More bars than these cannot be told apart. */
    private static final int MOST_BARS = 24;

    private static final List<String> NOTES = List.of(
            "The network takes its own steps, with a clock around each layer; times are medians. An output layer's forward time is that of its"
                    + " loss: DL4J computes its product in the backward pass.",
            "GFLOP/s are the operations that a step needs, two for each multiply-add, by the time: the product forward, the weights' gradient,"
                    + " and the inputs' gradient except of what comes from the network's input. What is computed twice counts once.",
            "The rest is preprocessors, vertices without a layer, regularisation and workspaces.");

    @Option(
            names = "--layers",
            paramLabel = "WORKLOAD|MODEL.zip",
            description =
                    "Measure the layers of a training step instead, attached (Acceleration.attach): of a workload that compare --list"
                            + " shows, or of a saved model.")
    private String subject;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "With --layers: examples in a batch. Default: the workload's, or " + Subject.BATCH + ".",
            showDefaultValue = Visibility.NEVER)
    private Integer batch;

    @Option(
            names = "--shape",
            paramLabel = "N,N,..",
            description =
                    "With --layers: the shape of a saved model's examples without the batch, where the model does not say it: 3,32,32"
                            + " for images, 12,50 for 50 time steps of 12 numbers. Once for each input.",
            showDefaultValue = Visibility.NEVER)
    private List<String> shapes = List.of();

    @Option(
            names = "--against",
            paramLabel = DL4J,
            description =
                    "With --layers: the same network with DL4J's layers takes steps in turn with the attached one; prints the ratio"
                            + " of the pairs with its interval.",
            showDefaultValue = Visibility.NEVER)
    private String against;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "With --layers: where the HTML report goes. Default: dl4j-fuse-report/layers.html.",
            showDefaultValue = Visibility.NEVER)
    private Path report;

    /** Returns whether layers are to be measured. */
    boolean areAsked() {
        return subject != null;
    }

    /**
     * Throws if they make no sense.
     *
     * @param tune whether settings are to be tried as well
     */
    void check(CommandSpec spec, boolean tune) {
        boolean others = batch != null || !shapes.isEmpty() || against != null || report != null;
        require(spec, areAsked() || !others, "--batch, --shape, --against and --report go with --layers");
        require(spec, !areAsked() || !tune, "--layers and --tune are two measurements: ask for one at a time");
        require(spec, against == null || against.equals(DL4J), "--against takes dl4j, not " + against);
        require(spec, batch == null || batch >= 1, "--batch must be at least 1, not " + batch);
        require(spec, report == null || !Files.isDirectory(report), "--report names a folder, not a file: " + report);
        shapes.forEach(shape -> require(
                spec,
                shape.matches("[1-9]\\d{0,8}(,[1-9]\\d{0,8})*"),
                "--shape is a list of whole numbers such as 3,32,32, not " + shape));
    }

    private static void require(CommandSpec spec, boolean holds, String sentence) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), sentence + ".");
        }
    }

    /** Measures, prints and writes the report. */
    void run(CommandSpec spec, double seconds) {
        PrintWriter out = spec.commandLine().getOut();
        out.println("Measures the layers of a training step of " + subject
                + (against == null ? "" : ", and the step against DL4J's layers") + ": about "
                + LayerDoctor.patience(seconds, against != null) + " seconds, more where a step is slow.");
        out.flush();
        if (Launcher.isDone()) {
            Acceleration.enable();
        }
        Subject measured = Subject.of(
                subject,
                batch,
                shapes.stream()
                        .map(shape -> Stream.of(shape.split(","))
                                .mapToLong(Long::parseLong)
                                .toArray())
                        .toList());
        String machine = Machine.describe();
        out.println(machine + System.lineSeparator() + measured.inWords());
        LayerDoctor doctor = new LayerDoctor(measured, seconds);
        List<String> sentences = new ArrayList<>();
        if (against != null) {
            sentences.add(LayerDoctor.inWords(doctor.against()));
        }
        StepTable table = doctor.table();
        String limit = String.format(
                Locale.ROOT,
                "Limit: %.0f GFLOP/s, the best product of this run, layers included; a copy moves %.0f GB/s.",
                table.limit().gflops(),
                table.limit().gigabytes());
        sentences.add(limit);
        sentences.addAll(table.sentences());
        out.println(System.lineSeparator() + table.text());
        sentences.forEach(out::println);
        Path file = report == null ? Path.of("dl4j-fuse-report", "layers.html") : report;
        String repeat = "java -jar dl4j-fuse-tools/target/dl4j-fuse.jar "
                + String.join(" ", spec.root().commandLine().getParseResult().originalArgs());
        write(file, table, measured.inWords(), machine, sentences, repeat);
        out.println("Report: " + file.toAbsolutePath().normalize());
    }

    private static void write(
            Path file, StepTable table, String subject, String machine, List<String> sentences, String repeat) {
        List<StepTable.Row> bars = table.rows().stream()
                .sorted(Comparator.comparingDouble(StepTable.Row::both).reversed())
                .limit(MOST_BARS)
                .sorted(Comparator.comparingInt(table.rows()::indexOf))
                .toList();
        byte[] chart = Charts.bars(
                "milliseconds",
                bars.stream().map(StepTable.Row::name).toList(),
                List.of(
                        new Charts.Part(
                                "forward",
                                bars.stream().map(StepTable.Row::forward).toList()),
                        new Charts.Part(
                                "backward",
                                bars.stream().map(StepTable.Row::backward).toList())));
        boolean all = bars.size() == table.rows().size();
        String html = HtmlReport.page(
                LayerOptions.class,
                TEMPLATE,
                Map.of(
                        "subject",
                        subject,
                        "machine",
                        machine,
                        "columns",
                        StepTable.COLUMNS,
                        "rows",
                        table.rows().stream().map(table::cells).toList(),
                        "totals",
                        table.totals(),
                        "chart",
                        Base64.getEncoder().encodeToString(chart),
                        "chartTitle",
                        all ? "Time of each layer" : "Time of the " + MOST_BARS + " dearest layers",
                        "sentences",
                        sentences,
                        "notes",
                        NOTES,
                        "repeat",
                        repeat));
        HtmlReport.write(file, html.getBytes(StandardCharsets.UTF_8), "name another place with --report");
    }
}
