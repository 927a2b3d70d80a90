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
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;

import org.bytedeco.dnnl.inner_product_backward_data;
import org.bytedeco.dnnl.inner_product_backward_weights;
import org.bytedeco.dnnl.inner_product_forward;
import org.bytedeco.dnnl.memory;

/**
 * Forward and backward pass of a dense layer with its activation function, y = f(x W + b), for batches of one size.
 *
 * <p>x [n, nIn] and y [n, nOut] lie in c order, W [nIn, nOut] in f order: all as DL4J has them, so nothing is copied.
 */
final class DenseKernels extends ProductKernels {

    DenseKernels(long examples, long inputs, long outputs, boolean bias, FusedActivation activation) {
        super(
                new long[] {examples, inputs},
                new long[] {examples, outputs},
                new long[] {outputs, inputs},
                Layout.PLAIN,
                bias,
                activation);
        memory.desc source = input.inUse().desc();
        memory.desc target = output.desc();
        inner_product_forward.desc product = bias
                ? new inner_product_forward.desc(dnnl_forward_training, source, weights.desc(), biases.desc(), target)
                : new inner_product_forward.desc(dnnl_forward_training, source, weights.desc(), target);
        inner_product_forward.primitive_desc description =
                new inner_product_forward.primitive_desc(product, activation.attributes(), OneDnn.engine());
        forward.add(
                new inner_product_forward(description),
                arg(DNNL_ARG_SRC, input.inUse()),
                arg(DNNL_ARG_WEIGHTS, weights),
                bias ? arg(DNNL_ARG_BIAS, biases) : null,
                arg(DNNL_ARG_DST, output));
        inner_product_backward_weights.desc gradient = bias
                ? new inner_product_backward_weights.desc(source, weights.desc(), biases.desc(), target)
                : new inner_product_backward_weights.desc(source, weights.desc(), target);
        backward.add(
                new inner_product_backward_weights(
                        new inner_product_backward_weights.primitive_desc(gradient, OneDnn.engine(), description)),
                arg(DNNL_ARG_SRC, input.inUse()),
                arg(DNNL_ARG_DIFF_DST, delta.inUse()),
                arg(DNNL_ARG_DIFF_WEIGHTS, weightGradient),
                bias ? arg(DNNL_ARG_DIFF_BIAS, biasGradient) : null);
        backwardData.add(
                new inner_product_backward_data(new inner_product_backward_data.primitive_desc(
                        new inner_product_backward_data.desc(source, weights.desc(), target),
                        OneDnn.engine(),
                        description)),
                arg(DNNL_ARG_DIFF_DST, delta.inUse()),
                arg(DNNL_ARG_WEIGHTS, weights),
                arg(DNNL_ARG_DIFF_SRC, inputGradient));
    }
}
