package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.lbfgs.MemoryNote;
import io.github.dl4jfuse.lbfgs.Segments;
import io.github.dl4jfuse.network.BatchInHand;
import io.github.dl4jfuse.network.LayerInputs;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.search.ArmijoBacktracking;
import io.github.dl4jfuse.switching.TrainingProgress;
import io.github.dl4jfuse.updater.AdamLbfgs;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.FuseUpdater;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes {@code Adapted}, {@link FusePv} and {@code Fuse}: shows the layers' inputs to the metrics, and conducts the
 * switch, the L-BFGS steps and the blend of one network.
 *
 * <pre>
 *   net.setListeners(new FuseListener());
 * </pre>
 *
 * <p>Metrics see the inputs at the first step, whenever the number of steps has doubled, and every {@value
 * MetricWatch#EVERY} steps at the latest. With a rule of DL4J's inside {@code Adapted} that is all that happens.
 *
 * <p>In the Adam phase it watches the criterion and the finiteness of loss and gradient. In the L-BFGS phase it
 * evaluates the network on the batch in hand at each trial point, accepts or cuts back the step, and takes the
 * curvature pair from the two gradients of that batch; inner products span all updater blocks of the model. A step costs
 * one evaluation of loss and gradient beyond DL4J's own, more when it is cut back, and one more with dropout or weight
 * noise (whose mask is held fixed within a step).
 *
 * <p>A step lowers the loss of the batch in hand, whatever that does to the others, and four examples can be fitted
 * perfectly. So a batch of fewer than {@value #SMALL_BATCH} times as many examples as the largest one of late, the remainder
 * at the end of an epoch, takes Adam's step instead (the paper's code drops every incomplete batch).
 * Batches that stay smaller become the measure after some dozens of them. On a fixed batch its size does not matter.
 *
 * <p>NaN and infinity: a batch whose loss or gradient is not finite takes no step. After {@value #PATIENCE} such batches
 * in a row the parameters go back to the last good ones (copied every {@value #SNAPSHOT_EVERY} steps), with history, Adam's
 * moments and metric cleared, if they are to blame: if they are not finite themselves, or if the batch is all right with the last
 * good ones. BatchNorm's running statistics stay as they are where those of a batch are not finite. Each kind of event is logged once, and counted always: see {@link #statistics}.
 *
 * <p>Under the criterion of a fixed batch ({@code SwitchCriterion.fixedBatch}) L-BFGS begins when so many steps had the same
 * inputs, labels and masks, and ends when others come or the loss at one point is not the same twice (by more than a thousandth),
 * which costs no evaluation beyond the step's own. After each time that the loss was not the same it takes twice as many
 * steps to begin. Its pairs are kept here and not saved with the model. Each step of training is
 * several steps then, which BatchNorm's running statistics all see; inside {@code Adapted} they are those of W', and the metrics
 * stand still.
 *
 * <p>Where the loss is a sum of few squares (a loss function MSE, L2 or one that implements {@code OutputGeometry}; dense,
 * convolution and embedding layers; no BatchNorm, l1 or l2), Gauss-Newton steps in batch space come first, as long as a round
 * of {@value GaussNewtonPhase#STEPS} takes a quarter of the loss of the whole batch, which no round may
 * raise.
 *
 * <p>Refused with an IllegalStateException at the first step: gradient normalization or clipping, truncated
 * backpropagation through time, other updaters beside FusePv or Fuse, other optimization algorithms than DL4J's default, and a
 * second network (but see below), and any other listener of ours that has a say in the step.
 * Under the criterion of a fixed batch only the last is refused; the others, and dropout, leave it with Adam, which is said
 * once.
 *
 * <p>ParallelWrapper gives all workers the same listener. With AVERAGING that is allowed under {@code Adapted} with its default
 * rule or one of DL4J's: each replica has its metric, and there is no L-BFGS. Under {@link FusePv} and {@code Fuse} it is
 * refused, since averaging would mix the curvature of different workers. With SHARED_GRADIENTS the listener does nothing,
 * and says so.
 *
 * <p>Before the first step the memory that both phases take is logged if it exceeds a tenth of what is free.
 *
 * <p>It moves itself to the front of the network's listeners, so that those that save or evaluate see whole steps, and keeps the
 * batch of a step, so that what others evaluate in between does not matter. An exception in one of its evaluations leaves the
 * parameters where the step began. A state that is put into the updater between two steps is gone on from.
 *
 * <p>Other listeners see onForwardPass and onBackwardPass once more for each extra evaluation, and the score of the point
 * where the step began, as always in DL4J. Not thread-safe; holds a reference to the model.
 */
public final class FuseListener extends OwnListener implements Steering {

    /** Number of non-finite batches in a row after which the last good parameters come back. */
    public static final int PATIENCE = ParameterGuard.PATIENCE;

    /** Number of steps between two copies of the parameters. */
    public static final int SNAPSHOT_EVERY = ParameterGuard.EVERY;

    /** A batch of fewer examples than this share of the largest so far takes no L-BFGS step. */
    public static final double SMALL_BATCH = 0.5;

    private static final Logger log = LoggerFactory.getLogger(FuseListener.class);

    /** What the next {@code iterationDone} has to do. */
    private enum Plan {
        NOTHING,
        ADAM,
        CURVATURE
    }

    /**
     * A change of phase.
     *
     * @param iteration the first step of the new phase
     * @param epoch the number of epochs complete by then
     * @param curvature true: from Adam to L-BFGS, false: back
     * @param reason the criterion in words
     */
    public record PhaseChange(int iteration, int epoch, boolean curvature, String reason) {}

    private final FuseStatistics.Counter counter = new FuseStatistics.Counter();
    private final List<PhaseChange> phaseChanges = new ArrayList<>();
    private final OneNetwork<FuseListener> one;
    private final boolean forReplica;
    private Model model;
    private MetricWatch metrics;
    private TrainingNetwork<FuseUpdater> network;
    private BatchInHand batch; // null where no batch counts as fixed
    private AdamLbfgs config;
    private final FixedBatch fixedBatch = new FixedBatch();
    private boolean curvaturePhase;
    private double adamShare = 1;
    private CurvatureStep step;
    private Plan plan = Plan.NOTHING;
    private boolean stepping; // evaluating, so that passes are our own
    private final ParameterGuard guard = new ParameterGuard(log);
    private boolean saidRejected;
    private boolean saidSmallBatch;

    /** One for each network. */
    public FuseListener() {
        one = new OneNetwork<>(this, this, () -> new FuseListener(this));
        forReplica = false;
    }

    private FuseListener(FuseListener listed) {
        one = new OneNetwork<>(this, listed, null);
        forReplica = true;
    }

    /** Returns what was counted so far; with ParallelWrapper, in the replica that came first. */
    public FuseStatistics statistics() {
        long bytes = step == null ? 0 : CurvatureStep.bytes(network);
        return counter.snapshot(bytes + guard.bytes());
    }

    /** Returns the changes of phase so far, oldest first. */
    public List<PhaseChange> phaseChanges() {
        return List.copyOf(phaseChanges);
    }

    /** Returns whether the next step is an L-BFGS step, as far as is known. */
    public boolean inCurvaturePhase() {
        return curvaturePhase;
    }

    /** Refuses before the first step, where those who catch exceptions of a step (early stopping) let them through. */
    @Override
    public void onEpochStart(Model current) {
        FuseListener responsible = one.responsibleFor(current);
        if (responsible == this) {
            attach(current);
        }
    }

    @Override
    public void onBackwardPass(Model current) {
        FuseListener responsible = one.responsibleFor(current);
        if (responsible != this) {
            if (responsible != null) {
                responsible.onBackwardPass(current);
            }
            return;
        }
        if (stepping) {
            return;
        }
        attach(current);
        if (metrics != null) {
            metrics.followState();
            if (!looksAway()) {
                metrics.look();
            }
        }
        if (network != null) {
            network.batch().keep();
        }
        if (batch != null) {
            batch.batch().keep();
        }
    }

    /** While L-BFGS is at a fixed batch the metrics stand still. */
    private boolean looksAway() {
        return curvaturePhase && config.isAutomatic();
    }

    @Override
    public void onGradientCalculation(Model current) {
        keepOrder(current);
        FuseListener responsible = one.responsibleFor(current);
        if (responsible != this) {
            if (responsible != null) {
                responsible.onGradientCalculation(current);
            }
            return;
        }
        plan = Plan.NOTHING;
        guard.forgetHeld();
        if (network != null) {
            network.batch().begin();
        }
        if (batch != null) {
            batch.batch().begin();
        }
        if (network != null && network.followState()) {
            goOn();
        }
        if (metrics != null) {
            metrics.conductNextStep();
            if (!looksAway()) {
                metrics.take();
            }
        }
        if (network == null) {
            if (metrics != null) {
                guard.sayOnceThatStatistics(metrics.holdBrokenStatistics());
            }
            return;
        }
        network.updaters().forEach(FuseUpdater::conductNextStep);
        counter.evaluations++;
        guard.begin(network);
        INDArray[] gradient = network.gradientView();
        boolean begun = curvaturePhase && step != null && !isSmall(current.batchSize());
        double squaredNorm = begun ? step.begin() : Segments.dot(gradient, gradient);
        if (!Double.isFinite(network.score()) || !Double.isFinite(squaredNorm)) {
            leaveOut();
            return;
        }
        guard.sayOnceThatStatistics(network.holdBrokenStatistics());
        network.updaters().forEach(updater -> updater.seeBatch(current.batchSize()));
        decidePhase();
        int examples = current.conf().isMiniBatch() ? current.batchSize() : 1;
        observe(Math.sqrt(squaredNorm) / examples);
        if (!guard.passes(network)) {
            leaveOut();
            return;
        }
        if (curvaturePhase && isSmall(current.batchSize())) {
            passOver(current.batchSize());
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

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        FuseListener responsible = one.responsibleFor(current);
        if (responsible != this) {
            if (responsible != null) {
                responsible.iterationDone(current, iteration, epoch);
            }
            return;
        }
        guard.release(network);
        Plan due = plan;
        plan = Plan.NOTHING;
        if (network != null && guard.suspects()) {
            rollBackIfBroken();
        } else if (due == Plan.ADAM) {
            counter.adamSteps++;
        } else if (due == Plan.CURVATURE) {
            finishStep(iteration);
        }
        if (network != null) {
            network.batch().end();
        }
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

    private void attach(Model current) {
        if ((network != null || metrics != null)
                && (network == null || network.isCurrent())
                && (metrics == null || metrics.isCurrent())) {
            return;
        }
        boolean adapted = LayerInputs.isAdapted(current);
        TrainingNetwork<FuseUpdater> fused =
                !adapted || TrainingNetwork.isFused(current) ? TrainingNetwork.ofFuse(current) : null;
        if (forReplica && fused != null && !fused.updaters().get(0).isAutomatic()) {
            throw new IllegalStateException(one.refusesReplicas());
        }
        Set<String> penalised = TrainingNetwork.frozenButPenalised(current);
        if (!penalised.isEmpty() && metrics == null && network == null) {
            log.warn(
                    "DL4J's updater moves frozen layers by their l1, l2 or weight decay (FrozenLayerWithBackprop does not keep"
                            + " them off): {}. Give these layers none.",
                    String.join(", ", penalised));
        }
        model = current;
        metrics = adapted ? new MetricWatch(new LayerInputs(current), !forReplica) : null;
        network = fused;
        if (network != null) {
            takeUp();
        }
    }

    private void takeUp() {
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
        if (batch != null && one.isReplicated()) {
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
        if (config instanceof FusePv switching && switching.switchCriterion().needsAverages()) {
            network.updaters().forEach(updater -> updater.observe(gradientNorm, network.score()));
        }
    }

    private boolean isSmall(int examples) {
        return !config.isAutomatic()
                && examples < SMALL_BATCH * network.updaters().get(0).largestBatch();
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

    private void takeAdamsShare() {
        network.updaters().forEach(updater -> updater.takeShareOfNextStep(adamShare));
    }

    private void leaveOut() {
        counter.skippedBatches++;
        guard.leaveOut(network, whyNoStep(network.score()));
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
