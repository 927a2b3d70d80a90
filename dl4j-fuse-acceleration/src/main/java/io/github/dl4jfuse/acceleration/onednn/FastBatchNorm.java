package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.Floats;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * DL4J's batch normalization on {@link BatchNormKernels}, for images. Like DL4J's it knows no activation function, and the gradients of the
 * running statistics are what these move by.
 */
final class FastBatchNorm extends BatchNormalization implements FastLayer {

    private final transient Exchanged<List<Long>, BatchNormKernels> exchanged;
    private transient INDArray batchMean;
    private transient INDArray batchVariance;
    private transient boolean computed; // whether they are of this input

    FastBatchNorm(BatchNormalization original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, layerConf().getCnn2DFormat(), this::make);
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(BatchNormalization layer) {
        var conf = (org.deeplearning4j.nn.conf.layers.BatchNormalization)
                layer.conf().getLayer();
        return conf.isLockGammaBeta() ? "its gamma and beta are locked" : null;
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public boolean takesImages() {
        return exchanged.isNchw();
    }

    private BatchNormKernels make(List<Long> shape) {
        return new BatchNormKernels(
                shape.stream().mapToLong(Long::longValue).toArray(), layerConf().getEps());
    }

    private BatchNormKernels kernels(INDArray images) {
        return exchanged.kernels(Arrays.stream(images.shape()).boxed().toList());
    }

    private boolean isOurs() {
        return input.rank() == 4
                && exchanged.images(input).size(1) == layerConf().getNOut();
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        computed = false;
        super.setInput(newInput, workspaces);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs()) {
            return super.activate(training, workspaces);
        }
        INDArray x = exchanged.images(input);
        INDArray y = Layout.images(ArrayType.ACTIVATIONS, x.shape(), workspaces);
        compute(training, x, y);
        computed = training;
        return exchanged.forNext(y, workspaces);
    }

    private void compute(boolean training, INDArray x, INDArray y) {
        if (batchMean == null) {
            try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                batchMean = Nd4j.create(DataType.FLOAT, layerConf().getNOut());
                batchVariance = Nd4j.create(DataType.FLOAT, layerConf().getNOut());
            }
        }
        kernels(x)
                .forward(
                        training,
                        x,
                        getParam(BatchNormalizationParamInitializer.GAMMA),
                        getParam(BatchNormalizationParamInitializer.BETA),
                        training ? batchMean : getParam(BatchNormalizationParamInitializer.GLOBAL_MEAN),
                        training ? batchVariance : runningVariance(),
                        y);
    }

    private INDArray runningVariance() {
        if (!layerConf().isUseLogStd()) {
            return getParam(BatchNormalizationParamInitializer.GLOBAL_VAR);
        }
        INDArray logs = getParam(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
        INDArray variance = Transforms.pow(Nd4j.valueArrayOf(logs.shape(), 10.0, DataType.FLOAT), logs, false);
        return variance.muli(variance);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!isOurs()) {
            return super.backpropGradient(epsilon, workspaces);
        }
        INDArray x = exchanged.images(input);
        INDArray next = Layout.images(ArrayType.ACTIVATION_GRAD, x.shape(), workspaces);
        if (!computed) {
            compute(true, x, next);
        }
        computed = false;
        INDArray gammaGradient = gradientViews.get(BatchNormalizationParamInitializer.GAMMA);
        INDArray betaGradient = gradientViews.get(BatchNormalizationParamInitializer.BETA);
        kernels(x)
                .backward(
                        x,
                        getParam(BatchNormalizationParamInitializer.GAMMA),
                        batchMean,
                        batchVariance,
                        exchanged.images(epsilon),
                        gammaGradient,
                        betaGradient,
                        next);
        Gradient gradient = new DefaultGradient();
        gradient.setGradientFor(BatchNormalizationParamInitializer.GAMMA, gammaGradient);
        gradient.setGradientFor(BatchNormalizationParamInitializer.BETA, betaGradient);
        moveStatistics(gradient);
        return new Pair<>(gradient, exchanged.forPrevious(next, workspaces));
    }

    /**
     * As DL4J does: mean ← mean - (1 - decay) (mean - batch's), and the variance likewise or, where it is kept as the logarithm of the
     * deviation, so that it comes to the same.
     */
    private void moveStatistics(Gradient gradient) {
        float share = (float) (1 - layerConf().getDecay());
        move(
                gradient,
                BatchNormalizationParamInitializer.GLOBAL_MEAN,
                batchMean,
                (before, now) -> (before - now) * share);
        if (layerConf().isUseLogStd()) {
            move(gradient, BatchNormalizationParamInitializer.GLOBAL_LOG_STD, batchVariance, (log, now) -> {
                double before = Math.pow(100, log);
                return (float) (log - Math.log10(before - (before - now) * share) / 2);
            });
        } else {
            move(
                    gradient,
                    BatchNormalizationParamInitializer.GLOBAL_VAR,
                    batchVariance,
                    (before, now) -> (before - now) * share);
        }
    }

    /** What is subtracted of a statistic. */
    private interface Step {

        float of(float before, float now);
    }

    private void move(Gradient gradient, String key, INDArray ofBatch, Step step) {
        INDArray to = gradientViews.get(key);
        float[] before = new float[(int) ofBatch.length()];
        float[] now = new float[before.length];
        Floats.view(getParam(key)).get(before);
        Floats.view(ofBatch).get(now);
        for (int i = 0; i < now.length; i++) {
            now[i] = step.of(before[i], now[i]);
        }
        Floats.view(to).put(now);
        gradient.setGradientFor(key, to);
    }
}
