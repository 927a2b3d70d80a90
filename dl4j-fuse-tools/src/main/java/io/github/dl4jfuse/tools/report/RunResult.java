package io.github.dl4jfuse.tools.report;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A finished training run.
 *
 * @param name the optimiser, as the table calls it
 * @param configuration its settings in full
 * @param curve the points of the run in order, the start first
 * @param event when it switched and why, or a dash
 */
public record RunResult(String name, String configuration, List<CurvePoint> curve, String event) {

    /** Returns where the training loss was first at most this. */
    public Optional<CurvePoint> reached(double loss) {
        return curve.stream().filter(point -> point.trainingLoss() <= loss).findFirst();
    }

    /** Returns the row of a table: name, epochs, gradient evaluations, seconds, loss and accuracy at the end, and the event. */
    public List<String> cells() {
        CurvePoint end = end();
        return List.of(
                name,
                String.valueOf(end.epoch()),
                String.format(Locale.ROOT, "%,d", end.gradientEvaluations()),
                String.format(Locale.ROOT, "%.1f", end.seconds()),
                String.format(Locale.ROOT, "%.4f", end.trainingLoss()),
                String.format(Locale.ROOT, "%.2f %%", 100 * end.testAccuracy()),
                event);
    }

    /** Returns where the run ended. */
    public CurvePoint end() {
        return curve.get(curve.size() - 1);
    }
}
