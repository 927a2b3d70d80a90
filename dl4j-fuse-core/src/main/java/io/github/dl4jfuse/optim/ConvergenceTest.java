package io.github.dl4jfuse.optim;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * When a minimisation has come far enough, where the solver's own tolerances do not say what is meant: the error on other
 * data, a norm of another kind, a value that is good enough.
 *
 * <pre>
 *   LbfgsSolver.builder().convergenceTest(now -&gt; now.value() &lt; 1e-4).build()
 * </pre>
 */
@FunctionalInterface
public interface ConvergenceTest {

    /**
     * Where a minimisation stands after a step.
     *
     * @param iteration steps taken, 1 after the first
     * @param point x; the solver's, not to be changed or kept
     * @param value f
     * @param previousValue f before the step
     * @param gradientNorm |∇f|
     */
    record Iterate(int iteration, INDArray point, double value, double previousValue, double gradientNorm) {}

    /** Returns whether the minimisation ends here; asked after each step. */
    boolean isMet(Iterate now);
}
