package io.github.dl4jfuse.acceleration.onednn;

import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_logistic;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_logistic_use_dst_for_bwd;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_relu;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_relu_use_dst_for_bwd;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_tanh;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_tanh_use_dst_for_bwd;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;

import java.util.Map;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationTanH;

/**
 * An activation function that oneDNN applies within a product or convolution, and whose derivative follows from its value y:
 * so no other array is kept.
 */
enum FusedActivation {
    IDENTITY(0, 0),
    RELU(dnnl_eltwise_relu, dnnl_eltwise_relu_use_dst_for_bwd),
    TANH(dnnl_eltwise_tanh, dnnl_eltwise_tanh_use_dst_for_bwd),
    SIGMOID(dnnl_eltwise_logistic, dnnl_eltwise_logistic_use_dst_for_bwd);

    private static final Map<IActivation, FusedActivation> KNOWN = Map.of(
            new ActivationIdentity(), IDENTITY,
            new ActivationReLU(), RELU,
            new ActivationTanH(), TANH,
            new ActivationSigmoid(), SIGMOID);

    private final int forward;
    private final int backward;

    FusedActivation(int forward, int backward) {
        this.forward = forward;
        this.backward = backward;
    }

    /** Returns the one for DL4J's, or null where oneDNN has none. */
    static FusedActivation of(IActivation activation) {
        return KNOWN.get(activation);
    }

    /** Returns that oneDNN has none for DL4J's, or null. */
    static String obstacle(IActivation activation) {
        return of(activation) == null ? "its activation function is " + activation : null;
    }

    /** Returns what makes a forward primitive apply it. */
    primitive_attr attributes() {
        primitive_attr attributes = new primitive_attr();
        if (this != IDENTITY) {
            post_ops after = new post_ops();
            after.append_eltwise(1, forward, 0, 0);
            attributes.set_post_ops(after);
        }
        return attributes;
    }

    /** Adds y = f(x) to a pass; not for the identity. */
    void apply(Pass pass, Buffer x, Buffer y) {
        eltwise_forward.primitive_desc description = new eltwise_forward.primitive_desc(
                new eltwise_forward.desc(dnnl_forward_training, forward, x.desc(), 0, 0), OneDnn.engine());
        pass.add(
                new eltwise_forward(description),
                Pass.arg(org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC, x),
                Pass.arg(org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST, y));
    }

    /** Adds delta = epsilon f'(y) to a pass; not for the identity. */
    void differentiate(Pass pass, Buffer y, Buffer epsilon, Buffer delta) {
        memory.desc desc = delta.desc();
        eltwise_forward.primitive_desc hint = new eltwise_forward.primitive_desc(
                new eltwise_forward.desc(dnnl_forward_training, backward, desc, 0, 0), OneDnn.engine());
        eltwise_backward.primitive_desc derivative = new eltwise_backward.primitive_desc(
                new eltwise_backward.desc(backward, desc, desc, 0, 0), OneDnn.engine(), hint);
        pass.add(
                new eltwise_backward(derivative),
                Pass.arg(org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST, y),
                Pass.arg(org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST, epsilon),
                Pass.arg(org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC, delta));
    }
}
