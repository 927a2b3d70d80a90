package io.github.dl4jfuse.step;

import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.SoftmaxLoss;
import io.github.dl4jfuse.updater.GaussNewton;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gauss-Newton steps on a fixed batch ({@link GaussNewtonDescent}), before L-BFGS takes over: where a loss is a sum of squares
 * of few outputs, they need a tenth of the steps. Each is made on all examples if these have up to {@value #ALL_ROWS}
 * outputs, and else on examples drawn anew, with {@value #DRAWN_ROWS} outputs.
 *
 * <p>A round of {@value #STEPS} steps stands only if it has lowered the loss of the whole batch. After {@value #PATIENCE} rounds
 * in a row that have taken less than {@value #WORTH} of it, L-BFGS goes on.
 */
public final class GaussNewtonRounds {

    /** Most outputs of a batch that are solved for all at once. */
    static final int ALL_ROWS = 350;

    /** Number of outputs, otherwise. */
    static final int DRAWN_ROWS = 100;

    /** Steps between two looks at the whole batch. */
    static final int STEPS = 9;

    /** Rounds in a row without success after which the phase ends. */
    static final int PATIENCE = 3;

    /** Share of the loss that a round is expected to take. */
    static final double WORTH = 0.25;

    private static final long SEED = 1; // of the draws: two equal trainings are equal

    private static final Logger log = LoggerFactory.getLogger(GaussNewtonRounds.class);

    private final CurrentBatch batch;
    private final NetworkOutputs outputs;
    private final int examples;
    private final GaussNewtonDescent descent;
    private final Random draws = new Random(SEED);
    private int failures;

    private GaussNewtonRounds(CurrentBatch batch, NetworkOutputs outputs, int examples) {
        this.batch = batch;
        this.outputs = outputs;
        this.examples = examples;
        descent = new GaussNewtonDescent(batch, GaussNewton.DEFAULT_DAMPING, 0);
    }

    /**
     * Returns a phase for the batch in hand, or null where L-BFGS is the better choice: the loss is no sum of squares, or is not
     * understood, has too many outputs, is more than a sum over the outputs (l1, l2), or there is not enough memory.
     *
     * @param value the objective at the present parameters
     * @param rounding its relative error
     */
    static GaussNewtonRounds on(CurrentBatch batch, double value, double rounding) {
        try {
            batch.requireReplaceable("Gauss-Newton", true);
            NetworkOutputs all = batch.outputs();
            int rows = all.rows() <= ALL_ROWS ? all.rows() : DRAWN_ROWS;
            int examples = rows / all.outputsPerExample();
            boolean few = examples < all.examples()
                    && (examples < GaussNewtonDescent.ENOUGH_EXAMPLES || all.hasOwnGeometry());
            if (few
                    || all.loss() instanceof SoftmaxLoss
                    || !all.withoutFormula().isEmpty()) {
                return null;
            }
            all.first(rows).requireMemory();
            GaussNewtonRounds phase = new GaussNewtonRounds(batch, all, examples);
            double understood = phase.value();
            if (!(Math.abs(understood - value) <= 100 * rounding * Math.abs(value))) {
                return null;
            }
            log.info(
                    "The loss is a sum of few squares: Gauss-Newton steps on {} of its {} examples come first, and L-BFGS when"
                            + " they lower it no more.",
                    examples,
                    all.examples());
            return phase;
        } catch (IllegalStateException e) {
            log.debug("No Gauss-Newton steps: {}", e.getMessage());
            return null;
        } catch (RuntimeException e) { // they are an offer: whatever they stumble over, training goes on
            log.info("No Gauss-Newton steps on this batch, L-BFGS begins at once: {}", e.toString());
            return null;
        }
    }

    /** Returns the loss of the whole batch at the present parameters. */
    private double value() {
        return outputs.loss().at(outputs.outputs(batch.parameters())).value();
    }

    /** Returns whether it is time for L-BFGS. */
    boolean isOver() {
        return failures >= PATIENCE;
    }

    /**
     * Makes a round of steps.
     *
     * @param startValue the loss of the whole batch where it starts
     * @return the loss of the whole batch where it ends
     */
    double round(double startValue, CurvatureCounters counter) {
        INDArray start = batch.parameters().dup();
        double endValue = Double.NaN;
        try {
            makeSteps(counter);
            endValue = value();
        } finally {
            if (!(endValue < startValue)) {
                descent.takeBack(start);
            }
        }
        failures = endValue <= (1 - WORTH) * startValue ? 0 : failures + 1;
        return endValue < startValue ? endValue : startValue;
    }

    private void makeSteps(CurvatureCounters counter) {
        for (int i = 0; i < STEPS; i++) {
            INDArray direction = descent.direction(GaussNewtonDescent.drawn(outputs, examples, draws));
            if (direction == null) {
                break;
            }
            Nd4j.getBlasWrapper().level1().axpy(direction.length(), -1, direction, batch.parameters());
            descent.judge(examples == outputs.examples() && i < STEPS - 1);
            counter.gaussNewtonSteps++;
        }
    }
}
