package io.github.dl4jfuse.tools.rivals;

import java.io.Serializable;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;

/**
 * The weights of a variable as matrices of one shape, one after the other in DL4J's flat array. There a dense layer's weights
 * [in, out] are in f order and a convolution's [out, in, height, width] in c order: both are [out, inputs], row by row.
 *
 * @param count how many
 * @param outputs rows of each
 * @param inputs columns of each, which lie side by side
 */
record Matrices(int count, long outputs, long inputs) implements Serializable {

    private static final long serialVersionUID = 1;

    private static final int GATES = 4;

    private static final Set<Class<?>> CONVOLUTIONS = Set.of(
            ConvolutionLayer.class,
            Convolution2D.class,
            Convolution1DLayer.class,
            Convolution1D.class,
            Convolution3D.class);

    private static final Set<Class<?>> DENSE = Set.of(
            DenseLayer.class,
            OutputLayer.class,
            RnnOutputLayer.class,
            EmbeddingLayer.class,
            EmbeddingSequenceLayer.class);

    long size() {
        return outputs * inputs;
    }

    long length() {
        return count * size();
    }

    /**
     * Returns a layer's weight matrices, variable by variable in DL4J's order; none of a layer that is not known here.
     *
     * @param byGate whether each gate of an LSTM is a matrix of its own
     * @throws IllegalArgumentException if nIn is not set, or for layer normalization, whose gain DL4J counts as a weight
     */
    static List<Matrices> of(Layer layer, boolean byGate) {
        Class<?> type = layer.getClass();
        boolean recurrent = type == LSTM.class || type == SimpleRnn.class;
        if (!recurrent && !CONVOLUTIONS.contains(type) && !DENSE.contains(type)) {
            return List.of();
        }
        long in = ((FeedForwardLayer) layer).getNIn();
        long out = ((FeedForwardLayer) layer).getNOut();
        if (in <= 0 || out <= 0) {
            throw new IllegalArgumentException("Layer " + layer.getLayerName() + " has nIn = " + in + " and nOut = "
                    + out + ": rules for matrices need both.");
        }
        if (layer instanceof DenseLayer dense && dense.hasLayerNorm()
                || layer instanceof SimpleRnn rnn && rnn.hasLayerNorm()) {
            throw new IllegalArgumentException("Layer " + layer.getLayerName()
                    + " has layer normalization, whose gain DL4J counts among the weights: no rule for matrices.");
        }
        if (recurrent) {
            int gates = type == LSTM.class ? GATES : 1;
            int count = byGate ? gates : 1;
            return List.of(new Matrices(count, gates / count * out, in), new Matrices(count, gates / count * out, out));
        }
        if (layer instanceof ConvolutionLayer convolution) {
            long weights = layer.initializer().numParams(layer) - (convolution.hasBias() ? out : 0);
            return List.of(new Matrices(1, out, weights / out));
        }
        return List.of(new Matrices(1, out, in));
    }
}
