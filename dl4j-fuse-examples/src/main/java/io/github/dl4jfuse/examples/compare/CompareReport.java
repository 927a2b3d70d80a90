package io.github.dl4jfuse.examples.compare;

import com.samskivert.mustache.Mustache;
import io.github.dl4jfuse.examples.compare.Summary.Row;
import io.github.dl4jfuse.examples.compare.Summary.Spread;
import io.github.dl4jfuse.examples.report.Charts;
import io.github.dl4jfuse.examples.report.CurvePoint;
import io.github.dl4jfuse.examples.report.RunResult;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** The summaries as Markdown, CSV and a self-contained HTML page. */
final class CompareReport {

    private static final List<String> COLUMNS = List.of(
            "optimizer",
            "tried",
            "failed",
            "final training loss",
            "test",
            "gradients to target",
            "seconds to target",
            "ms per gradient");

    private CompareReport() {}

    /** Returns the tables of all workloads. */
    static String markdown(List<Summary> summaries) {
        StringBuilder text = new StringBuilder();
        for (Summary summary : summaries) {
            text.append("### ")
                    .append(summary.workload())
                    .append("\n\n")
                    .append(target(summary))
                    .append("\n\n");
            text.append("| ").append(String.join(" | ", COLUMNS)).append(" |\n");
            text.append("| --- |").append(" ---: |".repeat(COLUMNS.size() - 1)).append('\n');
            for (Row row : summary.rows()) {
                text.append("| ").append(String.join(" | ", cells(row))).append(" |\n");
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static String target(Summary summary) {
        return String.format(
                Locale.ROOT,
                "Target: training loss %.4g, the median that %s ends at.",
                summary.target(),
                summary.rows().get(0).contestant());
    }

    private static List<String> cells(Row row) {
        boolean classes = !Double.isNaN(row.testAccuracy().median());
        return List.of(
                row.contestant(),
                String.valueOf(row.members()),
                row.failures() + " of " + row.runs().size(),
                spread("%.4g", row.trainingLoss(), 1),
                classes ? spread("%.2f %%", row.testAccuracy(), 100) : spread("%.4g", row.testLoss(), 1),
                reached(row, "%,.0f", row.gradientsToTarget()),
                reached(row, "%.1f", row.secondsToTarget()),
                String.format(Locale.ROOT, "%.2f", row.millisecondsPerGradient()));
    }

    private static String spread(String format, Spread spread, double scale) {
        return number(format, scale * spread.median()) + " (" + number(format, scale * spread.lowest()) + " .. "
                + number(format, scale * spread.highest()) + ")";
    }

    private static String number(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "-";
    }

    private static String reached(Row row, String format, Spread cost) {
        int runs = row.runs().size();
        if (row.reached() == 0) {
            return "not reached";
        }
        return row.reached() == runs
                ? number(format, cost.median())
                : number(format, cost.median()) + " (" + row.reached() + " of " + runs + " runs)";
    }

    /** Returns all checkpoints of all runs. */
    static String csv(List<RunRecord> runs) {
        StringWriter text = new StringWriter();
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setRecordSeparator('\n')
                .setHeader(
                        "workload",
                        "contestant",
                        "seed",
                        "failure",
                        "gradients",
                        "seconds",
                        "training_loss",
                        "validation_loss",
                        "test_loss",
                        "test_accuracy")
                .get();
        try (CSVPrinter printer = new CSVPrinter(text, format)) {
            for (RunRecord run : runs) {
                for (RunRecord.Checkpoint c : run.checkpoints()) {
                    printer.printRecord(
                            run.workload(),
                            run.contestant(),
                            run.seed(),
                            run.failure(),
                            c.gradients(),
                            c.seconds(),
                            c.trainingLoss(),
                            c.validationLoss(),
                            c.testLoss(),
                            c.testAccuracy());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    /** Returns the page. */
    static String html(List<Summary> summaries, String machine, String repeat) {
        List<Map<String, Object>> sections = new ArrayList<>();
        for (Summary summary : summaries) {
            sections.add(Map.of(
                    "workload", summary.workload(),
                    "target", target(summary),
                    "rows", summary.rows().stream().map(CompareReport::cells).toList(),
                    "overGradients", chart(summary, "gradient evaluations", false),
                    "overSeconds", chart(summary, "seconds of training", true)));
        }
        try (Reader template = new InputStreamReader(
                CompareReport.class.getResourceAsStream("compare.html"), StandardCharsets.UTF_8)) {
            return Mustache.compiler()
                    .compile(template)
                    .execute(Map.of("columns", COLUMNS, "sections", sections, "machine", machine, "repeat", repeat));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String chart(Summary summary, String xTitle, boolean overSeconds) {
        List<RunResult> runs = new ArrayList<>();
        for (Row row : summary.rows()) {
            for (RunRecord run : row.runs()) {
                runs.add(new RunResult(
                        row.contestant(),
                        run.settings(),
                        run.checkpoints().stream()
                                .skip(1) // the start would flatten all that follows
                                .map(c -> new CurvePoint(
                                        0, c.gradients(), c.seconds(), c.trainingLoss(), c.testAccuracy()))
                                .toList(),
                        run.failure()));
            }
        }
        return Base64.getEncoder()
                .encodeToString(Charts.curves(
                        xTitle,
                        "training loss",
                        runs,
                        overSeconds ? CurvePoint::seconds : CurvePoint::gradientEvaluations,
                        CurvePoint::trainingLoss));
    }
}
