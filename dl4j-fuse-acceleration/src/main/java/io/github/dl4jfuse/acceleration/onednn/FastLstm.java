package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.Floats;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.params.LSTMParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's LSTM on {@link LstmKernels}, for whole sequences [n, c, t]. What goes on from a state, step by step or in parts of a sequence, is
 * DL4J's. A backward pass of DL4J's computes the forward pass again, and what ours keeps is dropped with its input, so neither takes
 * anything from the other.
 */
final class FastLstm extends LSTM implements FastLayer {

    private final transient Exchanged<Long, LstmKernels> exchanged;
    private transient LstmKernels.Moment[] moments; // of the last forward pass; null where none counts

    FastLstm(LSTM original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(LSTM layer) {
        var conf = layer.layerConf();
        if (conf.getRnnDataFormat() == RNNFormat.NWC) {
            return "its sequences are in NWC";
        }
        if (conf.getWeightNoise() != null) {
            return "its weights have noise";
        }
        return conf.getGateActivationFn().getClass() != ActivationSigmoid.class
                        || conf.getActivationFn().getClass() != ActivationTanH.class
                ? "its activation functions are not SIGMOID for the gates and TANH"
                : null;
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    private LstmKernels make(long examples) {
        return new LstmKernels(examples, layerConf().getNIn(), layerConf().getNOut());
    }

    /** Masks, what is too long for one buffer, and what DL4J has a sentence for, are DL4J's. */
    private boolean isOurs() {
        return maskArray == null
                && input.rank() == 3
                && input.size(1) == layerConf().getNIn()
                && !input.isEmpty()
                && input.size(0) * input.size(2) * layerConf().getNOut() <= Floats.LIMIT
                && input.size(0) * layerConf().getNOut() * 4 <= Floats.LIMIT;
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        moments = null;
        super.setInput(newInput, workspaces);
    }

    @Override
    public void clear() {
        moments = null;
        super.clear();
    }

    @Override
    public INDArray activate(INDArray newInput, boolean training, LayerWorkspaceMgr workspaces) {
        setInput(newInput, workspaces);
        return activate(training, workspaces);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs()) {
            return super.activate(training, workspaces);
        }
        applyDropOutIfNecessary(training, workspaces);
        return compute(training, ArrayType.ACTIVATIONS, workspaces);
    }

    private INDArray compute(boolean keep, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray y = workspaces.createUninitialized(
                type, DataType.FLOAT, new long[] {input.size(0), layerConf().getNOut(), input.size(2)}, 'f');
        LstmKernels.Moment[] passed = exchanged
                .kernels(input.size(0))
                .forward(
                        ordered(input),
                        getParam(LSTMParamInitializer.INPUT_WEIGHT_KEY),
                        getParam(LSTMParamInitializer.RECURRENT_WEIGHT_KEY),
                        getParam(LSTMParamInitializer.BIAS_KEY),
                        y,
                        keep);
        moments = keep ? passed : null;
        return y;
    }

    /** Returns sequences in float and in f order, in which DL4J's recurrent layers give them: themselves, or a copy. */
    private INDArray ordered(INDArray sequences) {
        INDArray floats = sequences.castTo(DataType.FLOAT);
        long[] strides = Nd4j.getStrides(floats.shape(), 'f');
        boolean ordered = true;
        for (int i = 0; i < strides.length; i++) {
            ordered &= floats.size(i) == 1 || floats.stride(i) == strides[i];
        }
        if (ordered) {
            return floats;
        }
        INDArray copy = Nd4j.createUninitialized(DataType.FLOAT, floats.shape(), 'f');
        exchanged.neighbours().copy(floats, copy);
        return copy;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!isOurs()) {
            return super.backpropGradient(epsilon, workspaces);
        }
        if (moments == null) {
            applyDropOutIfNecessary(true, workspaces);
            compute(true, ArrayType.BP_WORKING_MEM, workspaces);
        }
        LstmKernels.Moment[] passed = moments;
        moments = null;
        LstmKernels.Gradients gradients = new LstmKernels.Gradients(
                gradientViews.get(LSTMParamInitializer.INPUT_WEIGHT_KEY),
                gradientViews.get(LSTMParamInitializer.RECURRENT_WEIGHT_KEY),
                gradientViews.get(LSTMParamInitializer.BIAS_KEY));
        boolean unused = exchanged.neighbours().dropInputGradient();
        boolean frozen = exchanged.neighbours().areAroundAFrozenLayer();
        INDArray next = workspaces.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, input.shape(), 'f');
        exchanged
                .kernels(input.size(0))
                .backward(
                        ordered(input),
                        passed,
                        ordered(epsilon),
                        getParam(LSTMParamInitializer.INPUT_WEIGHT_KEY),
                        getParam(LSTMParamInitializer.RECURRENT_WEIGHT_KEY),
                        frozen ? null : gradients,
                        unused ? null : next);
        if (unused) {
            FastLayer.clear(next);
        }
        Gradient gradient = new DefaultGradient();
        gradient.gradientForVariable().put(LSTMParamInitializer.INPUT_WEIGHT_KEY, gradients.w());
        gradient.gradientForVariable().put(LSTMParamInitializer.RECURRENT_WEIGHT_KEY, gradients.rw());
        gradient.gradientForVariable().put(LSTMParamInitializer.BIAS_KEY, gradients.b());
        return new Pair<>(gradient, backpropDropOutIfPresent(next));
    }

    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(INDArray epsilon, int length, LayerWorkspaceMgr workspaces) {
        exchanged.backward();
        return super.tbpttBackpropGradient(epsilon, length, workspaces);
    }
}
