package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import io.github.dl4jfuse.tools.compare.Summary.Spread;
import io.github.dl4jfuse.tools.report.Charts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The curves of a workload at the whole budget, as PNG images in Base64. */
final class SummaryCharts {

    private static final String SECONDS = "seconds of training";

    private SummaryCharts() {}

    /** The test metric, with the target as a line. */
    static String testOverSeconds(Summary summary) {
        String title = summary.classes() ? "test accuracy, per cent" : "test loss";
        ToDoubleFunction<Checkpoint> y = summary.classes() ? c -> 100 * c.testAccuracy() : Checkpoint::testLoss;
        List<Charts.Band> bands = bands(summary, y);
        if (!bands.isEmpty() && Double.isFinite(summary.target())) {
            double target = summary.classes() ? 100 * summary.target() : -summary.target();
            double[] all = bands.stream()
                    .flatMapToDouble(band -> Arrays.stream(band.x()))
                    .sorted()
                    .toArray();
            double[] level = {target, target};
            bands.add(new Charts.Band("target", new double[] {all[0], all[all.length - 1]}, level, level, level));
        }
        return picture(title, bands);
    }

    static String lossOverSeconds(Summary summary) {
        return picture("training loss", bands(summary, Checkpoint::trainingLoss));
    }

    /** What the optimizers' listeners measured: a chart for each kind of number. */
    static List<Map<String, String>> measured(Summary summary) {
        return summary.rows().stream()
                .flatMap(row -> row.runs().stream())
                .flatMap(run -> run.end().measured().keySet().stream())
                .distinct()
                .map(name -> Map.of(
                        "name",
                        name,
                        "chart",
                        picture(
                                name,
                                bands(
                                        summary,
                                        checkpoint -> checkpoint.measured().getOrDefault(name, Double.NaN)))))
                .toList();
    }

    private static String picture(String yTitle, List<Charts.Band> bands) {
        return Base64.getEncoder().encodeToString(Charts.bands(SECONDS, yTitle, bands));
    }

    /** Curves of the medians over the seeds; a run that failed ends the curve of its row where it failed. */
    private static List<Charts.Band> bands(Summary summary, ToDoubleFunction<Checkpoint> y) {
        List<Charts.Band> bands = new ArrayList<>();
        for (Row row : summary.rows()) {
            List<String> names = bands.stream().map(Charts.Band::name).toList();
            Curve curve = row.curves().get(0);
            int points = row.runs().stream()
                    .mapToInt(run -> finitePoints(run.checkpoints(), y))
                    .min()
                    .orElse(0);
            if (points < 2) {
                continue;
            }
            // The start would flatten all that follows.
            List<Spread> values =
                    IntStream.range(1, points).mapToObj(i -> at(row, i, y)).toList();
            bands.add(new Charts.Band(
                    names.contains(row.family()) ? row.contestant() : row.family(),
                    IntStream.range(1, points)
                            .mapToDouble(i -> at(row, i, curve::seconds).median())
                            .toArray(),
                    values.stream().mapToDouble(Spread::median).toArray(),
                    values.stream().mapToDouble(Spread::lowest).toArray(),
                    values.stream().mapToDouble(Spread::highest).toArray()));
        }
        return bands;
    }

    /** How many points there are until one is not finite; the start, where nothing was measured yet, counts in any case. */
    private static int finitePoints(List<Checkpoint> checkpoints, ToDoubleFunction<Checkpoint> y) {
        return 1
                + (int) checkpoints.stream()
                        .skip(1)
                        .takeWhile(checkpoint -> Double.isFinite(y.applyAsDouble(checkpoint)))
                        .count();
    }

    private static Spread at(Row row, int point, ToDoubleFunction<Checkpoint> value) {
        return Spread.of(
                row.runs(), run -> value.applyAsDouble(run.checkpoints().get(point)));
    }
}
