package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.geometry.AdaptedStep;
import io.github.dl4jfuse.geometry.Damping;
import io.github.dl4jfuse.geometry.GeometrySolver;
import io.github.dl4jfuse.geometry.OutputLoss;
import io.github.dl4jfuse.network.BatchInHand;
import io.github.dl4jfuse.network.NetworkOutputs;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces DL4J's gradient, before the updater sees it, by the direction that is adapted to the metric of the outputs
 * ({@link AdaptedStep}): a Gauss-Newton step on the batch in hand.
 *
 * <pre>
 *   .updater(new Sgd(1.0))                                     // the step as it is; other rates and rules work too
 *   net.setListeners(new GaussNewtonListener());               // one for each network
 * </pre>
 *
 * <ul>
 *   <li>{@link Layers#ALL_LAYERS} solves the damped problem in batch space, examples times outputs equations, or without a
 *       matrix if there are more than {@value AdaptedStep#SOLVED_AT_MOST}. For small nets on smooth regression. With many
 *       classes a step is dear: see docs/geometry.md.
 *   <li>{@link Layers#OUTPUT_LAYER} replaces the gradient of the last layer alone, in closed form
 *       ({@code LastLayerStep}); the other layers keep theirs.
 * </ul>
 *
 * <p><b>What is accepted</b> in ALL_LAYERS: a step that does not lower the loss of its batch is undone at once. When the next
 * batch comes, its loss before and after the step says what the step is worth on data that it was not made for; if the two
 * batches together have lost by it, it is undone then. The damping follows Levenberg and Marquardt by the actual over the
 * predicted reduction, and where batches differ also by a running average of what the steps did to the next ones, so that
 * fitting the batch in hand alone does not count ({@link Damping}). That is ours; it costs two forward passes for each step. In OUTPUT_LAYER a step is undone only if the batch's loss is more
 * than {@value #EXPLODES} times what it was, or not finite.
 *
 * <p>A batch whose loss is not finite takes no step. l1 and l2 act on top of the direction, as decoupled weight decay would.
 *
 * <p>Refused with an IllegalStateException that names the remedy: what {@link NetworkOutputs} does not understand, gradient
 * normalization, truncated backpropagation through time, in ALL_LAYERS also dropout, weight noise and BatchNorm, batches
 * whose Gram matrix does not fit into memory, and a second network. Not thread-safe.
 */
public final class GaussNewtonListener extends BaseTrainingListener {

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
    public static final double DEFAULT_DAMPING = 1e-1;

    /** Relative damping, OUTPUT_LAYER. */
    public static final double DEFAULT_OUTPUT_DAMPING = 1e-1;

    /** Where conjugate gradients end. */
    public static final double CG_TOLERANCE = 1e-2;

    private static final double SAME_DATA = 1e-9;

    private static final Logger log = LoggerFactory.getLogger(GaussNewtonListener.class);

    /**
     * What happened so far.
     *
     * @param steps steps taken
     * @param undone steps that were taken back
     * @param skipped batches that took none
     * @param damping λ
     * @param bytes memory for Jacobian and system, largest batch so far
     */
    public record Statistics(long steps, long undone, long skipped, double damping, long bytes) {}

    private final Layers layers;
    private final double momentum;
    private final double firstDamping;
    private Model model;
    private BatchInHand batch;
    private Damping damping;
    private Attempt attempt;
    private Taken last;
    private INDArray earlier;
    private long steps;
    private long undone;
    private long skipped;
    private int largest;
    private long bytes;
    private boolean saidSkipped;

    /** A step under way. */
    private record Attempt(
            NetworkOutputs outputs,
            OutputLoss loss,
            double value,
            INDArray start,
            AdaptedStep step,
            INDArray direction) {}

    /** The last step: where it began, the loss of its batch there, and what it took from it. */
    private record Taken(INDArray start, double value, double reduction, double predicted) {}

    /** All layers. */
    public GaussNewtonListener() {
        this(Layers.ALL_LAYERS);
    }

    /** These layers. */
    public GaussNewtonListener(Layers layers) {
        this(layers, layers == Layers.ALL_LAYERS ? DEFAULT_DAMPING : DEFAULT_OUTPUT_DAMPING, 0);
    }

    /**
     * With settings.
     *
     * @param damping λ at the start, positive, in units of the mean eigenvalue of the Gram matrix
     * @param momentum in batch space (SPRING), from 0 (default: none) to below 1; ALL_LAYERS only
     */
    public GaussNewtonListener(Layers layers, double damping, double momentum) {
        if (!(damping > 0 && damping <= Damping.LARGEST)) {
            throw new IllegalArgumentException(
                    "GaussNewtonListener: damping must be in (0, " + Damping.LARGEST + "], not " + damping + ".");
        }
        if (!(momentum >= 0 && momentum < 1) || (momentum > 0 && layers == Layers.OUTPUT_LAYER)) {
            throw new IllegalArgumentException(
                    "GaussNewtonListener: momentum must be in [0, 1), and 0 for OUTPUT_LAYER,"
                            + " whose updater has its own, not " + momentum + ".");
        }
        this.layers = layers;
        this.firstDamping = damping;
        this.momentum = momentum;
    }

    /** Returns what was counted so far. */
    public Statistics statistics() {
        return new Statistics(steps, undone, skipped, damping == null ? firstDamping : damping.lambda(), bytes);
    }

    @Override
    public void onBackwardPass(Model current) {
        attach(current);
        batch.duringBackwardPass();
    }

    @Override
    public void onGradientCalculation(Model current) {
        attach(current);
        attempt = null;
        NetworkOutputs outputs = batch.outputs();
        OutputLoss loss = outputs.loss();
        checkMemory(outputs);
        OutputLoss.Local local = loss.at(outputs.outputs(batch.parameters()));
        if (!Double.isFinite(local.value()) || !Double.isFinite(batch.score())) {
            leaveOut("its loss is " + local.value());
            return;
        }
        if (layers == Layers.OUTPUT_LAYER) {
            if (batch.replaceLastLayer(outputs, damping.lambda())) {
                attempt = new Attempt(
                        outputs, loss, local.value(), batch.parameters().dup(), null, null);
            }
            return;
        }
        if (last != null) {
            local = judge(last, outputs, loss, local);
            last = null;
        }
        INDArray start = batch.parameters().dup();
        AdaptedStep step = new AdaptedStep(outputs.linearise(start), local, outputs.parameters(), null, CG_TOLERANCE);
        INDArray direction = direction(step);
        if (direction == null) {
            leaveOut("no parameter has an influence on its outputs");
            return;
        }
        batch.replaceGradient(direction);
        attempt = new Attempt(outputs, loss, local.value(), start, step, direction);
    }

    /** Looks at what the last step did to this batch, which it was not made for. */
    private OutputLoss.Local judge(Taken taken, NetworkOutputs outputs, OutputLoss loss, OutputLoss.Local now) {
        OutputLoss.Local there = loss.at(outputs.outputs(taken.start()));
        double reduction = there.value() - now.value();
        if (Math.abs(there.value() - taken.value()) <= SAME_DATA * Math.abs(taken.value())) {
            damping.taken(taken.reduction(), taken.predicted());
        } else if (taken.reduction() + reduction > 0) {
            damping.taken(taken.reduction(), taken.predicted(), reduction);
        } else {
            steps--;
            takeBack(taken.start());
            return there;
        }
        return now;
    }

    private INDArray direction(AdaptedStep step) {
        double unit = step.meanEigenvalue();
        if (!(unit > 0) || Double.isInfinite(unit)) {
            return null;
        }
        INDArray ahead = earlier == null ? null : earlier.mul(momentum);
        while (true) {
            AdaptedStep.Solution solution = step.damped(damping.lambda() * unit, ahead);
            if (solution != null || damping.isLargest()) {
                return solution == null ? null : solution.direction();
            }
            damping.rejected();
        }
    }

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        if (attempt == null) {
            return;
        }
        Attempt made = attempt;
        attempt = null;
        INDArray now = batch.parameters();
        double value = made.loss().at(made.outputs().outputs(now)).value();
        double most = layers == Layers.OUTPUT_LAYER ? EXPLODES * made.value() : Math.nextDown(made.value());
        if (!(value <= most)) {
            takeBack(made.start());
            return;
        }
        steps++;
        if (layers == Layers.ALL_LAYERS) {
            double[] image = made.step().push(made.start().sub(now));
            double predicted = made.step().predictedReduction(image, 1, made.loss());
            last = new Taken(made.start(), made.value(), made.value() - value, predicted);
            earlier = momentum > 0 ? made.direction() : null;
        }
    }

    private void takeBack(INDArray point) {
        batch.restore(point);
        damping.rejected();
        earlier = null;
        undone++;
    }

    private void attach(Model current) {
        if (model == null) {
            model = current;
            batch = new BatchInHand(current);
            batch.requireReplaceable("GaussNewtonListener", layers == Layers.ALL_LAYERS);
            double smallest = GeometrySolver.smallestDamping(batch.dataType());
            damping = new Damping(Math.max(smallest, firstDamping), smallest);
        } else if (model != current) {
            throw new IllegalStateException(
                    "A GaussNewtonListener belongs to one network, and this one has seen another: give each network its"
                            + " own new GaussNewtonListener().");
        }
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
