package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.lbfgs.MemoryNote;
import io.github.dl4jfuse.lbfgs.Segments;
import io.github.dl4jfuse.listener.FuseListener.PhaseChange;
import io.github.dl4jfuse.network.BatchInHand;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.search.ArmijoBacktracking;
import io.github.dl4jfuse.switching.TrainingProgress;
import io.github.dl4jfuse.updater.AdamLbfgs;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Conducts the switch, the L-BFGS steps and the blend of one network, in the three parts into which DL4J cuts a step: {@link
 * #keepBatch}, {@link #begin}, {@link #finish}.
 */
final class StepConductor {

    private static final Logger log = LoggerFactory.getLogger(FuseListener.class);

    /** What the next {@code iterationDone} has to do. */
    private enum Plan {
        NOTHING,
        ADAM,
        CURVATURE
    }

    private final ParameterGuard guard;
    private final FuseStatistics.Counter counter;
    private final BooleanSupplier isReplicated;
    private final List<PhaseChange> phaseChanges = new ArrayList<>();
    private final FixedBatch fixedBatch = new FixedBatch();
    private TrainingNetwork<FuseUpdater> network;
    private BatchInHand batch; // null where no batch counts as fixed
    private AdamLbfgs config;
    private boolean curvaturePhase;
    private double adamShare = 1;
    private CurvatureStep step;
    private Plan plan = Plan.NOTHING;
    private boolean stepping;
    private boolean saidRejected;
    private boolean saidSmallBatch;
    private boolean saidOutlier;

    /**
     * For one network at a time.
     *
     * @param isReplicated whether other replicas of the network are trained, so that no batch counts as fixed
     */
    StepConductor(ParameterGuard guard, FuseStatistics.Counter counter, BooleanSupplier isReplicated) {
        this.guard = guard;
        this.counter = counter;
        this.isReplicated = isReplicated;
    }

    boolean isAttached() {
        return network != null;
    }

    /** Returns whether what was attached is still the network's, or nothing was. */
    boolean isCurrent() {
        return network == null || network.isCurrent();
    }

    List<PhaseChange> phaseChanges() {
        return List.copyOf(phaseChanges);
    }

    boolean inCurvaturePhase() {
        return curvaturePhase;
    }

    /** Returns whether L-BFGS is at a fixed batch, where metrics stand still. */
    boolean isAtFixedBatch() {
        return curvaturePhase && config.isAutomatic();
    }

    /** Returns whether it is evaluating, so that passes are its own. */
    boolean isStepping() {
        return stepping;
    }

    /** Returns the bytes of the L-BFGS phase that are held now. */
    long bytes() {
        return step == null ? 0 : CurvatureStep.bytes(network);
    }

    /** Takes up a network, or none where the metric is all there is. */
    void attach(TrainingNetwork<FuseUpdater> found, Model model, boolean forReplica) {
        network = found;
        batch = null;
        step = null;
        if (network == null) {
            return;
        }
        config = network.updaters().get(0).getConfig();
        MemoryNote.logIfLarge(
                "Training with up to " + CurvatureStep.pairs(network) + " curvature pairs",
                expectedBytes(),
                updaterStateBytes());
        goOn();
        boolean refused = network.refusal() != null;
        batch = config.isAutomatic() && !refused && !forReplica ? new BatchInHand(model) : null;
        if (config.isAutomatic() && refused) {
            log.info(
                    "There will be no L-BFGS on fixed batches{}. {}",
                    network.isAdapted() ? "; the metric works all the same" : "",
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
        return config.stateSize(Segments.length(parameters))
                * parameters[0].dataType().width();
    }

    /** Updater state, vectors of the L-BFGS phase, and the last good parameters. */
    long expectedBytes() {
        INDArray[] parameters = network.parameters();
        long vector = Segments.length(parameters) * parameters[0].dataType().width();
        return updaterStateBytes() + CurvatureStep.bytes(network) + vector;
    }

    /** In onBackwardPass: keeps what the network was evaluated on. */
    void keepBatch() {
        network.batch().keep();
        if (batch != null) {
            batch.batch().keep();
        }
    }

    /** In onGradientCalculation: the batch that was kept last is that of the step, and the state may be another one. */
    void beginBatch() {
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
    void begin(int batchSize, boolean mean) {
        network.updaters().forEach(FuseUpdater::conductNextStep);
        counter.evaluations++;
        guard.begin(network);
        INDArray[] gradient = network.gradientView();
        boolean begun = curvaturePhase && step != null && !isSmall(batchSize);
        double squaredNorm = begun ? step.begin() : Segments.dot(gradient, gradient);
        if (!Double.isFinite(network.score()) || !Double.isFinite(squaredNorm)) {
            leaveOut();
            return;
        }
        guard.sayOnceThatStatistics(network.holdBrokenStatistics());
        network.updaters().forEach(updater -> updater.seeBatch(batchSize));
        decidePhase();
        double gradientNorm = Math.sqrt(squaredNorm) / (mean ? batchSize : 1);
        String outlier = outlier(gradientNorm);
        observe(gradientNorm);
        if (!guard.passes(network)) {
            leaveOut();
            return;
        }
        if (curvaturePhase && isSmall(batchSize)) {
            passOver(batchSize);
            return;
        }
        if (curvaturePhase && outlier != null) {
            passOver(outlier);
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
    void finish(int iteration) {
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
        ArmijoBacktracking.Result result = null;
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
                        network.isAdapted() ? "Adapted goes" : config.blends() ? "Fuse goes" : "FusePv switches",
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

    private void observe(double gradientNorm) {
        if (config.isAutomatic()) {
            return;
        }
        FuseUpdater first = network.updaters().get(0);
        double norm = curvaturePhase ? clip(gradientNorm, first.averageGradientNorm()) : gradientNorm;
        double loss = curvaturePhase ? clip(network.score(), first.averageLoss()) : network.score();
        network.updaters().forEach(updater -> updater.observe(norm, loss));
    }

    /** So that one outlier does not hide the next, while data that have changed for good are ordinary after some steps. */
    private static double clip(double value, double average) {
        return isFar(value, average) ? FuseListener.OUTLIER * average : value;
    }

    private static boolean isFar(double value, double average) {
        return average > 0 && value > FuseListener.OUTLIER * average;
    }

    /** Returns what the batch is too far from to be fitted, or null. */
    private String outlier(double gradientNorm) {
        FuseUpdater first = network.updaters().get(0);
        if (config.isAutomatic()) {
            return null;
        }
        if (isFar(network.score(), first.averageLoss())) {
            return String.format(
                    Locale.ROOT, "its loss is %.4g, where %.4g is the average", network.score(), first.averageLoss());
        }
        if (isFar(gradientNorm, first.averageGradientNorm())) {
            return String.format(
                    Locale.ROOT,
                    "the norm of its gradient is %.4g, where %.4g is the average",
                    gradientNorm,
                    first.averageGradientNorm());
        }
        return null;
    }

    private boolean isSmall(int examples) {
        return !config.isAutomatic()
                && examples
                        < FuseListener.SMALL_BATCH * network.updaters().get(0).largestBatch();
    }

    private void passOver(int examples) {
        counter.smallBatches++;
        if (!saidSmallBatch) {
            saidSmallBatch = true;
            log.info(
                    "Iteration {} takes no L-BFGS step but Adam's: its {} examples, where batches have up to {}, would be fitted"
                            + " at the cost of all others. Said once; statistics() counts on.",
                    network.iteration(),
                    examples,
                    Math.round(network.updaters().get(0).largestBatch()));
        }
    }

    private void passOver(String outlier) {
        counter.outliers++;
        if (!saidOutlier) {
            saidOutlier = true;
            log.warn(
                    "Iteration {} takes no L-BFGS step but Adam's: {}. To fit this batch would spoil what follows. Look for"
                            + " outliers in the data, or steps that are too long. Said once; statistics() counts on.",
                    network.iteration(),
                    outlier);
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
        return Double.isFinite(network.value()) && Double.isFinite(Segments.dot(gradient, gradient));
    }

    private void dropPairs() {
        step().clearHistory(counter);
    }

    private CurvatureStep step() {
        if (step == null) {
            step = new CurvatureStep(network);
        }
        return step;
    }

    private void sayOnceThatAStepWasRejected(int iteration, ArmijoBacktracking.Result result) {
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
