package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.MemoryEstimate;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.optim.linesearch.LineSearch;
import io.github.dl4jfuse.updater.AdamLbfgsConfig;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.PhaseChange;
import io.github.dl4jfuse.updater.TrainingProgress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Conducts the switch, the L-BFGS steps and the blend of one network, in the three parts into which DL4J cuts a step: {@link
 * #keepBatch}, {@link #begin}, {@link #finish}.
 */
public final class StepConductor {

    private static final Logger log = LoggerFactory.getLogger(StepConductor.class);

    /** What the next {@code iterationDone} has to do. */
    private enum Plan {
        NOTHING,
        ADAM,
        CURVATURE
    }

    private final ParameterGuard guard;
    private final CurvatureCounters counter;
    private final BooleanSupplier isReplicated;
    private final List<PhaseChange> phaseChanges = new ArrayList<>();
    private final UnusualBatches unusual;
    private final SameBatchDetector fixedBatch = new SameBatchDetector();
    private TrainingNetwork<FuseUpdater> network;
    private CurrentBatch batch; // null where no batch counts as fixed
    private AdamLbfgsConfig config;
    private boolean curvaturePhase;
    private double adamShare = 1;
    private CurvatureStep step;
    private Plan plan = Plan.NOTHING;
    private boolean stepping;
    private boolean saidRejected;

    /**
     * For one network at a time.
     *
     * @param isReplicated whether other replicas of the network are trained, so that no batch counts as fixed
     */
    public StepConductor(ParameterGuard guard, CurvatureCounters counter, BooleanSupplier isReplicated) {
        this.guard = guard;
        this.counter = counter;
        this.isReplicated = isReplicated;
        unusual = new UnusualBatches(counter);
    }

    /** Returns whether there is a network to conduct. */
    public boolean isAttached() {
        return network != null;
    }

    /** Returns whether what was attached is still the network's, or nothing was. */
    public boolean isCurrent() {
        return network == null || network.isCurrent();
    }

    /** Returns the changes so far. */
    public List<PhaseChange> phaseChanges() {
        return List.copyOf(phaseChanges);
    }

    /** Returns whether the present phase is L-BFGS. */
    public boolean inCurvaturePhase() {
        return curvaturePhase;
    }

    /** Returns whether L-BFGS is at a fixed batch, where metrics stand still. */
    public boolean isAtFixedBatch() {
        return curvaturePhase && config.isAutomatic();
    }

    /** Returns whether it is evaluating, so that passes are its own. */
    public boolean isStepping() {
        return stepping;
    }

    /** Returns the bytes of the L-BFGS phase that are held now. */
    public long bytes() {
        return step == null ? 0 : bytesOfStep(network);
    }

    /** Takes up a network, or none where the metric is all there is. */
    public void attach(TrainingNetwork<FuseUpdater> found, Model model, boolean forReplica) {
        network = found;
        batch = null;
        step = null;
        if (network == null) {
            return;
        }
        config = network.updaters().get(0).getConfig();
        MemoryEstimate.logIfLarge(
                "Training with up to "
                        + (config.isAutomatic() ? FixedBatchDescent.pairs(network) : LbfgsStep.pairs(network))
                        + " curvature pairs",
                expectedBytes(),
                updaterStateBytes());
        goOn();
        boolean refused = network.refusal() != null;
        batch = config.isAutomatic() && !refused && !forReplica ? new CurrentBatch(model) : null;
        if (config.isAutomatic() && refused) {
            log.info(
                    "There will be no L-BFGS on fixed batches{}. {}",
                    network.isPreconditioned() ? "; the metric works all the same" : "",
                    network.refusal());
        }
    }

    /** From the state as it is saved, or as somebody has put it into the updater. */
    private void goOn() {
        step = null;
        guard.copyAnew();
        boolean restored = network.updaters().get(0).inCurvaturePhase();
        if (restored && !curvaturePhase) {
            log.info(
                    "The updater goes on in its L-BFGS phase, with {} curvature pairs, at iteration {}.",
                    network.updaters().get(0).historySize(),
                    network.iteration());
        }
        curvaturePhase = restored;
        fixedBatch.forget();
    }

    private int sameBatchSteps() {
        if (batch != null && isReplicated.getAsBoolean()) {
            batch = null;
            log.info("There is no L-BFGS on fixed batches as long as several replicas are averaged. Adam goes on.");
        }
        if (batch == null) {
            return 0;
        }
        int steps = fixedBatch.look(network.batch().arrays());
        if (steps > 0 && curvaturePhase && !step.repeatsItsValue()) {
            fixedBatch.refute();
            return 0;
        }
        return steps;
    }

    private long updaterStateBytes() {
        INDArray[] parameters = network.parameters();
        return config.stateSize(BlockVectors.length(parameters))
                * parameters[0].dataType().width();
    }

    /** Updater state, vectors of the L-BFGS phase, and the last good parameters. */
    public long expectedBytes() {
        INDArray[] parameters = network.parameters();
        long vector = BlockVectors.length(parameters) * parameters[0].dataType().width();
        return updaterStateBytes() + bytesOfStep(network) + vector;
    }

    /** In onBackwardPass: keeps what the network was evaluated on. */
    public void keepBatch() {
        network.batch().keep();
        if (batch != null) {
            batch.batch().keep();
        }
    }

    /** In onGradientCalculation: the batch that was kept last is that of the step, and the state may be another one. */
    public void beginBatch() {
        plan = Plan.NOTHING;
        guard.forgetHeld();
        network.batch().begin();
        if (batch != null) {
            batch.batch().begin();
        }
        if (network.followState()) {
            goOn();
        }
    }

    /**
     * In onGradientCalculation: decides what kind of step this is, and tells the updaters.
     *
     * @param batchSize examples in the batch
     * @param mean whether DL4J divides the gradient by them
     */
    public void begin(int batchSize, boolean mean) {
        network.updaters().forEach(FuseUpdater::conductNextStep);
        counter.evaluations++;
        guard.begin(network);
        INDArray[] gradient = network.gradientView();
        boolean begun = curvaturePhase && step != null && !unusual.isSmall(network, batchSize);
        double squaredNorm = begun ? step.begin() : BlockVectors.dot(gradient, gradient);
        if (!Double.isFinite(network.score()) || !Double.isFinite(squaredNorm)) {
            leaveOut();
            return;
        }
        guard.sayOnceThatStatistics(network.holdBrokenStatistics());
        network.updaters().forEach(updater -> updater.seeBatch(batchSize));
        decidePhase();
        double gradientNorm = Math.sqrt(squaredNorm) / (mean ? batchSize : 1);
        String outlier = unusual.outlier(network, gradientNorm);
        unusual.observe(network, gradientNorm, curvaturePhase);
        if (!guard.passes(network)) {
            leaveOut();
            return;
        }
        if (curvaturePhase && unusual.passesOver(network, batchSize, outlier)) {
            return;
        }
        if (curvaturePhase) {
            if (!begun) {
                step().begin();
            }
            takeAdamsShare();
        }
        plan = curvaturePhase ? Plan.CURVATURE : Plan.ADAM;
    }

    /** In iterationDone: takes the step that was begun, or undoes one that was left out. */
    public void finish(int iteration) {
        guard.release(network);
        Plan due = plan;
        plan = Plan.NOTHING;
        if (guard.suspects()) {
            rollBackIfBroken();
        } else if (due == Plan.ADAM) {
            counter.adamSteps++;
        } else if (due == Plan.CURVATURE) {
            finishStep(iteration);
        }
        network.batch().end();
        if (batch != null) {
            batch.batch().end();
        }
    }

    private void finishStep(int iteration) {
        LineSearch.Result result = null;
        stepping = true;
        try {
            result = step.finish(adamShare, counter);
        } finally {
            stepping = false;
            if (result == null) {
                step.abandon(counter);
            }
        }
        if (!result.accepted()) {
            counter.rejectedSteps++;
            sayOnceThatAStepWasRejected(iteration, result);
        }
    }

    private void decidePhase() {
        FuseUpdater first = network.updaters().get(0);
        TrainingProgress progress = new TrainingProgress(
                network.iteration(),
                network.epoch(),
                first.averageGradientNorm(),
                first.averageLoss(),
                sameBatchSteps());
        adamShare = config.adamShare(progress, curvaturePhase);
        boolean due = adamShare < 1;
        if (due == curvaturePhase) {
            return;
        }
        String reason = config.reason(progress);
        if (due) {
            if (phaseChanges.isEmpty()) {
                log.info(
                        "{} from Adam to L-BFGS at iteration {} (epoch {}): {}.{}",
                        network.isPreconditioned()
                                ? "Preconditioned goes"
                                : config.blends() ? "Fuse goes" : "FusePv switches",
                        progress.iteration(),
                        progress.epoch(),
                        reason,
                        network.isNoisy()
                                ? " The network is noisy (dropout or weight noise): a step holds one mask."
                                : "");
            }
        } else {
            reason = "no longer true that " + reason;
            dropPairs();
        }
        phaseChanges.add(new PhaseChange(progress.iteration(), progress.epoch(), due, reason));
        curvaturePhase = due;
        network.updaters().forEach(updater -> updater.setCurvaturePhase(due));
        if (due && batch != null) {
            step().enter(batch);
        }
    }

    private void takeAdamsShare() {
        network.updaters().forEach(updater -> updater.takeShareOfNextStep(adamShare));
    }

    private void leaveOut() {
        counter.skippedBatches++;
        guard.leaveOut(network, ParameterGuard.notFinite(network.score()));
    }

    private void rollBackIfBroken() {
        stepping = true;
        boolean back;
        try {
            back = guard.rollBackIfBroken(
                    network,
                    network.canEvaluateAgain() ? this::isWellHere : null,
                    "moments, curvature pairs and metric");
        } finally {
            stepping = false;
        }
        if (back) {
            counter.rollBacks++;
            network.updaters().forEach(FuseUpdater::resetMoments);
            network.resetMetric();
            dropPairs();
        }
    }

    private boolean isWellHere() {
        counter.evaluations++;
        network.evaluate();
        INDArray[] gradient = network.gradientView();
        return Double.isFinite(network.value()) && Double.isFinite(BlockVectors.dot(gradient, gradient));
    }

    private void dropPairs() {
        step().clearHistory(counter);
    }

    private CurvatureStep step() {
        if (step == null) {
            step = stepOf(network);
        }
        return step;
    }

    /** Returns what takes the L-BFGS steps of a network: those of fixed batches, or those that were published. */
    public static CurvatureStep stepOf(TrainingNetwork<FuseUpdater> network) {
        return isAutomatic(network) ? new FixedBatchDescent(network) : new LbfgsStep(network);
    }

    /** Returns the bytes that it holds beyond the updater state. */
    public static long bytesOfStep(TrainingNetwork<FuseUpdater> network) {
        return isAutomatic(network) ? FixedBatchDescent.bytes(network) : LbfgsStep.bytes(network);
    }

    private static boolean isAutomatic(TrainingNetwork<FuseUpdater> network) {
        return network.updaters().get(0).getConfig().isAutomatic();
    }

    private void sayOnceThatAStepWasRejected(int iteration, LineSearch.Result result) {
        if (!saidRejected) {
            saidRejected = true;
            log.info(
                    "The L-BFGS step of iteration {} was not taken, and its curvature pairs were dropped: {} Said once;"
                            + " statistics() counts on.",
                    iteration,
                    result.reason());
        }
    }
}
