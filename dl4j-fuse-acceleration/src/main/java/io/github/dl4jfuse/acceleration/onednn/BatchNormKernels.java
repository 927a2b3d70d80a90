package io.github.dl4jfuse.acceleration.onednn;

import static io.github.dl4jfuse.acceleration.onednn.Pass.arg;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_MEAN;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_VARIANCE;
import static org.bytedeco.dnnl.global.dnnl.dnnl_backward;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_inference;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_global_stats;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_scale;
import static org.bytedeco.dnnl.global.dnnl.dnnl_use_shift;

import org.bytedeco.dnnl.batch_normalization_backward;
import org.bytedeco.dnnl.batch_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Batch normalization y = γ (x - mean) / √(variance + ε) + β over all but the channels, for images of one shape that lie with
 * their channels last, or are copied so.
 */
final class BatchNormKernels {

    private static final int LEARNT = dnnl_use_scale | dnnl_use_shift;

    private final Received input;
    private final Received epsilon;
    private final Buffer output;
    private final Buffer inputGradient;
    private final Buffer gamma;
    private final Buffer beta;
    private final Buffer mean;
    private final Buffer variance;
    private final Buffer gammaGradient;
    private final Buffer betaGradient;
    private final Pass forward = new Pass();
    private final Pass inference = new Pass();
    private final Pass backward = new Pass();

    BatchNormKernels(long[] shape, double eps) {
        input = new Received(shape, Layout.CHANNELS_LAST);
        epsilon = new Received(shape, Layout.CHANNELS_LAST);
        memory.desc images = input.inUse().desc();
        output = Buffer.named(images);
        inputGradient = Buffer.named(images);
        memory.desc channels = OneDnn.ordered(shape[1]);
        gamma = Buffer.named(channels);
        beta = Buffer.named(channels);
        mean = Buffer.named(channels);
        variance = Buffer.named(channels);
        gammaGradient = Buffer.named(channels);
        betaGradient = Buffer.named(channels);
        var description = describe(dnnl_forward_training, images, eps, LEARNT);
        addForward(forward, description);
        addForward(inference, describe(dnnl_forward_inference, images, eps, LEARNT | dnnl_use_global_stats));
        backward.add(
                new batch_normalization_backward(new batch_normalization_backward.primitive_desc(
                        new batch_normalization_backward.desc(dnnl_backward, images, images, (float) eps, LEARNT),
                        OneDnn.engine(),
                        description)),
                arg(DNNL_ARG_SRC, input.inUse()),
                arg(DNNL_ARG_MEAN, mean),
                arg(DNNL_ARG_VARIANCE, variance),
                arg(DNNL_ARG_DIFF_DST, epsilon.inUse()),
                arg(DNNL_ARG_SCALE, gamma),
                arg(DNNL_ARG_SHIFT, beta),
                arg(DNNL_ARG_DIFF_SRC, inputGradient),
                arg(DNNL_ARG_DIFF_SCALE, gammaGradient),
                arg(DNNL_ARG_DIFF_SHIFT, betaGradient));
    }

    private static batch_normalization_forward.primitive_desc describe(
            int propagation, memory.desc images, double eps, int flags) {
        return new batch_normalization_forward.primitive_desc(
                new batch_normalization_forward.desc(propagation, images, (float) eps, flags), OneDnn.engine());
    }

    private void addForward(Pass pass, batch_normalization_forward.primitive_desc description) {
        pass.add(
                new batch_normalization_forward(description),
                arg(DNNL_ARG_SRC, input.inUse()),
                arg(DNNL_ARG_SCALE, gamma),
                arg(DNNL_ARG_SHIFT, beta),
                arg(DNNL_ARG_MEAN, mean),
                arg(DNNL_ARG_VARIANCE, variance),
                arg(DNNL_ARG_DST, output));
    }

    /**
     * Computes y into an array with channels last.
     *
     * @param training whether mean and variance are the batch's, and receive what they are
     */
    void forward(
            boolean training,
            INDArray x,
            INDArray scale,
            INDArray shift,
            INDArray batchMean,
            INDArray batchVariance,
            INDArray y) {
        input.take(x);
        gamma.at(scale);
        beta.at(shift);
        mean.at(batchMean);
        variance.at(batchVariance);
        output.at(y);
        (training ? forward : inference).run();
    }

    /** Computes the gradients; gx with channels last. */
    void backward(
            INDArray x,
            INDArray scale,
            INDArray batchMean,
            INDArray batchVariance,
            INDArray eps,
            INDArray gScale,
            INDArray gShift,
            INDArray gx) {
        input.take(x);
        gamma.at(scale);
        mean.at(batchMean);
        variance.at(batchVariance);
        epsilon.take(eps);
        gammaGradient.at(gScale);
        betaGradient.at(gShift);
        inputGradient.at(gx);
        backward.run();
    }
}
