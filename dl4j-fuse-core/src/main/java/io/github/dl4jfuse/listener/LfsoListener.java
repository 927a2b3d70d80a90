package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.lbfgs.Segments;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.smoothness.MeasuredSmoothness;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.LfsoUpdater;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes {@code Lfso}: measures the smoothness along the training's own steps. One for each network.
 *
 * <p>The first step is tried with several lengths on its batch (see {@link MeasuredSmoothness#calibrate}). Of the steps after it the
 * first {@value #WARM_UP}, and then every {@value #EVERY}th, are trials: once the step is taken, the batch in hand is evaluated again, and slope
 * and decrease go into the averages. A trial costs one evaluation of loss and gradient, two with dropout or weight noise, whose
 * mask must be the same before and after (then only every {@value #EVERY_IF_NOISY}th step is a trial): an eighth to a quarter of plain training,
 * on average.
 *
 * <p>Noise of the batches: what changes the step length are averages over ten trials or so; no single batch moves it by more than
 * a factor of {@link MeasuredSmoothness#MAX_CHANGE}. Slope and decrease are those of the same batch, so their difference, the curvature, has no noise
 * from the change of batch.
 *
 * <p>A trial whose promised decrease drowns in the rounding of the loss changes nothing.
 *
 * <p>A trial step whose batch ends with a loss that is not finite, or higher by more than the slope promised to lower it, is
 * refused: the parameters go back, and the step length is halved.
 *
 * <p>A batch whose loss or gradient is not finite, or whose loss is {@value #JUMP} times the largest average so far, takes no
 * step. After {@value #PATIENCE} in a row the parameters go back to the last good ones (copied every {@value #SNAPSHOT_EVERY} steps), the moments
 * are cleared, the step length halved, and the average of the loss starts anew. Each is said once and counted always: see
 * {@link #statistics}. At the end of each epoch the measured numbers are logged.
 *
 * <p>Refused with a sentence at the first step: what {@code FuseListener} refuses, and decoupled weight decay, whose strength DL4J takes
 * from a learning rate that there isn't. Not thread-safe; holds a reference to the model.
 */
public final class LfsoListener extends BaseTrainingListener {

    /** Trials in a row at the start. */
    public static final int WARM_UP = 16;

    /** Steps from one trial to the next. */
    public static final int EVERY = 4;

    /** The same with dropout or weight noise, where a trial costs two evaluations. */
    public static final int EVERY_IF_NOISY = 8;

    /** Most trials of the first step. */
    public static final int MAX_FIRST_TRIALS = 30;

    /** A batch with more than so many times the largest average loss is left out. */
    public static final double JUMP = 100;

    /** Number of batches left out in a row after which the last good parameters come back. */
    public static final int PATIENCE = 3;

    /** Number of steps between two copies of the parameters. */
    public static final int SNAPSHOT_EVERY = 100;

    private static final double LOSS_DECAY = 0.9;
    private static final Logger log = LoggerFactory.getLogger(LfsoListener.class);

    private final List<LfsoStatistics.Epoch> epochs = new ArrayList<>();
    private Model model;
    private TrainingNetwork<LfsoUpdater> network;
    private Lfso config;
    private INDArray[] start;
    private INDArray[] gradient;
    private INDArray[] step;
    private final LastGood lastGood = new LastGood();
    private double startValue;
    private double startScore;
    private boolean trial;
    private int badBatches;
    private long sinceSnapshot;
    private long steps;
    private long evaluations;
    private long trials;
    private long refused;
    private long skipped;
    private long rollBacks;
    private double smoothness = Double.NaN;
    private double radius = Double.NaN;
    private double epochSmoothness;
    private double epochRadius;
    private long epochTrials;
    private long epochRefused;
    private boolean saidBadBatch;
    private boolean saidRefused;
    private boolean saidRollBack;

    /** Returns what was counted and measured so far. */
    public LfsoStatistics statistics() {
        long bytesOfTrials = start == null
                ? 0
                : 3 * Segments.length(start) * start[0].dataType().width();
        long bytes = bytesOfTrials + lastGood.bytes();
        return new LfsoStatistics(
                steps,
                evaluations,
                trials,
                refused,
                skipped,
                rollBacks,
                network == null ? Double.NaN : first().measured().rate(),
                smoothness,
                radius,
                bytes);
    }

    /** Returns the measured numbers epoch by epoch. */
    public List<LfsoStatistics.Epoch> epochs() {
        return List.copyOf(epochs);
    }

    private LfsoUpdater first() {
        return network.updaters().get(0);
    }

    @Override
    public void onGradientCalculation(Model current) {
        attach(current);
        trial = false;
        evaluations++;
        double loss = network.score();
        INDArray[] raw = network.gradientView();
        if (!Double.isFinite(loss) || !Double.isFinite(Segments.dot(raw, raw)) || hasJumped(loss)) {
            leaveOut(loss);
            return;
        }
        badBatches = 0;
        observe(Math.abs(loss));
        if (sinceSnapshot++ % SNAPSHOT_EVERY == 0 && !lastGood.keep(network.parameters())) {
            leaveOut(loss);
            rollBack();
            return;
        }
        long count = first().steps();
        trial = count < WARM_UP || count % (network.isNoisy() ? EVERY_IF_NOISY : EVERY) == 0;
        if (trial) {
            if (start == null) {
                start = Segments.zerosLike(network.parameters());
                gradient = Segments.zerosLike(network.parameters());
                step = Segments.zerosLike(network.parameters());
            }
            Segments.assign(start, network.parameters());
            network.gradient(gradient);
            startValue = network.value();
            startScore = loss;
        }
        steps++;
        network.updaters().forEach(updater -> updater.setSteps(count + 1));
    }

    private boolean hasJumped(double loss) {
        double largest = first().largestLoss();
        return largest > 0 && Math.abs(loss) > JUMP * largest;
    }

    private void observe(double loss) {
        double before = first().averageLoss();
        double average = before == 0 ? loss : LOSS_DECAY * before + (1 - LOSS_DECAY) * loss;
        double largest = Math.max(average, first().largestLoss());
        network.updaters().forEach(updater -> updater.setLosses(average, largest));
    }

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        if (trial) {
            trial = false;
            measure(iteration, epoch);
        }
    }

    /** Measures the step that DL4J has just taken, and leaves its gradient array as DL4J would: with the update subtracted. */
    private void measure(int iteration, int epoch) {
        INDArray[] parameters = network.parameters();
        Segments.assign(step, network.gradientView());
        double[] products = Segments.dots(new INDArray[][] {step, gradient}, new INDArray[][] {step, step});
        double length = Math.sqrt(products[0]);
        double promised = products[1];
        double factor = config.factor(iteration, epoch);
        if (length == 0 || !(factor > 0)) {
            return; // a zero gradient, or a schedule that stands still: nothing to measure
        }
        long[] random = null;
        if (network.isNoisy()) {
            random = network.randomState();
            Segments.assign(parameters, start);
            startValue = evaluate(random);
            network.gradient(gradient);
            promised = Segments.dot(gradient, step);
            moveTo(parameters, 1);
        }
        MeasuredSmoothness measured = first().measured();
        double taken = 1;
        double value;
        if (!first().isCalibrated() && promised > 0) {
            taken = calibrate(parameters, promised, measured.rate() * factor, random) / (measured.rate() * factor);
            measured = MeasuredSmoothness.guess(taken * measured.rate());
            moveTo(parameters, taken);
            value = evaluate(random);
        } else {
            value = evaluate(random);
        }
        trials++;
        double decrease = startValue - value;
        double slope = promised * taken;
        if (!Double.isFinite(decrease) || decrease < -Math.abs(slope) - rounding()) {
            Segments.assign(parameters, start);
            taken = 0;
            measured = measured.refuse();
            countRefused(iteration, value);
        } else if (Math.abs(slope) > MeasuredSmoothness.RESOLVED * rounding()) {
            double trialRate = measured.rate() * factor;
            measured = measured.observe(trialRate, slope / trialRate, decrease, config.decrease());
            note(2 * (slope - decrease) / (taken * length * taken * length), taken * length);
        }
        MeasuredSmoothness saved = measured;
        network.updaters().forEach(updater -> updater.setMeasured(saved));
        Segments.scale(taken, step);
        Segments.assign(network.gradientView(), step);
        network.setScore(startScore);
    }

    private double rounding() {
        return network.valueRounding() * Math.abs(startValue);
    }

    private double calibrate(INDArray[] parameters, double promised, double rate, long[] random) {
        MeasuredSmoothness.Calibration found = MeasuredSmoothness.calibrate(
                rate, promised / rate, config.decrease(), rounding(), MAX_FIRST_TRIALS, tried -> {
                    moveTo(parameters, tried / rate);
                    return startValue - evaluate(random);
                });
        trials += found.trials();
        log.info(
                "Lfso's first step length is {}, found by {} trials from the guess {}.",
                found.rate(),
                found.trials(),
                rate);
        return found.rate();
    }

    private void moveTo(INDArray[] parameters, double times) {
        Segments.assign(parameters, start);
        Segments.axpy(-times, step, parameters);
    }

    private double evaluate(long[] random) {
        evaluations++;
        if (random != null) {
            network.setRandomState(random);
        }
        network.evaluate();
        return network.value();
    }

    private void note(double l, double r) {
        smoothness = l;
        radius = r;
        epochSmoothness += l;
        epochRadius += r;
        epochTrials++;
    }

    private void countRefused(int iteration, double value) {
        refused++;
        epochRefused++;
        if (!saidRefused) {
            saidRefused = true;
            log.info(
                    "The step of iteration {} was taken back: the loss of its batch went from {} to {}. Said once; statistics()"
                            + " counts on.",
                    iteration,
                    startValue,
                    value);
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
                epochTrials == 0 ? Double.NaN : epochSmoothness / epochTrials,
                epochTrials == 0 ? Double.NaN : epochRadius / epochTrials,
                epochTrials,
                epochRefused);
        epochs.add(epoch);
        epochSmoothness = 0;
        epochRadius = 0;
        epochTrials = 0;
        epochRefused = 0;
        log.info(
                "Epoch {}: step length {}, L {} within R {} (means of {} trials, {} refused).",
                epoch.epoch(),
                epoch.rate(),
                epoch.meanSmoothness(),
                epoch.meanRadius(),
                epoch.trials(),
                epoch.refused());
    }

    private void attach(Model current) {
        if (model == null) {
            model = current;
        } else if (model != current) {
            throw new IllegalStateException(
                    "An LfsoListener belongs to one network, and this one has seen another: give"
                            + " each network its own new LfsoListener(). With ParallelWrapper or Spark, which average the"
                            + " updater states of several replicas, train on one device.");
        }
        if (network != null && network.isCurrent()) {
            return;
        }
        network = TrainingNetwork.ofLfso(current);
        if (network.decaysWeights()) {
            throw new IllegalStateException(
                    "Lfso has no learning rate for decoupled weight decay to be multiplied by: use"
                            + " .l2(..) instead of .weightDecay(..).");
        }
        config = first().getConfig();
        network.updaters().forEach(updater -> updater.setConducted(true));
    }

    private void leaveOut(double loss) {
        skipped++;
        if (!saidBadBatch) {
            saidBadBatch = true;
            log.warn(
                    "Iteration {} takes no step: its loss is {}, {} on average so far, or its gradient is not finite. Look for"
                            + " bad values in the data. Said once; statistics() counts on.",
                    network.iteration(),
                    loss,
                    first().averageLoss());
        }
        network.clearGradient();
        network.updaters().forEach(LfsoUpdater::holdNextStep);
        if (++badBatches >= PATIENCE) {
            rollBack();
        }
    }

    private void rollBack() {
        badBatches = 0;
        network.updaters().forEach(updater -> updater.setLosses(0, 0));
        if (!lastGood.putBack(network.parameters())) {
            return;
        }
        rollBacks++;
        for (LfsoUpdater updater : network.updaters()) {
            updater.resetMoments();
            if (updater.isCalibrated()) {
                updater.setMeasured(updater.measured().refuse());
            }
        }
        if (!saidRollBack) {
            saidRollBack = true;
            log.warn(
                    "Loss, gradient or parameters stayed bad: the parameters went back to the last good ones at iteration {},"
                            + " with moments cleared. Said once; statistics() counts on.",
                    network.iteration());
        }
    }
}
