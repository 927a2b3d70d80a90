package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.KeptBatch;
import io.github.dl4jfuse.network.NetworkObjective;
import io.github.dl4jfuse.network.UpdaterReset;
import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.saddle.CriticalPointReport;
import io.github.dl4jfuse.saddle.StagnationDetector;
import io.github.dl4jfuse.saddle.SubspaceStep;
import io.github.dl4jfuse.saddle.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches for stagnation; where training stands still, it says in one line what kind of point that is, and leaves saddles by a second- or
 * third-order step ({@link SubspaceStep}) if that lowers the loss.
 *
 * <pre>
 *   net.setListeners(new SaddleListener(probe));    // a few hundred examples or more, as one batch
 * </pre>
 *
 * <p>Loss and gradient norm of the training batches are read at {@value StagnationDetector#LOOKS} steps of each window. Training stands still when the mean loss
 * of the window's second half is not below that of its first half by {@code smallestFall} of it, and the gradient norm has
 * not grown. Then the loss on the probe batch is examined, by some 30 to 180 evaluations of its gradient on a copy of the network in double precision, with dropout and
 * weight noise off and BatchNorm in training mode. What is found holds of the probe batch; that is why a step is taken only if the loss on
 * that batch really falls, and why the probe batch should be large. After a probe without a step the next one
 * waits twice as long, as training may just have converged.
 *
 * <p>After a step the updaters' state is reset as {@link UpdaterReset} describes, unless {@link #keepUpdaterState} was called.
 * DL4J's learning rate, schedules and counters go on. The listener moves itself before those that save or evaluate, and after
 * those that complete the steps.
 *
 * <p>Weight constraints are kept: a step of which they leave nothing is not taken. A probe that fails is said in the log and is the
 * last one; the training goes on.
 *
 * <p>One for each network. Under truncated backpropagation through time there are no probes. Not thread-safe.
 */
public final class SaddleListener extends ModelListener {

    /** Default of the window, in steps. */
    public static final int DEFAULT_WINDOW = 200;

    /** Default of the share of the loss that has to be gained from half a window to the next. */
    public static final double DEFAULT_SMALLEST_FALL = 1e-3;

    private static final int LONGEST_WAIT = 64;
    private static final Logger log = LoggerFactory.getLogger(SaddleListener.class);

    /**
     * What a probe found.
     *
     * @param iteration DL4J's iteration count
     * @param report the point, on the probe batch
     * @param step what was done
     * @param lossBefore loss on the probe batch before the step
     * @param lossAfter after it; the same if there was none
     * @param sentence all that in one line
     */
    public record Finding(
            int iteration,
            CriticalPointReport report,
            SubspaceStep.Kind step,
            double lossBefore,
            double lossAfter,
            String sentence) {}

    /**
     * What happened so far.
     *
     * @param probes looks at the curvature, on the probe batch
     * @param stepsTaken steps away from a saddle point
     * @param gradientEvaluations of the probes, in double precision, Hessian products as pairs of them
     */
    public record Statistics(long probes, long stepsTaken, long gradientEvaluations) implements OptimizerReport {}

    private final Function<Model, NetworkObjective> probe;
    private final int examples;
    private final List<Finding> findings = new ArrayList<>();
    private int window = DEFAULT_WINDOW;
    private double gradientTolerance = Double.NaN;
    private boolean keepsState;
    private boolean saidNotFinite;
    private boolean blind;
    private StagnationDetector watch = new StagnationDetector(DEFAULT_SMALLEST_FALL);
    private final OneNetwork<SaddleListener> one = new OneNetwork<>(this);
    private Model model;
    private long steps;
    private long quietUntil;
    private int wait = 1;
    private long probes;
    private long stepsTaken;
    private long gradientEvaluations;
    private boolean due;
    private KeptBatch batch;

    /** Probes on a batch. */
    public SaddleListener(DataSet probe) {
        this(model -> new NetworkObjective(model, probe), probe.numExamples());
    }

    /** Probes on a batch of a graph with several inputs or outputs. */
    public SaddleListener(MultiDataSet probe) {
        this(model -> new NetworkObjective(model, probe), (int)
                probe.getFeatures(0).size(0));
    }

    private SaddleListener(Function<Model, NetworkObjective> probe, int examples) {
        this.probe = probe;
        this.examples = examples;
    }

    /** Sets the window; default {@value #DEFAULT_WINDOW} steps, at least {@value StagnationDetector#LOOKS}. */
    public SaddleListener window(int newWindow) {
        if (newWindow < StagnationDetector.LOOKS) {
            throw new IllegalArgumentException("The window of a SaddleListener has at least " + StagnationDetector.LOOKS
                    + " steps, not " + newWindow + ".");
        }
        window = newWindow;
        return this;
    }

    /** Sets the share of the loss below which progress is none; default {@value #DEFAULT_SMALLEST_FALL}, 0 or more. */
    public SaddleListener smallestFall(double share) {
        if (!(share >= 0 && share < 1)) {
            throw new IllegalArgumentException(
                    "The smallest fall of a SaddleListener is a share of the loss in [0, 1), not " + share + ".");
        }
        watch = new StagnationDetector(share);
        return this;
    }

    /**
     * Sets below what a gradient norm on the probe batch counts as zero; default (NaN) as in {@link CriticalPointReport},
     * which is strict for training by noisy batches.
     */
    public SaddleListener gradientTolerance(double tolerance) {
        gradientTolerance = tolerance;
        return this;
    }

    /** Leaves the updaters' state as it is after a step. */
    public SaddleListener keepUpdaterState() {
        keepsState = true;
        return this;
    }

    @Override
    public Statistics statistics() {
        return new Statistics(probes, stepsTaken, gradientEvaluations);
    }

    /** Returns what was found so far, oldest first. */
    public List<Finding> findings() {
        return List.copyOf(findings);
    }

    @Override
    int rank() {
        return 1;
    }

    @Override
    public void onBackwardPass(Model current) {
        if (one.responsibleFor(current) == null) {
            return;
        }
        if (batch == null) {
            batch = new KeptBatch(current);
        }
        batch.keep();
    }

    @Override
    public void onGradientCalculation(Model current) {
        keepOrder(current);
        if (one.responsibleFor(current) == null || batch == null) {
            return;
        }
        model = current;
        batch.begin();
        due = false;
        if (steps++ % (window / StagnationDetector.LOOKS) == 0) {
            INDArray gradient = current.getGradientsViewArray();
            gradient = gradient.reshape(gradient.length());
            double norm = Math.sqrt(Nd4j.getBlasWrapper().dot(gradient, gradient));
            due = watch.observe(current.score(), norm) && steps >= quietUntil;
        }
    }

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        if (!due || blind) {
            if (batch != null) {
                batch.end();
            }
            return;
        }
        due = false;
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray update = current.getGradientsViewArray().dup();
            try {
                probeAndGoOn(iteration);
            } finally {
                current.getGradientsViewArray().assign(update);
                batch.putBack();
                batch.end();
                watch.clear();
            }
        }
    }

    /** Probes, and where that fails probes no more: no training ends because of it. */
    private void probeAndGoOn(int iteration) {
        INDArray before = model.params().dup();
        try {
            probe(iteration);
        } catch (RuntimeException e) {
            blind = true;
            model.params().assign(before);
            log.warn(
                    "The probe at iteration {} failed, and there will be no more; training goes on: {}",
                    iteration,
                    e.toString());
        }
    }

    private void probe(int iteration) {
        NetworkObjective objective = probe.apply(model).inDouble();
        SubspaceStep step;
        probes++;
        try {
            step = SubspaceStep.from(
                    objective, objective.start(), gradientTolerance, SubspaceStep.DEFAULT_MAX_PRODUCTS, steps);
        } catch (ArithmeticException e) {
            sayOnceThatItIsNotFinite(iteration, e);
            return;
        } finally {
            gradientEvaluations += objective.gradientEvaluations();
        }
        boolean found = step.kind() != SubspaceStep.Kind.NONE;
        boolean taken = found && take(step, objective);
        if (!taken) {
            wait = Math.min(2 * wait, LONGEST_WAIT);
            quietUntil = steps + (long) wait * window;
        } else {
            if (!keepsState) {
                UpdaterReset.reset(model);
            }
            wait = 1;
            stepsTaken++;
        }
        if (found && !taken) {
            log.info(
                    "Training stands still at iteration {}, and the step away from there that was found lowers the loss no"
                            + " more within the weight constraints: it was not taken.",
                    iteration);
            return;
        }
        Finding finding = new Finding(
                iteration, step.report(), step.kind(), step.report().value(), step.value(), sentence(iteration, step));
        findings.add(finding);
        log.info(finding.sentence());
    }

    /** Takes a step, unless what weight constraints leave of it is worth nothing. */
    private boolean take(SubspaceStep step, NetworkObjective objective) {
        INDArray parameters = model.params().reshape(step.point().length());
        INDArray before = parameters.dup();
        parameters.assign(step.point());
        CurrentBatch constrained = new CurrentBatch(model);
        if (!constrained.isConstrained()) {
            return true;
        }
        constrained.project();
        if (objective.value(parameters.castTo(objective.dataType()))
                < step.report().value()) {
            return true;
        }
        parameters.assign(before);
        return false;
    }

    private String sentence(int iteration, SubspaceStep step) {
        String verdict = step.report().verdict() == Verdict.NOT_CRITICAL
                ? step.report()
                        .toString()
                        .replaceFirst(Verdict.NOT_CRITICAL.inWords(), "a plateau without a critical point")
                : step.report().toString();
        String action = switch (step.kind()) {
            case NONE -> "no step" + String.format(Locale.ROOT, "; next look after %,d steps", (long) wait * window);
            case SECOND_ORDER -> action("second", step);
            case THIRD_ORDER -> action("third", step);
        };
        return String.format(
                Locale.ROOT,
                "Training stands still at iteration %d (loss %.5g, then %.5g). On the %,d examples of the probe batch this is"
                        + " %s. %s.",
                iteration,
                watch.firstLoss(),
                watch.secondLoss(),
                examples,
                verdict,
                Character.toUpperCase(action.charAt(0)) + action.substring(1));
    }

    private String action(String order, SubspaceStep step) {
        return String.format(
                Locale.ROOT,
                "%s-order step of length %.3g: loss %.5g to %.5g, updater state %s",
                order,
                step.length(),
                step.report().value(),
                step.value(),
                keepsState ? "kept" : "reset");
    }

    private void sayOnceThatItIsNotFinite(int iteration, ArithmeticException e) {
        if (!saidNotFinite) {
            saidNotFinite = true;
            log.warn("The probe at iteration {} saw nothing: {} Said once.", iteration, e.getMessage());
        }
    }
}
