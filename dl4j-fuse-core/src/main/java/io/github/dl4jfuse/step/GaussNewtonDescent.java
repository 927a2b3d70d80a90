package io.github.dl4jfuse.step;

import io.github.dl4jfuse.linalg.DeviceSums;
import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonStep;
import io.github.dl4jfuse.optim.gaussnewton.LevenbergMarquardt;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.optim.gaussnewton.ResidualModel;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Damped Gauss-Newton steps of a network, each on examples of its own ({@link GaussNewtonStep}): {@link #direction} before the
 * parameters move, {@link #judge} after.
 *
 * <p>A step that does not lower the loss of its examples is undone at once. When the next examples come, their loss before and
 * after the step says what it is worth on data that it was not made for; if both together have lost by it, it is undone then.
 * The damping follows Levenberg and Marquardt by the actual over the predicted reduction, and where examples differ also by a
 * running average of what the steps did to the next ones, so that fitting the examples in hand alone does not count
 * ({@link LevenbergMarquardt}). A few examples say too little for that: where they differ from step to step, the damping of a step on b of
 * them is at least {@value #FEW_EXAMPLES_DAMPING} ({@value #ENOUGH_EXAMPLES} / b - 1). That is ours; it costs two forward
 * passes for each step.
 */
public final class GaussNewtonDescent {

    /** Where conjugate gradients end. */
    static final double CG_TOLERANCE = 1e-2;

    /** Most conjugate-gradient steps, where no matrix is formed. */
    static final int CG_LIMIT = 30;

    /** Examples of a step from which on its damping is left to Levenberg and Marquardt. */
    public static final int ENOUGH_EXAMPLES = 25;

    /** Least damping of a step on b of them, where examples differ: this times ({@value #ENOUGH_EXAMPLES} / b - 1). */
    static final double FEW_EXAMPLES_DAMPING = 0.1;

    private static final double SAME_DATA = 1e-9;

    /** Squared sine of an angle that counts as none; above the rounding of float. */
    private static final double SAME_DIRECTION = 1e-5;

    private final CurrentBatch batch;
    private final LevenbergMarquardt damping;
    private final double momentum;
    private Attempt attempt;
    private Taken last;
    private ResidualModel.Expansion ahead; // at the present parameters, on the same examples; or null
    private INDArray earlier;
    private boolean examplesDiffer = true; // until it is known
    private double least;
    private long steps;
    private long undone;
    private String obstacle = "";

    /** A step under way. */
    private record Attempt(
            NetworkOutputs outputs,
            OutputLoss loss,
            double value,
            INDArray start,
            GaussNewtonStep step,
            GaussNewtonStep.Solution solution) {}

    /** The last step: where it began, the loss of its examples there, what it took from it, and the parameters' squares since. */
    private record Taken(
            NetworkOutputs outputs, INDArray start, double value, double reduction, double predicted, double squares) {

        /** Returns the loss of some examples where the step began. */
        double valueOn(NetworkOutputs others, OutputLoss loss) {
            return others == outputs ? value : loss.at(others.outputs(start)).value();
        }
    }

    /**
     * Begins.
     *
     * @param lambda relative damping at the start
     * @param momentum in batch space, from 0 to below 1
     */
    public GaussNewtonDescent(CurrentBatch batch, double lambda, double momentum) {
        this.batch = batch;
        this.momentum = momentum;
        double smallest = GaussNewtonSolver.smallestDamping(batch.dataType());
        damping = new LevenbergMarquardt(Math.max(smallest, lambda), smallest);
    }

    /** Returns some examples of a batch, drawn without replacement; all if there are no more, or the loss needs them all. */
    public static NetworkOutputs drawn(NetworkOutputs all, int examples, Random draws) {
        return all.examples() <= examples || all.hasOwnGeometry()
                ? all
                : all.some(
                        draws.ints(0, all.examples()).distinct().limit(examples).toArray());
    }

    /** Returns the relative damping λ. */
    public double lambda() {
        return Math.max(least, damping.lambda());
    }

    /** Returns the number of steps that stand. */
    public long steps() {
        return steps;
    }

    /** Returns the number of steps that were taken back. */
    public long undone() {
        return undone;
    }

    /** Returns why there was no {@link #direction}, in words. */
    public String obstacle() {
        return obstacle;
    }

    /**
     * Returns what to subtract from the parameters, after having taken back the last step where it was worth nothing on these
     * examples; null, and {@link #judge} does nothing, if there is an {@link #obstacle}.
     */
    public INDArray direction(NetworkOutputs outputs) {
        attempt = null;
        OutputLoss loss = outputs.loss();
        Taken taken = last != null && last.squares() == squares() ? last : null; // else somebody has moved on from it
        last = null;
        double before = taken == null ? Double.NaN : taken.valueOn(outputs, loss);
        INDArray start = batch.parameters().dup();
        ResidualModel.Expansion here = ahead != null ? ahead : outputs.expand(start);
        ahead = null;
        OutputLoss.Local local = loss.at(here.outputs());
        if (!Double.isFinite(local.value())) {
            obstacle = "its loss is " + local.value();
            return null;
        }
        if (taken != null && !isWorthKeeping(taken, before, local.value())) {
            steps--;
            takeBack(taken.start());
            start = taken.start();
            here = outputs.expand(start);
            local = loss.at(here.outputs());
        }
        least = examplesDiffer
                ? FEW_EXAMPLES_DAMPING * Math.max(0, ENOUGH_EXAMPLES / (double) outputs.examples() - 1)
                : 0;
        GaussNewtonStep step =
                new GaussNewtonStep(here.jacobian(), local, outputs.parameters(), null, CG_TOLERANCE, CG_LIMIT);
        GaussNewtonStep.Solution solution = solve(step);
        if (solution == null) {
            obstacle = "no parameter has an influence on its outputs";
            return null;
        }
        attempt = new Attempt(outputs, loss, local.value(), start, step, solution);
        return solution.direction();
    }

    /** Looks at what the last step did to these examples, which it was not made for, and sets the damping by it. */
    private boolean isWorthKeeping(Taken taken, double before, double now) {
        double reduction = before - now;
        examplesDiffer = !(Math.abs(before - taken.value()) <= SAME_DATA * Math.abs(taken.value()));
        if (!examplesDiffer) {
            damping.taken(taken.reduction(), taken.predicted());
        } else if (taken.reduction() + reduction > 0) {
            damping.taken(taken.reduction(), taken.predicted(), reduction);
        } else {
            return false;
        }
        return true;
    }

    private GaussNewtonStep.Solution solve(GaussNewtonStep step) {
        double unit = step.meanEigenvalue();
        if (!(unit > 0) || Double.isInfinite(unit)) {
            return null;
        }
        INDArray ahead = earlier == null ? null : earlier.mul(momentum);
        while (true) {
            GaussNewtonStep.Solution solution = step.damped(lambda() * unit, ahead);
            if (solution != null || damping.isLargest()) {
                return solution;
            }
            damping.rejected();
        }
    }

    /**
     * Takes the parameters back if the loss of the step's examples is not lower where they are now.
     *
     * @param goesOn the next {@link #direction} is wanted on the same examples, before the parameters move
     */
    public void judge(boolean goesOn) {
        Attempt made = attempt;
        attempt = null;
        if (made == null) {
            return;
        }
        batch.project();
        INDArray now = batch.parameters();
        double value = Double.NaN;
        try {
            ahead = goesOn ? made.outputs().expand(now) : null;
            double[] outputs = goesOn ? ahead.outputs() : made.outputs().outputs(now);
            value = made.loss().at(outputs).value();
        } finally {
            if (!(value < made.value())) {
                takeBack(made.start());
            }
        }
        if (!(value < made.value())) {
            return;
        }
        steps++;
        last = taken(made, value, now);
        earlier = momentum > 0 ? made.solution().direction() : null;
    }

    /** Returns what the step was, with the predicted reduction of one as long as the updater made it. */
    private Taken taken(Attempt made, double value, INDArray now) {
        INDArray direction = made.solution().direction();
        INDArray moved = made.start().sub(now);
        INDArray[] m = {moved};
        INDArray[] d = {direction};
        INDArray[] trained = batch.trained();
        double[] products = DeviceSums.dots(new INDArray[][] {m, m, d, trained}, new INDArray[][] {m, d, d, trained});
        double squares = products[0];
        double eta = products[1] / products[2];
        boolean alongDirection = squares - eta * products[1] <= SAME_DIRECTION * squares;
        double predicted = alongDirection
                ? made.step().predictedReduction(made.solution().image(), eta, made.loss())
                : made.step().predictedReduction(made.step().push(moved), 1, made.loss());
        return new Taken(made.outputs(), made.start(), made.value(), made.value() - value, predicted, products[3]);
    }

    /** Returns the sum of the parameters' squares, to the last bit the same as long as nobody has moved them. */
    private double squares() {
        INDArray[][] trained = {batch.trained()};
        return DeviceSums.dots(trained, trained)[0];
    }

    /** Puts the parameters back to an earlier point, raises the damping, and forgets the steps since. */
    public void takeBack(INDArray point) {
        batch.restore(point);
        damping.rejected();
        earlier = null;
        last = null;
        ahead = null;
        undone++;
    }
}
