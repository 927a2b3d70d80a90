package io.github.dl4jfuse.tools.report;

import com.samskivert.mustache.Mustache;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Writes a training comparison as one HTML file that needs nothing else: the pictures are part of it. */
public final class HtmlReport {

    private static final String TEMPLATE = "report.html";
    private static final String REMEDY = "name another place with --report or --picture";

    private HtmlReport() {}

    /**
     * Writes the report, and makes the folder if need be.
     *
     * @throws IllegalArgumentException with a sentence if the file cannot be written
     */
    public static void write(Path file, ReportData data) {
        String html = page(HtmlReport.class, TEMPLATE, Map.of("report", data, "charts", charts(data.runs())));
        write(file, html.getBytes(StandardCharsets.UTF_8), REMEDY);
    }

    /** Writes the report's first chart, training loss over gradient evaluations, as a PNG file. */
    public static void writePicture(Path file, List<RunResult> runs) {
        write(file, lossOverGradients(charted(runs)), REMEDY);
    }

    /**
     * Writes a file of a report, and makes its folder if need be.
     *
     * @param remedy what the user can do if it cannot be written, the end of a sentence
     * @throws IllegalArgumentException with that sentence
     */
    public static void write(Path file, byte[] content, String remedy) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(file, content);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be written (" + e + "): " + remedy + ".", e);
        }
    }

    /** Fills a template that lies beside a class; an empty text counts as false in it. */
    public static String page(Class<?> owner, String template, Object content) {
        try (Reader reader = new InputStreamReader(owner.getResourceAsStream(template), StandardCharsets.UTF_8)) {
            return Mustache.compiler()
                    .emptyStringIsFalse(true)
                    .zeroIsFalse(true)
                    .compile(reader)
                    .execute(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
