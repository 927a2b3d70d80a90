package io.github.dl4jfuse.updater;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.precondition.Preconditioner;
import io.github.dl4jfuse.precondition.PreconditionerFactory;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** What a user has to write to precondition in an own way: here by the mean square of each input, the diagonal of A. */
class OwnPreconditionerTest {

    private static final TestNetworks KIND = TestNetworks.DENSE;

    /** T = diag(1 / √(ε + mean square)), of the first batch alone, on weights; 1 on biases. */
    record Diagonal(@JsonProperty("epsilon") double epsilon) implements PreconditionerFactory {

        @Override
        public long size(int inputs, boolean bias) {
            return inputs;
        }

        @Override
        public Preconditioner create(int inputs, boolean bias, INDArray memory) {
            return new Preconditioner() {

                @Override
                public boolean isIdentity() {
                    return memory.maxNumber().doubleValue() == 0;
                }

                @Override
                public void apply(INDArray weights, INDArray biases) {
                    weights.diviColumnVector(
                            Transforms.sqrt(memory.reshape(inputs, 1).add(epsilon)));
                }

                @Override
                public boolean observe(INDArray rows) {
                    if (isIdentity()) {
                        memory.assign(rows.mul(rows).mean(0));
                    }
                    return true;
                }

                @Override
                public void follow() {}

                @Override
                public void reset() {
                    memory.assign(0);
                }
            };
        }
    }

    /** Makes infinity of everything, and takes as much room as it is told. */
    record Spoiling(@JsonProperty("room") long room) implements PreconditionerFactory {

        @Override
        public long size(int inputs, boolean bias) {
            return room;
        }

        @Override
        public Preconditioner create(int inputs, boolean bias, INDArray memory) {
            return new Preconditioner() {

                @Override
                public boolean isIdentity() {
                    return false;
                }

                @Override
                public void apply(INDArray weights, INDArray biases) {
                    weights.muli(1e300).muli(1e300);
                }

                @Override
                public boolean observe(INDArray rows) {
                    return true;
                }

                @Override
                public void follow() {}

                @Override
                public void reset() {}
            };
        }
    }

    private static MultiLayerNetwork network(Preconditioned updater) {
        MultiLayerNetwork net = KIND.network(updater, DataType.DOUBLE);
        DL4JFuse.attach(net);
        return net;
    }

    /** W ← W - η T² G in the first layer, with T from the formula and G from DL4J; a warm-up of 50 steps begins at 1 / 50. */
    @Test
    void plainGradientDescentStepsByItsSquare() {
        double epsilon = 0.3;
        double rate = 0.01;
        DataSet data = KIND.batch(0, 128, DataType.DOUBLE);
        MultiLayerNetwork net = network(Preconditioned.of(new Sgd(rate)).withPreconditioner(new Diagonal(epsilon)));
        INDArray weights = net.getParam("0_W").dup();
        INDArray biases = net.getParam("0_b").dup();
        MultiLayerNetwork plain = KIND.network(new Sgd(1), DataType.DOUBLE);
        plain.setParams(net.params());
        plain.fit(data);
        net.fit(data);
        double length = rate / Preconditioned.WARM_UP_STEPS;
        INDArray squares = data.getFeatures().mul(data.getFeatures()).mean(0).reshape(weights.rows(), 1);
        INDArray step = weights.sub(plain.getParam("0_W"))
                .divColumnVector(squares.add(epsilon))
                .mul(length);
        assertThat(weights.sub(net.getParam("0_W")).distance2(step))
                .isLessThan(1e-9 * step.norm2Number().doubleValue());
        assertThat(biases.sub(net.getParam("0_b"))
                        .distance2(biases.sub(plain.getParam("0_b")).mul(length)))
                .isCloseTo(0, within(1e-12));
    }

    @Test
    void itIsPartOfTheModelAndGoesOn(@TempDir Path folder) throws IOException {
        Preconditioned updater = Preconditioned.of(new Adam(1e-2)).withPreconditioner(new Diagonal(1e-3));
        MultiLayerNetwork net = network(updater);
        String json = net.getLayerWiseConfigurations().toJson();
        assertThat(json).contains(Diagonal.class.getName());
        assertThat(MultiLayerConfiguration.fromJson(json)).isEqualTo(net.getLayerWiseConfigurations());
        for (int step = 0; step < 5; step++) {
            fit(net, KIND.batch(step, 32, DataType.DOUBLE));
        }
        File file = folder.resolve("net.zip").toFile();
        ModelSerializer.writeModel(net, file, true);
        MultiLayerNetwork back = ModelSerializer.restoreMultiLayerNetwork(file, true);
        DL4JFuse.attach(back);
        for (int step = 5; step < 10; step++) {
            fit(net, KIND.batch(step, 32, DataType.DOUBLE));
            fit(back, KIND.batch(step, 32, DataType.DOUBLE));
        }
        assertThat(back.params().data().asDouble())
                .isEqualTo(net.params().data().asDouble());
        assertThat(updater.clone()).isEqualTo(updater).hasSameHashCodeAs(updater);
        assertThat(updater).isNotEqualTo(Preconditioned.of(new Adam(1e-2)));
    }

    @Test
    void whatItSpoilsIsNoStep() {
        MultiLayerNetwork net = network(Preconditioned.of(new Adam(1e-2)).withPreconditioner(new Spoiling(1)));
        INDArray before = net.params().dup();
        try (LogLines lines = new LogLines()) {
            for (int step = 0; step < 3; step++) {
                fit(net, KIND.batch(step, 32, DataType.DOUBLE));
            }
            assertThat(lines.with("Spoiling[room=1] made numbers that are NaN")).hasSize(1);
        }
        assertThat(net.params().data().asDouble()).isEqualTo(before.data().asDouble());
    }

    @Test
    void layersWithoutRoomAreNamedAndTrainedByTheRule() {
        MultiLayerNetwork net = network(Preconditioned.of(new Adam(1e-2)).withPreconditioner(new Spoiling(1L << 40)));
        MultiLayerNetwork adam = KIND.network(new Adam(1e-2), DataType.DOUBLE);
        adam.setParams(net.params());
        try (LogLines lines = new LogLines()) {
            fit(net, KIND.batch(0, 8, DataType.DOUBLE));
            assertThat(lines.with("trained by the plain rule")).hasSize(1);
        }
        fit(adam, KIND.batch(0, 8, DataType.DOUBLE));
        assertThat(net.params().data().asDouble())
                .isEqualTo(adam.params().data().asDouble());
    }

    @Test
    void aDampingNextToItIsRefused() {
        assertThatThrownBy(() -> Preconditioned.adam().withDamping(10).withPreconditioner(new Diagonal(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("give it to Diagonal");
    }
}
