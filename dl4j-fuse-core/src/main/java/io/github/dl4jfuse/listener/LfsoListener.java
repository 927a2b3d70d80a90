package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import io.github.dl4jfuse.step.ParameterGuard;
import io.github.dl4jfuse.step.SmoothnessCounters;
import io.github.dl4jfuse.step.SmoothnessTrial;
import io.github.dl4jfuse.updater.LfsoUpdater;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes {@code Lfso}: measures the smoothness along the training's own steps. One for each network.
 *
 * <p>The first step is tried with several lengths on its batch (see {@link MeasuredSmoothness#calibrate}). Of the steps
 * after it the first {@value #WARM_UP}, and then every {@value #EVERY}th, are trials: once the step is taken, the loss of
 * the batch in hand is evaluated again, and slope and decrease go into the averages. A trial is a forward pass; in a {@code
 * ComputationGraph} and with masks it is an evaluation of loss and gradient; with dropout or weight noise, whose mask must
 * be the same before and after, it is one of these and an evaluation of loss and gradient at the start of the step. That is
 * a thirtieth to a fifth of plain training on average.
 *
 * <p>Noise of the batches: what changes the step length are averages over five trials or so; no single batch moves it by
 * more than a factor of {@link MeasuredSmoothness#MAX_CHANGE}. Slope and decrease are those of the same batch, so their
 * difference, the curvature, has no noise from the change of batch.
 *
 * <p>A trial whose promised decrease drowns in the rounding of the loss changes nothing.
 *
 * <p>A trial step whose batch ends with a loss that is not finite, or higher by more than the slope promised to lower it, is
 * refused: the parameters go back, and the step length is halved.
 *
 * <p>A batch whose loss or gradient is not finite, or whose loss is more than {@value #JUMP} times the average of late and {@value
 * #ABOVE_LARGEST} times the largest average so far, takes no step. After {@value #PATIENCE} in a row the average of the loss starts anew; and if the parameters are to blame, which are
 * not finite then or have a loss that the last good ones have not (theirs is as low as losses have been), those come back (copied every {@value #SNAPSHOT_EVERY}
 * steps), the moments are cleared, and the step length halved. BatchNorm's running statistics stay as they are where those of a
 * batch are not finite. Each is said once and counted always: see {@link #statistics}. At the end of each epoch the measured numbers are logged.
 *
 * <p>It moves itself to the front of the network's listeners, keeps the batch of a step, and leaves the parameters where a step
 * began if an evaluation ends in an exception, as {@code CurvatureListener} does.
 *
 * <p>Refused with a sentence at the first step: what {@code CurvatureListener} refuses, and decoupled weight decay, whose
 * strength DL4J takes from a learning rate that there isn't. Not thread-safe; holds a reference to the model.
 */
public final class LfsoListener extends ModelListener implements Steering {

    /** Trials in a row at the start. */
    public static final int WARM_UP = 16;

    /** Steps from one trial to the next. */
    public static final int EVERY = 10;

    /** Most trials of the first step. */
    public static final int MAX_FIRST_TRIALS = SmoothnessTrial.MAX_FIRST_TRIALS;

    /** A batch is left out if its loss is more than so many times the average of late, */
    public static final double JUMP = 10;

    /** and more than so many times the largest average so far. */
    public static final double ABOVE_LARGEST = 1.5;

    /** Number of batches left out in a row after which the last good parameters come back. */
    public static final int PATIENCE = ParameterGuard.PATIENCE;

    /** Number of steps between two copies of the parameters. */
    public static final int SNAPSHOT_EVERY = ParameterGuard.EVERY;

    private static final double LOSS_DECAY = 0.9;
    private static final Logger log = LoggerFactory.getLogger(LfsoListener.class);

    private final SmoothnessCounters counter = new SmoothnessCounters();
    private final List<LfsoStatistics.Epoch> epochs = new ArrayList<>();
    private final ParameterGuard guard = new ParameterGuard(log);
    private final OneNetwork<LfsoListener> one = new OneNetwork<>(this);
    private TrainingNetwork<LfsoUpdater> network;
    private SmoothnessTrial trial;
    private boolean measuring;

    /** Returns what was counted and measured so far. */
    @Override
    public LfsoStatistics statistics() {
        double rate = network == null ? Double.NaN : first().measured().rate();
        return LfsoStatistics.of(counter, rate, guard.bytes() + (trial == null ? 0 : trial.bytes()));
    }

    /** Returns the measured numbers epoch by epoch. */
    public List<LfsoStatistics.Epoch> epochs() {
        return List.copyOf(epochs);
    }

    private LfsoUpdater first() {
        return network.updaters().get(0);
    }

    /** Refuses before the first step, where those who catch exceptions of a step (early stopping) let them through. */
    @Override
    int rank() {
        return 0;
    }

    @Override
    public void onEpochStart(Model current) {
        attach(current);
    }

    @Override
    public void onBackwardPass(Model current) {
        if (attach(current)) {
            network.batch().keep();
        }
    }

    @Override
    public void onGradientCalculation(Model current) {
        keepOrder(current);
        if (!attach(current)) {
            return;
        }
        network.updaters().forEach(LfsoUpdater::conductNextStep);
        network.batch().begin();
        guard.begin(network);
        if (network.followState()) {
            guard.copyAnew();
        }
        measuring = false;
        counter.evaluations++;
        double loss = network.score();
        INDArray[] raw = network.gradientView();
        if (!Double.isFinite(loss) || !Double.isFinite(BlockVectors.dot(raw, raw)) || hasJumped(loss)) {
            leaveOut(loss);
            return;
        }
        guard.sayOnceThatStatistics(network.holdBrokenStatistics());
        observe(Math.abs(loss));
        if (!guard.passes(network)) {
            leaveOut(loss);
            return;
        }
        long count = first().steps();
        measuring = (count < WARM_UP || count % EVERY == 0) && first().trust() > 0;
        if (measuring) {
            if (trial == null) {
                trial = new SmoothnessTrial(network, counter);
            }
            trial.begin();
        }
        counter.steps++;
        network.updaters().forEach(updater -> updater.setSteps(count + 1));
    }

    private boolean hasJumped(double loss) {
        double largest = first().largestLoss();
        return largest > 0 && loss > ABOVE_LARGEST * largest && loss > JUMP * first().averageLoss();
    }

    private void observe(double loss) {
        double before = first().averageLoss();
        double average = before == 0 ? loss : LOSS_DECAY * before + (1 - LOSS_DECAY) * loss;
        double largest = Math.max(average, first().largestLoss());
        network.updaters().forEach(updater -> updater.setLosses(average, largest));
    }

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        if (network != null && guard.suspects()) {
            rollBackIfBroken();
        }
        if (measuring) {
            measuring = false;
            boolean finished = false;
            try {
                trial.finish(iteration, epoch);
                finished = true;
            } finally {
                if (!finished) {
                    trial.abandon();
                }
            }
        }
        if (network != null) {
            network.batch().end();
        }
    }

    @Override
    public void onEpochEnd(Model current) {
        if (network == null) {
            return;
        }
        LfsoStatistics.Epoch epoch = new LfsoStatistics.Epoch(
                network.epoch(),
                first().measured().rate(),
                counter.meanSmoothness(),
                counter.meanRadius(),
                counter.epochTrials(),
                counter.epochRefused());
        counter.beginEpoch();
        epochs.add(epoch);
        log.info(
                "Epoch {}: step length {}, L {} within R {} (means of {} trials, {} refused).",
                epoch.epoch(),
                epoch.rate(),
                epoch.meanSmoothness(),
                epoch.meanRadius(),
                epoch.trials(),
                epoch.refused());
    }

    /** Returns whether there is something to do for the network. */
    private boolean attach(Model current) {
        if (one.responsibleFor(current) == null) {
            return false;
        }
        if (network != null && network.isCurrent()) {
            return true;
        }
        TrainingNetwork<LfsoUpdater> found = TrainingNetwork.ofLfso(current);
        if (found.decaysWeights()) {
            throw new IllegalStateException(
                    "Lfso has no learning rate for decoupled weight decay to be multiplied by: use"
                            + " .l2(..) instead of .weightDecay(..).");
        }
        network = found;
        trial = null;
        return true;
    }

    private void leaveOut(double loss) {
        counter.skipped++;
        guard.leaveOut(
                network,
                hasJumped(loss)
                        ? String.format(
                                Locale.ROOT,
                                "its loss is %.4g, where the average is %.4g and was %.4g at most",
                                loss,
                                first().averageLoss(),
                                first().largestLoss())
                        : ParameterGuard.notFinite(loss));
    }

    private boolean isWellHere() {
        counter.evaluations++;
        network.evaluate();
        double loss = network.score();
        INDArray[] raw = network.gradientView();
        double largest = first().largestLoss(); // 0 where the average has just begun anew
        return Double.isFinite(loss)
                && (largest == 0 || loss <= ABOVE_LARGEST * largest)
                && Double.isFinite(BlockVectors.dot(raw, raw));
    }

    private void rollBackIfBroken() {
        boolean back = guard.rollBackIfBroken(network, this::isWellHere, "moments");
        network.updaters().forEach(updater -> updater.setLosses(0, 0));
        if (!back) {
            return;
        }
        counter.rollBacks++;
        for (LfsoUpdater updater : network.updaters()) {
            updater.resetMoments();
            if (updater.isCalibrated()) {
                updater.setMeasured(updater.measured().refuse());
            }
        }
    }
}
