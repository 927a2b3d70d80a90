package io.github.dl4jfuse.network.jacobian;

import static io.github.dl4jfuse.network.jacobian.LayerNode.part;

import io.github.dl4jfuse.network.LayerInputs;
import io.github.dl4jfuse.network.NetworkParameter;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Stages whose part of the output Jacobian has a formula. */
final class FactoredNodes {

    private FactoredNodes() {}

    /** A layer that computes z, then an activation of each element, or of each row, of it. */
    abstract static class Activated extends LayerNode.WithLayer {

        private INDArray z;
        private INDArray activated;

        Activated(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
            super(layer, owner, before, parameters);
        }

        final BaseLayer conf() {
            return (BaseLayer) layer.conf().getLayer();
        }

        IActivation activation() {
            return conf().getActivationFn();
        }

        final INDArray activate(INDArray preOutput) {
            z = preOutput;
            activated = activation().getActivation(preOutput.dup('c'), false);
            return activated;
        }

        /** Returns the cotangents of z. */
        final INDArray throughActivation(INDArray stack) {
            if (activation() instanceof ActivationTanH) { // ND4J's own derivative computes tanh again, one by one
                return tiled(activated.mul(activated).rsubi(1), stack).muli(stack);
            }
            return activation()
                    .backprop(tiled(z.dup('c'), stack), stack.dup('c'))
                    .getFirst();
        }

        /** Repeats an array for each part of a stack. */
        private static INDArray tiled(INDArray array, INDArray stack) {
            long count = stack.size(0) / array.size(0);
            if (count == 1) {
                return array;
            }
            INDArray tiled = Nd4j.createUninitialized(array.dataType(), stack.shape(), 'c');
            INDArray rows = tiled.reshape('c', count, array.length());
            INDArray row = array.reshape('c', 1, array.length());
            for (int k = 0; k < count; k++) {
                rows.putRow(k, row);
            }
            return tiled;
        }

        @Override
        final long outputRows(int examples) {
            return z.size(0);
        }

        final boolean rowsAreExamples(int examples) {
            return z.size(0) == examples;
        }
    }

    /** An activation alone. */
    static final class Elementwise extends Activated {

        Elementwise(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
            super(layer, owner, before, parameters);
        }

        @Override
        IActivation activation() {
            return ((org.deeplearning4j.nn.conf.layers.ActivationLayer)
                            layer.conf().getLayer())
                    .getActivationFn();
        }

        @Override
        INDArray forward(INDArray in) {
            return activate(in);
        }

        @Override
        INDArray backwardThrough(
                INDArray stack,
                int examples,
                BiConsumer<LayerNode, INDArray> known,
                BiConsumer<LayerNode, Gradient> others) {
            return throughActivation(stack);
        }
    }

    /** A dense layer, an embedding (dense on one-hot rows), or the output layer. */
    static class Dense extends Activated {

        private final boolean embedding;
        private INDArray rows;

        Dense(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
            super(layer, owner, before, parameters);
            embedding = layer.conf().getLayer() instanceof EmbeddingLayer;
        }

        /** Returns the inputs of the last forward pass. */
        final INDArray rows() {
            return rows;
        }

        private INDArray weights() {
            return layer.numParams() == 0 ? null : layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
        }

        @Override
        final INDArray forward(INDArray in) {
            INDArray weights = weights();
            rows = embedding ? oneHot(in, weights.size(0)) : in;
            if (weights == null) {
                return activate(rows); // a LossLayer
            }
            INDArray product = rows.mmul(weights);
            INDArray bias = layer.getParam(DefaultParamInitializer.BIAS_KEY);
            return activate(bias == null ? product : product.addiRowVector(bias));
        }

        private static INDArray oneHot(INDArray indices, long words) {
            INDArray rows = Nd4j.zeros(indices.dataType(), indices.length(), words);
            for (long i = 0; i < indices.length(); i++) {
                rows.putScalar(i, indices.getLong(i), 1);
            }
            return rows;
        }

        @Override
        final INDArray backwardThrough(
                INDArray stack,
                int examples,
                BiConsumer<LayerNode, INDArray> known,
                BiConsumer<LayerNode, Gradient> others) {
            INDArray cotangents = throughActivation(stack);
            if (isTrained()) {
                known.accept(this, cotangents);
            }
            INDArray weights = weights();
            return !passesOn ? null : weights == null ? cotangents : Nd4j.gemm(cotangents, weights, false, true);
        }

