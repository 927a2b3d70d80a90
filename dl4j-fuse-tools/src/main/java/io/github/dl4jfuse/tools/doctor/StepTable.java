package io.github.dl4jfuse.tools.doctor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Where the time of a step of training goes. Times are medians, in milliseconds. On a busy machine something stops most steps, but seldom
 * the same part: the parts' medians then add up to less than the step's.
 *
 * @param rows the layers, in the order of the forward pass
 * @param updater from the gradient to the new parameters
 * @param rest what is in neither: preprocessors, vertices without a layer, regularisation, workspaces
 * @param alone the same step without clocks, in turn with it
 * @param clocks the median of the pairs' ratios: a step with clocks by one without
 * @param limit the best of this process, its layers among it
 * @param unattached why nothing could be attached, a sentence; empty where something was tried
 */
record StepTable(
        List<Row> rows, double updater, double rest, double alone, double clocks, Limit limit, String unattached) {

    static final List<String> COLUMNS = List.of(
            "layer", "kind", "runs on", "forward, ms", "backward, ms", "of the step", "GFLOP/s", "of the limit");

    /** Below this share of the limit a layer gets a sentence. */
    private static final double FAR = 0.25;

    /** A layer of a smaller share of the step gets none. */
    private static final double WORTH_A_SENTENCE = 0.02;

    /** How far sum and step may lie apart before that is said. */
    private static final double TOLERATED = 0.1;

    private static final int DEAREST = 3;

    /**
     * A layer.
     *
     * @param name its name
     * @param kind its class in the configuration
     * @param channels input channels of a convolution, else 0
     * @param ours whether the attached layer is ours
     * @param obstacle why it is DL4J's, a few words; empty where it is ours or nothing is known
     * @param forward milliseconds; of an output layer, of its loss
     * @param backward milliseconds; 0 where there is no backward pass
     * @param work what it has to do
     */
    record Row(
            String name,
            String kind,
            long channels,
            boolean ours,
            String obstacle,
            double forward,
            double backward,
            Work work) {

        double both() {
            return forward + backward;
        }

        /** Returns 10⁹ needed operations per second, or 0 where a layer has no products. */
        double gflops() {
            return work.operations() / 1e6 / both();
        }
    }

    /** Returns the sum of all parts. */
    double sum() {
        return layers() + updater + rest;
    }

    double layers() {
        return rows.stream().mapToDouble(Row::both).sum();
    }

    /** Returns a row of the table. */
    List<String> cells(Row row) {
        boolean counted = row.work().operations() > 0;
        return List.of(
                row.name(),
                row.kind(),
                row.ours() ? "oneDNN (ours)" : "DL4J",
                milliseconds(row.forward()),
                milliseconds(row.backward()),
                percent(row.both() / sum()),
                counted ? String.format(Locale.ROOT, "%.1f", row.gflops()) : "-",
                counted ? percent(row.gflops() / limit.gflops()) : "-");
    }

    /** Returns what stands under the table: names, milliseconds and shares of the step. */
    List<List<String>> totals() {
        return List.of(
                total("all layers", layers()),
                total("updater", updater),
                total("the rest", rest),
                total("sum", sum()),
                total("the step measured by itself", alone));
    }

    private List<String> total(String name, double time) {
        return List.of(name, milliseconds(time), percent(time / sum()));
    }

    /** Returns table and totals as lines of text. */
    String text() {
        List<List<String>> cells = new ArrayList<>(List.of(COLUMNS));
        rows.forEach(row -> cells.add(cells(row)));
        List<Integer> widths = IntStream.range(0, COLUMNS.size())
                .mapToObj(column -> cells.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElse(0))
                .toList();
        StringBuilder text = new StringBuilder();
        for (List<String> row : cells) {
            for (int column = 0; column < widths.size(); column++) {
                String side = column < 3 ? "-" : "";
                text.append(String.format("%" + side + widths.get(column) + "s  ", row.get(column)));
            }
            text.append(System.lineSeparator());
        }
        text.append(System.lineSeparator());
        totals().forEach(total -> text.append(String.format("%-28s %10s ms %6s%n", total.toArray())));
        return text.toString();
    }

    /** Returns what is slow and why, in sentences that follow from the numbers. */
    List<String> sentences() {
        List<String> sentences = new ArrayList<>();
        sentences.add("Dearest: " + dearest() + ".");
        if (!unattached.isEmpty()) {
            sentences.add("Layers of ours: " + unattached);
        }
        rows.stream()
                .filter(row -> !row.ours() && !row.obstacle().isEmpty())
                .forEach(row -> sentences.add(row.name() + " is DL4J's: " + row.obstacle() + "."));
        rows.stream()
                .filter(row -> row.both() > WORTH_A_SENTENCE * sum())
                .map(this::whySlow)
                .filter(sentence -> !sentence.isEmpty())
                .forEach(sentences::add);
        sentences.add(String.format(
                Locale.ROOT, "A step with clocks around its layers takes %.2f times one without, in turn.", clocks));
        if (Math.abs(sum() / alone - 1) > TOLERATED) {
            sentences.add("The sum is " + percent(sum() / alone)
                    + " of the step measured by itself: the machine is busy, which stops most steps somewhere but each part seldom;"
                    + " measure again when it is quiet.");
        }
        return sentences;
    }

    private String dearest() {
        List<Row> parts = new ArrayList<>(rows);
        Work none = new Work(0, 0, 0);
        parts.add(new Row("the updater", "", 0, false, "", updater, 0, none));
        parts.add(new Row("the rest", "", 0, false, "", rest, 0, none));
        return parts.stream()
                .sorted(Comparator.comparingDouble(Row::both).reversed())
                .limit(DEAREST)
                .map(row -> row.name() + " with " + percent(row.both() / sum()) + " of the step")
                .collect(Collectors.joining(", "));
    }

    /** A layer that is slower than products and memory account for gets the causes that its numbers show, in this order. */
    private String whySlow(Row row) {
        boolean counted = row.work().operations() > 0;
        if (counted && row.gflops() >= FAR * limit.gflops()) {
            return "";
        }
        double arithmetic = row.work().operations() / 1e6 / limit.gflops();
        double memory = row.work().bytes() / 1e6 / limit.gigabytes();
        String reached = counted ? " reaches " + percent(row.gflops() / limit.gflops()) + " of the limit: " : ": ";
        if (memory > row.both() / 2) {
            return row.name() + reached + "memory decides, as reading and writing "
                    + String.format(Locale.ROOT, "%.1f", row.work().bytes() / 1e6) + " MB takes "
                    + milliseconds(memory) + " of its " + milliseconds(row.both()) + " ms at the rate of a copy.";
        }
        if (!counted) {
            return "";
        }
        // fewer channels than numbers in a register leave part of it empty
        boolean few = row.channels() > 0 && row.channels() < limit.register();
        if (few && arithmetic * limit.register() / row.channels() > row.both() / 2) {
            return row.name() + reached + "few channels, " + row.channels() + " of the " + limit.register()
                    + " numbers that a vector register holds.";
        }
        return row.name() + reached + "its products take " + milliseconds(arithmetic) + " and its memory "
                + milliseconds(memory) + " of its " + milliseconds(row.both())
                + " ms at the limits; what is left goes into"
                + (row.ours() ? " calls, copies and checks." : " DL4J's way of computing it.");
    }

    private static String milliseconds(double time) {
        return String.format(Locale.ROOT, time < 10 ? "%.3f" : "%.1f", time);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }
}
