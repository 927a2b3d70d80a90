package io.github.dl4jfuse.network;

import static org.assertj.core.api.Assertions.assertThat;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class LayerInputsTest {

    /** A convolution is the product of its patches with its weights: so the patches are those of DL4J, in its order. */
    @ParameterizedTest
    @CsvSource({"3,1,0,1,Truncate", "2,2,0,1,Truncate", "3,1,1,1,Truncate", "3,2,0,1,Same", "2,1,0,2,Truncate"})
    void aConvolutionIsTheProductOfPatchesAndWeights(
            int kernel, int stride, int padding, int dilation, ConvolutionMode mode) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(2)
                .dataType(DataType.DOUBLE)
                .list()
                .layer(new ConvolutionLayer.Builder(kernel, kernel)
                        .stride(stride, stride)
                        .padding(padding, padding)
                        .dilation(dilation, dilation)
                        .convolutionMode(mode)
                        .nOut(4)
                        .biasInit(0.5)
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.convolutional(7, 6, 3))
                .build());
        network.init();
        INDArray images = Nd4j.rand(DataType.DOUBLE, 5, 3, 7, 6);
        INDArray expected = network.feedForward(images).get(1); // [5, 4, h, w]
        ConvolutionLayer conf = (ConvolutionLayer) network.getLayer(0).conf().getLayer();
        INDArray rows = LayerInputs.patches(images, conf, images.size(0));
        INDArray weights = network.getLayer(0).getParam("W");
        INDArray product = rows.mmul(
                        weights.dup('c').reshape('c', 4, weights.length() / 4).transpose())
                .addi(0.5); // [5 h w, 4]
        INDArray ordered = expected.permute(0, 2, 3, 1).dup('c').reshape('c', product.size(0), 4);
        assertThat(product.equalsWithEps(ordered, 1e-12)).isTrue();
    }
}
