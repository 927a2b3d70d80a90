package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.optim.linesearch.ArmijoBacktracking;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.updater.AdamLbfgsConfig;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A training step by L-BFGS on the batch in hand, in the two parts into which DL4J cuts it: {@link #begin} before the gradient
 * becomes an update, {@link #finish} after. Direction, search and the pair of points on one batch are here; which steps are
 * made, on what, and what is saved of them, in {@link LbfgsStep} and {@link FixedBatchDescent}.
 *
 * <p>Weight constraints are kept at each trial point, and the displacement of a pair is that between two such points.
 */
public abstract class CurvatureStep {

    /** Vectors as long as the trained parameters that every such step holds. */
    static final int VECTORS = 4;

    /** A step to where the gradient is not finite is cut to this share of it. */
    private static final double SHORTER = 0.1;

    final TrainingNetwork<FuseUpdater> network;
    final List<FuseUpdater> updaters;
    final AdamLbfgsConfig config;
    final LbfgsHistory history;
    final INDArray[] start;
    final INDArray[] gradient;
    final INDArray[] direction;
    private final ArmijoBacktracking search;
    private final INDArray[] change;
    private final INDArray[] applied; // what DL4J has subtracted; null where that is nothing
    double startSlope;
    double startValue;
    double endValue = Double.NaN;
    private double startScore;

    /** Makes the vectors that steps of the network need. */
    CurvatureStep(TrainingNetwork<FuseUpdater> network, LbfgsHistory history, int maxEvaluations) {
        this.network = network;
        this.history = history;
        updaters = network.updaters();
        config = updaters.get(0).getConfig();
        INDArray[] parameters = network.parameters();
        search = new ArmijoBacktracking(config.sufficientDecrease(), maxEvaluations, network.valueRounding());
        start = BlockVectors.zerosLike(parameters);
        gradient = BlockVectors.zerosLike(parameters);
        direction = BlockVectors.zerosLike(parameters);
        change = BlockVectors.zerosLike(parameters);
        applied = needsApplied(network) ? BlockVectors.zerosLike(parameters) : null;
    }

    /** Returns whether DL4J moves the parameters before the step is finished. */
    static boolean needsApplied(TrainingNetwork<FuseUpdater> network) {
        return network.decaysWeights() || network.updaters().get(0).getConfig().blends();
    }

    /** Begins a phase on a fixed batch; nothing to do where no batch counts as one. */
    void enter(CurrentBatch batch) {}

    /**
     * Returns whether the loss at the present parameters is the one that the step before ended with, as it must be where the
     * batch and all else that makes the loss are the same; true where no batch counts as fixed.
     */
    boolean repeatsItsValue() {
        return true;
    }

    /**
     * Remembers point, value and gradient before DL4J turns the gradient into an update, and computes the direction unless
     * the gradient will have to be evaluated again.
     *
     * @return the squared length of DL4J's raw gradient; on a GPU it is read back together with the direction's products
     */
    double begin() {
        BlockVectors.assign(start, network.parameters());
        gradient(gradient);
        startValue = network.value();
        startScore = network.score();
        return firstDirection(network.gradientView());
    }

    /** Computes the direction and its slope; returns the squared length of the raw gradient. */
    double firstDirection(INDArray[] raw) {
        double[] products = history.direction(gradient, direction, raw);
        startSlope = products[0];
        return products[1];
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
        LineSearch.Result result = move(parameters, adamShare, counter);
        if (applied != null) {
            BlockVectors.axpy(-1, applied, parameters);
        }
        INDArray[] update = network.gradientView();
        BlockVectors.assign(update, origin());
        BlockVectors.axpy(-1, parameters, update);
        network.setScore(startScore);
        return result;
    }

    /** Moves the parameters by a step, or by several, from where DL4J has left them; returns how the last search ended. */
    abstract LineSearch.Result move(INDArray[] parameters, double adamShare, CurvatureCounters counter);

    /** Returns where the first L-BFGS step of this training step starts. */
    abstract INDArray[] origin();

    /** Leaves things as if the step had not begun, after an exception in it; its pairs may be incomplete. */
    void abandon(CurvatureCounters counter) {
        BlockVectors.assign(network.parameters(), origin());
        network.clearGradient();
        network.setScore(startScore);
        clearHistory(counter);
    }

    /** Moves along the direction, or where that is no descent along the negative gradient. */
    LineSearch.Result descend(double slopeAlong, INDArray[] parameters, CurvatureCounters counter) {
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
        LineSearch.Result result = searchForAGradient(slope, firstStep, motion(), parameters, counter);
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

    /** Returns the first trial step along a direction that is not the negative gradient. */
    private double usualStep() {
        return config.measuredSteps() ? updaters.get(0).measured().rate() : 1;
    }

    /** Takes note of how a search along such a direction ended. */
    private void measure(LineSearch.Result result, double slope) {
        MeasuredSmoothness before = updaters.get(0).measured();
        MeasuredSmoothness after = result.accepted()
                ? before.observe(
                        result.step(), -slope, startValue - result.value(), -slope, MeasuredSmoothness.ORACLE_DECREASE)
                : before.refuse();
        updaters.forEach(updater -> updater.setMeasured(after));
    }

    /** Returns how the parameters themselves move along the direction. */
    INDArray[] motion() {
        return direction;
    }

    /** Searches, and goes on with shorter steps where a lower loss comes with a gradient that is not finite. */
    private LineSearch.Result searchForAGradient(
            double slope, double firstStep, INDArray[] motion, INDArray[] parameters, CurvatureCounters counter) {
        double first = firstStep;
        for (int left = search.maxEvaluations(); left > 0; ) {
            LineSearch.Result result = search.search(
                    t -> {
                        BlockVectors.assign(parameters, start);
                        BlockVectors.axpy(t, motion, parameters);
                        network.project();
                        return new LineSearch.Point(t, evaluate(counter), Double.NaN);
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

    /** Evaluates loss and gradient at the present parameters; returns the loss. */
    double evaluate(CurvatureCounters counter) {
        counter.evaluations++;
        network.evaluate();
        return network.value();
    }

    /** Reads the gradient at the point that was evaluated last. */
    void gradient(INDArray[] target) {
        network.gradient(target);
    }

    /** Takes the pair of an accepted step; returns false, and changes nothing, if the gradient is not finite there. */
    private boolean addPair(INDArray[] parameters, double step, CurvatureCounters counter) {
        gradient(change);
        BlockVectors.axpy(-1, gradient, change);
        INDArray[] displacement = direction;
        displace(displacement, parameters, step);
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

    /**
     * Turns the direction into the displacement as it happened, rounding included: far from zero, x + t p differs from t p
     * beyond x.
     */
    void displace(INDArray[] displacement, INDArray[] parameters, double step) {
        BlockVectors.assign(displacement, parameters);
        BlockVectors.axpy(-1, start, displacement);
    }

    /** Drops all pairs. */
    void clearHistory(CurvatureCounters counter) {
        if (history.size() > 0) {
            counter.historiesCleared++;
        }
        history.clear();
        endValue = Double.NaN;
        saveHistory();
    }

    /** Saves how far the ring of pairs is filled, where it is part of the model. */
    void saveHistory() {}
}
