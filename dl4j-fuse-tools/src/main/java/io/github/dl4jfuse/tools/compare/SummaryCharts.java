package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import io.github.dl4jfuse.tools.compare.Summary.Spread;
import io.github.dl4jfuse.tools.report.Charts;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** The curves of a workload, as PNG images in Base64. */
final class SummaryCharts {

    private static final String GRADIENTS = "gradient evaluations";

    private static final String LOSS = "training loss";

    private SummaryCharts() {}

    static String lossOverGradients(Summary summary) {
        return chart(summary, GRADIENTS, Checkpoint::gradients, LOSS, Checkpoint::trainingLoss);
    }

    static String lossOverSeconds(Summary summary) {
        return chart(summary, "seconds of training", Checkpoint::seconds, LOSS, Checkpoint::trainingLoss);
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
                        chart(
                                summary,
                                GRADIENTS,
                                Checkpoint::gradients,
                                name,
                                checkpoint -> checkpoint.measured().getOrDefault(name, Double.NaN))))
                .toList();
    }

    /** Curves of the medians over the seeds; a run that failed ends the curve of its row where it failed. */
    private static String chart(
            Summary summary,
            String xTitle,
            ToDoubleFunction<Checkpoint> x,
            String yTitle,
            ToDoubleFunction<Checkpoint> y) {
        List<Charts.Band> bands = new ArrayList<>();
        for (Row row : summary.rows()) {
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
                    row.contestant(),
                    IntStream.range(1, points)
                            .mapToDouble(i -> at(row, i, x).median())
                            .toArray(),
                    values.stream().mapToDouble(Spread::median).toArray(),
                    values.stream().mapToDouble(Spread::lowest).toArray(),
                    values.stream().mapToDouble(Spread::highest).toArray()));
        }
        return Base64.getEncoder().encodeToString(Charts.bands(xTitle, yTitle, bands));
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
