package io.github.dl4jfuse.examples.geometry;

import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.examples.course.Course;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.tools.compare.Workloads;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.Locale;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** The network fashion-mlp of compare under a {@link GaussNewtonListener}, a few steps with batches of one size. */
final class MiniBatches {

    static final int[] SIZES = {1, 8, 32, 128, 512, 2_048};
    static final String HEAD =
            "| layers | batch | loss at the start | largest | after the last step | undone | ms a step |\n"
                    + "| --- | ---: | ---: | ---: | ---: | ---: | ---: |";

    private static final double ADAM_RATE = 1e-3;
    private static final int MEASURED_ON = 2_000;

    private final DataSource train = Workloads.FASHION_MLP.data(false).train();
    private final DataSet measured = train.iterator(MEASURED_ON).next();

    /** Returns a row of a table; losses are those of the first 2,000 training images. */
    String row(Layers layers, int size, int steps, int seed) {
        IUpdater updater = layers == Layers.ALL_LAYERS ? new Sgd(1) : new Adam(ADAM_RATE);
        MultiLayerNetwork network = Networks.network(Workloads.FASHION_MLP.configuration(seed), updater);
        GaussNewtonListener listener = new GaussNewtonListener(layers);
        network.setListeners(listener);
        double start = network.score(measured, false);
        double largest = start;
        double loss = start;
        Course course = new Course();
        DataSetIterator batches = train.iterator(size, seed);
        for (int i = 0; i < steps; i++) {
            DataSet batch = Networks.next(batches);
            course.step(() -> network.fit(batch));
            loss = network.score(measured, false);
            largest = Math.max(largest, loss);
        }
        return String.format(
                Locale.ROOT,
                "| %s | %,d | %.3f | %.3f | %.3f | %d | %.0f |",
                layers,
                size,
                start,
                largest,
                loss,
                listener.statistics().undone(),
                1e3 * course.seconds() / steps);
    }
}
