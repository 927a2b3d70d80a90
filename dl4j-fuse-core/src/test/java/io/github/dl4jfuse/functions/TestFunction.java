package io.github.dl4jfuse.functions;

/** A function to minimise, with its standard start and what is known of its minima. Plain arrays, no ND4J. */
public abstract class TestFunction {

    /**
     * A known local minimum.
     *
     * @param value all digits of it; where only some are published, the rest come from {@code lbfgs_reference.py}
     * @param point where it is taken; empty when that is at infinity or not known in closed form
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Minimum(double value, double... point) {}

    private final String name;
    private final double[] start;
    private final Minimum[] minima;

    /** The first of {@code minima} is the one that the gradient flow from {@code start} runs to. */
    TestFunction(String name, double[] start, Minimum... minima) {
        this.name = name;
        this.start = start;
        this.minima = minima;
    }

    static double[] at(double... point) {
        return point;
    }

    /** The pattern again and again, n numbers in all. */
    static double[] repeated(int n, double... pattern) {
        double[] point = new double[n];
        for (int j = 0; j < n; j++) {
            point[j] = pattern[j % pattern.length];
        }
        return point;
    }

    /** Returns the name, the same for all dimensions. */
    public final String name() {
        return name;
    }

    /** Returns the number of variables. */
    public final int dimension() {
        return start.length;
    }

    /** Returns a fresh copy of the standard start. */
    public final double[] start() {
        return start.clone();
    }

    /** Returns the minimum in whose basin the standard start lies; a line search may well leave it for another. */
    public final double minimum() {
        return minima[0].value;
    }

    /** Returns every published local minimum, {@link #minimum()} first. */
    public final double[] minima() {
        double[] values = new double[minima.length];
        for (int k = 0; k < values.length; k++) {
            values[k] = minima[k].value;
        }
        return values;
    }

    /** Returns a minimiser for each of {@link #minima()}; one of no components where none is known. */
    public final double[][] minimisers() {
        double[][] points = new double[minima.length][];
        for (int k = 0; k < points.length; k++) {
            points[k] = minima[k].point.clone();
        }
        return points;
    }

    /** Returns f(x). */
    public abstract double value(double[] x);

    /** Writes ∇f(x) into {@code g}. */
    public abstract void gradient(double[] x, double[] g);

    @Override
    public final String toString() {
        return name + " (n = " + start.length + ")";
    }
}
