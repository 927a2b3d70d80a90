package io.github.dl4jfuse.tools.compare;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the steps of a contestant cost on one machine, measured side by side with those of all others: a line of the file of
 * costs. A run's time is the sum over its kinds of steps of number times cost, whatever the machine did while it ran.
 *
 * @param workload name of the workload
 * @param full whether in its full form
 * @param contestant name of the contestant
 * @param commit of the source, or "unknown"
 * @param machine versions, backend, device, threads and setting
 * @param fingerprint network, data and optimiser that they were measured with
 * @param milliseconds cost of a step by kind
 * @param counted how many steps of that kind were clocked
 * @param clocked seconds of a run of its own on the clock, without readings; NaN where none was made
 * @param predicted the seconds that the costs give for that run
 */
public record StepCosts(
        String workload,
        boolean full,
        String contestant,
        String commit,
        String machine,
        Fingerprint fingerprint,
        Map<StepKind, Double> milliseconds,
        Map<StepKind, Long> counted,
        double clocked,
        double predicted) {

    /** Returns the seconds of so many steps of each kind. */
    @JsonIgnore
    double seconds(Map<StepKind, Long> steps) {
        return steps.entrySet().stream()
                        .mapToDouble(entry -> entry.getValue() * cost(entry.getKey()))
                        .sum()
                / 1e3;
    }

    /** A kind that was never clocked costs what its evaluations would in ordinary steps. */
    private double cost(StepKind kind) {
        Double measured = milliseconds.get(kind);
        return measured != null ? measured : kind.evaluations() * perEvaluation();
    }

    private double perEvaluation() {
        Double plain = milliseconds.get(StepKind.PLAIN);
        return plain != null
                ? plain
                : milliseconds.entrySet().stream()
                        .mapToDouble(entry -> entry.getValue() / entry.getKey().evaluations())
                        .average()
                        .orElse(Double.NaN);
    }

    StepCosts madeWith(Fingerprint made) {
        return new StepCosts(
                workload, full, contestant, commit, machine, made, milliseconds, counted, clocked, predicted);
    }

    StepCosts checked(double onTheClock, double fromCosts) {
        return new StepCosts(
                workload, full, contestant, commit, machine, fingerprint, milliseconds, counted, onTheClock, fromCosts);
    }

    /** Returns the cells of its line in the report. */
    @JsonIgnore
    List<String> cells() {
        String kinds = milliseconds.entrySet().stream()
                .map(entry -> entry.getKey() + ": " + Cells.number("%.3g", entry.getValue()))
                .collect(Collectors.joining("; "));
        return List.of(workload, contestant, kinds, Cells.number("%.2f s", clocked), Cells.number("%.2f s", predicted));
    }
}
