package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Summary.Spread;
import java.util.List;
import java.util.Locale;

/** How figures look in the tables of a report. */
final class Cells {

    private Cells() {}

    /** Returns the number, or a dash for what is not finite. */
    static String number(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "-";
    }

    /** Returns the median and, in brackets, lowest and highest value. */
    static String spread(String format, Spread spread) {
        return number(format, spread.median()) + " (" + number(format, spread.lowest()) + " .. "
                + number(format, spread.highest()) + ")";
    }

    static String bytes(long count) {
        if (count == RunRecord.UNKNOWN) {
            return "unknown";
        }
        return count < 1_000_000
                ? String.format(Locale.ROOT, "%.1f kB", count / 1e3)
                : String.format(Locale.ROOT, "%.1f MB", count / 1e6);
    }

    /** Appends a table in Markdown whose first columns stand left and the others right. */
    static void table(StringBuilder text, List<String> columns, int left, List<List<String>> rows) {
        text.append("| ").append(String.join(" | ", columns)).append(" |\n|");
        text.append(" --- |".repeat(left))
                .append(" ---: |".repeat(columns.size() - left))
                .append('\n');
        rows.forEach(row -> text.append("| ").append(String.join(" | ", row)).append(" |\n"));
        text.append('\n');
    }
}
