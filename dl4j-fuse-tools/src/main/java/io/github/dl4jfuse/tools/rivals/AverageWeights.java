package io.github.dl4jfuse.tools.rivals;

import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.factory.Nd4j;

/** The average (1 - d) Σ dᵗ⁻ⁱ wᵢ / (1 - dᵗ) of the parameters w₁ .. w_t after each step; the start does not count. */
final class AverageWeights extends SwappedWeights {

    private final double decay;
    private INDArray sum;
    private double weight;

    AverageWeights(double decay) {
        if (!(decay >= 0 && decay < 1)) {
            throw new IllegalArgumentException("The average's decay must be in [0, 1), not " + decay + ".");
        }
        this.decay = decay;
    }

    @Override
    void afterStep(INDArray parameters) {
        sum = sum == null ? parameters.like() : sum;
        sum.muli(decay);
        Nd4j.exec(new Axpy(parameters, sum, sum, 1 - decay));
        weight = decay * weight + 1 - decay;
    }

    @Override
    void toEvaluation(Model net, INDArray parameters) {
        if (sum != null) {
            parameters.assign(sum).divi(weight);
        }
    }
}
