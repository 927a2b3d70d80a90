package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import io.github.dl4jfuse.tools.rivals.AdGd;
import io.github.dl4jfuse.tools.rivals.Rivals;
import io.github.dl4jfuse.updater.Fuse;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Lfso.Direction;
import io.github.dl4jfuse.updater.Preconditioned;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** The families that come with the program. */
public final class Families {

    /** Default number of trials of each tuned family: a power of the factor by which halving thins them out. */
    public static final int DEFAULT_TRIALS = 27;

    private static final int MOST_TRIALS = 81;

    private static final double ADAM_RATE = 1e-3;
    private static final double OUTPUT_LAYER_RATE = 3e-3;
    private static final int GEOMETRY_EXAMPLES = 100;
    private static final double WARM_UP_SHARE = 0.05;

    /** The share of a run over which weights are averaged. */
    private static final List<Double> AVERAGED_SHARES = List.of(0.02, 0.005, 0.05);

    private static final List<Double> DAMPINGS = List.of(1.0, 3.0, 10.0, 30.0, 100.0);

    /** All of them, the baseline first. */
    public static final List<Family> ALL = List.of(
            tuned(
                    Family.BASELINE,
                    "DL4J's Adam with decoupled weight decay",
                    SearchSpace.of(ADAM_RATE, 2e-4, 2e-2),
                    (setting, run) -> Equipment.of(setting, Rivals.adamW(run.schedule(setting), setting.decay()))),
            tuned(
                    "adamw-linear",
                    "the same with the linear schedule only: shows what is a schedule's merit",
                    SearchSpace.of(ADAM_RATE, 2e-4, 2e-2, List.of(Shape.LINEAR), List.of()),
                    (setting, run) -> Equipment.of(setting, Rivals.adamW(run.schedule(setting), setting.decay()))),
            Family.of("DL4J's Adam as it comes", Contestant.of("adam", used -> new Adam(ADAM_RATE))),
            tuned(
                    "adam-ema",
                    "AdamW, evaluated at an average of its weights (own: the share of the run that is averaged)",
                    SearchSpace.of(ADAM_RATE, 2e-4, 2e-2, List.of(Shape.values()), AVERAGED_SHARES),
                    (setting, run) -> Equipment.of(
                            setting,
                            Rivals.adamEma(
                                    run.schedule(setting),
                                    setting.decay(),
                                    1 - 1 / Math.max(2, setting.own() * run.steps())))),
            tuned(
                    "schedule-free",
                    "Schedule-Free AdamW (Defazio et al. 2024)",
                    SearchSpace.of(3e-3, 5e-4, 5e-2, List.of(Shape.CONSTANT), List.of()),
                    (setting, run) -> Equipment.of(setting, Rivals.scheduleFree(setting.rate(), setting.decay(), (int)
                            Math.ceil(WARM_UP_SHARE * run.steps())))),
            tuned(
                    "muon",
                    "Muon (Jordan et al. 2024) on hidden matrices and filters, AdamW elsewhere",
                    SearchSpace.of(3e-3, 3e-4, 3e-2),
                    (setting, run) -> Equipment.of(setting, Rivals.muon(run.schedule(setting), setting.decay()))),
            tuned(
                    "soap",
                    "SOAP (Vyas et al. 2024)",
                    SearchSpace.of(3e-3, 3e-4, 3e-2),
                    (setting, run) ->
                            Equipment.of(setting, Rivals.soap(run.schedule(setting), setting.decay(), false))),
            tuned(
                    "soap-one-sided",
                    "SOAP, the smaller side of each matrix only",
                    SearchSpace.of(3e-3, 3e-4, 3e-2),
                    (setting, run) -> Equipment.of(setting, Rivals.soap(run.schedule(setting), setting.decay(), true))),
            tuned(
                    "nesterov",
                    "DL4J's Nesterov momentum",
                    SearchSpace.of(1e-1, 3e-3, 3e-1),
                    (setting, run) -> Equipment.of(setting, Rivals.nesterov(run.schedule(setting), setting.decay()))),
            tuned(
                    "prodigy",
                    "Prodigy (Mishchenko, Defazio 2023); the rate is its factor d",
                    SearchSpace.of(1, 0.2, 3),
                    (setting, run) -> Equipment.of(setting, Rivals.prodigy(run.schedule(setting)))),
            Family.of(
                    "its rate linear to 0 over the budget, otherwise its defaults",
                    Contestant.of(
                            "preconditioned",
                            used -> preconditioned(
                                    new BudgetSchedule(2 * Preconditioned.DEFAULT_RATE, Shape.LINEAR, used)))),
            Family.of(
                    "its defaults, for trainings whose end is not known",
                    Contestant.of("preconditioned-open", used -> Preconditioned.adam())),
            tuned(
                    "preconditioned-tuned",
                    "tuned with as many trials as the rivals (own: the damping)",
                    SearchSpace.of(2 * Preconditioned.DEFAULT_RATE, 1e-3, 3e-2, List.of(Shape.values()), DAMPINGS),
                    (setting, run) -> Equipment.of(
                            setting, preconditioned(run.schedule(setting)).withDamping(setting.own()))),
            Family.of(Contestant.of(
                    "lfso", used -> new Lfso(Direction.ADAM, new BudgetSchedule(1, Shape.LINEAR, used)))),
            Family.of(Contestant.of(
                    "lfso-momentum", used -> new Lfso(Direction.MOMENTUM, new BudgetSchedule(1, Shape.LINEAR, used)))),
            Family.of(
                    "as published: L-BFGS from epoch " + FusePv.PUBLISHED_SWITCH_EPOCH + " on",
                    Contestant.of(
                            "fuse-pv",
                            used -> FusePv.builder()
                                    .switchCriterion(SwitchCriterion.epoch(FusePv.PUBLISHED_SWITCH_EPOCH))
                                    .build())),
            Family.of(Contestant.of("fuse", used -> new Fuse())),
            Family.of(Contestant.of(
                    "geometry-output",
                    used -> new Adam(new BudgetSchedule(OUTPUT_LAYER_RATE, Shape.LINEAR, used)),
                    () -> new GaussNewtonListener(Layers.OUTPUT_LAYER))),
            Family.of(
                    "Gauss-Newton steps on " + GEOMETRY_EXAMPLES + " examples of each batch",
                    Contestant.of(
                            "gauss-newton",
                            used -> new Sgd(1),
                            () -> new GaussNewtonListener().examplesPerStep(GEOMETRY_EXAMPLES, 1))),
            Family.of(Contestant.of("adgd", used -> new AdGd(null))),
            new Family(
                    "dl4j-lbfgs",
                    "DL4J's own LBFGS, which is broken (docs/upstream.md)",
                    false,
                    List.of(new Contestant(
                            "dl4j-lbfgs",
                            "dl4j-lbfgs",
                            OptimizationAlgorithm.LBFGS,
                            null,
                            run -> Equipment.of(new Sgd(1.0))))));

