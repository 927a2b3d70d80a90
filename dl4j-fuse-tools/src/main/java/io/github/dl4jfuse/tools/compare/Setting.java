package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import java.util.Locale;

/**
 * A point of the search: what is tuned in the same way for every contestant.
 *
 * @param rate learning rate, or the factor that takes its place
 * @param shape how the rate falls over the budget
 * @param decay coefficient λ of decoupled weight decay, w ← w - rate λ w, on weights and not on biases
 * @param dropout share of the inputs of dense and output layers that is dropped, but for the network's own inputs
 * @param own a number of the method's own, such as a momentum or a damping; NaN where it has none
 */
public record Setting(double rate, Shape shape, double decay, double dropout, double own) {

    /** Checks the ranges. */
    public Setting {
        if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("A rate is a positive number, not " + rate + ".");
        }
        if (!(decay >= 0 && decay < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("A weight decay is 0 or a positive number, not " + decay + ".");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("A dropout is a share from 0 to below 1, not " + dropout + ".");
        }
    }

    /** Returns the setting in few words, such as "3.0e-03 linear, decay 0.03, dropout 0.2". */
    @Override
    public String toString() {
        String text = String.format(Locale.ROOT, "%.1e %s", rate, shape.name().toLowerCase(Locale.ROOT));
        if (decay > 0) {
            text += String.format(Locale.ROOT, ", decay %.2f", decay);
        }
        if (dropout > 0) {
            text += String.format(Locale.ROOT, ", dropout %.1f", dropout);
        }
        if (!Double.isNaN(own)) {
            text += String.format(Locale.ROOT, ", own %s", own);
        }
        return text;
    }
}
