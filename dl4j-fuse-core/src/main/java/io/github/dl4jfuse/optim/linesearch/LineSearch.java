package io.github.dl4jfuse.optim.linesearch;

/**
 * Finds how far to go along a direction: an own one is given to {@code LbfgsSolver.builder().lineSearch(..)}. Immutable.
 *
 * <p>φ(t) = f(x + t p), φ'(0) &lt; 0.
 */
public interface LineSearch {

    /** Default of the most evaluations in one search. */
    int DEFAULT_MAX_EVALUATIONS = 20;

    /** φ and φ' at one t. */
    @FunctionalInterface
    interface Line {
        /** Evaluates at a positive t; value or slope may be NaN or infinite, the slope is NaN where nobody computes it. */
        Point at(double t);
    }

    /** A point of the line. */
    record Point(double t, double value, double slope) {

        boolean isFinite() {
            return Double.isFinite(value) && Double.isFinite(slope);
        }
    }

    /**
     * The end of a search.
     *
     * @param accepted whether a step was found that is good enough; it is the last one that was evaluated
     * @param wolfe whether it meets the strong Wolfe conditions, or the approximate ones within rounding
     * @param point the accepted point of the line, or its start
     * @param evaluations how often φ was computed
     * @param reason empty when all conditions hold, else a sentence that says why not
     */
    record Result(boolean accepted, boolean wolfe, Point point, int evaluations, String reason) {

        /** Returns the accepted t, or 0. */
        public double step() {
            return point.t();
        }

        /** Returns φ there. */
        public double value() {
            return point.value();
        }
    }

    /**
     * Searches from {@code firstStep} on. The last call of {@code line} is at the accepted step, so whatever it computed
     * on the way (a gradient, say) belongs to it.
     *
     * @param value φ(0); a value that is not finite is answered, not thrown
     * @param slope φ'(0); one that is not negative is answered, not thrown
     * @param firstStep first t, positive
     */
    Result search(Line line, double value, double slope, double firstStep);

    /**
     * Returns the same with other limits.
     *
     * @param maxEvaluations most evaluations of φ in one search, at least 1
     * @param valueRounding relative rounding error of φ, at least 0; a search may have no use for it
     */
    LineSearch within(int maxEvaluations, double valueRounding);

    /** Returns whether φ' has risen at the accepted step, so that a curvature pair from it needs no damping; false unless said. */
    default boolean ensuresCurvature() {
        return false;
    }
}
