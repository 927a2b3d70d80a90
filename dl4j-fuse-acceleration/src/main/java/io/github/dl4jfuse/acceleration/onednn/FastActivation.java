package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.ActivationLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's activation layer on {@link ActivationKernels}, for vectors and images, whose channels stay where they are. */
final class FastActivation extends ActivationLayer implements FastLayer {

    private final transient FusedActivation activation;
    private final transient Exchanged<Kind, ActivationKernels> exchanged;
    private transient INDArray output; // of the last forward pass; null where none counts

    private record Kind(List<Long> shape, Layout layout) {}

    FastActivation(ActivationLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
        activation = FusedActivation.of(layerConf().getActivationFn());
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(ActivationLayer layer) {
        var conf =
                (org.deeplearning4j.nn.conf.layers.ActivationLayer) layer.conf().getLayer();
        return FusedActivation.of(conf.getActivationFn()) == FusedActivation.IDENTITY
                ? "it does nothing"
                : FusedActivation.obstacle(conf.getActivationFn());
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public boolean takesImages() {
        return true;
    }

    private ActivationKernels make(Kind kind) {
        return new ActivationKernels(
                activation, kind.shape().stream().mapToLong(Long::longValue).toArray(), kind.layout());
    }

    private ActivationKernels kernels() {
        return exchanged.kernels(new Kind(Arrays.stream(input.shape()).boxed().toList(), layout()));
    }

    private Layout layout() {
        return Layout.of(input) == Layout.CHANNELS_LAST ? Layout.CHANNELS_LAST : Layout.PLAIN;
    }

    private boolean isOurs() {
        return input.rank() == 2 || input.rank() == 4;
    }

    private INDArray array(ArrayType type, LayerWorkspaceMgr workspaces) {
        return layout() == Layout.CHANNELS_LAST
                ? Layout.images(type, input.shape(), workspaces)
                : workspaces.createUninitialized(type, DataType.FLOAT, input.shape(), 'c');
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        output = null;
        super.setInput(newInput, workspaces);
    }

    @Override
    public void clear() {
        output = null;
        super.clear();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs()) {
            return super.activate(training, workspaces);
        }
        INDArray y = compute(training, ArrayType.ACTIVATIONS, workspaces);
        output = training ? y : null;
        return exchanged.forNext(y, workspaces);
    }

    private INDArray compute(boolean training, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray x = input.castTo(DataType.FLOAT);
        INDArray y = array(type, workspaces);
        if (Finite.areAll(x)) {
            kernels().forward(x, y);
        } else {
            y.assign(x);
            FastLayer.activate(y, layerConf().getActivationFn(), training);
        }
        return y;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!isOurs()) {
            return super.backpropGradient(epsilon, workspaces);
        }
        INDArray y = output == null ? compute(true, ArrayType.BP_WORKING_MEM, workspaces) : output;
        output = null;
        INDArray next = array(ArrayType.ACTIVATION_GRAD, workspaces);
        kernels().backward(y, epsilon.castTo(DataType.FLOAT), next);
        return new Pair<>(new DefaultGradient(), exchanged.forPrevious(next, workspaces));
    }
}
