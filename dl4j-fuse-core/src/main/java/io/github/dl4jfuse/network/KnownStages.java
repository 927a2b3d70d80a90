package io.github.dl4jfuse.network;

import static io.github.dl4jfuse.network.EvaluationPass.part;

import java.util.List;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Stages whose part of the output Jacobian has a formula. */
final class KnownStages {

    private KnownStages() {}

    /** A layer that computes z, then an activation of each element, or of each row, of it. */
    abstract static class Activated extends Stage.WithLayer {

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
                INDArray stack, int examples, BiConsumer<Stage, INDArray> known, BiConsumer<Stage, Gradient> others) {
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
                INDArray stack, int examples, BiConsumer<Stage, INDArray> known, BiConsumer<Stage, Gradient> others) {
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
                INDArray stack, int examples, BiConsumer<Stage, INDArray> known, BiConsumer<Stage, Gradient> others) {
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
                    java.util.Arrays.asList(
                            trained(DefaultParamInitializer.WEIGHT_KEY), trained(DefaultParamInitializer.BIAS_KEY)));
        }
    }

    /** BatchNorm with its running statistics: a factor and an offset for each channel. */
    static final class BatchNorm extends Stage.WithLayer {

        private INDArray normalised; // [b, channels, positions]
        private INDArray factor; // gamma over the standard deviation, [channels]
        private long[] shape;
        private boolean channelsLast;

        BatchNorm(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
            super(layer, owner, before, parameters);
        }

        private INDArray parameter(String name, double constant, long channels) {
            INDArray array = layer.getParam(name);
            return array == null
                    ? Nd4j.valueArrayOf(new long[] {channels}, constant, normalised.dataType())
                    : array.reshape(array.length());
        }

        @Override
        INDArray forward(INDArray in) {
            var conf = (BatchNormalization) layer.conf().getLayer();
            shape = in.shape().clone();
            channelsLast = shape.length == 4 && conf.getCnn2DFormat() == CNN2DFormat.NHWC;
            normalised = byChannel(in);
            long channels = normalised.size(1);
            INDArray mean = parameter(BatchNormalizationParamInitializer.GLOBAL_MEAN, 0, channels);
            INDArray variance = conf.isUseLogStd()
                    ? Transforms.pow(
                            Nd4j.valueArrayOf(new long[] {channels}, 10.0, in.dataType()),
                            parameter(BatchNormalizationParamInitializer.GLOBAL_LOG_STD, 0, channels)
                                    .mul(2))
                    : parameter(BatchNormalizationParamInitializer.GLOBAL_VAR, 1, channels);
            INDArray deviation = Transforms.sqrt(variance.add(conf.getEps()), false);
            INDArray gamma = parameter(BatchNormalizationParamInitializer.GAMMA, conf.getGamma(), channels);
            INDArray beta = parameter(BatchNormalizationParamInitializer.BETA, conf.getBeta(), channels);
            normalised.subi(perChannel(mean)).divi(perChannel(deviation));
            factor = gamma.div(deviation);
            return likeInput(normalised.mul(perChannel(gamma)).addi(perChannel(beta)));
        }

        /** Returns a copy [rows, channels, positions]. */
        private INDArray byChannel(INDArray rows) {
            INDArray own = (channelsLast ? rows.permute(0, 3, 1, 2) : rows).dup('c');
            return own.reshape('c', own.size(0), own.size(1), own.length() / (own.size(0) * own.size(1)));
        }

        private INDArray likeInput(INDArray byChannel) {
            long[] target = shape.clone();
            target[0] = byChannel.size(0);
            return channelsLast
                    ? byChannel
                            .reshape('c', target[0], target[3], target[1], target[2])
                            .permute(0, 2, 3, 1)
                            .dup('c')
                    : byChannel.reshape('c', target);
        }

        private static INDArray perChannel(INDArray vector) {
            return vector.reshape('c', 1, vector.length(), 1);
        }

        @Override
        long outputRows(int examples) {
            return shape[0];
        }

        @Override
        INDArray backwardThrough(
                INDArray stack, int examples, BiConsumer<Stage, INDArray> known, BiConsumer<Stage, Gradient> others) {
            if (isTrained()) {
                known.accept(this, stack);
            }
            return likeInput(byChannel(stack).muli(perChannel(factor)));
        }

        @Override
        boolean isKnown(int examples) {
            return !isTrained() || normalised.size(0) == examples;
        }

        @Override
        long blockBytes(long n) {
            return isTrained() ? n * layer.numParams() * normalised.dataType().width() : 0;
        }

        @Override
        JacobianBlock block(INDArray cotangents, int examples) {
            INDArray d = JacobianBlock.byExample(byChannel(cotangents), examples); // [b, Q, channels, positions]
            long outputs = d.size(1);
            long channels = normalised.size(1);
            long positions = normalised.size(2);
            INDArray byPosition = d.reshape('c', examples, outputs, channels, positions);
            INDArray ofGamma = byPosition
                    .mul(normalised.reshape('c', examples, 1, channels, positions))
                    .sum(3)
                    .reshape('c', examples * outputs, channels);
            INDArray ofBeta = byPosition.sum(3).reshape('c', examples * outputs, channels);
            return new JacobianBlock.Rows(
                    List.of(ofGamma, ofBeta),
                    java.util.Arrays.asList(
                            trained(BatchNormalizationParamInitializer.GAMMA),
                            trained(BatchNormalizationParamInitializer.BETA)));
        }
    }
}
