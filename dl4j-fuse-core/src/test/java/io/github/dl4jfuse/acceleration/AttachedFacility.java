package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.difference;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;

/** Something that DL4J offers, done with an attached network and with an equal one of DL4J's layers. */
record AttachedFacility(String name, Course course) {

    /** Largest difference relative to the largest number. */
    private static final double TOLERANCE = 1e-4;

    /** Makes a network, does something with it, and attaches when it likes; returns what has to come out the same. */
    interface Course {
        List<INDArray> run(Consumer<Model> attach);
    }

    static final int STEPS = 6;

    void assertThatItIsAsBefore() {
        List<INDArray> ours = course.run(
                model -> assertThat(Acceleration.attach(model).layers()).isNotEmpty());
        List<INDArray> dl4js = course.run(model -> {});
        assertThat(ours).hasSameSizeAs(dl4js).isNotEmpty();
        for (int i = 0; i < ours.size(); i++) {
            assertThat(dl4js.get(i).isNaN().any())
                    .as("%s, a NaN of DL4J's in result %d", name, i)
                    .isFalse();
            assertThat(difference(ours.get(i), dl4js.get(i).castTo(DataType.DOUBLE)))
                    .as("%s, result %d, seed %d", name, i, SEED)
                    .isLessThan(TOLERANCE);
        }
    }

    static void assertDl4js(Layer[] layers) {
        for (Layer layer : layers) {
            assertThat(layer.getClass().getPackageName()).startsWith("org.deeplearning4j");
        }
    }

    static AttachedFacility trained(String name, MultiLayerConfiguration conf) {
        return new AttachedFacility(name, attach -> {
            MultiLayerNetwork network = network(conf);
            attach.accept(network);
            return results(train(network, STEPS));
        });
    }

    static MultiLayerNetwork train(MultiLayerNetwork network, int steps) {
        for (int step = 0; step < steps; step++) {
            Nd4j.getRandom().setSeed(SEED + step);
            network.fit(batch(step % 3 == 2 ? 5 : 8, step));
        }
        return network;
    }

    static List<INDArray> results(MultiLayerNetwork network) {
        Nd4j.getRandom().setSeed(SEED); // DL4J puts noise on biases in use, too
        return List.of(network.params(), network.output(batch(6, SEED).getFeatures()));
    }

    static NeuralNetConfiguration.Builder settings() {
        return builder(new Sgd(0.05));
    }

    static DenseLayer dense(int outputs) {
        return new DenseLayer.Builder()
                .nOut(outputs)
                .activation(Activation.TANH)
                .build();
    }

    static MultiLayerConfiguration images(NeuralNetConfiguration.Builder settings) {
        return stack(
                settings,
                convolution(3, 5, Activation.TANH).build(),
                pooling(PoolingType.MAX, 2, 2, 0),
                convolution(2, 4, Activation.SIGMOID).build(),
                dense(7));
    }

    @Override
    public String toString() {
        return name;
    }
}
