package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.lbfgs.Segments;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.search.ArmijoBacktracking;
import io.github.dl4jfuse.updater.AdamLbfgs;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One L-BFGS step of a network on the batch in hand: direction, step acceptance, same-batch curvature pair.
 *
 * <p>Memory: 4 vectors as long as the trained parameters (5 with decoupled weight decay or a blend) besides the history.
 */
final class CurvatureStep {

    private final TrainingNetwork<FuseUpdater> network;
    private final List<FuseUpdater> updaters;
    private final LbfgsHistory history;
    private final ArmijoBacktracking search;
    private final INDArray[] start;
    private final INDArray[] gradient;
    private final INDArray[] direction;
    private final INDArray[] change;
    private final INDArray[] applied;
    private double startValue;
    private double startScore;

    CurvatureStep(TrainingNetwork<FuseUpdater> network) {
        this.network = network;
        updaters = network.updaters();
        AdamLbfgs config = updaters.get(0).getConfig();
        history = new LbfgsHistory(
                config.memory(),
                updaters.stream().map(FuseUpdater::sRows).toArray(INDArray[]::new),
                updaters.stream().map(FuseUpdater::yRows).toArray(INDArray[]::new));
        history.restore(updaters.get(0).historySize(), updaters.get(0).historyNextSlot());
        INDArray[] parameters = network.parameters();
        search = new ArmijoBacktracking(config.sufficientDecrease(), config.maxEvaluations(), network.valueRounding());
        start = Segments.zerosLike(parameters);
        gradient = Segments.zerosLike(parameters);
        direction = Segments.zerosLike(parameters);
        change = Segments.zerosLike(parameters);
        applied = network.decaysWeights() || config.blends() ? Segments.zerosLike(parameters) : null;
    }

    /** Returns the bytes that this object holds beyond the updater state. */
    long bytes() {
        int vectors = applied == null ? 4 : 5;
        return vectors * Segments.length(start) * start[0].dataType().width();
    }

    /** Remembers point, value and gradient before DL4J turns the gradient into an update. */
    void begin() {
        Segments.assign(start, network.parameters());
        network.gradient(gradient);
        startValue = network.value();
        startScore = network.score();
    }

    /**
     * Takes the step, after DL4J has subtracted Adam's share of it and decoupled weight decay. Leaves DL4J's gradient array
     * as DL4J would: with the update that was subtracted.
     *
     * @param adamShare θ; the L-BFGS step counts 1 - θ
     */
    ArmijoBacktracking.Result finish(double adamShare, FuseStatistics.Counter counter) {
        INDArray[] parameters = network.parameters();
        if (applied != null) {
            Segments.assign(applied, network.gradientView());
        }
        long[] random = null;
        if (network.isNoisy()) {
            // The mask of DL4J's own evaluation is gone: evaluate the start once more under a state we can return to.
            random = network.randomState();
            Segments.assign(parameters, start);
            startValue = evaluate(random, counter);
            network.gradient(gradient);
        }
        ArmijoBacktracking.Result result = descend(parameters, random, counter);
        if (adamShare > 0) {
            Segments.axpy(-1, start, parameters);
            Segments.scale(1 - adamShare, parameters);
            Segments.axpy(1, start, parameters);
        }
        if (applied != null) {
            Segments.axpy(-1, applied, parameters);
        }
        INDArray[] update = network.gradientView();
        Segments.assign(update, start);
        Segments.axpy(-1, parameters, update);
        network.setScore(startScore);
        return result;
    }

    private ArmijoBacktracking.Result descend(INDArray[] parameters, long[] random, FuseStatistics.Counter counter) {
        double squaredNorm = Segments.dot(gradient, gradient);
        history.direction(gradient, direction);
        double slope = Segments.dot(gradient, direction);
        if ((!(slope < 0) && history.size() > 0) || Double.isInfinite(slope)) {
            clearHistory(counter);
            history.direction(gradient, direction);
            slope = -squaredNorm;
        }
        double firstStep = history.size() > 0 ? 1 : Math.min(1, 1 / Math.sqrt(squaredNorm));
        if (squaredNorm == 0) {
            Segments.assign(parameters, start);
            return new ArmijoBacktracking.Result(false, 0, startValue, 0, "The gradient is zero.");
        }
        ArmijoBacktracking.Result result = search.search(
                t -> {
                    Segments.assign(parameters, start);
                    Segments.axpy(t, direction, parameters);
                    return evaluate(random, counter);
                },
                startValue,
                slope,
                firstStep);
        counter.cutBacks += Math.max(0, result.evaluations() - 1);
        if (result.accepted()) {
            addPair(parameters, result.step(), counter);
        } else {
            Segments.assign(parameters, start);
            clearHistory(counter);
        }
        return result;
    }

    private void addPair(INDArray[] parameters, double step, FuseStatistics.Counter counter) {
        network.gradient(change);
        Segments.axpy(-1, gradient, change);
        // The displacement as it happened, rounding included: far from zero, x + t p differs from t p beyond x.
        INDArray[] displacement = direction;
        Segments.assign(displacement, parameters);
        Segments.axpy(-1, start, displacement);
        Segments.scale(-step, gradient); // B s, because s = -t H g
        counter.pair(history.update(displacement, change, gradient));
        saveHistory();
    }

    void clearHistory(FuseStatistics.Counter counter) {
        if (history.size() > 0) {
            counter.historiesCleared++;
        }
        history.clear();
        saveHistory();
    }

    private void saveHistory() {
        for (FuseUpdater updater : updaters) {
            updater.setHistory(history.size(), history.nextSlot());
        }
    }

    private double evaluate(long[] random, FuseStatistics.Counter counter) {
        counter.evaluations++;
        if (random != null) {
            network.setRandomState(random);
        }
        network.evaluate();
        return network.value();
    }
}
