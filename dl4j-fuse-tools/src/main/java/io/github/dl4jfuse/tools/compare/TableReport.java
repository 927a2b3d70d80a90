package io.github.dl4jfuse.tools.compare;

import static io.github.dl4jfuse.tools.compare.Cells.number;

import io.github.dl4jfuse.tools.compare.Significance.Difference;
import io.github.dl4jfuse.tools.compare.TableSummary.Entry;
import io.github.dl4jfuse.tools.compare.TableSummary.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The figures of small tables as a title, sentences and a table of text. */
record TableReport(TableSummary summary) {

    private static final String HOW_TO_READ = String.format(
            Locale.ROOT,
            "Accuracy in per cent, or 100 R² with R² = 1 - L / v, L the mean squared error and v the variance of the labels,"
                    + " both over the test part of a split; an R² below %1$.0f counts as that. It is read at the end of the run; on every split each tuned"
                    + " family tries equally many settings by the validation part. A cell is the mean over the splits, the"
                    + " seeds of a split averaged first; then the difference to the first optimizer in points, ± its"
                    + " standard error, corrected for overlapping splits (Nadeau and Bengio 2003); then p, corrected for the"
                    + " number of tables (Holm 1979). Where both accuracies are above %2$.0f %%, the log loss stands there too,"
                    + " with how much lower it is than that of the first optimizer. A failed run counts as infinitely bad,"
                    + " so there is no difference then.",
            TableSummary.LEAST_R2,
            TableSummary.NEARLY_PERFECT);

    String title() {
        return summary.raw() ? "small tables, raw inputs" : "small tables, standardised inputs";
    }

    String howToRead() {
        return HOW_TO_READ;
    }

    /** Returns what the figures say of each rival, in plain words. */
    List<String> sentences() {
        return summary.rivals().stream()
                .map(family -> String.format(
                        Locale.ROOT,
                        "%s against %s on %s (%d): median difference %s; better on %d and worse on %d beyond chance (p < %s"
                                + " after Holm)%s.",
                        family,
                        summary.tables().get(0).baseline().family(),
                        title(),
                        summary.tables().size(),
                        points(summary.medianDifference(family)),
                        summary.count(family, 1),
                        summary.count(family, -1),
                        TableSummary.LEVEL,
                        failed(family)))
                .toList();
    }

    private String failed(String family) {
        long failures = summary.tables().stream()
                .mapToLong(table -> table.of(family).failures())
                .sum();
        return failures == 0 ? "" : "; failed runs: " + failures;
    }

    private static String points(double difference) {
        if (Double.isFinite(difference)) {
            return number("%+.2f points", difference);
        }
        return Double.isNaN(difference)
                ? "none, as both failed"
                : difference < 0 ? "infinitely worse" : "infinitely better";
    }

    List<String> columns() {
        return Stream.concat(
                        Stream.of("table", "metric"),
                        summary.tables().get(0).entries().stream().map(Entry::family))
                .toList();
    }

    /** Returns a row for each table, and the medians last. */
    List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        for (Table table : summary.tables()) {
            List<String> cells = new ArrayList<>(List.of(table.title(), table.classes() ? "accuracy" : "R²"));
            table.entries().forEach(entry -> cells.add(cell(table, entry)));
            rows.add(cells);
        }
        List<String> medians = new ArrayList<>(List.of("median difference", "points", ""));
        summary.rivals().forEach(family -> medians.add(points(summary.medianDifference(family))));
        rows.add(medians);
        return rows;
    }

    private static String cell(Table table, Entry entry) {
        if (entry.failures() > 0) {
            return entry.failures() + " of " + entry.runs() + " failed";
        }
        String text = number("%.2f", entry.test()) + difference("%+.2f", "%.2f", entry.difference());
        if (!Double.isNaN(entry.p())) {
            text += number(", p %.2g", entry.p());
        }
        if (table.nearlyPerfect(entry)) {
            text += "; log loss " + number("%.3g", entry.loss()) + difference("%+.2g", "%.1g", entry.lossDifference());
        }
        return text;
    }

    private static String difference(String meanFormat, String errorFormat, Difference difference) {
        return difference == null
                ? ""
                : " (" + number(meanFormat, difference.mean()) + " ± " + number(errorFormat, difference.standardError())
                        + ")";
    }
}
