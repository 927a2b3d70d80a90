package io.github.dl4jfuse.acceleration.onednn;

import static io.github.dl4jfuse.acceleration.onednn.Pass.arg;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WORKSPACE;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_pooling_avg_exclude_padding;
import static org.bytedeco.dnnl.global.dnnl.dnnl_pooling_avg_include_padding;
import static org.bytedeco.dnnl.global.dnnl.dnnl_pooling_max;

import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.pooling_backward;
import org.bytedeco.dnnl.pooling_forward;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Forward and backward pass of pooling, for images of one shape that lie with their channels last, or are copied so. */
final class PoolingKernels {

    /** What is made of the numbers in a window. */
    enum Kind {
        MAX(dnnl_pooling_max),
        /** The mean of those that are there. */
        MEAN(dnnl_pooling_avg_exclude_padding),
        /** Their sum by the size of the window. */
        MEAN_WITH_PADDING(dnnl_pooling_avg_include_padding);

        private final int algorithm;

        Kind(int algorithm) {
            this.algorithm = algorithm;
        }
    }

    private final long[] outputShape;
    private final Received input;
    private final Buffer output;
    private final Received epsilon;
    private final Buffer inputGradient;
    private final Pass forward = new Pass();
    private final Pass backward = new Pass();

    PoolingKernels(Kind kind, long[] in, Window window) {
        long[] out = {in[0], in[1], window.output()[0], window.output()[1]};
        outputShape = out;
        input = new Received(in, Layout.CHANNELS_LAST);
        epsilon = new Received(out, Layout.CHANNELS_LAST);
        memory.desc x = input.inUse().desc();
        memory.desc y = epsilon.inUse().desc();
        output = Buffer.named(y);
        inputGradient = Buffer.named(x);
        pooling_forward.primitive_desc description = new pooling_forward.primitive_desc(
                new pooling_forward.desc(
                        dnnl_forward_training,
                        kind.algorithm,
                        x,
                        y,
                        window.stride(),
                        window.kernel(),
                        window.paddingBefore(),
                        window.paddingAfter()),
                OneDnn.engine());
        Buffer places = kind == Kind.MAX ? Buffer.own(description.workspace_desc()) : null; // of the largest numbers
        forward.add(
                new pooling_forward(description),
                arg(DNNL_ARG_SRC, input.inUse()),
                arg(DNNL_ARG_DST, output),
                places == null ? null : arg(DNNL_ARG_WORKSPACE, places));
        backward.add(
                new pooling_backward(new pooling_backward.primitive_desc(
                        new pooling_backward.desc(
                                kind.algorithm,
                                x,
                                y,
                                window.stride(),
                                window.kernel(),
                                window.paddingBefore(),
                                window.paddingAfter()),
                        OneDnn.engine(),
                        description)),
                arg(DNNL_ARG_DIFF_DST, epsilon.inUse()),
                places == null ? null : arg(DNNL_ARG_WORKSPACE, places),
                arg(DNNL_ARG_DIFF_SRC, inputGradient));
    }

    long[] outputShape() {
        return outputShape;
    }

    /** Computes y into an array with channels last, and keeps what {@link #backward} needs. */
    void forward(INDArray x, INDArray y) {
        input.take(x);
        output.at(y);
        forward.run();
    }

    /** Computes the gradient with respect to the x of the last forward pass, channels last. */
    void backward(INDArray eps, INDArray gx) {
        epsilon.take(eps);
        inputGradient.at(gx);
        backward.run();
    }
}
