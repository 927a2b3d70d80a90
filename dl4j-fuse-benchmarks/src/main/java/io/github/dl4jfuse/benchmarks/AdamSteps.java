package io.github.dl4jfuse.benchmarks;

import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.SaddleListener;
import io.github.dl4jfuse.tools.doctor.PairedTimes;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.util.Locale;
import java.util.function.Supplier;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Training steps of two networks that differ in nothing but the updater or a listener, and take the same steps: DL4J's Adam,
 * and FUSE-PV before it switches, say. The two take their steps in turn ({@link PairedTimes}).
 */
final class AdamSteps {

    private static final int WARM_UP = 200;
    private static final int PAIRS = 1_000;
    private static final int INPUTS = 784;
    private static final int HIDDEN = 128;
    private static final int CLASSES = 10;
    private static final int BATCH = 128;
    private static final double RATE = 1e-3;
    private static final long SEED = 5;

    private final String name;
    private final Supplier<TrainingListener> listener;
    private final Supplier<IUpdater> updater;
    private final PairedTimes times = new PairedTimes();

    private AdamSteps(String name, Supplier<IUpdater> updater, Supplier<TrainingListener> listener) {
        this.name = name;
        this.updater = updater;
        this.listener = listener;
    }

    /** FUSE-PV that never switches. */
    static AdamSteps fusePv() {
        return new AdamSteps(
                "FUSE-PV in its Adam phase",
                () -> FusePv.builder()
                        .learningRate(RATE)
                        .switchCriterion(SwitchCriterion.iteration(Integer.MAX_VALUE))
                        .build(),
                CurvatureListener::new);
    }

    /** Adam with a listener that never probes, as the loss falls. */
    static AdamSteps saddleListener() {
        return new AdamSteps(
                "Adam and SaddleListener", () -> new Adam(RATE), () -> new SaddleListener(batch()).smallestFall(0));
    }

    /** Creates the networks anew, warms them up, and adds the times of {@value #PAIRS} pairs. */
    void run() {
        DataSet batch = batch();
        MultiLayerNetwork adam = network(new Adam(RATE));
        MultiLayerNetwork other = network(updater.get());
        other.setListeners(listener.get());
        times.run(() -> adam.fit(batch), () -> other.fit(batch), WARM_UP, PAIRS);
        if (!adam.params().equals(other.params())) {
            throw new IllegalStateException("The two networks did not take the same steps.");
        }
    }

    private static DataSet batch() {
        Nd4j.getRandom().setSeed(SEED);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, CLASSES);
        for (int i = 0; i < BATCH; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        return new DataSet(Nd4j.rand(DataType.FLOAT, BATCH, INPUTS), labels);
    }

    /** Returns a table with the medians and an interval that holds the ratio's median with 95 % confidence. */
    String table() {
        return String.format(
                Locale.ROOT,
                "%n| step, ms | Adam | %s | ratio of a pair | 95 %% interval |%n"
                        + "| --- | ---: | ---: | ---: | ---: |%n"
                        + "| 784-128-128-10, batch 128, %,d pairs | %.3f | %.3f | %.3f | %.3f to %.3f |%n",
                name,
                times.pairs(),
                times.first(),
                times.second(),
                times.ratio(),
                times.ratioAt(false),
                times.ratioAt(true));
    }

    private static MultiLayerNetwork network(IUpdater updater) {
        var builder = Networks.builder(SEED, WeightInit.XAVIER, Activation.RELU);
        return Networks.network(
                Networks.dense(builder, INPUTS, new int[] {HIDDEN, HIDDEN}, Networks.classes(CLASSES)), updater);
    }
}
