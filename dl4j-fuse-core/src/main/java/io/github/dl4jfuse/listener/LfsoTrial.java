package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.lbfgs.Segments;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.smoothness.MeasuredSmoothness;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.LfsoUpdater;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One step of a network that is measured on its batch. Between {@link #begin} and {@link #finish} DL4J turns the gradient
 * into the step and takes it.
 *
 * <p>Memory: 3 vectors as long as the trained parameters.
 */
final class LfsoTrial {

    private static final Logger log = LoggerFactory.getLogger(LfsoListener.class);

    private final TrainingNetwork<LfsoUpdater> network;
    private final LfsoStatistics.Counter counter;
    private final LfsoUpdater updater;
    private final Lfso config;
    private final INDArray[] start;
    private final INDArray[] gradient;
    private final INDArray[] step;
    private double startValue;
    private double startScore;

    LfsoTrial(TrainingNetwork<LfsoUpdater> network, LfsoStatistics.Counter counter) {
        this.network = network;
        this.counter = counter;
        updater = network.updaters().get(0);
        config = updater.getConfig();
        start = Segments.zerosLike(network.parameters());
        gradient = Segments.zerosLike(network.parameters());
        step = Segments.zerosLike(network.parameters());
    }

    /** Returns the bytes held. */
    long bytes() {
        return 3 * Segments.length(start) * start[0].dataType().width();
    }

    /** Remembers point, value and gradient. */
    void begin() {
        Segments.assign(start, network.parameters());
        network.gradient(gradient);
        startValue = network.value();
        startScore = network.score();
    }

    /** Measures the step that DL4J has just taken, and leaves its gradient array as DL4J would: with the update subtracted. */
    void finish(int iteration, int epoch) {
        Segments.assign(step, network.gradientView());
        double[] products =
                Segments.dots(new INDArray[][] {step, step, gradient}, new INDArray[][] {step, gradient, gradient});
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
            Segments.assign(network.parameters(), start);
            network.evaluate();
            counter.evaluations++;
            startValue = network.value();
            network.gradient(gradient);
            promised = Segments.dot(gradient, step);
            steepness = Math.sqrt(Segments.dot(gradient, gradient));
            moveTo(1);
        }
        MeasuredSmoothness measured = updater.measured();
        double taken = 1;
        if (!updater.isCalibrated() && promised > 0) {
            taken = calibrate(promised, measured.rate() * factor, random) / (measured.rate() * factor);
            measured = MeasuredSmoothness.guess(taken * measured.rate());
            moveTo(taken);
        }
        double value = evaluate(random);
        double decrease = startValue - value;
        double slope = promised * taken;
        if (!Double.isFinite(decrease) || decrease < -Math.abs(slope) - rounding()) {
            taken = 0;
            Segments.assign(network.parameters(), start);
            measured = measured.refuse();
            countRefused(iteration, value);
        } else if (Math.abs(slope) > MeasuredSmoothness.RESOLVED * rounding()) {
            double rate = measured.rate() * factor;
            double scale = steepness * taken * length / rate;
            measured = measured.observe(rate, slope / rate, decrease, scale, config.decrease());
            counter.note(
                    MeasuredSmoothness.curvatureOf(taken * length, slope / (taken * length), decrease), taken * length);
        }
        MeasuredSmoothness saved = measured;
        network.updaters().forEach(each -> each.setMeasured(saved));
        Segments.scale(taken, step);
        Segments.assign(network.gradientView(), step);
        network.setScore(startScore);
    }

    /** Leaves things as if the step had not been, after an exception in it. */
    void abandon() {
        Segments.assign(network.parameters(), start);
        network.clearGradient();
        network.setScore(startScore);
    }

    private double rounding() {
        return network.valueRounding() * Math.abs(startValue);
    }

    private double calibrate(double promised, double rate, long[] random) {
        MeasuredSmoothness.Calibration found = MeasuredSmoothness.calibrate(
                rate, promised / rate, config.decrease(), rounding(), LfsoListener.MAX_FIRST_TRIALS, tried -> {
                    moveTo(tried / rate);
                    return startValue - evaluate(random);
                });
        log.info(
                "Lfso's first step length is {}, found by {} trials from the guess {}.",
                found.rate(),
                found.trials(),
                rate);
        return found.rate();
    }

    /** Puts the parameters so many steps away from the start. */
    private void moveTo(double steps) {
        INDArray[] parameters = network.parameters();
        Segments.assign(parameters, start);
        Segments.axpy(-steps, step, parameters);
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
