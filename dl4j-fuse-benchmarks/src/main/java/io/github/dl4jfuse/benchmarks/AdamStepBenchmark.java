package io.github.dl4jfuse.benchmarks;

import io.github.dl4jfuse.listener.FuseListener;
import io.github.dl4jfuse.switching.SwitchCriterion;
import io.github.dl4jfuse.updater.FusePv;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A training step of a small network: DL4J's Adam, and FUSE-PV before it switches. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class AdamStepBenchmark {

    private static final int INPUTS = 784;
    private static final int HIDDEN = 128;
    private static final int CLASSES = 10;
    private static final int BATCH = 128;
    private static final double RATE = 1e-3;
    private static final long SEED = 5;

    private DataSet batch;
    private MultiLayerNetwork adam;
    private MultiLayerNetwork fusePv;

    /** Creates two networks that differ in nothing but the updater and its listener. */
    @Setup
    public void create() {
        Nd4j.getRandom().setSeed(SEED);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, CLASSES);
        for (int i = 0; i < BATCH; i++) {
            labels.putScalar(i, i % CLASSES, 1);
        }
        batch = new DataSet(Nd4j.rand(DataType.FLOAT, BATCH, INPUTS), labels);
        adam = network(new Adam(RATE));
        fusePv = network(FusePv.builder()
                .learningRate(RATE)
                .switchCriterion(SwitchCriterion.iteration(Integer.MAX_VALUE))
                .build());
        fusePv.setListeners(new FuseListener());
    }

    private static MultiLayerNetwork network(IUpdater updater) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(updater)
                .activation(Activation.RELU)
                .list()
                .layer(new DenseLayer.Builder().nIn(INPUTS).nOut(HIDDEN).build())
                .layer(new DenseLayer.Builder().nIn(HIDDEN).nOut(HIDDEN).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(HIDDEN)
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
        network.init();
        return network;
    }

    /** DL4J's own. */
    @Benchmark
    public void adam() {
        adam.fit(batch);
    }

    /** Ours. */
    @Benchmark
    public void fusePv() {
        fusePv.fit(batch);
    }
}
