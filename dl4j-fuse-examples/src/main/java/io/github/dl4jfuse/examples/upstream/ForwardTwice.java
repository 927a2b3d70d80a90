package io.github.dl4jfuse.examples.upstream;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/**
 * Reproduces: a step of training computes each convolution's forward pass twice, and a gradient with respect to the
 * network's input that is thrown away. See docs/upstream.md.
 */
public final class ForwardTwice {

    private ForwardTwice() {}

    /** DL4J's layer, which counts. */
    private static final class Counting extends org.deeplearning4j.nn.layers.convolution.ConvolutionLayer {

        private int forwardPasses;
        private INDArray inputGradient;

        Counting(Layer original) {
            super(original.conf(), DataType.FLOAT);
            setParamTable(original.paramTable());
            setParamsViewArray(original.params());
        }

        @Override
        protected Pair<INDArray, INDArray> preOutput(boolean training, boolean backward, LayerWorkspaceMgr workspaces) {
            forwardPasses++;
            return super.preOutput(training, backward, workspaces);
        }

        @Override
        public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
            Pair<Gradient, INDArray> result = super.backpropGradient(epsilon, workspaces);
            inputGradient = result.getSecond().dup().detach();
            return result;
        }
    }

    public static void main(String[] args) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Sgd(0.1))
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3)
                        .nOut(8)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder()
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(32, 32, 3))
                .build());
        network.init();
        Counting counting = new Counting(network.getLayer(0));
        network.getLayers()[0] = counting;
        network.fit(new DataSet(Nd4j.rand(DataType.FLOAT, 16, 3, 32, 32), labels()));
        System.out.println("forward passes of the convolution in one step of fit: " + counting.forwardPasses);
        System.out.printf(
                "gradient with respect to the network's input: %d numbers, the largest %.2g, used by nobody%n",
                counting.inputGradient.length(),
                counting.inputGradient.amaxNumber().doubleValue());
    }

    private static INDArray labels() {
        INDArray labels = Nd4j.zeros(DataType.FLOAT, 16, 3);
        for (int i = 0; i < 16; i++) {
            labels.putScalar(i, i % 3, 1);
        }
        return labels;
    }
}
