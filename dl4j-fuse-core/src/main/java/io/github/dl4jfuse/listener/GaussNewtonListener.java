package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.geometry.AdaptedStep;
import io.github.dl4jfuse.geometry.Damping;
import io.github.dl4jfuse.geometry.GeometrySolver;
import io.github.dl4jfuse.geometry.OutputLoss;
import io.github.dl4jfuse.geometry.ResidualModel;
import io.github.dl4jfuse.lbfgs.Segments;
import io.github.dl4jfuse.network.BatchInHand;
import io.github.dl4jfuse.network.NetworkOutputs;
import java.util.Random;
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
 * fitting the batch in hand alone does not count ({@link Damping}). That is ours; it costs two forward passes for each step. In
 * OUTPUT_LAYER a step is undone only if the batch's loss is more than {@value #EXPLODES} times what it was, or not finite.
 *
 * <p>Where the batch is the whole data set, {@link #examplesPerStep} makes the steps affordable.
 *
 * <p>A batch whose loss is not finite takes no step. l1 and l2 act on top of the direction, as decoupled weight decay would.
 *
 * <p>Refused with an IllegalStateException that names the remedy: what {@link NetworkOutputs} does not understand, gradient
 * normalization, truncated backpropagation through time, in ALL_LAYERS also dropout, weight noise and BatchNorm
 * (all three are taken in frozen layers, which run in evaluation mode), batches whose Gram matrix does not fit into
 * memory, and a second network. Not thread-safe.
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

    /** Most conjugate-gradient steps, where no matrix is formed. */
    public static final int CG_LIMIT = 30;

    private static final double SAME_DATA = 1e-9;

    /** Squared sine of an angle that counts as none; above the rounding of float. */
    private static final double SAME_DIRECTION = 1e-5;

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
    private int examplesPerStep;
    private Random draws;
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
    private boolean saidWhole;

    /** A step under way. */
    private record Attempt(
            NetworkOutputs outputs,
            OutputLoss loss,
            double value,
            INDArray start,
            AdaptedStep step,
            AdaptedStep.Solution solution) {}

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

    /**
     * Solves on so many examples of the batch, drawn anew for each step without replacement: for batches that are the whole
     * data set, where all equations at once are too dear. What a step is worth is judged on them and on the next ones. DL4J
     * computes its own gradient on the whole batch all the same. ALL_LAYERS only. A loss with a geometry of its own
     * ({@code OutputGeometry}) is taken on all examples all the same, and the log says so.
     *
     * @param examples 1 or more; smaller batches are taken as they are. Default: all
     * @param seed of the draws
     * @return this
     */
    public GaussNewtonListener examplesPerStep(int examples, long seed) {
        if (examples < 1 || layers == Layers.OUTPUT_LAYER) {
            throw new IllegalArgumentException("GaussNewtonListener: examplesPerStep must be at least 1, not "
                    + examples + ", and is for ALL_LAYERS; OUTPUT_LAYER is cheap on all examples.");
        }
        examplesPerStep = examples;
        draws = new Random(seed);
        return this;
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
        NetworkOutputs outputs = drawn(batch.outputs());
        OutputLoss loss = outputs.loss();
        checkMemory(outputs);
        if (layers == Layers.OUTPUT_LAYER) {
            replaceLastLayer(outputs, loss);
        } else {
            replaceAllLayers(outputs, loss);
        }
    }

    private NetworkOutputs drawn(NetworkOutputs all) {
        if (examplesPerStep == 0 || all.examples() <= examplesPerStep) {
            return all;
        }
        if (all.hasOwnGeometry()) {
            if (!saidWhole) {
                saidWhole = true;
                log.info(
                        "The loss has a geometry of its own, so each step takes all {} examples, not {}.",
                        all.examples(),
                        examplesPerStep);
            }
            return all;
        }
        return all.some(
                draws.ints(0, all.examples()).distinct().limit(examplesPerStep).toArray());
    }

    private void replaceLastLayer(NetworkOutputs outputs, OutputLoss loss) {
        double value = loss.at(outputs.outputs(batch.parameters())).value();
        if (isFinite(value) && batch.replaceLastLayer(outputs, damping.lambda())) {
            attempt = new Attempt(outputs, loss, value, batch.parameters().dup(), null, null);
        }
    }

    private void replaceAllLayers(NetworkOutputs outputs, OutputLoss loss) {
        Taken taken = last;
        last = null;
        double[] before = taken == null ? null : outputs.outputs(taken.start());
        INDArray start = batch.parameters().dup();
        ResidualModel.Expansion here = outputs.expand(start);
        OutputLoss.Local local = loss.at(here.outputs());
        if (!isFinite(local.value())) {
            return;
        }
        if (taken != null && !isWorthKeeping(taken, loss.at(before).value(), local.value())) {
            steps--;
            takeBack(taken.start());
            start = taken.start();
            here = outputs.expand(start);
            local = loss.at(here.outputs());
        }
        AdaptedStep step = new AdaptedStep(here.jacobian(), local, outputs.parameters(), null, CG_TOLERANCE, CG_LIMIT);
        AdaptedStep.Solution solution = solve(step);
        if (solution == null) {
            leaveOut("no parameter has an influence on its outputs");
            return;
        }
        batch.replaceGradient(solution.direction());
        attempt = new Attempt(outputs, loss, local.value(), start, step, solution);
    }

    private boolean isFinite(double value) {
        boolean finite = Double.isFinite(value) && Double.isFinite(batch.score());
        if (!finite) {
            leaveOut("its loss is " + value);
        }
        return finite;
    }

    /** Looks at what the last step did to this batch, which it was not made for, and sets the damping by it. */
    private boolean isWorthKeeping(Taken taken, double before, double now) {
        double reduction = before - now;
        if (Math.abs(before - taken.value()) <= SAME_DATA * Math.abs(taken.value())) {
            damping.taken(taken.reduction(), taken.predicted());
        } else if (taken.reduction() + reduction > 0) {
            damping.taken(taken.reduction(), taken.predicted(), reduction);
        } else {
            return false;
        }
        return true;
    }

    private AdaptedStep.Solution solve(AdaptedStep step) {
        double unit = step.meanEigenvalue();
        if (!(unit > 0) || Double.isInfinite(unit)) {
            return null;
        }
        INDArray ahead = earlier == null ? null : earlier.mul(momentum);
        while (true) {
            AdaptedStep.Solution solution = step.damped(damping.lambda() * unit, ahead);
            if (solution != null || damping.isLargest()) {
                return solution;
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
            last = new Taken(made.start(), made.value(), made.value() - value, predicted(made, now));
            earlier = momentum > 0 ? made.solution().direction() : null;
        }
    }

    /** Returns the predicted reduction, of a step as long as the updater made it. */
    private static double predicted(Attempt made, INDArray now) {
        INDArray direction = made.solution().direction();
        INDArray moved = made.start().sub(now);
        INDArray[] m = {moved};
        INDArray[] d = {direction};
        double[] products = Segments.dots(new INDArray[][] {m, m, d}, new INDArray[][] {m, d, d});
        double squares = products[0];
        double eta = products[1] / products[2];
        boolean alongDirection = squares - eta * products[1] <= SAME_DIRECTION * squares;
        return alongDirection
                ? made.step().predictedReduction(made.solution().image(), eta, made.loss())
                : made.step().predictedReduction(made.step().push(moved), 1, made.loss());
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
