package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's output layer for sequences [n, c, t] on {@link DenseKernels}: each time of each example is a row, in the order of DL4J's masks, time
 * by time. With dropout, of which DL4J computes the loss of a step without, it is DL4J's.
 */
final class FastRnnOutput extends RnnOutputLayer implements FastLayer {

    private final transient Exchanged<Long, DenseKernels> exchanged;
    private final transient KeptLoss loss = new KeptLoss();

    FastRnnOutput(RnnOutputLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, this::make);
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(RnnOutputLayer layer) {
        var conf = layer.layerConf();
        if (conf.getRnnDataFormat() != RNNFormat.NCW) {
            return "its sequences are in " + conf.getRnnDataFormat();
        }
        return conf.getWeightNoise() != null ? "its weights have noise" : KeptLoss.obstacle(conf.getLossFn());
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    private DenseKernels make(long rows) {
        return new DenseKernels(rows, layerConf().getNIn(), layerConf().getNOut(), hasBias(), FusedActivation.IDENTITY);
    }

    /** What DL4J has a sentence for is DL4J's. */
    private boolean isOurs() {
        return input.rank() == 3
                && input.size(1) == layerConf().getNIn()
                && !input.isEmpty()
                && layerConf().getIDropout() == null;
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

    /** Returns sequences [n, c, t] as rows [t n, c] in c order. */
    private INDArray rows(INDArray sequences, ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray times = sequences.castTo(DataType.FLOAT).permute(2, 0, 1);
        INDArray rows = workspaces.createUninitialized(type, DataType.FLOAT, times.shape(), 'c');
        exchanged.neighbours().copy(times, rows);
        return rows.reshape('c', times.size(0) * times.size(1), times.size(2));
    }

    /** Returns rows as sequences, in the order in which DL4J gives them. */
    private INDArray sequences(INDArray rows, ArrayType type, LayerWorkspaceMgr workspaces) {
        long[] shape = {input.size(0), rows.size(1), input.size(2)};
        INDArray sequences = workspaces.createUninitialized(type, DataType.FLOAT, shape, 'f');
        exchanged.neighbours().copy(rows.reshape('c', shape[2], shape[0], shape[1]), sequences.permute(2, 0, 1));
        return sequences;
    }

    private INDArray product(INDArray x, ArrayType type, LayerWorkspaceMgr workspaces) {
        long[] shape = {x.size(0), layerConf().getNOut()};
        INDArray z = workspaces.createUninitialized(type, DataType.FLOAT, shape, 'c');
        exchanged
                .kernels(shape[0])
                .forward(x, weights(), hasBias() ? getParam(DefaultParamInitializer.BIAS_KEY) : null, z);
        return z;
    }

    private INDArray weights() {
        return FastLayer.denseWeights(getParam(DefaultParamInitializer.WEIGHT_KEY));
    }

    @Override
    protected INDArray preOutput2d(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        return isOurs()
                ? product(rows(input, ArrayType.FF_WORKING_MEM, workspaces), ArrayType.ACTIVATIONS, workspaces)
                : super.preOutput2d(training, workspaces);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs() || maskArray != null) {
            return super.activate(training, workspaces);
        }
        INDArray x = rows(input, ArrayType.FF_WORKING_MEM, workspaces);
        INDArray z = product(x, ArrayType.FF_WORKING_MEM, workspaces);
        INDArray y = layerConf().getActivationFn().getActivation(z, training);
        return sequences(y, ArrayType.ACTIVATIONS, workspaces);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!isOurs() || labels.rank() != 3 || labels.size(2) != input.size(2)) {
            return super.backpropGradient(epsilon, workspaces);
        }
        INDArray x = rows(input, ArrayType.BP_WORKING_MEM, workspaces);
        INDArray z = product(x, ArrayType.BP_WORKING_MEM, workspaces);
        INDArray targets = rows(labels, ArrayType.BP_WORKING_MEM, workspaces);
        INDArray delta =
                loss.gradient(layerConf().getLossFn(), layerConf().getActivationFn(), targets, z, maskArray, z);
        INDArray weightGradient = gradientViews.get(DefaultParamInitializer.WEIGHT_KEY);
        INDArray biasGradient = gradientViews.get(DefaultParamInitializer.BIAS_KEY);
        boolean unused = exchanged.neighbours().dropInputGradient();
        INDArray next = unused
                ? null
                : workspaces.createUninitialized(ArrayType.BP_WORKING_MEM, DataType.FLOAT, x.shape(), 'c');
        exchanged.kernels(x.size(0)).backward(x, delta, delta, weights(), weightGradient, biasGradient, next);
        INDArray passed = unused
                ? workspaces.create(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, input.shape(), 'f')
                : sequences(next, ArrayType.ACTIVATION_GRAD, workspaces);
        Gradient gradient = new DefaultGradient();
        gradient.gradientForVariable().put(DefaultParamInitializer.WEIGHT_KEY, weightGradient);
        if (hasBias()) {
            gradient.gradientForVariable().put(DefaultParamInitializer.BIAS_KEY, biasGradient);
        }
        return new Pair<>(gradient, passed);
    }

    @Override
    public double computeScore(double fullNetRegTerm, boolean training, LayerWorkspaceMgr workspaces) {
        if (!loss.isKnown() || !training || input == null || labels == null) {
            return super.computeScore(fullNetRegTerm, training, workspaces);
        }
        double sum = loss.take();
        score = (conf().isMiniBatch() ? sum / getInputMiniBatchSize() : sum) + fullNetRegTerm;
        return score;
    }
}
