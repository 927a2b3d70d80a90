package io.github.dl4jfuse.optim;

import org.nd4j.linalg.api.ndarray.INDArray;

/** What every solver of this project returns, whichever method it is; each has numbers of its own besides. */
public interface SolverResult {

    /** Returns the best point accepted, the start if there is none better; memory of its own. */
    INDArray point();

    /** Returns f there; NaN only if f is not finite at the start. */
    double value();

    /** Returns whether the point is what was asked for; the status says in which sense. */
    boolean converged();

    /** Returns why it ended, in a sentence. */
    String message();

    /** Returns the number of steps taken. */
    int iterations();
}
