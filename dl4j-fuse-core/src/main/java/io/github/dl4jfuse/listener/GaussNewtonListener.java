package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonStep;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.step.GaussNewtonDescent;
import io.github.dl4jfuse.updater.GaussNewton;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces DL4J's gradient, before the updater sees it, by the direction that is adapted to the metric of the outputs
 * ({@link GaussNewtonStep}): a Gauss-Newton step on the batch in hand.
 *
 * <pre>
 *   .updater(GaussNewton.onBatches())                          // the step as it is; other rules work too
 *   DL4JFuse.attach(net);                                      // or net.addListeners(new GaussNewtonListener())
 * </pre>
 *
 * <ul>
 *   <li>{@link Layers#ALL_LAYERS} solves the damped problem in batch space, examples times outputs equations, or without a
 *       matrix if there are more than {@value GaussNewtonStep#SOLVED_AT_MOST}. For small nets on smooth regression. With many
 *       classes a step is dear: see docs/geometry.md.
 *   <li>{@link Layers#OUTPUT_LAYER} replaces the gradient of the last layer alone, in closed form
 *       ({@code LastLayerStep}); the other layers keep theirs.
 * </ul>
 *
 * <p><b>What is accepted</b> in ALL_LAYERS: a step that does not lower the loss of its batch is undone at once, and one by which
 * it and the next batch together have lost, when that comes. The damping follows Levenberg and Marquardt by the actual over
 * the predicted reduction, and where batches differ also by what the steps did to the next ones ({@code GaussNewtonDescent});
 * batches of fewer than {@value GaussNewtonDescent#ENOUGH_EXAMPLES} examples are damped more, so that they learn slowly.
 * In OUTPUT_LAYER a step is undone only if the batch's loss is more than {@value #EXPLODES} times what it was, or not finite.
 *
 * <p>Where the batch is the whole data set, {@link #examplesPerStep} makes the steps affordable.
 *
 * <p>A batch whose loss is not finite takes no step. l1 and l2 act on top of the direction, as decoupled weight decay would.
 *
 * <p>Refused with an IllegalStateException that names the remedy: what {@link NetworkOutputs} does not understand, gradient
 * normalization, truncated backpropagation through time, a loss that is not DL4J's on the first batch (masks, layers that are not
 * understood), in ALL_LAYERS also dropout, weight noise and BatchNorm
 * (all three are taken in frozen layers, which run in evaluation mode), batches whose Gram matrix does not fit into
 * memory, and a second network. Not thread-safe.
 */
public final class GaussNewtonListener extends ModelListener implements Steering {

    /** Whose gradients are replaced. */
    public enum Layers {
        /** That of the last layer. */
        OUTPUT_LAYER,
        /** Those of all layers. */
        ALL_LAYERS
    }

    /** A step of OUTPUT_LAYER is undone if the loss is more than this times what it was. */
    public static final double EXPLODES = 2;

    /** Relative damping at the start, ALL_LAYERS. */
    public static final double DEFAULT_DAMPING = GaussNewton.DEFAULT_DAMPING;

    /** Relative damping, OUTPUT_LAYER. */
    public static final double DEFAULT_OUTPUT_DAMPING = 1e-1;

    private static final Logger log = LoggerFactory.getLogger(GaussNewtonListener.class);

    /**
     * What happened so far.
     *
     * @param steps steps taken
     * @param undone steps that were taken back
     * @param gradientEvaluations evaluations of loss and gradient together, all of them DL4J's own
     * @param skippedBatches batches that took none
     * @param damping λ
     * @param extraBytes memory for Jacobian and system, largest batch so far
     */
    public record Statistics(
            long steps, long undone, long gradientEvaluations, long skippedBatches, double damping, long extraBytes)
            implements OptimizerReport {}

    private final Layers layers;
    private GaussNewton settings;
    private boolean chosen; // here, not by the updater
    private Random draws;
    private final OneNetwork<GaussNewtonListener> one = new OneNetwork<>(this);
    private CurrentBatch batch;
    private GaussNewtonDescent descent;
    private Attempt attempt;
    private long lastLayerSteps;
    private long gradients;
    private long skipped;
    private int largest;
    private long bytes;
    private boolean comparedLoss;
    private boolean saidSkipped;
    private boolean saidWhole;

    /** A step of OUTPUT_LAYER under way. */
    private record Attempt(NetworkOutputs outputs, OutputLoss loss, double value, INDArray start) {}

    /** All layers, with the settings of {@link GaussNewton} where that is the updater, and its defaults where not. */
    public GaussNewtonListener() {
        this(Layers.ALL_LAYERS);
        chosen = false;
    }

    /** These layers. */
    public GaussNewtonListener(Layers layers) {
        this(layers, layers == Layers.ALL_LAYERS ? DEFAULT_DAMPING : DEFAULT_OUTPUT_DAMPING, 0);
    }

    /**
     * With settings.
     *
     * @param damping λ at the start, positive, in units of the mean eigenvalue of the Gram matrix
     * @param momentum in batch space (SPRING), from 0 (default: none) to below 1; ALL_LAYERS only. For a
     *     cross-entropy on a few batches that come back .9 keeps them from undoing each other; squared losses want 0
     */
    public GaussNewtonListener(Layers layers, double damping, double momentum) {
        if (momentum > 0 && layers == Layers.OUTPUT_LAYER) {
            throw new IllegalArgumentException(
                    "GaussNewtonListener: OUTPUT_LAYER has no momentum of its own, so it must be 0," + " not "
                            + momentum + ": its updater has one.");
        }
        this.layers = layers;
        settings = GaussNewton.onBatches().withDamping(damping).withMomentum(momentum);
        chosen = true;
    }

    /**
     * Solves on so many examples of the batch, see {@link GaussNewton#withExamplesPerStep}; ALL_LAYERS only.
     *
     * @return this
     */
    public GaussNewtonListener examplesPerStep(int examples, long seed) {
        if (layers == Layers.OUTPUT_LAYER) {
            throw new IllegalArgumentException(
                    "GaussNewtonListener: examplesPerStep is for ALL_LAYERS; OUTPUT_LAYER is cheap on all examples.");
        }
        settings = settings.withExamplesPerStep(examples, seed);
        chosen = true;
        return this;
    }

    @Override
    public Statistics statistics() {
        return descent == null
                ? new Statistics(0, 0, 0, 0, settings.damping(), 0)
                : new Statistics(
                        descent.steps() + lastLayerSteps,
                        descent.undone(),
                        gradients,
                        skipped,
                        descent.lambda(),
                        bytes);
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
            batch.batch().keep();
        }
    }

    @Override
    public void onGradientCalculation(Model current) {
        keepOrder(current);
        if (!attach(current)) {
            return;
        }
        batch.batch().begin();
        gradients++;
        attempt = null;
        NetworkOutputs all = batch.outputs();
        if (!comparedLoss && Double.isFinite(batch.score())) {
            comparedLoss = all.requireLoss(batch.comparableLoss());
        }
        NetworkOutputs outputs = drawn(all);
        checkMemory(outputs);
        if (!Double.isFinite(batch.score())) {
            leaveOut("its loss is " + batch.score());
        } else if (layers == Layers.OUTPUT_LAYER) {
            replaceLastLayer(outputs);
        } else {
            replaceAllLayers(outputs);
        }
    }

    private NetworkOutputs drawn(NetworkOutputs all) {
        int examples = settings.examplesPerStep();
        if (examples == 0) {
            return all;
        }
        if (all.hasOwnGeometry() && all.examples() > examples && !saidWhole) {
            saidWhole = true;
            log.info(
                    "The loss has a geometry of its own, so each step takes all {} examples, not {}.",
                    all.examples(),
                    examples);
        }
        return GaussNewtonDescent.drawn(all, examples, draws);
    }

    private void replaceLastLayer(NetworkOutputs outputs) {
        OutputLoss loss = outputs.loss();
        double value = loss.at(outputs.outputs(batch.parameters())).value();
        if (!Double.isFinite(value)) {
            leaveOut("its loss is " + value);
        } else if (batch.replaceLastLayer(outputs, descent.lambda())) {
            attempt = new Attempt(outputs, loss, value, batch.parameters().dup());
        }
    }

    private void replaceAllLayers(NetworkOutputs outputs) {
        INDArray direction = descent.direction(outputs);
        if (direction == null) {
            leaveOut(descent.obstacle());
        } else {
            batch.replaceGradient(direction);
        }
    }

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        if (!attach(current)) {
            return;
        }
        descent.judge(false);
        if (attempt != null) {
            Attempt made = attempt;
            attempt = null;
            batch.project();
            double value = Double.NaN;
            try {
                value = made.loss()
                        .at(made.outputs().outputs(batch.parameters()))
                        .value();
            } finally {
                if (value <= EXPLODES * made.value()) {
                    lastLayerSteps++;
                } else {
                    descent.takeBack(made.start());
                }
            }
        }
        batch.batch().end();
    }

    /** Returns whether there is something to do for the network. */
    private boolean attach(Model current) {
        if (one.responsibleFor(current) == null) {
            return false;
        }
        if (descent == null) {
            CurrentBatch found = new CurrentBatch(current);
            found.requireReplaceable("GaussNewtonListener", layers == Layers.ALL_LAYERS);
            takeSettings(found.gaussNewton());
            draws = new Random(settings.seed());
            batch = found;
            descent = new GaussNewtonDescent(batch, settings.damping(), settings.momentum());
        }
        return true;
    }

    private void takeSettings(GaussNewton ofUpdater) {
        if (ofUpdater == null) {
            return;
        }
        if (layers == Layers.OUTPUT_LAYER) {
            throw new IllegalStateException(
                    "OUTPUT_LAYER leaves the other layers to the rule of the updater, and GaussNewton"
                            + " has none: configure Adam, for example, or take new GaussNewtonListener() for all layers.");
        }
        if (chosen && !settings.equals(ofUpdater)) {
            throw new IllegalStateException("The updater is " + ofUpdater + ", but the listener was given " + settings
                    + ": leave them to the updater, new GaussNewtonListener().");
        }
        settings = ofUpdater;
    }

    private void checkMemory(NetworkOutputs outputs) {
        if (layers == Layers.ALL_LAYERS && outputs.rows() > largest) {
            bytes = outputs.requireMemory();
            if (largest == 0) {
                log.info(
                        "Gauss-Newton steps on {} outputs, with about {} MB of memory.{}",
                        outputs.rows(),
                        (bytes >> 20) + 1,
                        outputs.withoutFormula().isEmpty()
                                ? ""
                                : " By products alone, since these layers have no formula: "
                                        + String.join(", ", outputs.withoutFormula()) + ".");
            }
            largest = outputs.rows();
        }
    }

    private void leaveOut(String reason) {
        skipped++;
        if (!saidSkipped) {
            saidSkipped = true;
            log.warn(
                    "Iteration {} takes no step: {}. Look for bad values in the data or dead units. Said once;"
                            + " statistics() counts on.",
                    batch.iteration(),
                    reason);
        }
        batch.clearGradient();
    }
}