        @Override
        final boolean isKnown(int examples) {
            return !isTrained() || (rowsAreExamples(examples) && rows.rank() == 2);
        }

        @Override
        final long blockBytes(long n) {
            return isTrained()
                    ? (n * weights().size(1) + rows.length()) * rows.dataType().width()
                    : 0;
        }

        @Override
        final JacobianBlock block(INDArray cotangents, int examples) {
            return new JacobianBlock.Dense(
                    rows,
                    cotangents,
                    trained(DefaultParamInitializer.WEIGHT_KEY),
                    trained(DefaultParamInitializer.BIAS_KEY));
        }
    }

    /** A convolution: the product of its patches with its weights. */
    static final class Convolution extends Activated {

        private INDArray input;
        private INDArray columns; // [examples, inputs of a patch, positions]

        Convolution(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
            super(layer, owner, before, parameters);
        }

        @Override
        INDArray forward(INDArray in) {
            input = in;
            columns = LayerInputs.columns(in, (ConvolutionLayer) layer.conf().getLayer(), in.size(0));
            INDArray kernels = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
            long maps = kernels.size(0);
            INDArray weights = kernels.dup('c').reshape('c', maps, kernels.length() / maps);
            INDArray product =
                    Nd4j.createUninitialized(in.dataType(), new long[] {in.size(0), maps, columns.size(2)}, 'c');
            for (long i = 0; i < in.size(0); i++) {
                product.slice(i).assign(weights.mmul(columns.slice(i)));
            }
            INDArray bias = layer.getParam(DefaultParamInitializer.BIAS_KEY);
            if (bias != null) {
                product.addi(bias.reshape('c', 1, maps, 1));
            }
            long[] size = outputSize();
            return activate(product.reshape('c', in.size(0), maps, size[0], size[1]));
        }

        private long[] outputSize() {
            var conf = (ConvolutionLayer) layer.conf().getLayer();
            long[] shape = conf.getOutputType(
                            0,
                            org.deeplearning4j.nn.conf.inputs.InputType.convolutional(
                                    input.size(2), input.size(3), input.size(1)))
                    .getShape(false); // channels, height, width
            if (shape[1] * shape[2] != columns.size(2)) {
                throw new IllegalStateException("A convolution gives " + columns.size(2)
                        + " positions where its configuration says " + shape[1] + " x " + shape[2] + ".");
            }
            return new long[] {shape[1], shape[2]};
        }

        @Override
        INDArray backwardThrough(
                INDArray stack,
                int examples,
                BiConsumer<LayerNode, INDArray> known,
                BiConsumer<LayerNode, Gradient> others) {
            if (isTrained()) {
                known.accept(this, throughActivation(stack));
            }
            if (!passesOn) {
                return null;
            }
            int count = (int) (stack.size(0) / input.size(0));
            INDArray[] parts = new INDArray[count];
            for (int k = 0; k < count; k++) {
                parts[k] = backpropagate(input, part(stack, k, (int) input.size(0)))
                        .getSecond()
                        .dup('c');
            }
            return stacked(List.of(parts));
        }

        @Override
        boolean isKnown(int examples) {
            return !isTrained() || rowsAreExamples(examples);
        }

        @Override
        long blockBytes(long n) {
            return isTrained() ? n * layer.numParams() * input.dataType().width() : 0;
        }

        @Override
        JacobianBlock block(INDArray cotangents, int examples) {
            INDArray d = JacobianBlock.byExample(cotangents, examples); // [b, Q, maps, h, w]
            long outputs = d.size(1);
            long maps = d.size(2);
            long positions = d.length() / (examples * outputs * maps);
            INDArray flat = d.reshape('c', examples, outputs * maps, positions);
            INDArray ofWeights = Nd4j.createUninitialized(
                    d.dataType(), new long[] {examples * outputs, maps * columns.size(1)}, 'c');
            INDArray target = ofWeights.reshape('c', examples, outputs * maps, columns.size(1));
            for (int i = 0; i < examples; i++) {
                target.slice(i).assign(flat.slice(i).mmul(columns.slice(i).transpose()));
            }
            INDArray ofBias =
                    d.reshape('c', examples * outputs, maps, positions).sum(2);
            return new JacobianBlock.Rows(
                    List.of(ofWeights, ofBias),
                    Arrays.asList(
                            trained(DefaultParamInitializer.WEIGHT_KEY), trained(DefaultParamInitializer.BIAS_KEY)));
        }
    }
}
