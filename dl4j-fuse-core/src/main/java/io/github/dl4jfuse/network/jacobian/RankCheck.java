package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonStep;
import io.github.dl4jfuse.optim.gaussnewton.GramSpectrum;
import io.github.dl4jfuse.optim.gaussnewton.LossForecast;
import io.github.dl4jfuse.optim.gaussnewton.OutputJacobian;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;

/**
 * What the adapted flow will do, looked up before it is started: whether the output Jacobian D has full rank on a sample of the
 * data, what loss can be expected when, and what that costs.
 *
 * <pre>
 *   System.out.println(RankCheck.of(net, data));
 * </pre>
 *
 * <p>Full rank on a sample is necessary for full rank on the whole, not sufficient. The network is not changed.
 *
 * @param examples examples of the sample
 * @param outputs outputs of each
 * @param of examples there are
 * @param loss the sample's loss now
 * @param spectrum of D D' on the sample
 * @param time t at which the loss is down to the target
 * @param steps Euler steps of size eta until then
 * @param seconds the same in seconds, by the time that one Jacobian and one solution took here
 * @param target the target
 * @param eta the step size
 */
public record RankCheck(
        int examples,
        int outputs,
        int of,
        double loss,
        GramSpectrum spectrum,
        double time,
        double steps,
        double seconds,
        double target,
        double eta) {

    /** Most rows (examples times outputs) that are looked at; all of them for a loss with a geometry of its own. */
    public static final int ROWS = 400;

    /** Step size unless given. */
    public static final double DEFAULT_ETA = 0.1;

    /** Target unless given, as a share of the loss now. */
    public static final double DEFAULT_TARGET = 1e-4;

    /** Looks at as many of the first examples as there is time for; target and step size are the defaults. */
    public static RankCheck of(Model model, DataSet data) {
        return of(model, data, DEFAULT_TARGET, DEFAULT_ETA);
    }

    /**
     * Looks at as many of the first examples as there is time for.
     *
     * @param share target, as a share of the loss now, in (0, 1)
     * @param eta Euler's step size, in (0, 1]
     */
    public static RankCheck of(Model model, DataSet data, double share, double eta) {
        if (!(share > 0 && share < 1 && eta > 0 && eta <= 1)) {
            throw new IllegalArgumentException("RankCheck: the target is a share of the loss in (0, 1), not " + share
                    + ", and eta lies in (0, 1], not at " + eta + ".");
        }
        NetworkOutputs all = new NetworkOutputs(model, data);
        return of(all.first(ROWS), all.examples(), share, eta);
    }

    /** The same of outputs that are there already; {@code of} is the number of all examples. */
    public static RankCheck of(NetworkOutputs model, int of, double share, double eta) {
        OutputLoss loss = model.loss();
        long begin = System.nanoTime();
        OutputLoss.Local local = loss.at(model.outputs(model.start()));
        if (!Double.isFinite(local.value())) {
            throw new IllegalStateException("The loss of the sample is " + local.value()
                    + ": look for bad values in the data, or broken parameters.");
        }
        OutputJacobian jacobian = model.linearise(model.start());
        GaussNewtonStep step = new GaussNewtonStep(jacobian, local, model.parameters());
        step.damped(Math.max(Double.MIN_NORMAL, GaussNewtonStep.DEFAULT_CUT * step.meanEigenvalue()), null);
        double each = (System.nanoTime() - begin) / 1e9;
        double unit = model.dataType() == DataType.DOUBLE ? Math.ulp(0.5) : Math.ulp(0.5f);
        GramSpectrum spectrum = GramSpectrum.of(jacobian, local, model.parameters(), unit, GaussNewtonStep.DEFAULT_CUT);
        LossForecast forecast = new LossForecast(loss, local, spectrum.irreducible());
        double target = share * local.value();
        double steps = forecast.stepsTo(target, eta);
        return new RankCheck(
                model.examples(),
                model.outputsPerExample(),
                of,
                local.value(),
                spectrum,
                forecast.timeTo(target),
                steps,
                steps * each,
                target,
                eta);
    }

    @Override
    public String toString() {
        String size = String.format(
                Locale.ROOT,
                "%,d of %,d examples with %,d outputs: %,d equations, %,d parameters, %s.",
                examples,
                of,
                outputs,
                spectrum.rows(),
                spectrum.parameters(),
                spectrum.isOverparametrised() ? "overparametrised" : "underparametrised");
        String rank = spectrum.meetsRankCondition()
                ? String.format(
                        Locale.ROOT,
                        " The rank condition is met (rank %,d, eigenvalues %.3g to %.3g, condition %.3g): any labels can be"
                                + " fitted on this sample, and the flow's loss falls at the known rate.",
                        spectrum.numericalRank(),
                        spectrum.smallest(),
                        spectrum.largest(),
                        spectrum.condition())
                : String.format(
                        Locale.ROOT,
                        " The rank condition is NOT met: numerical rank %,d of %,d. About %.3g %% of the loss is out of"
                                + " reach as things stand. %s",
                        spectrum.numericalRank(),
                        spectrum.rows(),
                        100 * spectrum.irreducible(),
                        spectrum.isOverparametrised()
                                ? "Look for duplicate inputs with different labels, dead units, layers that are too"
                                        + " narrow, or inputs of very different scale."
                                : "A wider network, or fewer examples at a time, would change that.");
        String course = Double.isInfinite(steps)
                ? String.format(Locale.ROOT, " A loss of %.3g (now %.3g) is not reached.", target, loss)
                : String.format(
                        Locale.ROOT,
                        " From %.3g to %.3g at t = %.2f: %,.0f steps of eta = %s, about %.2g s.",
                        loss,
                        target,
                        time,
                        steps,
                        eta,
                        seconds);
        return size + rank + course;
    }
}
