package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.tools.compare.FashionMlp;
import java.util.List;
import java.util.Locale;
import java.util.Random;
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

/** The first images of Fashion-MNIST, fitted until the training loss is down to a share of its start. */
final class ImageFit {

    /** Conjugate gradients of the solver end there; tighter ones make fewer steps, but dearer ones. */
    private static final double CG_TOLERANCE = 0.1;

    private final int images;
    private final boolean convolutions;
    private final boolean squaredLoss;
    private final double share;
    private final double maxSeconds;
    private final DataSet data;

    /** Each run ends when the loss is down to a share of its start, or after so many processor seconds. */
    ImageFit(int images, boolean convolutions, boolean squaredLoss, double share, double maxSeconds) {
        this.images = images;
        this.convolutions = convolutions;
        this.squaredLoss = squaredLoss;
        this.share = share;
        this.maxSeconds = maxSeconds;
        data = new FashionMlp().data(false).train().iterator(images).next();
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

    Run adam(int seed, double rate, int batch) {
        return train(
                String.format(Locale.ROOT, "Adam %.0e, batches of %d", rate, batch),
                network(seed, new Adam(rate)),
                seed,
                batch,
                images / batch);
    }

    Run gaussNewton(int seed, int batch, double momentum) {
        MultiLayerNetwork network = network(seed, new Sgd(1));
        GaussNewtonListener listener = new GaussNewtonListener(
                GaussNewtonListener.Layers.ALL_LAYERS, GaussNewtonListener.DEFAULT_DAMPING, momentum);
        network.setListeners(listener);
        String name = "GaussNewtonListener, batches of " + batch + (momentum > 0 ? ", momentum " + momentum : "");
        Run run = train(name, network, seed, batch, 1);
        String memory = String.format(
                Locale.ROOT, "%s, %,d MB", name, listener.statistics().extraBytes() >> 20);
        return new Run(memory, run.loss(), run.steps(), run.seconds(), run.arrived());
    }

    private Run train(String name, MultiLayerNetwork network, int seed, int batch, int every) {
        Course course = new Course(name);
        double target = share * network.score(data, false);
        double loss = Double.POSITIVE_INFINITY;
        int steps = 0;
        Random random = new Random(seed);
        while (loss > target && course.seconds() < maxSeconds) {
            List<DataSet> batches = shuffled(random).batchBy(batch);
            for (DataSet each : batches) {
                course.step(() -> network.fit(each));
                steps++;
                if (steps % every == 0 && loss > target) {
                    loss = network.score(data, false);
                    course.reached(loss);
                }
                if (!(loss > target) || course.seconds() >= maxSeconds) {
                    break;
                }
            }
        }
        Run run = course.to(target);
        return new Run(name, run.loss(), steps, run.seconds(), run.arrived());
    }

    private DataSet shuffled(Random random) {
        DataSet copy = data.copy();
        copy.shuffle(random.nextLong());
        return copy;
    }

    Run solver(int seed) {
        NetworkOutputs outputs = new NetworkOutputs(network(seed, new Sgd(1)), data);
        OutputLoss loss = outputs.loss();
        double target = share * loss.at(outputs.outputs(outputs.start())).value();
        Course course = new Course("GaussNewtonSolver, all images");
        double begin = Run.now();
        course.step(() -> GaussNewtonSolver.builder()
                .conjugateGradientTolerance(CG_TOLERANCE)
                .targetLoss(target)
                .cancelWhen(() -> Run.now() - begin > maxSeconds)
                .progress(progress -> course.reached(progress.value()))
                .build()
                .run(outputs, loss));
        return course.endedAt(course.seconds()).to(target);
    }
}
