package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import io.github.dl4jfuse.tools.compare.Contestant.Swept;
import io.github.dl4jfuse.tools.rivals.AdGd;
import io.github.dl4jfuse.tools.rivals.Prodigy;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Lfso.Direction;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaBelief;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Contestants that are tuned together.
 *
 * @param name on the command line
 * @param description in one line
 * @param tuning how a member is chosen
 * @param members all settings
 */
public record Family(String name, String description, Tuning tuning, List<Contestant> members) {

    /** How a family is tuned. */
    public enum Tuning {
        /** One member at its defaults. */
        NONE,
        /** All members run with the tuning seed; the best of them by validation loss run with all seeds. */
        SWEEP,
        /** The member with the rate and the schedule that are best for Adam. */
        LIKE_BASELINE
    }

    /** The family that all others are compared with. */
    public static final String BASELINE = "adam";

    /** The rates of Adam's sweep. */
    static final double[] ADAM_RATES = {1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2};

    private static final double OUTPUT_LAYER_RATE = 3e-3;

    private static final int GEOMETRY_EXAMPLES = 100;

    private static final double[] NESTEROVS_RATES = {1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1};

    /** All families that come with the examples, the baseline first. */
    public static final List<Family> ALL = List.of(
            swept(BASELINE, ADAM_RATES, Adam::new),
            swept("nesterovs", NESTEROVS_RATES, Nesterovs::new),
            likeBaseline("adabelief", AdaBelief::new),
            likeBaseline("nadam", Nadam::new),
            likeBaseline("amsgrad", AMSGrad::new),
            new Family(
                    "dl4j-lbfgs",
                    "DL4J's own LBFGS, which is broken (docs/upstream.md)",
                    Tuning.NONE,
                    List.of(new Contestant(
                            "dl4j-lbfgs",
                            "dl4j-lbfgs",
                            OptimizationAlgorithm.LBFGS,
                            null,
                            used -> new Sgd(1.0),
                            null))),
            of(
                    "its rate linear to 0 over the budget, otherwise its defaults",
                    Contestant.of(
                            "adapted",
                            used -> Preconditioned.of(FusePv.ofRate(
                                    new BudgetSchedule(2 * Preconditioned.DEFAULT_RATE, Shape.LINEAR, used))))),
            of(
                    "its rate constant, for trainings whose end is not known",
                    Contestant.of("adapted-open", used -> Preconditioned.adam())),
            of(Contestant.of(
                    "geometry-output",
                    used -> new Adam(new BudgetSchedule(OUTPUT_LAYER_RATE, Shape.LINEAR, used)),
                    () -> new GaussNewtonListener(Layers.OUTPUT_LAYER))),
            of(
                    "Gauss-Newton steps on " + GEOMETRY_EXAMPLES + " examples of each batch",
                    Contestant.of(
                            "geometry-all",
                            used -> new Sgd(1),
                            () -> new GaussNewtonListener().examplesPerStep(GEOMETRY_EXAMPLES, 1))),
            of(Contestant.of("lfso", used -> new Lfso(Direction.ADAM, new BudgetSchedule(1, Shape.LINEAR, used)))),
            of(Contestant.of(
                    "lfso-momentum", used -> new Lfso(Direction.MOMENTUM, new BudgetSchedule(1, Shape.LINEAR, used)))),
            of(Contestant.of("adgd", used -> new AdGd(null))),
            of(Contestant.of("prodigy", used -> new Prodigy(new BudgetSchedule(1, Shape.LINEAR, used)))),
            of(Contestant.of("fuse", used -> new Fuse())),
            of(
                    "as published: L-BFGS from epoch " + FusePv.PUBLISHED_SWITCH_EPOCH + " on",
                    Contestant.of(
                            "fuse-pv",
                            used -> FusePv.builder()
                                    .switchCriterion(SwitchCriterion.epoch(FusePv.PUBLISHED_SWITCH_EPOCH))
                                    .build())));

    /** Returns the baseline at some rates, each linear to 0 over the budget and run with every seed instead of a sweep. */
    static Family baselineAt(List<Double> rates) {
        List<Contestant> members = rates.stream()
                .map(rate -> Contestant.of(BASELINE, new Swept(rate, Shape.LINEAR), Adam::new))
                .toList();
        return new Family(BASELINE, "at given rates, linear schedule", Tuning.NONE, members);
    }

    /** Returns a family of one contestant, at its own settings. */
    public static Family of(Contestant contestant) {
        return of("as it comes, at its defaults", contestant);
    }

    private static Family of(String description, Contestant contestant) {
        return new Family(contestant.name(), description, Tuning.NONE, List.of(contestant));
    }

    /**
     * Returns one of {@link #ALL}.
     *
     * @throws IllegalArgumentException if there is no such family
     */
    public static Family named(String name) {
        return ALL.stream()
                .filter(family -> family.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no optimizer '" + name + "'; there are "
                        + String.join(", ", ALL.stream().map(Family::name).toList())
                        + "."));
    }

    private static Family swept(String name, double[] rates, Function<ISchedule, IUpdater> updater) {
        List<Contestant> members =
                points(rates).map(point -> Contestant.of(name, point, updater)).toList();
        return new Family(
                name,
                "swept: " + rates.length + " rates from " + rates[0] + " to " + rates[rates.length - 1]
                        + ", constant, cosine and linear schedule",
                Tuning.SWEEP,
                members);
    }

    private static Family likeBaseline(String name, Function<ISchedule, IUpdater> updater) {
        List<Contestant> members = points(ADAM_RATES)
                .map(point -> Contestant.of(name, point, updater))
                .toList();
        return new Family(name, "at the rate and the schedule that are best for Adam", Tuning.LIKE_BASELINE, members);
    }

    private static Stream<Swept> points(double[] rates) {
        return Arrays.stream(rates)
                .boxed()
                .flatMap(rate -> Arrays.stream(Shape.values()).map(shape -> new Swept(rate, shape)));
    }

    /** Returns whether a rate is the smallest or the largest of the sweep, so that a better one may lie outside. */
    boolean isAtTheEdge(Contestant member) {
        double rate = member.swept() == null ? Double.NaN : member.swept().rate();
        return rate == members.get(0).swept().rate()
                || rate == members.get(members.size() - 1).swept().rate();
    }
}
