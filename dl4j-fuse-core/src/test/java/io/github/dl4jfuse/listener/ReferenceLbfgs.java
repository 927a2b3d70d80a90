package io.github.dl4jfuse.listener;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A second, plain form of the L-BFGS phase on one flat double vector, to compare with: textbook two-loop recursion,
 * every product computed where it is needed, nothing shared with the code under test.
 */
final class ReferenceLbfgs {

    /** Value and gradient at a point. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Evaluation(double value, double[] gradient) {}

    private final int memory;
    private final int maxTrials;
    private final double rounding;
    private final boolean measured;
    private double length = 1;
    private double sumOfWeights;
    private double sumOfInverses;
    /** How many steps were tried first with another length than 1 although there were pairs. */
    int measuredLengths;

    /** How often a pair was damped after a step of another length than 1, where B s is not -g. */
    int dampedOffUnit;

    /** How often no trial step was good enough although there were pairs to drop. */
    int dropped;

    private final List<double[]> s = new ArrayList<>();
    private final List<double[]> y = new ArrayList<>();

    ReferenceLbfgs(int memory, int maxTrials, double rounding) {
        this(memory, maxTrials, rounding, false);
    }

    ReferenceLbfgs(int memory, int maxTrials, double rounding, boolean measured) {
        this.measured = measured;
        this.memory = memory;
        this.maxTrials = maxTrials;
        this.rounding = rounding;
    }

    /** Returns the next point for the batch whose objective is given. */
    double[] step(double[] x, Function<double[], Evaluation> objective) {
        Evaluation start = objective.apply(x);
        double[] g = start.gradient;
        double[] p = twoLoop(g);
        double slope = dot(g, p);
        boolean alongGradient = s.isEmpty();
        double t = alongGradient ? Math.min(1, 1 / Math.sqrt(dot(g, g))) : length;
        measuredLengths += !alongGradient && t != 1 ? 1 : 0;
        for (int trial = 0; trial < maxTrials; trial++) {
            double[] next = add(x, t, p);
            Evaluation there = objective.apply(next);
            if (there.value <= start.value + 1e-4 * t * slope + rounding * Math.abs(start.value)) {
                boolean damped = store(add(next, -1, x), add(there.gradient, -1, g), add(new double[x.length], -t, g));
                dampedOffUnit += damped && t != 1 ? 1 : 0;
                if (measured && !alongGradient) {
                    measure(t, slope, start.value - there.value);
                }
                return next;
            }
            double parabola = -slope * t * t / (2 * (there.value - start.value - slope * t));
            t = Math.max(0.1 * t, Math.min(0.5 * t, parabola));
        }
        dropped += s.isEmpty() ? 0 : 1;
        length /= measured && !alongGradient ? 2 : 1;
        s.clear();
        y.clear();
        return x;
    }

    /** The step that half the promised decrease would end at, from an average of its inverse with the weights .8 and .2. */
    private void measure(double t, double slope, double decrease) {
        sumOfWeights = 0.8 * sumOfWeights + 0.2;
        sumOfInverses = 0.8 * sumOfInverses + 0.2 * 2 * (t + decrease / slope) / (t * t);
        double best = sumOfInverses <= 0 ? Double.POSITIVE_INFINITY : sumOfWeights / sumOfInverses;
        length = Math.min(2 * length, Math.max(length / 2, best));
    }

    private double[] twoLoop(double[] g) {
        double[] q = add(new double[g.length], -1, g);
        int k = s.size();
        double[] alpha = new double[k];
        for (int i = k - 1; i >= 0; i--) {
            alpha[i] = dot(s.get(i), q) / dot(s.get(i), y.get(i));
            q = add(q, -alpha[i], y.get(i));
        }
        if (k > 0) {
            double gamma = dot(s.get(k - 1), y.get(k - 1)) / dot(y.get(k - 1), y.get(k - 1));
            q = add(new double[g.length], gamma, q);
        }
        for (int i = 0; i < k; i++) {
            double beta = dot(y.get(i), q) / dot(s.get(i), y.get(i));
            q = add(q, alpha[i] - beta, s.get(i));
        }
        return q;
    }

    private boolean store(double[] step, double[] change, double[] bs) {
        double sy = dot(step, change);
        double sBs = dot(step, bs);
        double[] kept = change;
        if (sy < 0.2 * sBs) {
            double theta = 0.8 * sBs / (sBs - sy);
            kept = add(add(new double[step.length], theta, change), 1 - theta, bs);
        }
        s.add(step);
        y.add(kept);
        if (s.size() > memory) {
            s.remove(0);
            y.remove(0);
        }
        return kept != change;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double[] add(double[] x, double t, double[] p) {
        double[] sum = x.clone();
        for (int i = 0; i < x.length; i++) {
            sum[i] += t * p[i];
        }
        return sum;
    }
}
