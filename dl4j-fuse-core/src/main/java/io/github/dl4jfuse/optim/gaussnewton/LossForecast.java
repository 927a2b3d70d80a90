package io.github.dl4jfuse.optim.gaussnewton;

/**
 * What the loss of an adapted flow will be, known beforehand where D keeps its full rank. With a share f of the squared loss
 * that no step can take away at the start (rank lost), C(t) = C(0) (f + (1 - f) e^(-2t)): a linearised guess, since the range
 * of D turns. Euler steps of size η: k of them take the outputs as far as the time t = -k log(1 - η) does.
 */
public final class LossForecast {

    private static final double LATEST = 1e4;
    private static final int HALVINGS = 200;

    private final OutputLoss loss;
    private final double[] start;
    private final double value;
    private final double irreducible;

    /**
     * Makes a forecast from a point.
     *
     * @param irreducible f, {@link GramSpectrum#irreducible}
     */
    public LossForecast(OutputLoss loss, OutputLoss.Local local, double irreducible) {
        this.loss = loss;
        this.start = local.coordinates().clone();
        this.value = local.value();
        this.irreducible = irreducible;
    }

    /** Returns C(t). */
    public double lossAt(double t) {
        double floor = loss.minimum() + irreducible * (value - loss.minimum());
        return floor + (1 - irreducible) * (loss.forecast(start, t) - loss.minimum());
    }

    /**
     * Returns the time t at which the loss is first down to a target: ½ log(C(0) / target) for the squared loss. In the paper's
     * units s = N t.
     *
     * @return infinite if it never is
     */
    public double timeTo(double target) {
        if (!(lossAt(0) > target)) {
            return 0;
        }
        if (!(lossAt(LATEST) <= target)) {
            return Double.POSITIVE_INFINITY;
        }
        double before = 0;
        double after = LATEST;
        for (int i = 0; i < HALVINGS && after - before > 1e-12 * after; i++) {
            double middle = (before + after) / 2;
            if (lossAt(middle) <= target) {
                after = middle;
            } else {
                before = middle;
            }
        }
        return after;
    }

    /**
     * Returns how many Euler steps of size η take the loss down to a target; at η = 1, where the linearised flow arrives in one
     * step, one.
     */
    public double stepsTo(double target, double eta) {
        double t = timeTo(target);
        return t == 0 ? 0 : Math.max(1, Math.ceil(t / -Math.log1p(-eta)));
    }
}
