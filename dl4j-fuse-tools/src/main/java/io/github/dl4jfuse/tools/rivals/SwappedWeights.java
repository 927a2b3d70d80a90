package io.github.dl4jfuse.tools.rivals;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Keeps the trained weights while others are in their place. */
abstract class SwappedWeights extends BaseTrainingListener implements EvaluationWeights {

    private INDArray trained;

    /** Changes the parameters, a vector, into those for evaluation. */
    abstract void toEvaluation(Model net, INDArray parameters);

    /** Takes note of a step. */
    void afterStep(INDArray parameters) {}

    @Override
    public final void enter(Model net) {
        if (trained != null) {
            throw new IllegalStateException("The weights for evaluation are in the network already.");
        }
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray parameters = vector(net);
            trained = parameters.dup();
            toEvaluation(net, parameters);
        }
    }

    @Override
    public final void leave(Model net) {
        if (trained == null) {
            throw new IllegalStateException("The trained weights are in the network already.");
        }
        vector(net).assign(trained);
        trained = null;
    }

    @Override
    public final void iterationDone(Model model, int iteration, int epoch) {
        if (trained != null) {
            throw new IllegalStateException("A step was made with the weights for evaluation: call leave(net) before.");
        }
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            afterStep(vector(model));
        }
    }

    private static INDArray vector(Model net) {
        INDArray parameters = net.params();
        return parameters.reshape(parameters.length());
    }
}
