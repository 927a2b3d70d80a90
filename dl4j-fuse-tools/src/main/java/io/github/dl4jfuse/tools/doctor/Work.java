package io.github.dl4jfuse.tools.doctor;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;

/**
 * What a layer's products and memory ask for in a step of training, whoever computes it.
 *
 * @param forward floating-point operations, two for each multiply-add; 0 where a layer has no products
 * @param backward the same: the gradient of the weights and, but for what comes from the network's input, that of the inputs
 * @param bytes what has to be read and written at least: inputs, outputs and weights once forward; backward the outputs' gradient, and inputs
 *     and weights with their gradients
 */
record Work(double forward, double backward, double bytes) {

    private static final int LSTM_GATES = 4;

    /** Multiply-adds with what comes from the layer before, and with what comes from the step of time before. */
    private record Products(double withInputs, double recurrent) {}

    /**
     * Returns a layer's work.
     *
     * @param layer with its configuration and parameters, not a wrapper
     * @param inputs how many numbers went in, over the batch
     * @param outputs how many came out
     * @param first whether nothing but the network's input comes before, whose gradient nobody needs
     * @param trained whether there was a backward pass
     */
    static Work of(Layer layer, long inputs, long outputs, boolean first, boolean trained) {
        Products products = products(layer, inputs, outputs);
        double forward = 2 * (products.withInputs() + products.recurrent());
        double backward = trained ? 2 * forward - (first ? 2 * products.withInputs() : 0) : 0;
        double weights = layer.numParams();
        double numbers = inputs + outputs + weights;
        if (trained) {
            numbers += outputs + 2 * weights + (first ? 1.0 : 2.0) * inputs;
        }
        int width =
                layer.params() == null ? Float.BYTES : layer.params().dataType().width();
        return new Work(forward, backward, width * numbers);
    }

    /** Returns the operations of both passes. */
    double operations() {
        return forward + backward;
    }

    private static Products products(Layer layer, long inputs, long outputs) {
        var conf = layer.conf().getLayer();
        if (conf instanceof Bidirectional both) {
            Products each = recurrent(both.getFwd(), inputs);
            return new Products(2 * each.withInputs(), 2 * each.recurrent());
        }
        if (conf instanceof ConvolutionLayer convolution) {
            boolean transposed = conf instanceof Deconvolution2D || conf instanceof Deconvolution3D;
            double positions =
                    transposed ? (double) inputs / convolution.getNIn() : (double) outputs / convolution.getNOut();
            long weights = length(layer, DefaultParamInitializer.WEIGHT_KEY);
            if (conf instanceof SeparableConvolution2D) {
                weights += length(layer, SeparableConvolutionParamInitializer.POINT_WISE_WEIGHT_KEY);
            }
            return new Products(positions * weights, 0); // each weight is used once at each position
        }
        if (conf instanceof DenseLayer dense) {
            return new Products((double) inputs * dense.getNOut(), 0);
        }
        if (conf instanceof BaseOutputLayer output && !(conf instanceof OCNNOutputLayer)) {
            return new Products((double) inputs * output.getNOut(), 0);
        }
        return recurrent(conf, inputs);
    }

    private static Products recurrent(org.deeplearning4j.nn.conf.layers.Layer conf, long inputs) {
        int gates = conf instanceof AbstractLSTM ? LSTM_GATES : conf instanceof SimpleRnn ? 1 : 0;
        if (gates == 0) {
            return new Products(0, 0);
        }
        BaseRecurrentLayer layer = (BaseRecurrentLayer) conf;
        double times = (double) inputs / layer.getNIn(); // examples and steps of time
        return new Products(
                (double) inputs * gates * layer.getNOut(), times * gates * layer.getNOut() * layer.getNOut());
    }

    private static long length(Layer layer, String parameter) {
        return layer.getParam(parameter).length();
    }
}
