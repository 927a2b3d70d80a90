package io.github.dl4jfuse.precondition;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A symmetric positive definite matrix T on the weights of one layer, [nIn] and one more for a bias, that is learnt from the
 * layer's inputs. {@code Preconditioned} applies it to the gradient and again to its rule's step, so with plain gradient descent the
 * step is -η T² G. {@link InputPreconditioner} is the one that it takes unless another is given, see {@link PreconditionerFactory}.
 *
 * <p>All that it has learnt lies in the memory that it was made with, which is part of the updater's state: it is saved, and
 * one that is made with memory that was filled before goes on from there.
 */
public interface Preconditioner {

    /** Returns whether nothing was learnt yet, so that T is the identity and the rule is the plain one. */
    boolean isIdentity();

    /**
     * Applies T in place. What comes out must be finite where what goes in is.
     *
     * @param weights [nIn, nOut], f order
     * @param biases [1, nOut], or null
     */
    void apply(INDArray weights, INDArray biases);

    /**
     * Learns from a batch: at the first step, whenever the number of steps has doubled, and every 200 steps.
     *
     * @param rows inputs [examples, nIn]; for convolutions each patch is an example, for sequences each time step
     * @return whether the batch was taken; false for numbers that are not finite, which must not reach the memory
     */
    boolean observe(INDArray rows);

    /** Returns whether the next batch is wanted out of turn; false unless said. */
    default boolean wantsNext() {
        return false;
    }

    /** Returns whether what was learnt is of one batch only, the first or one that it began anew with; false unless said. */
    default boolean isOfOneBatch() {
        return false;
    }

    /** Takes up what others have put into the memory; called before each step. */
    void follow();

    /** Forgets everything: T is the identity again. */
    void reset();
}
