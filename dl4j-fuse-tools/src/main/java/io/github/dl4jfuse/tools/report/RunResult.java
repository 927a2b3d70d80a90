package io.github.dl4jfuse.tools.report;

import java.util.List;

/**
 * A finished training run.
 *
 * @param name the optimiser, as the table calls it
 * @param configuration its settings in full
 * @param curve the points of the run in order, the start first
 * @param event when it switched and why, or a dash
 */
public record RunResult(String name, String configuration, List<CurvePoint> curve, String event) {

    /** Returns where the run ended. */
    public CurvePoint end() {
        return curve.get(curve.size() - 1);
    }
}
