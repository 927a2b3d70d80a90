package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.jacobian.CurrentBatch;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.network.jacobian.RankCheck;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.optim.gaussnewton.OutputPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the geometry of the outputs during any training, whatever the optimiser: now and then it looks at the first
 * batch that it saw, computes the spectrum of D D' there ({@link RankCheck}), how fast the loss really falls, and how straight
 * the outputs run to their goal. Reports go to the log and to {@link #reports}. The training is not changed by it, bit for bit.
 *
 * <p>Each step costs a forward pass on the examples that are watched, for the path. A look takes one Jacobian and the
 * eigenvalues of a matrix of as many rows as examples times outputs, at most {@value RankCheck#ROWS}: of a larger batch the first
 * examples are watched. What it does not understand, or what goes wrong in a look, is said once in the log, and the training goes
 * on without it. One for each network. Not thread-safe.
 */
public final class GeometryListener extends ModelListener {

    /** Steps between two looks. */
    public static final int DEFAULT_EVERY = 100;

    private static final Logger log = LoggerFactory.getLogger(GeometryListener.class);

    /**
     * A look.
     *
     * @param iteration steps done
     * @param check rank, spectrum, predicted steps and seconds from here to {@value RankCheck#DEFAULT_TARGET} of the present
     *     loss
     * @param predictedRate of the adapted flow by Euler steps of size eta: by how much log C falls in a step
     * @param measuredRate by how much log C fell per step since the last look; NaN at the first
     * @param deviation distance of the outputs' path from a straight line, see {@link OutputPath#relativeDeviation}
     */
    public record Report(int iteration, RankCheck check, double predictedRate, double measuredRate, double deviation) {

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "Geometry after %,d steps: loss %.4g, rank %,d of %,d (%s), eigenvalues %.3g to %.3g, condition %.3g;"
                            + " log of the loss falls by %.3g per step (adapted flow: %.3g); %.3g from a straight path.",
                    iteration,
                    check.loss(),
                    check.spectrum().numericalRank(),
                    check.spectrum().rows(),
                    check.spectrum().isOverparametrised() ? "overparametrised" : "underparametrised",
                    check.spectrum().smallest(),
                    check.spectrum().largest(),
                    check.spectrum().condition(),
                    measuredRate,
                    predictedRate,
                    deviation);
        }
    }

    /**
     * What happened so far.
     *
     * @param forwardPasses looks at the outputs, on the examples that are watched
     */
    public record Statistics(long forwardPasses) implements OptimizerReport {}

    private final int every;
    private final double eta;
    private final List<Report> reports = new ArrayList<>();
    private final OneNetwork<GeometryListener> one = new OneNetwork<>(this);
    private CurrentBatch batch;
    private NetworkOutputs watched;
    private OutputLoss loss;
    private OutputPath path;
    private boolean blind;
    private long forwardPasses;

    /** Every {@value #DEFAULT_EVERY} steps, predictions for Euler steps of {@value RankCheck#DEFAULT_ETA}. */
    public GeometryListener() {
        this(DEFAULT_EVERY, RankCheck.DEFAULT_ETA);
    }

    /**
     * With settings.
     *
     * @param every steps between two looks, 1 or more
     * @param eta step size that predictions are made for, in (0, 1)
     */
    public GeometryListener(int every, double eta) {
        if (every < 1 || !(eta > 0 && eta < 1)) {
            throw new IllegalArgumentException("GeometryListener: every must be at least 1, not " + every
                    + ", and eta in (0, 1), not " + eta + ".");
        }
        this.every = every;
        this.eta = eta;
    }

    @Override
    public Statistics statistics() {
        return new Statistics(forwardPasses);
    }

    /** Returns the reports so far, oldest first. */
    public List<Report> reports() {
        return List.copyOf(reports);
    }

    @Override
    int rank() {
        return 2;
    }

    @Override
    public void onBackwardPass(Model current) {
        if (one.responsibleFor(current) == null) {
            return;
        }
        if (batch == null) {
            batch = new CurrentBatch(current);
        }
        if (watched == null && !blind) {
            batch.batch().keep();
        }
    }

    /** Looks, and where that fails looks no more: no training ends because of it. */
    private void guarded(Runnable look) {
        try {
            look.run();
        } catch (RuntimeException e) {
            blind = true;
            watched = null;
            log.warn("GeometryListener sees nothing more of this training, which goes on: {}", e.toString());
        }
    }

    /** The first batch that it trains on: a backward pass may be one that the user asked for, on whatever data. */
    @Override
    public void onGradientCalculation(Model current) {
        keepOrder(current);
        if (watched == null && batch != null && !blind) {
            guarded(this::begin);
        }
    }

    private void begin() {
        batch.batch().begin();
        NetworkOutputs first;
        try {
            NetworkOutputs all = batch.outputs();
            all.requireLoss(batch.comparableLoss());
            first = all.first(RankCheck.ROWS);
        } finally {
            batch.batch().end();
        }
        loss = first.loss();
        path = new OutputPath(loss.at(first.outputs(first.start())).coordinates(), loss.goal());
        watched = first; // only now: what went wrong above is tried again
    }

    @Override
    public void iterationDone(Model current, int iteration, int epoch) {
        if (watched != null && one.responsibleFor(current) != null) {
            guarded(() -> look(iteration));
        }
    }

    private void look(int iteration) {
        forwardPasses++;
        OutputLoss.Local local = loss.at(watched.outputs(watched.start()));
        if (!Double.isFinite(local.value())) {
            return; // nothing to learn about a broken network
        }
        path.add(local.coordinates());
        if (!reports.isEmpty() && iteration % every != 0) {
            return;
        }
        RankCheck check = RankCheck.of(watched, watched.examples(), RankCheck.DEFAULT_TARGET, eta);
        Report last = reports.isEmpty() ? null : reports.get(reports.size() - 1);
        double measured = last == null
                ? Double.NaN
                : Math.log(last.check().loss() / check.loss()) / Math.max(1, iteration - last.iteration());
        Report report = new Report(iteration, check, -2 * Math.log1p(-eta), measured, path.relativeDeviation());
        reports.add(report);
        log.info("{}", report);
    }
}
