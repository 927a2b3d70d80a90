package io.github.dl4jfuse.tools.compare;

import java.util.Locale;
import java.util.function.DoubleSupplier;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * A learning rate over the share p of the budget that is used: constant, r (1 + cos πp) / 2, or r (1 - p). Works for
 * budgets of seconds too, whose number of iterations nobody knows beforehand. Lives with its run and is never saved.
 */
public final class BudgetSchedule implements ISchedule {

    /** How the rate falls. */
    public enum Shape {
        /** The rate stays. */
        CONSTANT,
        /** The rate falls to 0 along half a cosine. */
        COSINE,
        /** The rate falls to 0 along a line. */
        LINEAR
    }

    private static final long serialVersionUID = 1;

    private final double rate;
    private final Shape shape;
    private final transient DoubleSupplier used;

    /** A schedule over the used share of a budget. */
    public BudgetSchedule(double rate, Shape shape, DoubleSupplier used) {
        this.rate = rate;
        this.shape = shape;
        this.used = used;
    }

    @Override
    public double valueAt(int iteration, int epoch) {
        double p = Math.min(1, used.getAsDouble());
        return switch (shape) {
            case CONSTANT -> rate;
            case COSINE -> rate * (1 + Math.cos(Math.PI * p)) / 2;
            case LINEAR -> rate * (1 - p);
        };
    }

    /** DL4J copies a schedule for each layer; all copies must see the same run. */
    @Override
    @SuppressWarnings("MethodDoesntCallSuperMethod")
    public ISchedule clone() {
        return this;
    }

    @Override
    public String toString() {
        return rate + " " + shape.name().toLowerCase(Locale.ROOT) + " over the budget";
    }
}
