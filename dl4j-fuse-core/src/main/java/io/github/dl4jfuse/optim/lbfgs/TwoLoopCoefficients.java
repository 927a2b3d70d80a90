package io.github.dl4jfuse.optim.lbfgs;

import java.util.Arrays;

/**
 * The direction -H g = c g + Σ a<sub>i</sub> s<sub>i</sub> + Σ b<sub>i</sub> y<sub>i</sub>: the two-loop recursion on coefficients.
 *
 * @param ofGradient c
 * @param ofSteps a<sub>i</sub>, slot by slot
 * @param ofChanges b<sub>i</sub>, slot by slot
 */
record TwoLoopCoefficients(double ofGradient, double[] ofSteps, double[] ofChanges) {

    /**
     * Runs the recursion.
     *
     * @param slots of the pairs, newest first; at least one
     * @param sy s<sub>i</sub>·y<sub>j</sub> where j is not older than i
     * @param yy y<sub>i</sub>·y<sub>j</sub>, likewise
     * @param sg s<sub>i</sub>·g
     * @param yg y<sub>i</sub>·g
     */
    static TwoLoopCoefficients of(int[] slots, double[][] sy, double[][] yy, double[] sg, double[] yg) {
        double[] cs = new double[sg.length];
        double[] cy = new double[sg.length];
        double[] alpha = new double[sg.length];
        for (int age = 0; age < slots.length; age++) {
            int i = slots[age];
            double sq = -sg[i];
            for (int newer = 0; newer < age; newer++) {
                int j = slots[newer];
                sq += cy[j] * sy[i][j];
            }
            alpha[i] = sq / sy[i][i];
            cy[i] = -alpha[i];
        }
        int newest = slots[0];
        double gamma = sy[newest][newest] / yy[newest][newest];
        double cg = -gamma;
        Arrays.setAll(cy, i -> cy[i] * gamma);
        for (int age = slots.length - 1; age >= 0; age--) {
            int i = slots[age];
            double yq = cg * yg[i];
            for (int other = 0; other < slots.length; other++) {
                int j = slots[other];
                yq += other > age ? cy[j] * yy[j][i] + cs[j] * sy[j][i] : cy[j] * yy[i][j];
            }
            cs[i] = alpha[i] - yq / sy[i][i];
        }
        return new TwoLoopCoefficients(cg, cs, cy);
    }
}
