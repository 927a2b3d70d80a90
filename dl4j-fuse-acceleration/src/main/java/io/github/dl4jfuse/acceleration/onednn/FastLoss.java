package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.LossLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * DL4J's loss layer; for vectors the loss of a step is computed once, with its gradient. DL4J's leaves no obstacle: most activation functions
 * write their derivative into its input, from which the layer before takes its own, and DL4J the loss of a step.
 */
final class FastLoss extends LossLayer implements FastLayer {

    private final transient Exchanged<Copy.Way, Copy> exchanged;
    private final transient KeptLoss loss = new KeptLoss();

    FastLoss(LossLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, Copy::new);
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        loss.forget();
        super.setInput(newInput, workspaces);
    }

    @Override
    public void setLabels(INDArray newLabels) {
        loss.forget();
        super.setLabels(newLabels);
    }

    @Override
    public void setMaskArray(INDArray newMask) {
        loss.forget();
        super.setMaskArray(newMask);
    }

    @Override
    public void clear() {
        loss.forget();
        super.clear();
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        ILossFunction function = layerConf().getLossFn();
        if (input.rank() != 2 || labels.rank() != 2 || KeptLoss.obstacle(function) != null) {
            return byDl4j(epsilon, workspaces);
        }
        INDArray z = input.castTo(DataType.FLOAT);
        INDArray next = workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, z.shape(), 'c');
        INDArray delta = loss.gradient(
                function,
                layerConf().getActivationFn(),
                labels,
                Layout.of(z) == Layout.PLAIN ? z : z.dup('c'),
                maskArray,
                next);
        return new Pair<>(new DefaultGradient(), workspaces.leverageTo(ArrayType.ACTIVATION_GRAD, delta));
    }

    /** On a copy. */
    private Pair<Gradient, INDArray> byDl4j(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        INDArray before = input;
        try {
            input = before.dup();
            return super.backpropGradient(epsilon, workspaces);
        } finally {
            input = before;
        }
    }

    @Override
    public double computeScore(double fullNetRegTerm, boolean training, LayerWorkspaceMgr workspaces) {
        if (!loss.isKnown() || !training || input == null || labels == null) {
            return super.computeScore(fullNetRegTerm, training, workspaces);
        }
        score = loss.take() / getInputMiniBatchSize() + fullNetRegTerm; // DL4J's does so whatever isMiniBatch says
        return score;
    }
}
