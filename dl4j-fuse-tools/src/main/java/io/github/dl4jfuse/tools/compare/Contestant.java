package io.github.dl4jfuse.tools.compare;

import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * An optimiser with all its settings.
 *
 * @param name unique, with the setting that was searched
 * @param family what is tuned together; the best of a family by validation stands for it
 * @param algorithm DL4J's optimisation algorithm
 * @param setting the point of the search, or null where nothing is searched
 * @param equipment makes what goes into the network, anew for each run
 */
public record Contestant(
        String name,
        String family,
        OptimizationAlgorithm algorithm,
        Setting setting,
        Function<Horizon, Equipment> equipment) {

    /** A contestant without a search, under DL4J's usual algorithm. */
    public static Contestant of(String name, Function<DoubleSupplier, IUpdater> updater) {
        return equipped(name, run -> Equipment.of(updater.apply(run.used())));
    }

    /** A contestant without a search that needs a listener, a new one for each run. */
    public static Contestant of(
            String name, Function<DoubleSupplier, IUpdater> updater, Supplier<TrainingListener> listener) {
        return equipped(name, run -> Equipment.of(updater.apply(run.used()), listener.get()));
    }

    /** A contestant without a search, with equipment of its own. */
    public static Contestant equipped(String name, Function<Horizon, Equipment> equipment) {
        return new Contestant(name, name, OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT, null, equipment);
    }

    /** A member of a family that is tuned. */
    static Contestant of(String family, Setting setting, Function<Horizon, Equipment> equipment) {
        return new Contestant(
                family + " " + setting, family, OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT, setting, equipment);
    }
}
