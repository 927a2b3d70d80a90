package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.tools.machine.Cpu;
import io.github.dl4jfuse.tools.networks.Networks;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The best that this process reaches.
 *
 * @param gflops 10⁹ floating-point operations per second in products: ND4J's and an attached dense layer's, {@value #SIZE} x {@value #SIZE}
 * @param gigabytes 10⁹ bytes per second that a copy of {@value #COPIED} numbers reads and writes
 * @param register how many numbers a vector register holds
 */
record Limit(double gflops, double gigabytes, int register) {

    private static final int SIZE = 1024;
    private static final int COPIED = 1 << 24;
    private static final int FEWEST = 3;

    /**
     * Measures both; the best time of each counts.
     *
     * @param type the network's
     * @param seconds for each of three measurements
     */
    static Limit measure(DataType type, double seconds) {
        INDArray a = Nd4j.rand(type, SIZE, SIZE);
        INDArray b = Nd4j.rand(type, SIZE, SIZE);
        INDArray c = Nd4j.create(type, SIZE, SIZE);
        double product = best(seconds, () -> a.mmuli(b, c));
        if (type == DataType.FLOAT) {
            product = Math.min(product, dense(a, seconds));
        }
        INDArray from = Nd4j.rand(type, COPIED);
        INDArray to = Nd4j.create(type, COPIED);
        double copy = best(seconds, () -> to.assign(from));
        Cpu cpu = Cpu.detect();
        int register = cpu.hasAvx512() ? 64 : cpu.hasAvx2() ? 32 : 16; // bytes
        return new Limit(
                2e-6 * SIZE * SIZE * SIZE / product, 2e-6 * COPIED * type.width() / copy, register / type.width());
    }

    /** Returns the limit that counts other products of this process as well. */
    Limit orProducts(double others) {
        return new Limit(Math.max(gflops, others), gigabytes, register);
    }

    private static double dense(INDArray inputs, double seconds) {
        MultiLayerNetwork network = new MultiLayerNetwork(Networks.builder(1, WeightInit.XAVIER, Activation.IDENTITY)
                .list()
                .layer(new DenseLayer.Builder()
                        .name("product of " + SIZE + " x " + SIZE)
                        .nIn(SIZE)
                        .nOut(SIZE)
                        .build())
                .build());
        network.init();
        Acceleration.attach(network);
        Layer layer = network.getLayer(0);
        LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
        double best = best(seconds, () -> layer.activate(inputs, false, workspaces));
        Acceleration.detach(network);
        return best;
    }

    private static double best(double seconds, Runnable work) {
        long end = System.nanoTime() + (long) (1e9 * seconds);
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < FEWEST || System.nanoTime() < end; i++) {
            best = Math.min(best, PairedTimes.milliseconds(() -> {
                work.run();
                Nd4j.getExecutioner().commit();
            }));
        }
        return best;
    }
}
