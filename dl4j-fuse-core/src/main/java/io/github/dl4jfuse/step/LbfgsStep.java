package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The L-BFGS step of a switch as published, one on each batch, alone or blended with Adam's. Its pairs lie in the updater's
 * state and are saved with the model.
 *
 * <p>Where the network is noisy, all evaluations of a step have one mask: that of DL4J's own is gone, so the start is
 * evaluated once more.
 *
 * <p>Memory: 4 vectors as long as the trained parameters besides the history, one more with decoupled weight decay or a
 * blend.
 */
final class LbfgsStep extends CurvatureStep {

    private long[] random; // the state that this step's masks come from; null where there are none

    LbfgsStep(TrainingNetwork<FuseUpdater> network) {
        super(
                network,
                new LbfgsHistory(pairs(network), rows(network, FuseUpdater::sRows), rows(network, FuseUpdater::yRows)),
                network.updaters().get(0).getConfig().maxEvaluations());
        history.restore(updaters.get(0).historySize(), updaters.get(0).historyNextSlot());
    }

    /** Returns how many pairs are kept. */
    static int pairs(TrainingNetwork<FuseUpdater> network) {
        return network.updaters().get(0).getConfig().memory();
    }

    private static INDArray[] rows(TrainingNetwork<FuseUpdater> network, Function<FuseUpdater, INDArray> saved) {
        return network.updaters().stream().map(saved).toArray(INDArray[]::new);
    }

    /** Returns the bytes that a step holds beyond the updater state. */
    static long bytes(TrainingNetwork<FuseUpdater> network) {
        INDArray[] parameters = network.parameters();
        var type = parameters[0].dataType();
        long vectors = VECTORS + (needsApplied(network) ? 1 : 0);
        return vectors * BlockVectors.length(parameters) * type.width()
                + LbfgsHistory.bytes(pairs(network), 0, type, type);
    }

    @Override
    double firstDirection(INDArray[] raw) {
        return network.isNoisy() ? BlockVectors.dot(raw, raw) : super.firstDirection(raw);
    }

    @Override
    LineSearch.Result move(INDArray[] parameters, double adamShare, CurvatureCounters counter) {
        random = null;
        if (network.isNoisy()) {
            random = network.randomState();
            BlockVectors.assign(parameters, start);
            startValue = evaluate(counter);
            gradient(gradient);
            startSlope = history.direction(gradient, direction);
        }
        LineSearch.Result result = descend(startSlope, parameters, counter);
        if (adamShare > 0) {
            BlockVectors.axpy(-1, start, parameters);
            BlockVectors.scale(1 - adamShare, parameters);
            BlockVectors.axpy(1, start, parameters);
        }
        return result;
    }

    @Override
    INDArray[] origin() {
        return start;
    }

    @Override
    double evaluate(CurvatureCounters counter) {
        if (random != null) {
            network.setRandomState(random);
        }
        return super.evaluate(counter);
    }

    @Override
    void saveHistory() {
        for (FuseUpdater updater : updaters) {
            updater.setHistory(history.size(), history.nextSlot(), endValue);
        }
    }
}
