package io.github.dl4jfuse.tools.compare;

import static io.github.dl4jfuse.tools.compare.Cells.bytes;
import static io.github.dl4jfuse.tools.compare.Cells.number;
import static io.github.dl4jfuse.tools.compare.Cells.spread;
import static io.github.dl4jfuse.tools.compare.Cells.table;

import io.github.dl4jfuse.tools.compare.Significance.Difference;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import io.github.dl4jfuse.tools.report.HtmlReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The figures as Markdown and a self-contained HTML page.
 *
 * @param summaries those of the workloads on which time counts
 * @param tables those of small tables
 * @param command what makes the report again, or empty
 */
record CompareReport(
        List<Summary> summaries,
        List<TableSummary> tables,
        List<RunRecord> runs,
        List<StepCosts> costs,
        String command) {

    private static final Logger log = LoggerFactory.getLogger(CompareReport.class);

    private static final String TEMPLATE = "compare.html";

    private static final List<String> VERDICT_COLUMNS =
            List.of("workload", "optimizer", "at the baseline's test", "test at the end", "test at equal time");

    private static final List<String> COLUMNS = List.of(
            "optimizer",
            "tried",
            "seconds to target",
            "each seed",
            "at budget",
            "steps to target",
            "gradients to target",
            "test at the end",
            "training loss at the end",
            "failed",
            "ms per step",
            "extra memory");

    private static final List<String> COST_COLUMNS =
            List.of("workload", "optimizer", "milliseconds by kind of step", "a run on the clock", "by its steps");

    private static final String HOW_TO_READ =
            "Each run starts at the same weights and sees the same batches as the others with its seed. Tuned families try"
                    + " equally many settings, by successive halving and by the validation set, with a seed of their own."
                    + " Then all run at the whole budget, a half, a quarter and an eighth of it, each time with a whole"
                    + " schedule. The test set chooses nothing; the last step counts; a failed run counts as infinitely bad."
                    + " The target is the test metric at which the baseline, tuned AdamW (without it, the first optimizer"
                    + " named), ends at the whole budget, median over the seeds. A contestant is at the target at the first"
                    + " of two readings in a row at or above it (the last reading of a run counts alone), on the median"
                    + " curve over its seeds, at the budget where that is soonest; the baseline by the same rule. Reached"
                    + " by under half of the seeds is not reached, and its ratio an upper bound. Test at equal time is the"
                    + " last reading within the seconds that the baseline's whole budget takes.";

    private static final String A_WHOLE_SWITCH = "What a whole switch to PyTorch with tuned AdamW would bring: ";

    private static final String PEERS_OWN_NUMBERS = " " + Peer.FAMILY
            + " alone draws weights, from the same distributions, and the order of its batches by itself.";

    private static final String CLOCKED_APART =
            " Seconds are steps by kind times what a step of that kind costs, clocked for all contestants in turns in one"
                    + " call; reading the network costs none.";

    private static final String CLOCKED_IN_RUNS = " Seconds are those on each run's own clock, reading left out.";

    /** The report of all runs of a comparison. */
    static CompareReport of(List<RunRecord> runs, List<StepCosts> costs, String command) {
        List<Summary> all = Summary.of(runs, costs);
        return new CompareReport(
                all.stream()
                        .filter(summary -> !Tables.isSplit(summary.workload()))
                        .toList(),
                TableSummary.of(all),
                runs,
                costs,
                command);
    }

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
        Path text = folder.resolve("results.md");
        boolean charts = ModuleLayer.boot().findModule("java.desktop").isPresent();
        String markdown = markdown();
        try {
            Files.writeString(text, markdown);
            ResultsCsv.write(runs, folder.resolve("results.csv"));
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
        Path report = charts ? html : text;
        return new Comparison.Outcome(
                summaries, tables, runs, report.toAbsolutePath().normalize(), markdown);
    }

    private String origin() {
        return "Made from commit " + distinct(RunRecord::commit) + " on " + distinct(RunRecord::machine) + ".";
    }

    private String clockedOn() {
        return "Clocked on " + costs.stream().map(StepCosts::machine).distinct().collect(Collectors.joining(" and "))
                + ".";
    }

    private String distinct(Function<RunRecord, String> property) {
        return runs.stream().map(property).distinct().collect(Collectors.joining(" and "));
    }

    private String howToRead() {
        if (summaries.isEmpty()) {
            return "";
        }
        return HOW_TO_READ
                + (costs.isEmpty() ? CLOCKED_IN_RUNS : CLOCKED_APART)
                + (rivals().contains(Peer.FAMILY) ? PEERS_OWN_NUMBERS : "");
    }

    /** Returns all tables, the verdict first. */
    String markdown() {
        StringBuilder text = new StringBuilder("# Results\n\n");
        text.append(origin()).append("\n\n");
        if (!command.isEmpty()) {
            text.append("```sh\n").append(command).append("\n```\n\n");
        }
        if (!summaries.isEmpty()) {
            text.append(howToRead()).append("\n\n");
        }
        if (!rivals().isEmpty()) {
            text.append("## Verdict\n\n");
            sentences().forEach(sentence -> text.append("- ").append(sentence).append('\n'));
            text.append('\n');
            table(text, VERDICT_COLUMNS, 2, verdicts());
        }
        for (Summary summary : summaries) {
            text.append("## ").append(summary.workload()).append("\n\n");
            text.append(target(summary)).append("\n\n");
            table(
                    text,
                    COLUMNS,
                    1,
                    summary.rows().stream().map(row -> cells(summary, row)).toList());
            failures(summary)
                    .forEach(failure -> text.append("- ").append(failure).append('\n'));
        }
        for (TableReport report : tableReports()) {
            text.append("## ").append(report.title()).append("\n\n");
            report.sentences()
                    .forEach(sentence -> text.append("- ").append(sentence).append('\n'));
            text.append('\n').append(report.howToRead()).append("\n\n");
            table(text, report.columns(), 2, report.rows());
        }
        if (!costs.isEmpty()) {
            text.append("## What a step costs\n\n").append(clockedOn()).append("\n\n");
            table(text, COST_COLUMNS, 2, costs.stream().map(StepCosts::cells).toList());
        }
        return text.toString().stripTrailing() + "\n";
    }

    private List<TableReport> tableReports() {
        return tables.stream().map(TableReport::new).toList();
    }

    private List<List<String>> verdicts() {
        List<List<String>> rows = new ArrayList<>();
        for (Summary summary : summaries) {
            for (Row row : summary.rows().subList(1, summary.rows().size())) {
                rows.add(List.of(
                        summary.workload(),
                        row.contestant(),
                        Speedup.of(summary, row).inWords(),
                        difference(summary, row),
                        against(summary, row.atEqualTime())));
            }
        }
        return rows;
    }

    /** The mean difference of the test metric to the baseline's over the seeds, with its standard error. */
    private static String difference(Summary summary, Row row) {
        double[] ours = Summary.ends(row);
        double[] theirs = Summary.ends(summary.baseline());
        if (ours.length < 2 || !Summary.areFinite(ours) || !Summary.areFinite(theirs)) {
            return against(summary, row.test().median());
        }
        Difference difference = Significance.paired(ours, theirs);
        return scaled(summary, difference.mean(), "%+.2f", "%+.3g")
                + " ± "
                + scaled(summary, difference.standardError(), "%.2f", "%.2g")
                + (summary.classes() ? " points" : " of minus the loss");
    }

    private static String against(Summary summary, double test) {
        if (!Double.isFinite(test)) {
            return "-";
        }
        return summary.classes()
                ? number("%+.2f points", 100 * (test - summary.target()))
                : number("%.3g times the loss", test / summary.target());
    }

    private static String scaled(Summary summary, double value, String forClasses, String otherwise) {
        return summary.classes() ? number(forClasses, 100 * value) : number(otherwise, value);
    }

    /** Returns what the figures say over all workloads, in plain words. */
    List<String> sentences() {
        return rivals().stream()
                .map(family -> {
                    Speedup speedup = Speedup.of(summaries, family);
                    String where = speedup.workloads() == 1
                            ? ""
                            : ", geometric mean over " + speedup.workloads() + " workloads";
                    String missed = speedup.missed() == 0
                            ? ""
                            : "; not there on " + speedup.missed() + " of " + speedup.workloads();
                    return String.format(
                            Locale.ROOT,
                            "%s%s, time to the test metric of tuned AdamW%s: %s (95 %% bootstrap interval of the ratio %.2f .."
                                    + " %.2f)%s. Its test at the end against AdamW's, over all seeds: p %s (Wilcoxon).",
                            family.equals(Peer.FAMILY) ? A_WHOLE_SWITCH : "",
                            family,
                            where,
                            speedup.inWords(),
                            speedup.low(),
                            speedup.high(),
                            missed,
                            number("%.2g", Summary.signedRank(summaries, family)));
                })
                .toList();
    }

    private String target(Summary summary) {
        String clock = costs.isEmpty() || summary.isClocked()
                ? ""
                : " Seconds are those on each run's own clock here, as not all optimizers could be clocked side by side.";
        return summary.baseline().runs().get(0).description() + ".\n\nTarget: "
                + (summary.classes() ? "test accuracy " : "test loss ")
                + metric(summary, summary.target()) + ", the median that "
                + summary.baseline().contestant() + " ends at." + clock;
    }

    /** A test metric as users know it: the accuracy in per cent, or the loss. */
    static String metric(Summary summary, double test) {
        return summary.classes() ? number("%.2f %%", 100 * test) : number("%.4g", -test);
    }

    private List<String> cells(Summary summary, Row row) {
        TimeToTarget time = row.toTarget();
        return List.of(
                row.contestant(),
                String.valueOf(row.tried()),
                time.reached() ? number("%.2f", time.seconds()) : number("not in %.2f", time.seconds()),
                time.perSeed().stream().map(one -> number("%.2f", one)).collect(Collectors.joining(", ")),
                time.reached() ? share(time.share()) : "-",
                number("%,.0f", time.steps()),
                number("%,.0f", time.gradients()),
                metric(summary, row.test().median()) + " ("
                        + metric(summary, row.test().lowest()) + " .. "
                        + metric(summary, row.test().highest()) + ")",
                spread("%.4g", row.trainingLoss()),
                row.failures() + " of " + row.allRuns(),
                number("%.2f", row.millisecondsPerStep()),
                bytes(row.extraBytes()));
    }

    private static String share(double share) {
        return share == 1 ? "1" : "1/" + Math.round(1 / share);
    }

    private static List<String> failures(Summary summary) {
        return summary.rows().stream()
                .flatMap(row -> row.curves().stream())
                .flatMap(curve -> curve.runs().stream())
                .filter(RunRecord::failed)
                .map(run -> String.format(
                        Locale.ROOT,
                        "%s, seed %d, budget %s failed at %,d gradients: %s",
                        run.contestant(),
                        run.seed(),
                        share(run.share()),
                        run.end().gradients(),
                        run.failure()))
                .toList();
    }

    /** Returns the page. */
    String html() {
        List<Map<String, Object>> sections = new ArrayList<>();
        for (Summary summary : summaries) {
            List<List<String>> rows =
                    summary.rows().stream().map(row -> cells(summary, row)).toList();
            sections.add(Map.of(
                    "workload", summary.workload(),
                    "target", target(summary),
                    "rows", rows,
                    "failures", failures(summary),
                    "tuning", tuning(summary),
                    "testOverSeconds", SummaryCharts.testOverSeconds(summary),
                    "lossOverSeconds", SummaryCharts.lossOverSeconds(summary),
                    "measured", SummaryCharts.measured(summary)));
        }
        Map<String, Object> page = new HashMap<>(Map.of(
                "origin",
                origin(),
                "how",
                howToRead(),
                "verdictColumns",
                VERDICT_COLUMNS,
                "verdicts",
                verdicts(),
                "sentences",
                sentences(),
                "costColumns",
                COST_COLUMNS,
                "costs",
                costs.stream().map(StepCosts::cells).toList(),
                "columns",
                COLUMNS,
                "sections",
                sections,
                "command",
                command));
        page.put("tables", tableReports().stream().map(CompareReport::section).toList());
        return HtmlReport.page(CompareReport.class, TEMPLATE, page);
    }

    private static Map<String, Object> section(TableReport report) {
        return Map.of(
                "title", report.title(),
                "sentences", report.sentences(),
                "how", report.howToRead(),
                "columns", report.columns(),
                "rows", report.rows());
    }

    /** The trials of the tuning, the longest ones first, each with what it was chosen by. */
    private static List<List<String>> tuning(Summary summary) {
        return IntStream.range(0, summary.tuning().size())
                .mapToObj(i -> summary.tuning().get(summary.tuning().size() - 1 - i))
                .map(run -> List.of(
                        run.contestant(),
                        run.budget(),
                        run.failed()
                                ? run.failure()
                                : number("%.4g", run.end().validationLoss())
                                        + (summary.classes()
                                                ? number(
                                                        ", %.2f %%",
                                                        100 * run.end().validationAccuracy())
                                                : "")))
                .toList();
    }
}
