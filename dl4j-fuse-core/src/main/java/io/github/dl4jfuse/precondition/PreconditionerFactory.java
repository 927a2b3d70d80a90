package io.github.dl4jfuse.precondition;

import java.io.Serializable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes the {@link Preconditioner} of each layer; given to {@code Preconditioned.withPreconditioner(..)}. It is part of a model's JSON and
 * YAML, by class name and fields, so it needs {@code equals} and what Jackson (as DL4J shades it) needs to write and read it; a
 * record does.
 */
public interface PreconditionerFactory extends Serializable {

    /**
     * Returns how many numbers the preconditioner of a layer keeps. All layers of a block of parameters with one updater
     * configuration have as many together as the block has parameters; a layer for which there is no room left has none.
     *
     * @param inputs nIn
     * @param bias whether the layer has one that is trained with the weights
     */
    long size(int inputs, boolean bias);

    /**
     * Makes one.
     *
     * @param memory [size], of the type of the parameters; all zero for one that has learnt nothing
     */
    Preconditioner create(int inputs, boolean bias, INDArray memory);
}
