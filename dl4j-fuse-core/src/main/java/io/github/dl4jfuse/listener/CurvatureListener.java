package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.LayerInputs;
import io.github.dl4jfuse.network.Surroundings;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.step.CurvatureCounters;
import io.github.dl4jfuse.step.GaussNewtonRounds;
import io.github.dl4jfuse.step.InputObserver;
import io.github.dl4jfuse.step.ParameterGuard;
import io.github.dl4jfuse.step.StepConductor;
import io.github.dl4jfuse.step.UnusualBatches;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.FuseUpdater;
import io.github.dl4jfuse.updater.PhaseChange;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes {@code Preconditioned}, {@link FusePv} and {@code Fuse}: shows the layers' inputs to the metrics, and conducts the
 * switch, the L-BFGS steps and the blend of one network.
 *
 * <pre>
 *   net.setListeners(new CurvatureListener());
 * </pre>
 *
 * <p>Metrics see the inputs at the first step, whenever the number of steps has doubled, and every {@value
 * InputObserver#EVERY} steps at the latest. With a rule of DL4J's inside {@code Preconditioned} that is all that happens.
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
 * Batches that stay smaller become the measure after some dozens of them. So does a batch whose loss, or the norm of whose gradient,
 * is more than {@value #OUTLIER} times the moving average: fitted by a long step, and remembered as curvature, one outlier would
 * spoil what follows. Data that stay so become the measure after a few steps. On a fixed batch neither matters.
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
 * several steps then, which BatchNorm's running statistics all see; inside {@code Preconditioned} they are those of W', and the metrics
 * stand still.
 *
 * <p>Where the loss is a sum of few squares (a loss function MSE, L2 or one that implements {@code GaussNewtonLoss}; dense,
 * convolution and embedding layers; no BatchNorm, l1 or l2), Gauss-Newton steps in batch space come first, as long as a round
 * of {@value GaussNewtonRounds#STEPS} takes a quarter of the loss of the whole batch, which no round may
 * raise.
 *
 * <p>Refused with an IllegalStateException at the first step: gradient normalization or clipping, truncated
 * backpropagation through time, other updaters beside FusePv or Fuse, other optimization algorithms than DL4J's default, and a
 * second network (but see below), and any other listener of ours that has a say in the step.
 * Under the criterion of a fixed batch only the last is refused; the others, and dropout, leave it with Adam, which is said
 * once.
 *
 * <p>ParallelWrapper gives all workers the same listener. With AVERAGING that is allowed under {@code Preconditioned} with its default
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
public final class CurvatureListener extends ModelListener implements Steering {

    /** Number of non-finite batches in a row after which the last good parameters come back. */
    public static final int PATIENCE = ParameterGuard.PATIENCE;

    /** Number of steps between two copies of the parameters. */
    public static final int SNAPSHOT_EVERY = ParameterGuard.EVERY;

    /** A batch of fewer examples than this share of the largest so far takes no L-BFGS step. */
    public static final double SMALL_BATCH = UnusualBatches.SMALL_BATCH;

    /** A batch with more than so many times the average loss or norm of the gradient takes no L-BFGS step. */
    public static final double OUTLIER = UnusualBatches.OUTLIER;

    private static final Logger log = LoggerFactory.getLogger(CurvatureListener.class);

    private final CurvatureCounters counter = new CurvatureCounters();
    private final ParameterGuard guard = new ParameterGuard(log);
    private final OneNetwork<CurvatureListener> one;
    private final boolean forReplica;
    private final StepConductor conductor;
    private InputObserver metrics;

    /** One for each network. */
    public CurvatureListener() {
        one = new OneNetwork<>(this, this, () -> new CurvatureListener(this));
        forReplica = false;
        conductor = new StepConductor(guard, counter, one::isReplicated);
    }

    private CurvatureListener(CurvatureListener listed) {
        one = new OneNetwork<>(this, listed, null);
        forReplica = true;
        conductor = new StepConductor(guard, counter, () -> true);
    }

    /** Returns what was counted so far; with ParallelWrapper, in the replica that came first. */
    @Override
    public CurvatureStatistics statistics() {
        return CurvatureStatistics.of(counter, conductor.bytes() + guard.bytes());
    }

    /** Returns the changes of phase so far, oldest first. */
    public List<PhaseChange> phaseChanges() {
        return conductor.phaseChanges();
    }

    /** Returns whether the next step is an L-BFGS step, as far as is known. */
    public boolean inCurvaturePhase() {
        return conductor.inCurvaturePhase();
    }

    /** Refuses before the first step, where those who catch exceptions of a step (early stopping) let them through. */
    @Override
    int rank() {
        return 0;
    }

    @Override
    public void onEpochStart(Model current) {
        CurvatureListener responsible = one.responsibleFor(current);
        if (responsible == this) {
            attach(current);
        }
    }

    @Override
    public void onBackwardPass(Model current) {
        CurvatureListener responsible = one.responsibleFor(current);
        if (responsible != this) {
            if (responsible != null) {
                responsible.onBackwardPass(current);
            }
            return;
        }
        if (conductor.isStepping()) { // evaluating, so that passes are our own
            return;
        }
        attach(current);
        if (metrics != null) {
            metrics.followState();
            if (!conductor.isAtFixedBatch()) {
                metrics.look();
            }
        }
        if (conductor.isAttached()) {
            conductor.keepBatch();
        }
    }

    @Override
    public void onGradientCalculation(Model current) {
        keepOrder(current);
        CurvatureListener responsible = one.responsibleFor(current);
        if (responsible != this) {
            if (responsible != null) {
                responsible.onGradientCalculation(current);
            }
            return;
        }
        if (conductor.isAttached()) {
            conductor.beginBatch();
        }
        if (metrics != null) {
            metrics.conductNextStep();
            if (!conductor.isAtFixedBatch() && metrics.take()) {
                counter.looks++;
            }
        }
        if (conductor.isAttached()) {
            conductor.begin(current.batchSize(), current.conf().isMiniBatch());
        } else if (metrics != null) {
            guard.sayOnceThatStatistics(metrics.holdBrokenStatistics());
        }
    }

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        CurvatureListener responsible = one.responsibleFor(current);
        if (responsible != this) {
            if (responsible != null) {
                responsible.iterationDone(current, iteration, epoch);
            }
            return;
        }
        if (conductor.isAttached()) {
            conductor.finish(iteration);
        }
    }

    private void attach(Model current) {
        boolean first = metrics == null && !conductor.isAttached();
        if (!first && conductor.isCurrent() && (metrics == null || metrics.isCurrent())) {
            return;
        }
        boolean adapted = LayerInputs.isPreconditioned(current);
        TrainingNetwork<FuseUpdater> fused = !adapted || TrainingNetwork.isTrainedBy(current, FuseUpdater.class)
                ? TrainingNetwork.ofFuse(current)
                : null;
        if (forReplica && fused != null && !fused.updaters().get(0).isAutomatic()) {
            throw new IllegalStateException(one.refusesReplicas());
        }
        Set<String> penalised = Surroundings.frozenButPenalised(current);
        if (!penalised.isEmpty() && first) {
            log.warn(
                    "DL4J's updater moves frozen layers by their l1, l2 or weight decay (FrozenLayerWithBackprop does not keep"
                            + " them off): {}. Give these layers none.",
                    String.join(", ", penalised));
        }
        metrics = adapted ? new InputObserver(new LayerInputs(current), !forReplica) : null;
        conductor.attach(fused, current, forReplica);
    }

    /** Updater state, vectors of the L-BFGS phase, and the last good parameters. */
    long expectedBytes() {
        return conductor.expectedBytes();
    }
}
