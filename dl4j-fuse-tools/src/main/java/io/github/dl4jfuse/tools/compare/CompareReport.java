package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Summary.Cost;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import io.github.dl4jfuse.tools.compare.Summary.Spread;
import io.github.dl4jfuse.tools.report.HtmlReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The figures as Markdown and a self-contained HTML page.
 *
 * @param command what makes the report again, or empty
 */
record CompareReport(List<Summary> summaries, List<RunRecord> runs, String command) {

    private static final Logger log = LoggerFactory.getLogger(CompareReport.class);

    private static final String TEMPLATE = "compare.html";

    private static final List<String> VERDICT_COLUMNS = List.of(
            "workload",
            "baseline",
            "against it",
            "seconds to the baseline's training loss",
            "test at the end",
            "test at equal time",
            "failed");

    private static final List<String> COLUMNS = List.of(
            "optimizer",
            "tried",
            "failed",
            "final training loss",
            "final test",
            "gradients to target",
            "seconds to target",
            "seconds to baseline's test",
            "ms per step",
            "extra memory");

    private static final String HOW_TO_READ =
            "Each run starts at the same weights and sees the same batches as the others"
                    + " with its seed, with an empty heap; before its first run each contestant trains for a moment,"
                    + " unmeasured. Swept families are tuned with a seed of its own; the best "
                    + Comparison.FINALISTS
                    + " of each run with all seeds, and the one with the lowest median validation loss stands for the"
                    + " family. The test set chooses nothing, the last step counts, a failed run counts as infinitely"
                    + " bad. Figures are medians over the seeds, lowest and highest in brackets. The baseline is tuned"
                    + " Adam (without it, the first optimizer named), and the target the training loss at which it ends"
                    + " (median); where others don't reach it, their ratio is an upper bound. Seconds are those of"
                    + " training alone, and mean something within one report only. Test at equal time is the last one"
                    + " measured within the seconds that the baseline's run with the same seed took.";

    private List<String> rivals() {
        return summaries.stream()
                .flatMap(summary -> summary.rows().stream().skip(1))
                .map(Row::family)
                .distinct()
                .toList();
    }

