package io.github.dl4jfuse.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.updater.Preconditioned;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CapsuleStrengthLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
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

    private static List<String> leftAlone(InputType input, Layer... layers) {
        return leftAlone(Preconditioned.adam(), input, layers);
    }

    private static List<String> leftAlone(IUpdater updater, InputType input, Layer... layers) {
        var list = new NeuralNetConfiguration.Builder().updater(updater).list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerNetwork network =
                new MultiLayerNetwork(list.setInputType(input).build());
        network.init();
        return new LayerInputs(network).leftAlone();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MSE).nOut(6).build();
    }

    private static RnnOutputLayer sequences() {
        return new RnnOutputLayer.Builder(LossFunction.MSE).nOut(6).build();
    }

    @Test
    void layersWithoutAMetricAreNamed() {
        InputType vector = InputType.feedForward(14);
        InputType sequence = InputType.recurrent(14, 5);
        InputType image = InputType.convolutional(8, 8, 2);
        LSTM lstm = new LSTM.Builder().nOut(8).build();
        DenseLayer dense = new DenseLayer.Builder().nOut(8).build();
        GlobalPoolingLayer pooling = new GlobalPoolingLayer(PoolingType.AVG);

        assertThat(leftAlone(vector, dense, output())).isEmpty();
        assertThat(leftAlone(sequence, lstm, sequences())).containsExactly("layer0 RW");
        assertThat(leftAlone(sequence, new SimpleRnn.Builder().nOut(8).build(), sequences()))
                .containsExactly("layer0 RW");
        assertThat(leftAlone(
                        vector,
                        new DenseLayer.Builder().nOut(8).hasLayerNorm(true).build(),
                        output()))
                .containsExactly("layer0 g");
        assertThat(leftAlone(sequence, new GravesLSTM.Builder().nOut(8).build(), sequences()))
                .containsExactly("layer0");
        assertThat(leftAlone(sequence, new Bidirectional(lstm), sequences())).containsExactly("layer0");
        assertThat(leftAlone(
                        sequence, new GravesBidirectionalLSTM.Builder().nOut(8).build(), sequences()))
                .containsExactly("layer0");
        assertThat(leftAlone(
                        sequence,
                        new SelfAttentionLayer.Builder()
                                .nOut(8)
                                .nHeads(2)
                                .projectInput(true)
                                .build(),
                        pooling,
                        output()))
                .containsExactly("layer0");
        assertThat(leftAlone(
                        sequence,
                        new LearnedSelfAttentionLayer.Builder()
                                .nOut(8)
                                .nHeads(1)
                                .nQueries(3)
                                .projectInput(true)
                                .build(),
                        pooling,
                        output()))
                .containsExactly("layer0");
        assertThat(leftAlone(
                        vector,
                        new VariationalAutoencoder.Builder()
                                .encoderLayerSizes(8)
                                .decoderLayerSizes(8)
                                .nOut(4)
                                .build(),
                        output()))
                .containsExactly("layer0");
        assertThat(leftAlone(
                        vector,
                        dense,
                        new OCNNOutputLayer.Builder().hiddenLayerSize(5).nu(0.1).build()))
                .containsExactly("layer1");
        assertThat(leftAlone(
                        image,
                        new ConvolutionLayer.Builder(3, 3).nOut(4).build(),
                        new PrimaryCapsules.Builder(4, 2).kernelSize(3, 3).build(),
                        new CapsuleLayer.Builder(3, 4, 1).build(),
                        new CapsuleStrengthLayer.Builder().build(),
                        output()))
                .containsExactly("layer1", "layer2");
        assertThat(leftAlone(vector, dense, new BatchNormalization(), output())).containsExactly("layer1");
    }

    @Test
    void aBiasWithAnUpdaterOfItsOwnIsNamed() {
        Preconditioned other = Preconditioned.adam().withDamping(7);
        DenseLayer dense = new DenseLayer.Builder().nOut(8).biasUpdater(other).build();
        assertThat(leftAlone(InputType.feedForward(14), dense, output())).containsExactly("layer0 b");
        DenseLayer plain = new DenseLayer.Builder().nOut(8).updater(new Adam()).build();
        assertThat(leftAlone(InputType.feedForward(14), plain, output())).isEmpty();
    }

    @Test
    void verticesWithParametersAreNamed() {
        ComputationGraph graph = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .updater(Preconditioned.adam())
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.recurrent(14, 5))
                .addVertex(
                        "attention",
                        new AttentionVertex.Builder()
                                .nInKeys(14)
                                .nInQueries(14)
                                .nInValues(14)
                                .nOut(8)
                                .nHeads(2)
                                .projectInput(true)
                                .build(),
                        "in",
                        "in",
                        "in")
                .addLayer("out", sequences(), "attention")
                .setOutputs("out")
                .build());
        graph.init();
        assertThat(new LayerInputs(graph).leftAlone()).containsExactly("attention");
    }
}
