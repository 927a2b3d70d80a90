package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.network.NetworkParameter;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.layers.FrozenLayer;

/** Which node a layer becomes. */
final class NodeFactory {

    private NodeFactory() {}

    /** Finds out what kind of node a layer is. */
    static LayerNode of(
            Layer layer, Trainable owner, InputPreProcessor before, boolean last, List<NetworkParameter> parameters) {
        Layer inner = layer instanceof FrozenLayer frozen ? frozen.getInsideLayer() : layer;
        var conf = inner.conf().getLayer();
        Class<?> kind = conf.getClass();
        if (last) {
            if (kind == OutputLayer.class) {
                return new OutputNode(inner, owner, before, parameters, ((OutputLayer) conf).getLossFn());
            }
            if (kind == LossLayer.class) {
                return new OutputNode(inner, owner, before, parameters, ((LossLayer) conf).getLossFn());
            }
            throw new IllegalStateException(
                    "The geometry of the outputs is understood for an OutputLayer or a LossLayer at"
                            + " the end, not for a " + kind.getSimpleName()
                            + ": for sequences, put LastTimeStep or GlobalPoolingLayer before an OutputLayer.");
        }
        if ((kind == DenseLayer.class && !((DenseLayer) conf).hasLayerNorm()) || kind == EmbeddingLayer.class) {
            return new FactoredNodes.Dense(inner, owner, before, parameters);
        }
        if (kind == ConvolutionLayer.class && ((ConvolutionLayer) conf).getCnn2dDataFormat() == CNN2DFormat.NCHW) {
            return new FactoredNodes.Convolution(inner, owner, before, parameters);
        }
        if (kind == BatchNormalization.class) { // DL4J's backward pass would be that of training
            return new BatchNormNode(inner, owner, before, parameters);
        }
        if (kind == ActivationLayer.class) {
            return new FactoredNodes.Elementwise(inner, owner, before, parameters);
        }
        return new LayerNode.OfLayer(inner, owner, before, parameters);
    }
}
