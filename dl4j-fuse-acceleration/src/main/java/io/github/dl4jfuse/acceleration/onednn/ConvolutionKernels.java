package io.github.dl4jfuse.acceleration.onednn;

import static io.github.dl4jfuse.acceleration.onednn.Pass.arg;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.dnnl_convolution_direct;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;

import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.memory;

/**
 * Forward and backward pass of a convolution with its activation function, y = f(w * x + b), for inputs of one shape.
 *
 * <p>Images lie with their channels last; what comes or goes in c order is copied. Weights are
 * DL4J's, copied into oneDNN's own order at each pass, as they may have changed.
 */
final class ConvolutionKernels extends ProductKernels {

    private final long[] inputShape;
    private final long[] outputShape;
    private final long[] weightShape;
    private final Window window;
    private final convolution_forward.primitive_desc description;

    /** How DL4J's weights [nOut, nIn, kH, kW] lie in memory. */
    enum Weights {
        /** In c order. */
        OUTPUTS_FIRST,
        /** In c order of [kH, kW, nIn, nOut], whatever their shape says: those of convolutions in one dimension. */
        OUTPUTS_LAST;

        private memory.desc desc(long[] w) {
            return this == OUTPUTS_FIRST
                    ? OneDnn.ordered(w)
                    : OneDnn.desc(w, new long[] {1, w[0], w[3] * w[1] * w[0], w[1] * w[0]});
        }
    }

    ConvolutionKernels(
            long[] in, long outputs, Window window, Weights order, boolean bias, FusedActivation activation) {
        super(
                in,
                out(in, outputs, window),
                order.desc(weights(in, outputs, window)),
                order.desc(weights(in, outputs, window)),
                Layout.CHANNELS_LAST,
                bias ? outputs : 0,
                activation);
        inputShape = in;
        outputShape = out(in, outputs, window);
        weightShape = weights(in, outputs, window);
        this.window = window;
        description = describe(activation);
        prepareForward();
        prepareBackward();
        prepareBackwardData();
    }

    private static long[] out(long[] in, long outputs, Window window) {
        return new long[] {in[0], outputs, window.output()[0], window.output()[1]};
    }

    private static long[] weights(long[] in, long outputs, Window window) {
        return new long[] {outputs, in[1], window.kernel()[0], window.kernel()[1]};
    }

    private static memory.desc images(long[] shape) {
        return OneDnn.desc(shape, Layout.CHANNELS_LAST.strides(shape));
    }

    private long[] gaps() {
        return new long[] {window.dilation()[0] - 1, window.dilation()[1] - 1};
    }

    private convolution_forward.primitive_desc describe(FusedActivation activation) {
        memory.desc x = images(inputShape);
        memory.desc y = images(outputShape);
        memory.desc w = OneDnn.any(weightShape);
        convolution_forward.desc convolution = bias
                ? new convolution_forward.desc(
                        dnnl_forward_training,
                        dnnl_convolution_direct,
                        x,
                        w,
                        biases.desc(),
                        y,
                        window.stride(),
                        gaps(),
                        window.paddingBefore(),
                        window.paddingAfter())
                : new convolution_forward.desc(
                        dnnl_forward_training,
                        dnnl_convolution_direct,
                        x,
                        w,
                        y,
                        window.stride(),
                        gaps(),
                        window.paddingBefore(),
                        window.paddingAfter());
        return new convolution_forward.primitive_desc(convolution, activation.attributes(), OneDnn.engine());
    }

    private void prepareForward() {
        Buffer ordered = Buffer.own(description.weights_desc());
        forward.copy(weights, ordered)
                .add(
                        new convolution_forward(description),
                        arg(DNNL_ARG_SRC, input.inUse()),
                        arg(DNNL_ARG_WEIGHTS, ordered),
                        bias ? arg(DNNL_ARG_BIAS, biases) : null,
                        arg(DNNL_ARG_DST, output));
    }

    private void prepareBackward() {
        memory.desc x = images(inputShape);
        memory.desc y = images(outputShape);
        memory.desc w = OneDnn.any(weightShape);
        convolution_backward_weights.desc convolution = bias
                ? new convolution_backward_weights.desc(
                        dnnl_convolution_direct,
                        x,
                        w,
                        biases.desc(),
                        y,
                        window.stride(),
                        gaps(),
                        window.paddingBefore(),
                        window.paddingAfter())
                : new convolution_backward_weights.desc(
                        dnnl_convolution_direct,
                        x,
                        w,
                        y,
                        window.stride(),
                        gaps(),
                        window.paddingBefore(),
                        window.paddingAfter());
        convolution_backward_weights.primitive_desc gradient =
                new convolution_backward_weights.primitive_desc(convolution, OneDnn.engine(), description);
        Buffer ordered = Buffer.own(gradient.diff_weights_desc());
        backward.add(
                        new convolution_backward_weights(gradient),
                        arg(DNNL_ARG_SRC, input.inUse()),
                        arg(DNNL_ARG_DIFF_DST, delta.inUse()),
                        arg(DNNL_ARG_DIFF_WEIGHTS, ordered),
                        bias ? arg(DNNL_ARG_DIFF_BIAS, biasGradient) : null)
                .copy(ordered, weightGradient);
    }

    private void prepareBackwardData() {
        convolution_backward_data.primitive_desc gradient = new convolution_backward_data.primitive_desc(
                new convolution_backward_data.desc(
                        dnnl_convolution_direct,
                        images(inputShape),
                        OneDnn.any(weightShape),
                        images(outputShape),
                        window.stride(),
                        gaps(),
                        window.paddingBefore(),
                        window.paddingAfter()),
                OneDnn.engine(),
                description);
        Buffer ordered = Buffer.own(gradient.weights_desc());
        backwardData
                .copy(weights, ordered)
                .add(
                        new convolution_backward_data(gradient),
                        arg(DNNL_ARG_DIFF_DST, delta.inUse()),
                        arg(DNNL_ARG_WEIGHTS, ordered),
                        arg(DNNL_ARG_DIFF_SRC, inputGradient));
    }

    long[] outputShape() {
        return outputShape;
    }
}
