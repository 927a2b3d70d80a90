package io.github.dl4jfuse.optim.lbfgs;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where a minimisation goes next: {@link LbfgsHistory} unless {@link LbfgsSolver.Builder#direction} names another, such as
 * nonlinear conjugate gradients. It remembers of the run what it needs, so each run has one of its own.
 *
 * <p>A vector comes as an array of the pieces that it consists of, all of rank 1; a solver's have one piece. Arrays are the
 * caller's: what is to be kept is copied.
 */
public interface Direction {

    /**
     * Computes the direction p.
     *
     * @param gradient g; not changed
     * @param target receives p; shares no memory with the gradient
     * @return g·p; where it is not negative, the solver calls {@link #clear} and goes along -g
     */
    double direction(INDArray[] gradient, INDArray[] target);

    /** Returns whether nothing is remembered, so that the direction is -g. */
    boolean isSteepest();

    /**
     * Is told of an accepted step, after which nothing of it is needed by the caller: the arrays may be overwritten.
     *
     * @param step s, the displacement of the point
     * @param change y, the change of the gradient
     */
    void learn(INDArray[] step, INDArray[] change);

    /** Forgets everything; the next direction is -g. */
    void clear();
}
