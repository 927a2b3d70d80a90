package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.examples.compare.FashionMlp;
import io.github.dl4jfuse.geometry.Adaptation;
import io.github.dl4jfuse.geometry.GeometrySolver;
import io.github.dl4jfuse.geometry.OutputLoss;
import io.github.dl4jfuse.network.NetworkOutputs;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The first images of Fashion-MNIST, fitted in full batches until the training loss is down to a share of its start. */
final class ImageFit {

    private final int images;
    private final boolean convolutions;
    private final boolean squaredLoss;
    private final double share;
    private final DataSet data;

    ImageFit(int images, boolean convolutions, boolean squaredLoss, double share) {
        this.images = images;
        this.convolutions = convolutions;
        this.squaredLoss = squaredLoss;
        this.share = share;
        data = new FashionMlp().data(false).train().iterator(images, 1).next();
    }

    String name() {
        return (convolutions ? "CNN" : "MLP") + ", " + (squaredLoss ? "squared loss" : "cross-entropy") + ", " + images
                + " images";
    }

    private MultiLayerNetwork network(int seed, IUpdater updater) {
        var list = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(updater)
                .activation(Activation.RELU)
                .list();
        if (convolutions) {
            list.layer(new ConvolutionLayer.Builder(5, 5).nOut(8).build())
                    .layer(new SubsamplingLayer.Builder()
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .build())
                    .layer(new DenseLayer.Builder().nOut(64).build())
                    .setInputType(InputType.convolutionalFlat(28, 28, 1));
        } else {
            list.layer(new DenseLayer.Builder().nOut(256).build())
                    .layer(new DenseLayer.Builder().nOut(128).build())
                    .setInputType(InputType.feedForward(784));
        }
        list.layer(
                squaredLoss
                        ? new OutputLayer.Builder(LossFunction.MSE)
                                .nOut(10)
                                .activation(Activation.IDENTITY)
                                .build()
                        : new OutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(10)
                                .activation(Activation.SOFTMAX)
                                .build());
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        return network;
    }

    Run adam(int seed, double rate, int most) {
        MultiLayerNetwork network = network(seed, new Adam(rate));
        double target = share * network.score(data, false);
        double spent = 0;
        int steps = 0;
        double loss = Double.POSITIVE_INFINITY;
        while (steps < most && !(loss <= target)) {
            double begin = Run.now();
            network.fit(data);
            spent += Run.now() - begin;
            loss = network.score(); // of the point before the step
            steps++;
        }
        return new Run(String.format(java.util.Locale.ROOT, "Adam %.0e", rate), loss, steps, spent, loss <= target);
    }

    Run solver(int seed, double maxSeconds) {
        MultiLayerNetwork network = network(seed, new Sgd(1));
        double begin = Run.now();
        NetworkOutputs outputs = new NetworkOutputs(network, data);
        OutputLoss loss = outputs.loss();
        double target = share * loss.at(outputs.outputs(outputs.start())).value();
        Adaptation end = GeometrySolver.builder()
                .conjugateGradientTolerance(0.1)
                .targetLoss(target)
                .maxSeconds(maxSeconds)
                .build()
                .run(outputs, loss);
        return new Run("GeometrySolver", end.value(), end.iterations(), Run.now() - begin, end.value() <= target);
    }
}
