package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedFacility.dense;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Sgd;

/** oneDNN's objects go with the network that they were made for, and sizes of batches do not add up. JavaCPP counts what lives. */
class AttachedMemoryTest {

    private static final int NETWORKS = 200;
    private static final int SIZES = 200;

    /** As many as a layer keeps kernels for, and some more. */
    private static final int FEW_SIZES = 20;

    private static final int PATIENCE = 100;

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    private static MultiLayerConfiguration small() {
        return stack(
                new Sgd(0.01), convolution(3, 2, Activation.RELU).build(), pooling(PoolingType.MAX, 2, 2, 0), dense(3));
    }

    private static MultiLayerNetwork attached() {
        MultiLayerNetwork network = network(small());
        assertThat(Acceleration.attach(network).layers()).hasSizeGreaterThanOrEqualTo(3);
        network.fit(batch(2, 1));
        return network;
    }

    @Test
    void networksThatAreDroppedLeaveNothing() throws InterruptedException {
        MultiLayerNetwork kept = attached();
        long one = countDownTo(0);
        for (int i = 0; i < NETWORKS; i++) {
            attached();
        }
        assertThat(countDownTo(one)).isLessThanOrEqualTo(one);
        Acceleration.detach(kept);
        assertThat(Pointer.totalCount()).as("at once").isLessThan(3 * one / 4);
    }

    @Test
    void sizesOfBatchesDoNotAddUp() throws InterruptedException {
        MultiLayerNetwork network = attached();
        long few = 0;
        for (int examples = 1; examples <= SIZES; examples++) {
            network.fit(batch(examples, 1));
            if (examples == FEW_SIZES) {
                few = countDownTo(0);
            }
        }
        assertThat(countDownTo(few)).isLessThanOrEqualTo(few);
        network.fit(batch(2, 1));
    }

    /** Returns how many objects live, when it is no more than expected or has not changed for a while; the collector needs time. */
    private static long countDownTo(long expected) throws InterruptedException {
        long count = Long.MAX_VALUE;
        int unchanged = 0;
        for (int i = 0; i < PATIENCE && count > expected && unchanged < 10; i++) {
            System.gc();
            Thread.sleep(20);
            long now = Pointer.totalCount();
            unchanged = now == count ? unchanged + 1 : 0;
            count = now;
        }
        return count;
    }
}
