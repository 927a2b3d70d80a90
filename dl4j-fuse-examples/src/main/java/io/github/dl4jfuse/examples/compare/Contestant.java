package io.github.dl4jfuse.examples.compare;

import io.github.dl4jfuse.examples.compare.BudgetSchedule.Shape;
import io.github.dl4jfuse.updater.FusePv;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * An optimiser with all its settings.
 *
 * @param name unique, with the settings that the sweep varies
 * @param family what is swept together; the best of a family by validation loss stands for it
 * @param algorithm DL4J's optimisation algorithm
 * @param updater makes the updater, given the share of the budget that is used
 */
public record Contestant(
        String name, String family, OptimizationAlgorithm algorithm, Function<DoubleSupplier, IUpdater> updater) {

    /** The family whose best member is the baseline. */
    public static final String BASELINE = "adam";

    /** Names of all families. */
    public static final List<String> FAMILIES = List.of(BASELINE, "nesterovs", "dl4j-lbfgs", "fuse-pv");

    private static final double[] ADAM_RATES = {1e-4, 3e-4, 1e-3, 3e-3, 1e-2};
    private static final double[] NESTEROVS_RATES = {1e-3, 3e-3, 1e-2, 3e-2, 1e-1};

    /** A contestant under DL4J's usual algorithm. */
    public static Contestant of(String name, String family, Function<DoubleSupplier, IUpdater> updater) {
        return new Contestant(name, family, OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT, updater);
    }

    /**
     * Returns the members of a family: Adam and Nesterov momentum swept over rates and schedules, FUSE-PV at its defaults,
     * and DL4J's own LBFGS (which is broken; see docs/upstream.md).
     *
     * @throws IllegalArgumentException if there is no such family
     */
    public static List<Contestant> family(String family) {
        return switch (family) {
            case BASELINE -> swept(family, ADAM_RATES, Adam::new);
            case "nesterovs" -> swept(family, NESTEROVS_RATES, Nesterovs::new);
            case "fuse-pv" -> List.of(of(family, family, used -> new FusePv()));
            case "dl4j-lbfgs" ->
                List.of(new Contestant(family, family, OptimizationAlgorithm.LBFGS, used -> new Sgd(1.0)));
            default ->
                throw new IllegalArgumentException(
                        "There is no optimizer '" + family + "'; there are " + String.join(", ", FAMILIES) + ".");
        };
    }

    private static List<Contestant> swept(String family, double[] rates, Function<BudgetSchedule, IUpdater> updater) {
        List<Contestant> all = new ArrayList<>();
        for (double rate : rates) {
            for (Shape shape : Shape.values()) {
                String name = String.format(
                        Locale.ROOT, "%s %.0e %s", family, rate, shape.name().toLowerCase(Locale.ROOT));
                all.add(of(name, family, used -> updater.apply(new BudgetSchedule(rate, shape, used))));
            }
        }
        return all;
    }
}
