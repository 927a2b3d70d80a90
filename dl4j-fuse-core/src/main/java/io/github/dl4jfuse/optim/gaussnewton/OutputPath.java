package io.github.dl4jfuse.optim.gaussnewton;

/**
 * How straight the outputs run: the largest distance of a point of the path from the line between the start and the goal, as
 * a share of the length of that line. The adapted flow of a model of full rank has 0, Euler steps of size η are O(η) off.
 */
public final class OutputPath {

    private final double[] start;
    private final double[] goal;
    private final double length;
    private double deviation;

    /** Begins at the coordinates of {@link OutputLoss.Local#coordinates}. */
    public OutputPath(double[] start, double[] goal) {
        this.start = start.clone();
        this.goal = goal;
        double squares = 0;
        for (int i = 0; i < start.length; i++) {
            squares += (goal[i] - start[i]) * (goal[i] - start[i]);
        }
        length = Math.sqrt(squares);
    }

    /** Takes in a point. */
    public void add(double[] point) {
        if (length == 0) {
            return;
        }
        double along = 0;
        double squares = 0;
        for (int i = 0; i < point.length; i++) {
            double step = point[i] - start[i];
            along += step * (goal[i] - start[i]) / length;
            squares += step * step;
        }
        deviation = Math.max(deviation, Math.sqrt(Math.max(0, squares - along * along)));
    }

    /** Returns the largest distance from the line so far, over its length; 0 for a start at the goal. */
    public double relativeDeviation() {
        return length == 0 ? 0 : deviation / length;
    }
}
