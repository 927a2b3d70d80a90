package io.github.dl4jfuse.optim.gaussnewton;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The outputs x(θ) of N examples with Q outputs each, as a function of K parameters. Batch space, where the outputs live, is
 * a plain array of N Q doubles, example by example: output c of example i stands at i Q + c. Parameters are rank-1 arrays
 * of {@link #dataType}.
 */
public interface ResidualModel {

    /** Returns K. */
    long parameters();

    /** Returns N. */
    int examples();

    /** Returns Q. */
    int outputsPerExample();

    /** Returns the type of the parameters, FLOAT or DOUBLE. */
    DataType dataType();

    /** Returns a copy of the parameters to start from. */
    INDArray start();

    /** Returns x(θ). */
    double[] outputs(INDArray point);

    /** Returns D = dx/dθ at a point; it stays valid when others are asked for. */
    OutputJacobian linearise(INDArray point);

    /** x(θ) and D at one point. */
    record Expansion(double[] outputs, OutputJacobian jacobian) {}

    /** Returns outputs and Jacobian at a point, for less than the sum of both where they share work. */
    default Expansion expand(INDArray point) {
        return new Expansion(outputs(point), linearise(point));
    }

    /** Is told the best point when a run ends; does nothing unless the model stands for something. */
    default void accept(INDArray best) {}

    /**
     * Throws an IllegalStateException with a sentence if {@link #linearise} and the solution of its system will not fit into
     * memory; returns about how many bytes they take, 0 if unknown.
     */
    default long requireMemory() {
        return 0;
    }

    /**
     * Throws an IllegalStateException with a sentence if a solver that moves all parameters freely would do it no justice;
     * does nothing unless there is something to know.
     */
    default void requireMinimisable() {}

    /** Returns N Q, the rows of D. */
    default int rows() {
        return examples() * outputsPerExample();
    }
}