    /** Writes results.md, results.csv and, where this Java can draw charts, results.html. */
    Comparison.Outcome write(Path folder) {
        Path html = folder.resolve("results.html");
        Path tables = folder.resolve("results.md");
        boolean charts = ModuleLayer.boot().findModule("java.desktop").isPresent();
        String markdown = markdown();
        try {
            Files.writeString(tables, markdown);
            writeCsv(folder.resolve("results.csv"));
            if (charts) {
                Files.writeString(html, html());
            } else {
                log.warn(
                        "This Java has no java.desktop, so there are no charts: make them elsewhere from {} with --resume.",
                        Comparison.RESULTS);
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("The report cannot be written to " + folder + " (" + e + ").", e);
        }
        Path report = charts ? html : tables;
        return new Comparison.Outcome(summaries, runs, report.toAbsolutePath().normalize(), markdown);
    }

    private String origin() {
        return "Made on " + LocalDate.now() + " from commit " + distinct(RunRecord::commit) + " on "
                + distinct(RunRecord::machine) + ".";
    }

    private String distinct(Function<RunRecord, String> property) {
        return runs.stream().map(property).distinct().collect(Collectors.joining(" and "));
    }

    /** Returns all tables, the verdict first. */
    String markdown() {
        StringBuilder text = new StringBuilder("# Results\n\n");
        text.append(origin()).append("\n\n");
        if (!command.isEmpty()) {
            text.append("```sh\n").append(command).append("\n```\n\n");
        }
        text.append(HOW_TO_READ).append("\n\n");
        if (!rivals().isEmpty()) {
            text.append("## Verdict\n\n");
            table(text, VERDICT_COLUMNS, 3, verdicts());
            for (String sentence : overall()) {
                text.append("- ").append(sentence).append('\n');
            }
            text.append(
                    "\nShare of workloads on which an optimizer reaches the target within τ times the seconds of the"
                            + " fastest:\n\n");
            table(text, profileColumns(), 1, profiles());
        }
        for (Summary summary : summaries) {
            text.append("## ").append(summary.workload()).append("\n\n");
            text.append(target(summary)).append("\n\n");
            table(text, COLUMNS, 1, summary.rows().stream().map(this::cells).toList());
            failures(summary)
                    .forEach(failure -> text.append("- ").append(failure).append('\n'));
        }
        return text.toString().stripTrailing() + "\n";
    }

    /** Appends a table whose first columns stand left and the others right. */
    private static void table(StringBuilder text, List<String> columns, int left, List<List<String>> rows) {
        text.append("| ").append(String.join(" | ", columns)).append(" |\n|");
        text.append(" --- |".repeat(left))
                .append(" ---: |".repeat(columns.size() - left))
                .append('\n');
        rows.forEach(row -> text.append("| ").append(String.join(" | ", row)).append(" |\n"));
        text.append('\n');
    }

    private List<List<String>> verdicts() {
        List<List<String>> rows = new ArrayList<>();
        for (Summary summary : summaries) {
            Row baseline = summary.rows().get(0);
            for (Row row : summary.rows().subList(1, summary.rows().size())) {
                rows.add(List.of(
                        summary.workload(),
                        baseline.contestant(),
                        row.contestant(),
                        Speedup.of(summary, row).inWords(),
                        testAgainst(baseline, row, (ours, theirs) -> ours.end()),
                        testAgainst(
                                baseline,
                                row,
                                (ours, theirs) -> ours.after(theirs.end().seconds())),
                        row.failures() + " of " + row.runs().size()));
            }
        }
        return rows;
    }

    /** Median over the seeds of the difference, or the ratio, to the end of the baseline's run. */
    private static String testAgainst(Row baseline, Row row, BiFunction<RunRecord, RunRecord, Checkpoint> point) {
        int pairs = Math.min(baseline.runs().size(), row.runs().size());
        boolean classes = hasClasses(row);
        double median = Spread.of(IntStream.range(0, pairs).mapToDouble(i -> {
                    Checkpoint ours =
                            point.apply(row.runs().get(i), baseline.runs().get(i));
                    Checkpoint theirs = baseline.runs().get(i).end();
                    return classes
                            ? 100 * (ours.testAccuracy() - theirs.testAccuracy())
                            : ours.testLoss() / theirs.testLoss();
                }))
                .median();
        return classes ? number("%+.2f points", median) : number("%.3g times the loss", median);
    }

    private List<String> overall() {
        return rivals().stream()
                .map(family -> Speedup.of(summaries, family))
                .map(speedup -> String.format(
                        Locale.ROOT,
                        "%s, seconds to the baseline's training loss, geometric mean over workloads (%d): **%s** (95 %%"
                                + " bootstrap interval of the ratio %.2f .. %.2f)%s.",
                        speedup.family(),
                        speedup.workloads(),
                        speedup.inWords(),
                        speedup.low(),
                        speedup.high(),
                        speedup.missed() == 0 ? "" : "; missed on " + speedup.missed() + " of " + speedup.workloads()))
                .toList();
    }

    private static List<String> profileColumns() {
        List<String> columns = new ArrayList<>(List.of("optimizer"));
        Profile.TAUS.forEach(tau -> columns.add(String.format(Locale.ROOT, "τ = %.4g", tau)));
        return columns;
    }

    private List<List<String>> profiles() {
        List<List<String>> rows = new ArrayList<>();
        for (Profile profile : Profile.of(summaries)) {
            List<String> row = new ArrayList<>(List.of(profile.family()));
            Profile.TAUS.forEach(tau -> row.add(number("%.0f %%", 100 * profile.within(tau))));
            rows.add(row);
        }
        return rows;
    }

    private static String target(Summary summary) {
        Row baseline = summary.rows().get(0);
        String edge = Family.ALL.stream()
                        .filter(family ->
                                family.name().equals(baseline.family()) && family.tuning() == Family.Tuning.SWEEP)
                        .flatMap(family -> family.members().stream().filter(family::isAtTheEdge))
                        .anyMatch(member -> member.name().equals(baseline.contestant()))
                ? " Its rate lies at the edge of the sweep, so another one may be better still."
                : "";
        return String.format(
                Locale.ROOT,
                "%s.\n\nTarget: training loss %.4g, the median that %s ends at; its test: %s.%s",
                baseline.runs().get(0).description(),
                summary.targetLoss(),
                baseline.contestant(),
                number(
                        hasClasses(baseline) ? "%.2f %%" : "%.4g",
                        (hasClasses(baseline) ? 100 : 1) * summary.targetTest()),
                edge);
    }

    private static boolean hasClasses(Row row) {
        return !Double.isNaN(row.testAccuracy().median());
    }

    private List<String> cells(Row row) {
        return List.of(
                row.contestant(),
                String.valueOf(row.tried()),
                row.failures() + " of " + row.runs().size(),
                spread("%.4g", row.trainingLoss(), 1),
                hasClasses(row) ? spread("%.2f %%", row.testAccuracy(), 100) : spread("%.4g", row.testLoss(), 1),
                reached(row, row.toLoss(), "%,.0f", Cost::gradients),
                reached(row, row.toLoss(), "%.1f", Cost::seconds),
                reached(row, row.toTest(), "%.1f", Cost::seconds),
                number("%.2f", row.millisecondsPerStep()),
                bytes(row.extraBytes()));
    }

    private static String spread(String format, Spread spread, double scale) {
        return number(format, scale * spread.median()) + " (" + number(format, scale * spread.lowest()) + " .. "
                + number(format, scale * spread.highest()) + ")";
    }

    private static String number(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "-";
    }

    private static String reached(Row row, Cost cost, String format, Function<Cost, Spread> property) {
        int all = row.runs().size();
        if (cost.reached() == 0) {
            return "not reached";
        }
        String median = number(format, property.apply(cost).median());
        return cost.reached() == all ? median : median + " (" + cost.reached() + " of " + all + " runs)";
    }

    private static String bytes(long count) {
        if (count == RunRecord.UNKNOWN) {
            return "unknown";
        }
        return count < 1_000_000
                ? String.format(Locale.ROOT, "%.1f kB", count / 1e3)
                : String.format(Locale.ROOT, "%.1f MB", count / 1e6);
    }

    private static List<String> failures(Summary summary) {
        return summary.rows().stream()
                .flatMap(row -> row.runs().stream())
                .filter(RunRecord::failed)
                .map(run -> String.format(
                        Locale.ROOT,
                        "%s, seed %d failed at %,d gradients: %s",
                        run.contestant(),
                        run.seed(),
                        run.end().gradients(),
                        run.failure()))
                .toList();
    }

    /** Writes all checkpoints of all runs, those of the sweeps included. */
    private void writeCsv(Path file) throws IOException {
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setRecordSeparator('\n')
                .setHeader(
                        ("workload,contestant,seed,failure,gradients,seconds,training_loss,validation_loss,test_loss,"
                                        + "test_accuracy")
                                .split(","))
                .build();
        try (CSVPrinter printer = new CSVPrinter(Files.newBufferedWriter(file), format)) {
            for (RunRecord run : runs) {
                for (Checkpoint c : run.checkpoints()) {
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
        }
    }

    /** Returns the page. */
    String html() {
        List<Map<String, Object>> sections = new ArrayList<>();
        for (Summary summary : summaries) {
            sections.add(Map.of(
                    "workload", summary.workload(),
                    "target", target(summary),
                    "rows", summary.rows().stream().map(this::cells).toList(),
                    "failures", failures(summary),
                    "sweep", sweep(summary),
                    "overGradients", SummaryCharts.lossOverGradients(summary),
                    "overSeconds", SummaryCharts.lossOverSeconds(summary),
                    "measured", SummaryCharts.measured(summary)));
        }
        List<String> plain =
                overall().stream().map(line -> line.replace("**", "")).toList();
        Map<String, Object> page = Map.of(
                "origin", origin(),
                "how", HOW_TO_READ,
                "verdictColumns", VERDICT_COLUMNS,
                "verdicts", verdicts(),
                "overall", plain,
                "profileColumns", profileColumns(),
                "profiles", profiles(),
                "columns", COLUMNS,
                "sections", sections,
                "command", command);
        return HtmlReport.page(CompareReport.class, TEMPLATE, page);
    }

    private static List<List<String>> sweep(Summary summary) {
        return summary.tuning().stream()
                .map(run -> List.of(
                        run.contestant(),
                        run.failed() ? run.failure() : number("%.4g", run.validation()),
                        number("%.4g", run.end().trainingLoss())))
                .toList();
    }
}
