package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The training step where the batch stays the same: up to {@value #STEPS} L-BFGS steps, each with a search to the end, or as
 * many Gauss-Newton steps, as long as {@link GaussNewtonRounds} has any. Its pairs are not saved.
 *
 * <p>Inside {@code Preconditioned}, steps are those of W', on which its rule works: with gradients T g, the first guess at the
 * inverse Hessian is a multiple of T² in place of the identity. The metric does not move in the meantime. With weight
 * constraints steps are those of W, as a displacement that they have bent has no counterpart among the W'.
 *
 * <p>Memory: 5 vectors as long as the trained parameters besides the history, one more with decoupled weight decay, and one
 * more inside {@code Preconditioned}.
 */
final class FixedBatchDescent extends CurvatureStep {

    /** The evaluation that DL4J makes at the start of each training step repeats the last one: 1 of 10 is wasted. */
    private static final int STEPS = 9;

    /** A loss that differs by more from one evaluation to the next is not that of the same batch. */
    private static final double REPRODUCIBLE = 1e-3;

    private static final Logger log = LoggerFactory.getLogger(FixedBatchDescent.class);

    private final boolean inMetric; // gradient, change and direction are those of W' of Preconditioned
    private final INDArray[] motion;
    private final INDArray[] origin;
    private GaussNewtonRounds gaussNewton;

    FixedBatchDescent(TrainingNetwork<FuseUpdater> network) {
        super(
                network,
                new LbfgsHistory(pairs(network), rows(network), rows(network)),
                LineSearch.DEFAULT_MAX_EVALUATIONS); // no search may end for good at a point that is no minimum
        inMetric = isInMetric(network);
        motion = inMetric ? BlockVectors.zerosLike(start) : direction;
        origin = BlockVectors.zerosLike(start);
    }

    /** Returns how many pairs are kept. */
    static int pairs(TrainingNetwork<FuseUpdater> network) {
        long affordable = FusePv.UNSAVED_NUMBERS / (2 * BlockVectors.length(network.parameters()));
        return (int)
                Math.max(network.updaters().get(0).getConfig().memory(), Math.min(FusePv.UNSAVED_PAIRS, affordable));
    }

    private static INDArray[] rows(TrainingNetwork<FuseUpdater> network) {
        INDArray[] parameters = network.parameters();
        INDArray[] rows = new INDArray[parameters.length];
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            Arrays.setAll(rows, b -> Nd4j.zeros(parameters[b].dataType(), pairs(network) * parameters[b].length()));
        }
        return rows;
    }

    private static boolean isInMetric(TrainingNetwork<FuseUpdater> network) {
        return network.isPreconditioned() && !network.isConstrained();
    }

    /** Returns the bytes that a step holds beyond the updater state. */
    static long bytes(TrainingNetwork<FuseUpdater> network) {
        INDArray[] parameters = network.parameters();
        long n = BlockVectors.length(parameters);
        var type = parameters[0].dataType();
        long vectors = VECTORS + 1 + (needsApplied(network) ? 1 : 0) + (isInMetric(network) ? 1 : 0);
        return vectors * n * type.width() + LbfgsHistory.bytes(pairs(network), n, type, type);
    }

    @Override
    boolean repeatsItsValue() {
        return Double.isNaN(endValue)
                || Math.abs(network.value() - endValue) <= REPRODUCIBLE * Math.max(Math.abs(endValue), 1e-30);
    }

    @Override
    void enter(CurrentBatch batch) {
        gaussNewton = GaussNewtonRounds.on(batch, network.value(), network.valueRounding());
    }

    /** Gauss-Newton steps that have led to a finite loss with a gradient that is not are taken back, and no more are made. */
    @Override
    double begin() {
        double square = super.begin();
        boolean rounds = gaussNewton != null && !gaussNewton.isOver();
        if (rounds && Double.isFinite(startValue) && !Double.isFinite(square)) {
            gaussNewton = null;
            BlockVectors.assign(network.parameters(), origin);
        } else {
            BlockVectors.assign(origin, start);
        }
        return square;
    }

    @Override
    LineSearch.Result move(INDArray[] parameters, double adamShare, CurvatureCounters counter) {
        LineSearch.Result result = gaussNewtonRound(counter);
        if (result != null) {
            return result;
        }
        result = descend(startSlope, parameters, counter);
        for (int i = 1; i < STEPS && result.accepted(); i++) {
            BlockVectors.assign(start, parameters);
            gradient(gradient);
            startValue = result.value();
            network.moveStatistics(); // DL4J's own step does it once for all of them
            result = descend(history.direction(gradient, direction), parameters, counter);
        }
        return result;
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

    @Override
    INDArray[] origin() {
        return origin;
    }

    @Override
    void gradient(INDArray[] target) {
        super.gradient(target);
        if (inMetric) {
            network.applyMetric(target);
        }
    }

    @Override
    INDArray[] motion() {
        if (inMetric) {
            BlockVectors.assign(motion, direction);
            network.applyMetric(motion);
        }
        return motion;
    }

    @Override
    void displace(INDArray[] displacement, INDArray[] parameters, double step) {
        if (inMetric) {
            BlockVectors.scale(step, displacement);
        } else {
            super.displace(displacement, parameters, step);
        }
    }
}
