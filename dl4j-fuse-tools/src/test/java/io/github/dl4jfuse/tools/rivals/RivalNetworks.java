package io.github.dl4jfuse.tools.rivals;

import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ISchedule;

/** Networks of the tests, and the numbers that {@code src/test/python/rivals.py} starts from. */
final class RivalNetworks {

    static final double RATE = 0.02;

    static final double DECAY = 0.1;

    private RivalNetworks() {}

    /** {@link #RATE}, falling to half of it within 20 steps. */
    static final class Falling implements ISchedule {

        private static final long serialVersionUID = 1;

        @Override
        public double valueAt(int iteration, int epoch) {
            return RATE * (1 - iteration / 40.0);
        }

        @Override
        @SuppressWarnings("MethodDoesntCallSuperMethod")
        public ISchedule clone() {
            return this;
        }
    }

    /** height · sin(first + stride · i + i² / 10). */
    static double[] waves(int n, double first, double stride, double height) {
        double[] result = new double[n];
        for (int i = 0; i < n; i++) {
            result[i] = height * Math.sin(first + stride * i + 0.1 * i * i);
        }
        return result;
    }

    static NeuralNetConfiguration.Builder settings(DataType type) {
        return new NeuralNetConfiguration.Builder().seed(7).dataType(type).activation(Activation.TANH);
    }

    static Layer[] layers() {
        return new Layer[] {
            new ConvolutionLayer.Builder(3, 3).nOut(2).build(),
            new DenseLayer.Builder().nOut(4).build(),
            new OutputLayer.Builder(LossFunction.MCXENT)
                    .activation(Activation.SOFTMAX)
                    .nOut(3)
                    .build()
        };
    }

    /** Convolution, dense and output layer on 5 by 5 images with one channel. */
    static MultiLayerNetwork network(Rival rival, DataType type) {
        return network(
                settings(type)
                        .list(layers())
                        .setInputType(InputType.convolutional(5, 5, 1))
                        .build(),
                rival);
    }

    /** A network of a rival. */
    static MultiLayerNetwork network(MultiLayerConfiguration configuration, Rival rival) {
        rival.updaters()
                .apply(configuration.getConfs().stream()
                        .map(each -> each.getLayer())
                        .toList());
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        if (rival.evaluation() != null) {
            network.addListeners(rival.evaluation());
        }
        return network;
    }

    /** The same as a graph. */
    static ComputationGraph graph(Rival rival, DataType type) {
        Layer[] layers = layers();
        ComputationGraphConfiguration configuration = settings(type)
                .graphBuilder()
                .addInputs("in")
                .addLayer("a", layers[0], "in")
                .addLayer("b", layers[1], "a")
                .addLayer("c", layers[2], "b")
                .setOutputs("c")
                .setInputTypes(InputType.convolutional(5, 5, 1))
                .build();
        rival.updaters().apply(List.of(layers));
        ComputationGraph graph = new ComputationGraph(configuration);
        graph.init();
        if (rival.evaluation() != null) {
            graph.addListeners(rival.evaluation());
        }
        return graph;
    }

    /** Eight images, others at each step. */
    static DataSet batch(int step, DataType type) {
        INDArray images = Nd4j.createFromArray(waves(200, 0.7 + step, 1.3, 1)).reshape(8, 1, 5, 5);
        INDArray labels = Nd4j.zeros(DataType.DOUBLE, 8, 3);
        for (int i = 0; i < 8; i++) {
            labels.putScalar(i, i % 3, 1);
        }
        return new DataSet(images.castTo(type), labels.castTo(type));
    }
}
