package io.github.dl4jfuse.optim.gaussnewton;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Implemented by a loss function of one's own, beside ND4J's {@code ILossFunction}, so that Gauss-Newton steps can be made on
 * it: it says what its geometry is. Such a loss may see the whole batch at once; it is never taken on a part of one.
 */
public interface GaussNewtonLoss {

    /**
     * Returns the loss of a batch, as a function of the activations of the output layer. Its value must be the mean over the
     * batch that the loss function itself gives.
     *
     * @param labels of the batch, [examples, outputs]
     */
    OutputLoss outputLoss(INDArray labels);
}
