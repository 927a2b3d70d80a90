package io.github.dl4jfuse.device;

import io.github.dl4jfuse.TestNetworks;
import java.util.Locale;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Shows whether DL4J's own Adam trains a 16-bit network on the backend that runs, where nothing is refused. */
final class HalfOnDevice {

    private static final int STEPS = 100;

    private HalfOnDevice() {}

    public static void main(String[] args) {
        System.out.println(Nd4j.getBackend().getClass().getSimpleName());
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.HALF}) {
            for (double epsilon : new double[] {1e-8, 1e-4}) {
                try {
                    MultiLayerNetwork network = TestNetworks.DENSE.network(new Adam(1e-2, 0.9, 0.999, epsilon), type);
                    DataSet batch = Method.batch(0, type);
                    double before = network.score(batch);
                    for (int step = 0; step < STEPS; step++) {
                        network.fit(batch);
                    }
                    System.out.printf(
                            Locale.ROOT,
                            "%s, epsilon %.0e: loss %.4f -> %.4f in %d steps%n",
                            type,
                            epsilon,
                            before,
                            network.score(batch),
                            STEPS);
                } catch (RuntimeException e) {
                    System.out.println(type + ", epsilon " + epsilon + ": " + e);
                }
            }
        }
    }
}
