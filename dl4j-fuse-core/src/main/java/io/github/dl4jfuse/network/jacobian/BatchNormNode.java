package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.network.NetworkParameter;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** BatchNorm with its running statistics: a factor and an offset for each channel. */
final class BatchNormNode extends LayerNode.WithLayer {

    private INDArray normalised; // [b, channels, positions]
    private INDArray factor; // gamma over the standard deviation, [channels]
    private long[] shape;
    private boolean channelsLast;

    BatchNormNode(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
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
            INDArray stack,
            int examples,
            BiConsumer<LayerNode, INDArray> known,
            BiConsumer<LayerNode, Gradient> others) {
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
                Arrays.asList(
                        trained(BatchNormalizationParamInitializer.GAMMA),
                        trained(BatchNormalizationParamInitializer.BETA)));
    }
}
