package io.github.dl4jfuse.tools.report;

import com.samskivert.mustache.Mustache;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes a training comparison as one HTML file that needs nothing else: the pictures are part of it. */
public final class HtmlReport {

    private static final String TEMPLATE = "report.html";

    private HtmlReport() {}

    /**
     * Writes the report, and makes the folder if need be.
     *
     * @throws IllegalArgumentException with a sentence if the file cannot be written
     */
    public static void write(Path file, ReportData data) {
        String html;
        try (InputStream stream = HtmlReport.class.getResourceAsStream(TEMPLATE);
                Reader template = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
            html = Mustache.compiler().compile(template).execute(model(data));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        write(file, html.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes the report's first chart, training loss over gradient evaluations, as a PNG file. */
    public static void writePicture(Path file, List<RunResult> runs) {
        write(file, lossOverGradients(charted(runs)));
    }

    private static void write(Path file, byte[] content) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(file, content);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    file + " cannot be written (" + e + "): name another place with --report or --picture.", e);
        }
    }

    private static Map<String, Object> model(ReportData data) {
        return Map.of(
                "title", data.title(),
                "data", data.data(),
                "model", data.model(),
                "machine", data.machine(),
                "repeat", data.repeat(),
                "rows", data.runs().stream().map(HtmlReport::row).toList(),
                "notes", data.notes(),
                "charts", charts(data.runs()));
    }

    private static Map<String, Object> row(RunResult run) {
        CurvePoint end = run.end();
        return Map.of(
                "name", run.name(),
                "configuration", run.configuration(),
                "epochs", end.epoch(),
                "evaluations", String.format(Locale.ROOT, "%,d", end.gradientEvaluations()),
                "seconds", String.format(Locale.ROOT, "%.1f", end.seconds()),
                "loss", String.format(Locale.ROOT, "%.4f", end.trainingLoss()),
                "accuracy", String.format(Locale.ROOT, "%.2f %%", 100 * end.testAccuracy()),
                "event", run.event());
    }

    private static List<Map<String, Object>> charts(List<RunResult> all) {
        List<RunResult> runs = charted(all);
        return List.of(
                chart("Training loss over gradient evaluations", lossOverGradients(runs)),
                chart(
                        "Training loss over seconds",
                        Charts.curves(
                                "seconds of training",
                                "training loss",
                                runs,
                                CurvePoint::seconds,
                                CurvePoint::trainingLoss)),
                chart(
                        "Test accuracy over gradient evaluations",
                        Charts.curves(
                                "gradient evaluations",
                                "test accuracy, %",
                                runs,
                                CurvePoint::gradientEvaluations,
                                point -> 100 * point.testAccuracy())));
    }

    private static byte[] lossOverGradients(List<RunResult> runs) {
        return Charts.curves(
                "gradient evaluations",
                "training loss",
                runs,
                CurvePoint::gradientEvaluations,
                CurvePoint::trainingLoss);
    }

    /** The runs to draw: not those that another run continues. */
    private static List<RunResult> charted(List<RunResult> all) {
        return all.stream()
                .filter(run -> all.stream().noneMatch(other -> isBeginningOf(run, other)))
                .map(HtmlReport::fromTheFirstEpoch)
                .toList();
    }

    private static boolean isBeginningOf(RunResult run, RunResult other) {
        int length = run.curve().size();
        return length < other.curve().size() && other.curve().subList(0, length).equals(run.curve());
    }

    /** Leaves out the start, which would flatten all that follows. */
    private static RunResult fromTheFirstEpoch(RunResult run) {
        List<CurvePoint> curve = run.curve();
        return new RunResult(
                run.name(),
                run.configuration(),
                curve.size() > 1 ? curve.subList(1, curve.size()) : curve,
                run.event());
    }

    private static Map<String, Object> chart(String title, byte[] png) {
        return Map.of("title", title, "png", Base64.getEncoder().encodeToString(png));
    }
}
