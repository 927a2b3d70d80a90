package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Results on whole data sets that are kept with the source: the runs in {@value #RUNS}, what their steps cost in files beside it, and the tables
 * made of them in {@value #TABLES}. A test makes the tables again, so that no figure in them is written by hand.
 */
final class PublishedResults {

    /** Name of the file of runs. */
    static final String RUNS = "results.jsonl.gz";

    /** Name of the file of tables. */
    static final String TABLES = "results.md";

    /** Those of README's table, the baseline first. */
    private static final List<String> SHOWN = List.of(
            Family.BASELINE,
            Peer.FAMILY,
            "muon",
            "schedule-free",
            "preconditioned",
            "preconditioned-open",
            "preconditioned-tuned");

    private final List<RunRecord> runs;
    private final List<StepCosts> costs = new ArrayList<>();

    /**
     * Reads a folder.
     *
     * @throws IllegalArgumentException with a sentence if there are no results
     */
    PublishedResults(Path folder) {
        Path file = folder.resolve(RUNS);
        if (!Files.exists(file)) {
            throw new IllegalArgumentException("There are no results in " + folder + ": it has no " + RUNS + ".");
        }
        ResultsFile results = new ResultsFile(file);
        runs = results.runs().stream().filter(RunRecord::full).toList();
        runs.stream()
                .map(RunRecord::workload)
                .distinct()
                .forEach(workload -> costs.addAll(results.costs(workload, true)));
    }

    private List<Summary> summaries() {
        return CompareReport.of(runs, costs, "").summaries();
    }

    /** Returns all tables. */
    String tables() {
        return CompareReport.of(runs, costs, "").markdown();
    }

    /** Returns the table for README: a line for each workload, seconds to the baseline's test metric. */
    String overview() {
        List<Summary> summaries = summaries();
        List<String> shown = SHOWN.stream()
                .filter(family -> summaries.stream()
                        .flatMap(summary -> summary.rows().stream())
                        .anyMatch(row -> row.family().equals(family)))
                .toList();
        StringBuilder text = new StringBuilder("| seconds to tuned AdamW's test | target | ");
        text.append(String.join(" | ", shown)).append(" |\n| --- | ---: |");
        text.append(" ---: |".repeat(shown.size())).append('\n');
        for (Summary summary : summaries) {
            text.append("| ")
                    .append(summary.workload())
                    .append(" | ")
                    .append(CompareReport.metric(summary, summary.target()));
            for (String family : shown) {
                text.append(" | ").append(cell(summary, family));
            }
            text.append(" |\n");
        }
        return text.toString();
    }

    private static String cell(Summary summary, String family) {
        Row row = summary.rows().stream()
                .filter(each -> each.family().equals(family))
                .findFirst()
                .orElse(null);
        if (Objects.isNull(row)) {
            return "";
        }
        String seconds = String.format(Locale.ROOT, "%.2f", row.toTarget().seconds());
        return row.toTarget().reached() ? seconds : "not in " + seconds;
    }

    /** Writes the tables. */
    static void write(Path folder) throws IOException {
        Files.writeString(folder.resolve(TABLES), new PublishedResults(folder).tables());
    }
}
