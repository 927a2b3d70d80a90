package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Performance profile (Dolan, Moré 2002): the share of workloads on which a family reaches the baseline's training loss
 * within τ times the seconds of the fastest family there.
 *
 * @param family whose it is
 * @param factors its seconds over the fastest family's, workload by workload; infinite where it did not get there
 */
record Profile(String family, List<Double> factors) {

    /** The τ of the tables. */
    static final List<Double> TAUS = List.of(1.0, 1.25, 1.5, 2.0, 4.0, 8.0);

    double within(double tau) {
        return factors.stream().filter(factor -> factor <= tau).count() / (double) factors.size();
    }

    static List<Profile> of(List<Summary> summaries) {
        Map<String, List<Double>> factors = new LinkedHashMap<>();
        for (Summary summary : summaries) {
            double fastest = summary.rows().stream()
                    .mapToDouble(row -> seconds(summary, row))
                    .min()
                    .orElseThrow();
            for (Row row : summary.rows()) {
                factors.computeIfAbsent(row.family(), family -> new ArrayList<>())
                        .add(seconds(summary, row) / fastest);
            }
        }
        return factors.entrySet().stream()
                .map(entry -> new Profile(entry.getKey(), entry.getValue()))
                .toList();
    }

    /** The baseline is at its own target by definition, at the latest where its runs end. */
    private static double seconds(Summary summary, Row row) {
        double median = row.toLoss().seconds().median();
        boolean baseline = row.equals(summary.rows().get(0));
        return baseline && Double.isInfinite(median)
                ? Summary.Spread.of(row.runs(), run -> run.end().seconds()).median()
                : median;
    }
}
