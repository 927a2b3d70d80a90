package io.github.dl4jfuse.saddle;

import java.util.Random;

/**
 * The largest subspace spanned by the lowest eigenvectors in which the third derivative can win against the curvature
 * (Anandkumar, Ge, COLT 2016, algorithm 2), and a direction in it (algorithm 3). With λ₁ ≥ .. ≥ λ_n here,
 *
 * <pre>
 *   S = span(v_i, .., v_n) for the first i with C² / (12 L Q²) ≥ λ_i,   C = |T restricted to S|, Frobenius
 * </pre>
 *
 * @param from i, counted from 0; n if there is no such subspace
 * @param norm C; 0 if there is none
 */
record CompetitiveSubspace(int from, double norm) {

    /** B of algorithm 3: a direction is drawn anew until |T(u,u,u)| ≥ C / B. The paper leaves the number open. */
    static final double DEFAULT_B = 1;

    private static final int MOST_DRAWS = 1_000;

    /**
     * Algorithm 2.
     *
     * @param descending λ, largest first
     * @param tensor T in the eigenvectors in the same order
     * @param lipschitz L
     * @param q Q
     */
    static CompetitiveSubspace find(double[] descending, CubicTensor tensor, double lipschitz, double q) {
        double[] norms = tensor.tailNorms();
        for (int i = 0; i < norms.length; i++) {
            if (norms[i] * norms[i] / (12 * lipschitz * q * q) >= descending[i]) {
                return new CompetitiveSubspace(i, norms[i]);
            }
        }
        return new CompetitiveSubspace(norms.length, 0);
    }

    /**
     * Algorithm 3: a unit vector in S, in the coordinates of the tensor, with T(u,u,u) ≤ -C / (B n^1.5). After {@value
     * #MOST_DRAWS} draws the best so far is taken.
     */
    double[] direction(CubicTensor tensor, double b, Random random) {
        int n = tensor.size();
        double[] best = null;
        double bestCube = 0;
        for (int draw = 0; draw < MOST_DRAWS; draw++) {
            double[] u = new double[n];
            double squares = 0;
            for (int i = from; i < n; i++) {
                u[i] = random.nextGaussian();
                squares += u[i] * u[i];
            }
            double cube = tensor.cube(u);
            boolean enough = Math.abs(cube) >= norm / b;
            double scale = (cube > 0 ? -1 : 1) / Math.sqrt(squares);
            double unitCube = Math.abs(cube * scale * scale * scale);
            if (best == null || enough || unitCube > bestCube) {
                bestCube = unitCube;
                for (int i = from; i < n; i++) {
                    u[i] *= scale;
                }
                best = u;
            }
            if (enough) {
                break;
            }
        }
        return best;
    }
}
