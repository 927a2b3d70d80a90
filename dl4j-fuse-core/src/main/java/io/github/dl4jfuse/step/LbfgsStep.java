package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.updater.AdamLbfgsConfig;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One L-BFGS step of a network on the batch in hand: direction, step acceptance, same-batch curvature pair.
 *
 * <p>On a fixed batch it is several steps, up to {@value #STEPS_ON_A_FIXED_BATCH}, or as many Gauss-Newton steps, as long as
 * {@link GaussNewtonRounds} has any.
 *
 * <p>Inside {@code Preconditioned}, steps on a fixed batch are those of W', on which its rule works: with gradients T g, the
 * first guess at the inverse Hessian is a multiple of T² in place of the identity. The metric does not move in the meantime.
 *
 * <p>Weight constraints are kept at each trial point, and the displacement of a pair is that between two such points. With them
 * steps are those of W.
 *
 * <p>Memory: 4 vectors as long as the trained parameters besides the history, one more with decoupled weight decay or a
 * blend, and one more on fixed batches, two inside {@code Preconditioned}.
 */
public final class LbfgsStep {

    /** A loss that differs by more from one evaluation to the next is not that of the same batch. */
    private static final double REPRODUCIBLE = 1e-3;

    /** On a fixed batch the evaluation that DL4J makes at the start of each step repeats the last one: 1 of 10 is wasted. */
    private static final int STEPS_ON_A_FIXED_BATCH = 9;

    /** A step to where the gradient is not finite is cut to this share of it. */
    private static final double SHORTER = 0.1;

    private static final Logger log = LoggerFactory.getLogger(LbfgsStep.class);

    private final TrainingNetwork<FuseUpdater> network;
    private final List<FuseUpdater> updaters;
    private final AdamLbfgsConfig config;
    private final boolean automatic;
    private final boolean inMetric; // gradient, change and direction are those of W' of Preconditioned
    private final LbfgsHistory history;
    private final ArmijoBacktracking search;
    private final INDArray[] start;
    private final INDArray[] gradient;
    private final INDArray[] direction;
    private final INDArray[] motion; // the direction of the parameters themselves
    private final INDArray[] change;
    private final INDArray[] applied;
    private final INDArray[] origin; // where the first L-BFGS step of this training step starts
    private double startSlope;
    private double startValue;
    private double startScore;
    private double endValue = Double.NaN;
    private GaussNewtonRounds gaussNewton;

    /** Makes the vectors that steps of the network need. */
    public LbfgsStep(TrainingNetwork<FuseUpdater> network) {
        this.network = network;
        updaters = network.updaters();
        config = updaters.get(0).getConfig();
        INDArray[] parameters = network.parameters();
        automatic = config.isAutomatic();
        inMetric = isInMetric(network);
        int memory = pairs(network);
        history = new LbfgsHistory(
                memory,
                automatic ? rows(memory, parameters) : rows(FuseUpdater::sRows),
                automatic ? rows(memory, parameters) : rows(FuseUpdater::yRows));
        if (!automatic) {
            history.restore(updaters.get(0).historySize(), updaters.get(0).historyNextSlot());
        }
        // A fixed batch is worth a search to the end; and no search may end for good at a point that is no minimum.
        search = new ArmijoBacktracking(
                config.sufficientDecrease(),
                automatic ? LineSearch.DEFAULT_MAX_EVALUATIONS : config.maxEvaluations(),
                network.valueRounding());
        start = BlockVectors.zerosLike(parameters);
        gradient = BlockVectors.zerosLike(parameters);
        direction = BlockVectors.zerosLike(parameters);
        motion = inMetric ? BlockVectors.zerosLike(parameters) : direction;
        change = BlockVectors.zerosLike(parameters);
        origin = automatic ? BlockVectors.zerosLike(parameters) : start;
        applied = needsApplied(network) ? BlockVectors.zerosLike(parameters) : null;
    }

    /** Returns how many pairs are kept, in the updater state or, on fixed batches, here. */
    static int pairs(TrainingNetwork<FuseUpdater> network) {
        AdamLbfgsConfig config = network.updaters().get(0).getConfig();
        if (!config.isAutomatic()) {
            return config.memory();
        }
        long affordable = FusePv.UNSAVED_NUMBERS / (2 * BlockVectors.length(network.parameters()));
        return (int) Math.max(config.memory(), Math.min(FusePv.UNSAVED_PAIRS, affordable));
    }

    private INDArray[] rows(Function<FuseUpdater, INDArray> saved) {
        return updaters.stream().map(saved).toArray(INDArray[]::new);
    }

    private static INDArray[] rows(int memory, INDArray[] parameters) {
        INDArray[] rows = new INDArray[parameters.length];
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            Arrays.setAll(rows, b -> Nd4j.zeros(parameters[b].dataType(), memory * parameters[b].length()));
        }
        return rows;
    }

    private static boolean isInMetric(TrainingNetwork<FuseUpdater> network) {
        // A displacement that constraints have bent has no counterpart among the W'.
        return network.updaters().get(0).getConfig().isAutomatic()
                && network.isPreconditioned()
                && !network.isConstrained();
    }

    private static boolean needsApplied(TrainingNetwork<FuseUpdater> network) {
        return network.decaysWeights() || network.updaters().get(0).getConfig().blends();
    }

    /** Returns the bytes that a step holds beyond the updater state. */
    public static long bytes(TrainingNetwork<FuseUpdater> network) {
        INDArray[] parameters = network.parameters();
        long n = BlockVectors.length(parameters);
        DataType type = parameters[0].dataType();
        boolean automatic = network.updaters().get(0).getConfig().isAutomatic();
        long vectors = 4 + (needsApplied(network) ? 1 : 0) + (automatic ? 1 : 0) + (isInMetric(network) ? 1 : 0);
        return vectors * n * type.width() + LbfgsHistory.bytes(pairs(network), automatic ? n : 0, type, type);
    }

    /**
     * Returns whether the loss at the present parameters is the one that the step before ended with, as it must be where the
     * batch and all else that makes the loss are the same.
     */
    boolean repeatsItsValue() {
        return Double.isNaN(endValue)
                || Math.abs(network.value() - endValue) <= REPRODUCIBLE * Math.max(Math.abs(endValue), 1e-30);
    }

    /** Begins a phase on a fixed batch. */
    void enter(CurrentBatch batch) {
        gaussNewton = GaussNewtonRounds.on(batch, network.value(), network.valueRounding());
    }

    /**
     * Remembers point, value and gradient before DL4J turns the gradient into an update, and computes the direction unless
     * the gradient will have to be evaluated again. Gauss-Newton steps that have led to a finite loss with a gradient that is not
     * are taken back, and no more are made.
     *
     * @return the squared length of DL4J's raw gradient; on a GPU it is read back together with the direction's products
     */
    double begin() {
        BlockVectors.assign(start, network.parameters());
        gradient(gradient);
        startValue = network.value();
        startScore = network.score();
        INDArray[] raw = network.gradientView();
        double square;
        if (network.isNoisy()) {
            square = BlockVectors.dot(raw, raw);
        } else {
            double[] products = history.direction(gradient, direction, raw);
            startSlope = products[0];
            square = products[1];
        }
        if (gaussNewton != null && !gaussNewton.isOver() && Double.isFinite(startValue) && !Double.isFinite(square)) {
            gaussNewton = null;
            BlockVectors.assign(network.parameters(), origin);
        } else if (automatic) {
            BlockVectors.assign(origin, start);
        }
        return square;
    }

    /**
     * Takes the step, after DL4J has subtracted Adam's share of it and decoupled weight decay. Leaves DL4J's gradient array
     * as DL4J would: with the update that was subtracted.
     *
     * @param adamShare θ; the L-BFGS step counts 1 - θ
     */
    LineSearch.Result finish(double adamShare, CurvatureCounters counter) {
        INDArray[] parameters = network.parameters();
        if (applied != null) {
            BlockVectors.assign(applied, network.gradientView());
        }
        long[] random = null;
        if (network.isNoisy()) {
            // The mask of DL4J's own evaluation is gone: evaluate the start once more under a state we can return to.
            random = network.randomState();
            BlockVectors.assign(parameters, start);
            startValue = evaluate(random, counter);
            gradient(gradient);
            startSlope = history.direction(gradient, direction);
        }
        LineSearch.Result result = gaussNewtonRound(counter);
        if (result == null) {
            result = descend(startSlope, parameters, random, counter);
        }
        if (adamShare > 0) {
            BlockVectors.axpy(-1, start, parameters);
            BlockVectors.scale(1 - adamShare, parameters);
            BlockVectors.axpy(1, start, parameters);
        }
        if (applied != null) {
            BlockVectors.axpy(-1, applied, parameters);
        }
        INDArray[] update = network.gradientView();
        BlockVectors.assign(update, origin);
        BlockVectors.axpy(-1, parameters, update);
        network.setScore(startScore);
        return result;
    }

    /** Leaves things as if the step had not begun, after an exception in it; its pairs may be incomplete. */
    void abandon(CurvatureCounters counter) {
        BlockVectors.assign(network.parameters(), origin);
        network.clearGradient();
        network.setScore(startScore);
        clearHistory(counter);
    }

    /** Makes a round of Gauss-Newton steps; returns null, and leaves the parameters alone, if it is not their time. */
    private LineSearch.Result gaussNewtonRound(CurvatureCounters counter) {
        if (gaussNewton == null || gaussNewton.isOver()) {
            return null;
        }
        try {
            endValue = gaussNewton.round(startValue, counter);
            return new LineSearch.Result(true, false, new LineSearch.Point(1, endValue, Double.NaN), 0, "");
        } catch (RuntimeException e) {
            log.warn("No more Gauss-Newton steps on this batch, L-BFGS goes on: {}", e.toString());
            gaussNewton = null;
            BlockVectors.assign(network.parameters(), start);
            return null;
        }
    }

    /** One step, or several on a fixed batch. */
    private LineSearch.Result descend(double slope, INDArray[] parameters, long[] random, CurvatureCounters counter) {
        LineSearch.Result result = descendOnce(slope, parameters, random, counter);
        for (int i = 1; automatic && i < STEPS_ON_A_FIXED_BATCH && result.accepted(); i++) {
            BlockVectors.assign(start, parameters);
            gradient(gradient);
            startValue = result.value();
            network.moveStatistics(); // DL4J's own step does it once for all of them
            result = descendOnce(history.direction(gradient, direction), parameters, random, counter);
        }
        return result;
    }

    /** Moves along the direction, or where that is no descent along the negative gradient. */
    private LineSearch.Result descendOnce(
            double slopeAlong, INDArray[] parameters, long[] random, CurvatureCounters counter) {
        counter.curvatureSteps++;
        double slope = slopeAlong;
        if (history.size() > 0 && !(slope < 0 && Double.isFinite(slope))) {
            clearHistory(counter);
            slope = history.direction(gradient, direction);
        }
        boolean steepest = history.size() == 0; // and the slope is -g·g
        double firstStep = steepest ? Math.min(1, 1 / Math.sqrt(-slope)) : usualStep();
        if (slope == 0) {
            BlockVectors.assign(parameters, start);
            return noStep(0, "The gradient is zero.");
        }
        network.clearHeld(direction); // pairs of a network that was not frozen then
        if (inMetric) {
            BlockVectors.assign(motion, direction);
            network.applyMetric(motion);
        }
        LineSearch.Result result = searchForAGradient(slope, firstStep, parameters, random, counter);
        endValue = result.accepted() ? result.value() : Double.NaN;
        if (config.measuredSteps() && !steepest) {
            measure(result, slope);
        }
        if (!result.accepted()) {
            BlockVectors.assign(parameters, start);
            clearHistory(counter);
        }
        return result;
    }

    /** Searches, and goes on with shorter steps where a lower loss comes with a gradient that is not finite. */
    private LineSearch.Result searchForAGradient(
            double slope, double firstStep, INDArray[] parameters, long[] random, CurvatureCounters counter) {
        double first = firstStep;
        for (int left = search.maxEvaluations(); left > 0; ) {
            LineSearch.Result result = search.search(
                    t -> {
                        BlockVectors.assign(parameters, start);
                        BlockVectors.axpy(t, motion, parameters);
                        network.project();
                        return new LineSearch.Point(t, evaluate(random, counter), Double.NaN);
                    },
                    startValue,
                    slope,
                    first);
            left -= Math.max(1, result.evaluations());
            counter.cutBacks += Math.max(0, result.evaluations() - 1);
            if (!result.accepted() || addPair(parameters, result.step(), counter)) {
                return result;
            }
            counter.cutBacks++;
            first = SHORTER * result.step();
        }
        return noStep(search.maxEvaluations(), "Wherever the loss was lower its gradient was not finite.");
    }

    private LineSearch.Result noStep(int evaluations, String reason) {
        return new LineSearch.Result(
                false, false, new LineSearch.Point(0, startValue, Double.NaN), evaluations, reason);
    }

    private void gradient(INDArray[] target) {
        network.gradient(target);
        if (inMetric) {
            network.applyMetric(target);
        }
    }

    private double usualStep() {
        return config.measuredSteps() ? updaters.get(0).measured().rate() : 1;
    }

    private void measure(LineSearch.Result result, double slope) {
        MeasuredSmoothness before = updaters.get(0).measured();
        MeasuredSmoothness after = result.accepted()
                ? before.observe(
                        result.step(), -slope, startValue - result.value(), -slope, MeasuredSmoothness.ORACLE_DECREASE)
                : before.refuse();
        updaters.forEach(updater -> updater.setMeasured(after));
    }

    /** Takes the pair of an accepted step; returns false, and changes nothing, if the gradient is not finite there. */
    private boolean addPair(INDArray[] parameters, double step, CurvatureCounters counter) {
        gradient(change);
        BlockVectors.axpy(-1, gradient, change);
        // The displacement as it happened, rounding included: far from zero, x + t p differs from t p beyond x.
        INDArray[] displacement = direction;
        if (inMetric) {
            BlockVectors.scale(step, displacement);
        } else {
            BlockVectors.assign(displacement, parameters);
            BlockVectors.axpy(-1, start, displacement);
        }
        BlockVectors.scale(-step, gradient); // B s, because s = -t H g
        LbfgsHistory.Outcome outcome = history.update(displacement, change, gradient);
        if (outcome == LbfgsHistory.Outcome.SKIPPED && !Double.isFinite(BlockVectors.dot(change, change))) {
            BlockVectors.scale(1 / step, displacement);
            BlockVectors.scale(-1 / step, gradient);
            return false;
        }
        counter.pair(outcome);
        saveHistory();
        return true;
    }

    void clearHistory(CurvatureCounters counter) {
        if (history.size() > 0) {
            counter.historiesCleared++;
        }
        history.clear();
        endValue = Double.NaN;
        saveHistory();
    }

    private void saveHistory() {
        if (automatic) {
            return;
        }
        for (FuseUpdater updater : updaters) {
            updater.setHistory(history.size(), history.nextSlot(), endValue);
        }
    }

    private double evaluate(long[] random, CurvatureCounters counter) {
        counter.evaluations++;
        if (random != null) {
            network.setRandomState(random);
        }
        network.evaluate();
        return network.value();
    }
}
