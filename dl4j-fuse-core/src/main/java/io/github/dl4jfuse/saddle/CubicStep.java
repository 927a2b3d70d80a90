package io.github.dl4jfuse.saddle;

/**
 * The global minimiser of a cubic-regularised quadratic model,
 *
 * <pre>
 *   m(s) = g·s + ½ sᵀHs + (R/6) |s|³
 * </pre>
 *
 * (Nesterov, Polyak, Mathematical Programming 108 (2006) 177-205), in coordinates in which H = diag(λ). It is s = -(H + σI)⁻¹g with σ = R|s|/2 and
 * H + σI positive semidefinite. In the hard case, where g has no component along the lowest eigenvectors and the s of σ = -λ₁ is too short,
 * a multiple of the lowest eigenvector makes up the length; either sign is a minimiser, and plus is taken.
 *
 * @param step s
 * @param length |s|
 * @param decrease -m(s), never negative
 * @param hardCase whether the lowest eigenvector had to make up the length
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record CubicStep(double[] step, double length, double decrease, boolean hardCase) {

    private static final int BISECTIONS = 300;
    private static final double SMALLEST_SHIFT = 1e-30;

    /**
     * Minimises the model.
     *
     * @param eigenvalues λ, ascending
     * @param gradient g in the same coordinates
     * @param regularisation R, more than 0
     */
    static CubicStep minimise(double[] eigenvalues, double[] gradient, double regularisation) {
        if (!(regularisation > 0)) {
            throw new IllegalArgumentException(
                    "The regularisation R of a cubic step must be more than 0, not " + regularisation + ".");
        }
        double lowest = eigenvalues[0];
        double from = Math.max(0, -lowest);
        // λᵢ + σ = above[i] + δ with σ = from + δ: exact for the smallest δ, where the hard case is near.
        double[] above = new double[eigenvalues.length];
        for (int i = 0; i < above.length; i++) {
            above[i] = from > 0 ? eigenvalues[i] - lowest : eigenvalues[i];
        }
        double scale = Math.max(Math.abs(lowest), Math.abs(eigenvalues[eigenvalues.length - 1]));
        double norm = norm(gradient);
        double high = Math.max(scale, Math.sqrt(regularisation * norm)) + norm + 1;
        while (excess(above, gradient, from, high, regularisation) > 0) {
            high *= 2;
        }
        double low = SMALLEST_SHIFT * Math.min(1, high);
        boolean hardCase = !(excess(above, gradient, from, low, regularisation) > 0);
        double shift = low;
        if (!hardCase) {
            double logLow = Math.log(low);
            double logHigh = Math.log(high);
            for (int i = 0; i < BISECTIONS && logHigh - logLow > Math.ulp(Math.abs(logHigh)); i++) {
                double middle = (logLow + logHigh) / 2;
                if (excess(above, gradient, from, Math.exp(middle), regularisation) > 0) {
                    logLow = middle;
                } else {
                    logHigh = middle;
                }
            }
            shift = Math.exp((logLow + logHigh) / 2);
        }
        double[] s = solve(above, gradient, shift);
        if (hardCase) {
            double length = 2 * from / regularisation;
            double rest = norm(s);
            double missing = Math.sqrt(Math.max(0, length * length - rest * rest));
            s[0] += gradient[0] > 0 ? -missing : missing;
            hardCase = missing > 0;
        }
        double length = norm(s);
        double model = regularisation / 6 * length * length * length;
        for (int i = 0; i < s.length; i++) {
            model += gradient[i] * s[i] + eigenvalues[i] / 2 * s[i] * s[i];
        }
        return new CubicStep(s, length, Math.max(0, -model), hardCase);
    }

    /** |s(σ)| - 2σ/R, which falls with δ. */
    private static double excess(double[] above, double[] g, double from, double shift, double regularisation) {
        return norm(solve(above, g, shift)) - 2 * (from + shift) / regularisation;
    }

    private static double[] solve(double[] above, double[] g, double shift) {
        double[] s = new double[g.length];
        for (int i = 0; i < s.length; i++) {
            s[i] = g[i] == 0 ? 0 : -g[i] / (above[i] + shift);
        }
        return s;
    }

    private static double norm(double[] s) {
        double squares = 0;
        for (double each : s) {
            squares += each * each;
        }
        return Math.sqrt(squares);
    }
}