    private Families() {}

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
                        + ALL.stream().map(Family::name).collect(Collectors.joining(", ")) + "."));
    }

    /** Returns the baseline at some rates, each linear to 0 over the budget and run with every seed instead of a search. */
    static Family baselineAt(List<Double> rates) {
        List<Contestant> members = rates.stream()
                .map(rate -> new Setting(rate, Shape.LINEAR, 0, 0, Double.NaN))
                .map(setting -> Contestant.of(
                        Family.BASELINE,
                        setting,
                        run -> Equipment.of(setting, Rivals.adamW(run.schedule(setting), setting.decay()))))
                .toList();
        return new Family(Family.BASELINE, "at given rates, linear schedule, no decay", false, members);
    }

    private static Family tuned(
            String name, String description, SearchSpace space, BiFunction<Setting, Horizon, Equipment> maker) {
        List<Contestant> members = space.trials(MOST_TRIALS).stream()
                .map(setting -> Contestant.of(name, setting, run -> maker.apply(setting, run)))
                .toList();
        return new Family(name, description, true, members);
    }

    /** {@code FusePv} at this rate in the metric, as {@code Preconditioned.adam()} is at its own. */
    private static Preconditioned preconditioned(BudgetSchedule rate) {
        return Preconditioned.of(FusePv.ofRate(rate));
    }
}
