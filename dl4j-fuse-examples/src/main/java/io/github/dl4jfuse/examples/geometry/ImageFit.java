package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.examples.course.Course;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.Collections;
import java.util.Iterator;
import java.util.Locale;
import java.util.Random;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Images of Fashion-MNIST, fitted until the training loss is down to a share of its start, or for so many processor seconds.
 */
record ImageFit(DataSet data, boolean convolutions, boolean squaredLoss, double share, double maxSeconds) {

    /** Conjugate gradients of the solver end there; tighter ones make fewer steps, but dearer ones. */
    private static final double CG_TOLERANCE = 0.1;

    private String name() {
        return (convolutions ? "CNN" : "MLP") + ", " + (squaredLoss ? "squared loss" : "cross-entropy") + ", "
                + data.numExamples() + " images";
    }

    private MultiLayerNetwork network(int seed, IUpdater updater) {
        var builder = Networks.builder(seed, WeightInit.XAVIER, Activation.RELU);
        OutputLayer.Builder output = new OutputLayer.Builder(squaredLoss ? LossFunction.MSE : LossFunction.MCXENT)
                .nOut(10)
                .activation(squaredLoss ? Activation.IDENTITY : Activation.SOFTMAX);
        return Networks.network(
                convolutions
                        ? builder.list()
                                .layer(new ConvolutionLayer.Builder(5, 5)
                                        .nOut(8)
                                        .build())
                                .layer(Networks.pooling())
                                .layer(new DenseLayer.Builder().nOut(64).build())
                                .layer(output.build())
                                .setInputType(InputType.convolutionalFlat(28, 28, 1))
                                .build()
                        : Networks.dense(builder, 28 * 28, new int[] {256, 128}, output),
                updater);
    }

    /** Returns a row of a table: Adam. */
    String adam(int seed, double rate, int batch) {
        MultiLayerNetwork network = network(seed, new Adam(rate));
        return train(
                () -> String.format(Locale.ROOT, "Adam %.0e, batches of %d", rate, batch),
                network,
                seed,
                batch,
                Math.max(1, data.numExamples() / batch));
    }

    /** Returns a row of a table: Gauss-Newton steps on batches. */
    String gaussNewton(int seed, int batch, double momentum) {
        MultiLayerNetwork network = network(seed, new Sgd(1));
        GaussNewtonListener listener = new GaussNewtonListener(
                GaussNewtonListener.Layers.ALL_LAYERS, GaussNewtonListener.DEFAULT_DAMPING, momentum);
        network.setListeners(listener);
        return train(
                () -> String.format(
                        Locale.ROOT,
                        "GaussNewtonListener, batches of %d%s, %,d MB",
                        batch,
                        momentum > 0 ? ", momentum " + momentum : "",
                        listener.statistics().extraBytes() >> 20),
                network,
                seed,
                batch,
                1);
    }

    /** Trains until the loss is down; it is measured after every so many steps. The name is asked for at the end. */
    private String train(Supplier<String> name, MultiLayerNetwork network, int seed, int batch, int every) {
        Course course = new Course();
        double target = share * network.score(data, false);
        double loss = Double.POSITIVE_INFINITY;
        Random random = new Random(seed);
        Iterator<DataSet> batches = Collections.emptyIterator();
        while (loss > target && course.seconds() < maxSeconds) {
            if (!batches.hasNext()) {
                batches = shuffled(random).batchBy(batch).iterator();
            }
            DataSet each = batches.next();
            course.step(() -> network.fit(each));
            if (course.steps() % every == 0) {
                loss = network.score(data, false);
                course.reached(loss);
            }
        }
        return course.row(name(), name.get(), target);
    }

    private DataSet shuffled(Random random) {
        DataSet copy = data.copy();
        copy.shuffle(random.nextLong());
        return copy;
    }

    /** Returns a row of a table: the solver on all images. */
    String solver(int seed) {
        NetworkOutputs outputs = new NetworkOutputs(network(seed, new Sgd(1)), data);
        OutputLoss loss = outputs.loss();
        double target = share * loss.at(outputs.outputs(outputs.start())).value();
        double begin = Course.now();
        return Course.ofSolver(losses -> GaussNewtonSolver.builder()
                        .conjugateGradientTolerance(CG_TOLERANCE)
                        .targetLoss(target)
                        .cancelWhen(() -> Course.now() - begin > maxSeconds)
                        .progress(progress -> losses.accept(progress.value()))
                        .build()
                        .run(outputs, loss))
                .row(name(), "GaussNewtonSolver, all images", target);
    }
}
