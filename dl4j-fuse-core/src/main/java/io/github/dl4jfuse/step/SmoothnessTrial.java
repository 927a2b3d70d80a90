package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.DeviceSums;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.LfsoUpdater;
import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One step of a network that is measured on its batch. Between {@link #begin} and {@link #finish} DL4J turns the gradient
 * into the step and takes it.
 *
 * <p>Trials that fall short of their share are expected now and then. After {@value #SHORT_TRIALS} in a row, or a calibration that
 * ends where rounding begins, the loss is looked at along a much shorter step: if it falls by less than {@value #HONEST} of what
 * the gradient promises even there, the gradient is not that of the loss.
 *
 * <p>Memory: 3 vectors as long as the trained parameters.
 */
public final class SmoothnessTrial {

    /** Most trials of the first step. */
    public static final int MAX_FIRST_TRIALS = 30;

    /** So many trials in a row that achieve less than their share are looked into. */
    static final int SHORT_TRIALS = 5;

    /** The share of the promised decrease that a very short step achieves at least if the gradient is that of the loss. */
    static final double HONEST = 0.75;

    private static final double NO_DESCENT = 0.02;
    private static final double SHORTER = 1.0 / 64;
    private static final double STILL_SHORTER = 1.0 / 4;
    private static final double NEARLY_STRAIGHT = 10;
    private static final Logger log = LoggerFactory.getLogger(SmoothnessTrial.class);

    private final TrainingNetwork<LfsoUpdater> network;
    private final SmoothnessCounters counter;
    private final LfsoUpdater updater;
    private final Lfso config;
    private final INDArray[] start;
    private final INDArray[] gradient;
    private final INDArray[] step;
    private double startValue;
    private double startScore;
    private int calibrationTrials;
    private boolean saidThatTheGradientIsWrong;

    /** Makes the vectors that trials of the network need. */
    public SmoothnessTrial(TrainingNetwork<LfsoUpdater> network, SmoothnessCounters counter) {
        this.network = network;
        this.counter = counter;
        updater = network.updaters().get(0);
        config = updater.getConfig();
        start = BlockVectors.zerosLike(network.parameters());
        gradient = BlockVectors.zerosLike(network.parameters());
        step = BlockVectors.zerosLike(network.parameters());
        List<String> moved = network.movedByRawGradient();
        if (!moved.isEmpty()) {
            log.warn(
                    "Layer {} has the updater NoOp, which in DL4J freezes nothing: its parameters move by the raw gradient, and"
                            + " Lfso measures steps of which those are no part. To freeze it, use a FrozenLayer or"
                            + " TransferLearning's setFeatureExtractor.",
                    String.join(", ", moved));
        }
    }

    /** Returns the bytes held. */
    public long bytes() {
        return 3 * BlockVectors.length(start) * start[0].dataType().width();
    }

    /** Remembers point, value and gradient. */
    public void begin() {
        BlockVectors.assign(start, network.parameters());
        network.gradient(gradient);
        startValue = network.value();
        startScore = network.score();
    }

    /** Measures the step that DL4J has just taken, and leaves its gradient array as DL4J would: with the update subtracted. */
    public void finish(int iteration, int epoch) {
        BlockVectors.assign(step, network.gradientView());
        double[] products =
                DeviceSums.dots(new INDArray[][] {step, step, gradient}, new INDArray[][] {step, gradient, gradient});
        double length = Math.sqrt(products[0]);
        double promised = products[1];
        double steepness = Math.sqrt(products[2]);
        double factor = config.factor(iteration, epoch);
        if (length == 0 || !(factor > 0)) {
            return; // a zero gradient, or a schedule that stands still: nothing to measure
        }
        long[] random = null;
        if (network.isNoisy()) {
            // The mask of DL4J's own evaluation is gone: evaluate the start once more under a state we can return to.
            random = network.randomState();
            BlockVectors.assign(network.parameters(), start);
            network.evaluate();
            counter.evaluations++;
            startValue = network.value();
            network.gradient(gradient);
            promised = BlockVectors.dot(gradient, step);
            steepness = Math.sqrt(BlockVectors.dot(gradient, gradient));
            moveTo(1);
        }
        promised *= updater.trust();
        MeasuredSmoothness measured = updater.measured();
        double taken = 1;
        if (!updater.isCalibrated() && promised > 0) {
            double rate = measured.rate() * factor;
            taken = calibrate(promised, rate, random) / rate;
            if (isImplausible(taken * promised)) {
                double steps = 10 * MeasuredSmoothness.RESOLVED * rounding() / promised;
                double ofLonger = share(2 * steps, promised, random);
                double honesty = honesty(ofLonger, 2, share(steps, promised, random));
                if (honesty < HONEST) {
                    distrust(honesty, iteration);
                    promised *= updater.trust();
                    taken = updater.trust() > 0
                            ? calibrate(promised, rate, random) / rate
                            : config.firstGuess() / measured.rate();
                }
            }
            measured = MeasuredSmoothness.guess(taken * measured.rate());
            moveTo(taken);
        }
        if (updater.trust() > 0) {
            double value = evaluate(random);
            double decrease = startValue - value;
            double slope = promised * taken;
            double tried = taken;
            boolean resolved = Math.abs(slope) > MeasuredSmoothness.RESOLVED * rounding();
            if (!Double.isFinite(decrease) || decrease < -Math.abs(slope) - rounding()) {
                taken = 0;
                BlockVectors.assign(network.parameters(), start);
                measured = measured.refuse();
                countRefused(iteration, value);
            } else if (resolved) {
                double rate = measured.rate() * factor;
                double scale = steepness * taken * length / rate;
                measured = measured.observe(rate, slope / rate, decrease, scale, config.decrease());
                counter.note(
                        MeasuredSmoothness.curvatureOf(taken * length, slope / (taken * length), decrease),
                        taken * length);
            }
            if (resolved && looksWrong(decrease, slope, tried, random, iteration)) {
                measured = MeasuredSmoothness.guess(updater.trust() > 0 ? measured.rate() : config.firstGuess());
            }
        }
        MeasuredSmoothness saved = measured;
        network.updaters().forEach(each -> each.setMeasured(saved));
        BlockVectors.scale(taken, step);
        BlockVectors.assign(network.gradientView(), step);
        network.setScore(startScore);
    }

    /** Leaves things as if the step had not been, after an exception in it. */
    public void abandon() {
        BlockVectors.assign(network.parameters(), start);
        network.clearGradient();
        network.setScore(startScore);
    }

    private double rounding() {
        return network.valueRounding() * Math.abs(startValue);
    }

    /** Whether even the step that calibration has found is no longer than what drowns in rounding, or the first it came to. */
    private boolean isImplausible(double promisedByIt) {
        return promisedByIt < MeasuredSmoothness.RESOLVED * rounding() || calibrationTrials == MAX_FIRST_TRIALS;
    }

    /** Counts trials that fall short, and looks into some of them; returns whether the gradient was found to be wrong. */
    private boolean looksWrong(double decrease, double slope, double tried, long[] random, int iteration) {
        int count = slope <= 0 || decrease >= config.decrease() * slope ? 0 : updater.shortTrials() + 1;
        boolean wrong = false;
        if (count >= SHORT_TRIALS) {
            count = 0;
            double part = Math.max(SHORTER, MeasuredSmoothness.RESOLVED * rounding() / slope);
            double ofTrial = decrease / slope;
            if (part <= STILL_SHORTER && Math.abs(ofTrial) <= NEARLY_STRAIGHT) {
                INDArray[] parameters = network.parameters();
                INDArray[] reached = BlockVectors.zerosLike(parameters);
                BlockVectors.assign(reached, parameters);
                double honesty = honesty(ofTrial, 1 / part, share(part * tried, slope / tried, random));
                BlockVectors.assign(network.parameters(), reached);
                wrong = honesty < HONEST;
                if (wrong) {
                    distrust(honesty, iteration);
                }
            }
        }
        int counted = count;
        network.updaters().forEach(each -> each.setShortTrials(counted));
        return wrong;
    }

    /** Returns the share of what is promised that a step so many times as long as the present one achieves. */
    private double share(double steps, double promised, long[] random) {
        moveTo(steps);
        return (startValue - evaluate(random)) / (steps * promised);
    }

    /**
     * Returns the share that the shortest step would achieve, from those of a short step and one that is some times as long: 1 for
     * each parabola whose slope is the promised one. NaN where the loss is no parabola between them.
     */
    private static double honesty(double ofLonger, double times, double ofShort) {
        return Math.abs(ofLonger) <= NEARLY_STRAIGHT ? ofShort + (ofShort - ofLonger) / (times - 1) : Double.NaN;
    }

    private void distrust(double honesty, int iteration) {
        double trust = honesty > NO_DESCENT ? updater.trust() * honesty : 0;
        network.updaters().forEach(each -> each.setTrust(trust));
        if (saidThatTheGradientIsWrong && trust > 0) {
            return; // that it cannot be measured at all is said even then
        }
        saidThatTheGradientIsWrong = true;
        log.warn(
                "At iteration {} the loss does not fall as its gradient says: along a very short step it falls by {} of what is"
                        + " promised. {} Layers made with SameDiff, for example self-attention, have twice the gradient of their"
                        + " loss in DL4J, and XENT with softmax has another one: see docs/upstream.md. Said once.",
                iteration,
                String.format(Locale.ROOT, "%.3f", honesty),
                trust > 0
                        ? "Lfso measures the slope itself from now on."
                        : "Lfso cannot measure such steps and takes its first guess " + config.firstGuess()
                                + " for their length from now on.");
    }

    private double calibrate(double promised, double rate, long[] random) {
        MeasuredSmoothness.Calibration found = MeasuredSmoothness.calibrate(
                rate, promised / rate, config.decrease(), rounding(), MAX_FIRST_TRIALS, tried -> {
                    moveTo(tried / rate);
                    return startValue - evaluate(random);
                });
        log.info(
                "Lfso's first step length is {}, found by {} trials from the guess {}.",
                found.rate(),
                found.trials(),
                rate);
        calibrationTrials = found.trials();
        return found.rate();
    }

    /** Puts the parameters so many steps away from the start. */
    private void moveTo(double steps) {
        INDArray[] parameters = network.parameters();
        BlockVectors.assign(parameters, start);
        BlockVectors.axpy(-steps, step, parameters);
    }

    private double evaluate(long[] random) {
        counter.trials++;
        if (network.hasForwardPass()) {
            counter.forwardPasses++;
        } else {
            counter.evaluations++;
        }
        if (random != null) {
            network.setRandomState(random);
        }
        return network.evaluateValue();
    }

    private void countRefused(int iteration, double value) {
        if (counter.refuse() == 1) {
            log.info(
                    "The step of iteration {} was taken back: the loss of its batch went from {} to {}. Said once; statistics()"
                            + " counts on.",
                    iteration,
                    startValue,
                    value);
        }
    }
}
