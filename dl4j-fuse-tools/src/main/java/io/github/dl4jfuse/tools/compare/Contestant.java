package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * An optimiser with all its settings.
 *
 * @param name unique, with the settings that the sweep varies
 * @param family what is swept together; the best of a family by validation loss stands for it
 * @param algorithm DL4J's optimisation algorithm
 * @param swept rate and schedule where they are swept, otherwise null
 * @param updater makes the updater, given the share of the budget that is used
 * @param listener makes a listener that belongs to the optimiser, or null; those of this project's updaters come by themselves
 */
public record Contestant(
        String name,
        String family,
        OptimizationAlgorithm algorithm,
        Swept swept,
        Function<DoubleSupplier, IUpdater> updater,
        Supplier<TrainingListener> listener) {

    /** A point of the sweep. */
    record Swept(double rate, Shape shape) {}

    /** A contestant without a sweep, under DL4J's usual algorithm. */
    public static Contestant of(String name, Function<DoubleSupplier, IUpdater> updater) {
        return of(name, updater, null);
    }

    /** A contestant without a sweep that needs a listener, a new one for each run. */
    public static Contestant of(
            String name, Function<DoubleSupplier, IUpdater> updater, Supplier<TrainingListener> listener) {
        return new Contestant(name, name, OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT, null, updater, listener);
    }

    /** A member of a swept family. */
    static Contestant of(String family, Swept point, Function<ISchedule, IUpdater> updater) {
        String name = String.format(
                Locale.ROOT,
                "%s %.0e %s",
                family,
                point.rate(),
                point.shape().name().toLowerCase(Locale.ROOT));
        return new Contestant(
                name,
                family,
                OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT,
                point,
                used -> updater.apply(new BudgetSchedule(point.rate(), point.shape(), used)),
                null);
    }
}
