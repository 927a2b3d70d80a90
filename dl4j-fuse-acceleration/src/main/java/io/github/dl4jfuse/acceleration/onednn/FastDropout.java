package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.DropoutLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's dropout layer, whose noise stays DL4J's, in c order as there, so that the same random numbers meet the same numbers. Images may
 * come with their channels last, and go on so where there is no noise.
 */
final class FastDropout extends DropoutLayer implements FastLayer {

    private final transient Exchanged<Copy.Way, Copy> exchanged;

    FastDropout(DropoutLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, Copy::new);
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public boolean takesImages() {
        return true;
    }

    /** In the order in which DL4J's draws its random numbers: that of the input, which for images is c order. */
    private INDArray array(ArrayType type, LayerWorkspaceMgr workspaces) {
        char order = input.rank() == 4 ? 'c' : input.ordering();
        return workspaces.createUninitialized(type, DataType.FLOAT, input.shape(), order);
    }

    private INDArray copy(INDArray from, INDArray to) {
        exchanged.neighbours().copy(from.castTo(DataType.FLOAT), to);
        return to;
    }

    /** Masks are DL4J's. */
    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (maskArray != null) {
            return super.activate(training, workspaces);
        }
        IDropout noise = layerConf().getIDropout();
        if (!training || noise == null) {
            boolean images = input.rank() == 4;
            return copy(
                    input,
                    images
                            ? exchanged.neighbours().activations(input.shape(), workspaces)
                            : array(ArrayType.ACTIVATIONS, workspaces));
        }
        INDArray y = array(ArrayType.ACTIVATIONS, workspaces);
        INDArray x = Layout.of(input) == Layout.CHANNELS_LAST ? copy(input, y) : input;
        INDArray noisy = noise.applyDropout(x, y, getIterationCount(), getEpochCount(), workspaces);
        return workspaces.leverageTo(ArrayType.ACTIVATIONS, noisy);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (maskArray != null) {
            return super.backpropGradient(epsilon, workspaces);
        }
        boolean untouched = layerConf().getIDropout() == null && input.rank() == 4;
        INDArray next = copy(
                epsilon,
                untouched
                        ? exchanged.neighbours().gradients(input.shape(), workspaces)
                        : array(ArrayType.ACTIVATION_GRAD, workspaces));
        return new Pair<>(new DefaultGradient(), backpropDropOutIfPresent(next));
    }
}
