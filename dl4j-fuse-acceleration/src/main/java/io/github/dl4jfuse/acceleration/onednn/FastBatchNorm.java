package io.github.dl4jfuse.acceleration.onednn;

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
        INDArray y = FastLayer.images(ArrayType.ACTIVATIONS, x.shape(), workspaces);
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
        if (!isOurs()) {
            return super.backpropGradient(epsilon, workspaces);
        }
        INDArray x = exchanged.images(input);
        INDArray next = FastLayer.images(ArrayType.ACTIVATION_GRAD, x.shape(), workspaces);
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

    /** As DL4J does: mean ← mean - (1 - decay) (mean - batch's), and so on. */
    private void moveStatistics(Gradient gradient) {
        double share = 1 - layerConf().getDecay();
        INDArray mean = getParam(BatchNormalizationParamInitializer.GLOBAL_MEAN);
        INDArray meanStep = gradientViews.get(BatchNormalizationParamInitializer.GLOBAL_MEAN);
        meanStep.assign(mean).subi(batchMean.reshape(mean.shape())).muli(share);
        gradient.setGradientFor(BatchNormalizationParamInitializer.GLOBAL_MEAN, meanStep);
        INDArray before = runningVariance();
        INDArray now = batchVariance.reshape(before.shape());
        if (layerConf().isUseLogStd()) {
            INDArray step = gradientViews.get(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
            INDArray after = before.mul(layerConf().getDecay()).addi(now.mul(share));
            step.assign(Transforms.log(before.div(after), false)).muli(ONE_ON_2LOGE_10);
            gradient.setGradientFor(BatchNormalizationParamInitializer.GLOBAL_LOG_STD, step);
        } else {
            INDArray step = gradientViews.get(BatchNormalizationParamInitializer.GLOBAL_VAR);
            step.assign(before).subi(now).muli(share);
            gradient.setGradientFor(BatchNormalizationParamInitializer.GLOBAL_VAR, step);
        }
    }
}
