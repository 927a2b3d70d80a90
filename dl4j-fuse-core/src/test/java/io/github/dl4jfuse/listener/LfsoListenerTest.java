package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.PLAIN;
import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.network.TrainingNetwork;
import io.github.dl4jfuse.optim.MeasuredSmoothness;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Lfso.Direction;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class LfsoListenerTest {

    static final int BATCHES = 8;

    @TempDir
    Path folder;

    static DataSet batch(TestNetworks kind, int step, DataType type) {
        return kind.batch(step % BATCHES, 24, type);
    }

    static double meanLoss(TestNetworks kind, Model model, DataType type) {
        double sum = 0;
        for (int k = 0; k < BATCHES; k++) {
            DataSet data = kind.batch(k, 24, type);
            sum += model instanceof MultiLayerNetwork net
                    ? net.score(data, true)
                    : ((org.deeplearning4j.nn.graph.ComputationGraph) model).score(data, true);
        }
        return sum / BATCHES;
    }

    @ParameterizedTest
    @CsvSource({
        "DENSE, ADAM",
        "DENSE, MOMENTUM",
        "DENSE, GRADIENT",
        "CONVOLUTION, ADAM",
        "BATCH_NORM, MOMENTUM",
        "GRAPH, ADAM"
    })
    void trainsWithoutALearningRate(TestNetworks kind, Direction direction) {
        Model model = kind.create(new Lfso(direction), DataType.FLOAT, PLAIN);
        LfsoListener listener = new LfsoListener();
        model.setListeners(listener);
        double before = meanLoss(kind, model, DataType.FLOAT);
        for (int step = 0; step < 120; step++) {
            fit(model, batch(kind, step, DataType.FLOAT));
        }
        assertThat(meanLoss(kind, model, DataType.FLOAT))
                .as("seed %d", TestNetworks.SEED)
                .isLessThan(0.5 * before);
        LfsoStatistics statistics = listener.statistics();
        assertThat(statistics.steps()).isEqualTo(120);
        // 16 trials at the start, then steps 20, 30, .. 110; each is a forward pass, in a graph an evaluation of the
        // gradient
        assertThat(statistics.trials()).isBetween(26L, 26L + LfsoListener.MAX_FIRST_TRIALS);
        boolean graph = kind == TestNetworks.GRAPH;
        assertThat(statistics.forwardPasses()).isEqualTo(graph ? 0 : statistics.trials());
        assertThat(statistics.gradientEvaluations()).isEqualTo(120 + (graph ? statistics.trials() : 0));
    }

    /** On a quadratic loss with one full batch, along -g, the first measured L is g·H g / |g|² and the step is 1 / L up to a power of 2. */
    @Test
    void measuresTheCurvatureOfAQuadraticLoss() {
        MultiLayerNetwork net = linear(new Lfso(Direction.GRADIENT, null, 1e-2, 0.5), DataType.DOUBLE);
        INDArray x = Nd4j.createFromArray(new double[][] {{1, 2}, {3, -1}, {0.5, 0.25}});
        INDArray y = Nd4j.createFromArray(new double[][] {{1}, {-2}, {0.5}});
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        double[] w = net.params().reshape(3).toDoubleVector();
        double[] g = new double[3];
        for (int i = 0; i < 3; i++) {
            double[] a = {x.getDouble(i, 0), x.getDouble(i, 1), 1};
            double residual = a[0] * w[0] + a[1] * w[1] + w[2] - y.getDouble(i, 0);
            for (int j = 0; j < 3; j++) {
                g[j] += 2 * residual * a[j] / 3; // DL4J's MSE is the mean of squares
            }
        }
        double squared = 0;
        double curvature = 0;
        for (int i = 0; i < 3; i++) {
            double slope = x.getDouble(i, 0) * g[0] + x.getDouble(i, 1) * g[1] + g[2];
            curvature += 2 * slope * slope / 3;
            squared += g[i] * g[i];
        }
        net.fit(new DataSet(x, y));
        double l = curvature / squared;
        assertThat(listener.statistics().smoothness()).isCloseTo(l, within(1e-6 * l));
        assertThat(listener.statistics().rate()).isCloseTo(1 / l, within(1e-6 / l));
        assertThat(listener.statistics().radius())
                .isBetween(Math.sqrt(squared) / l / 1.5, Math.sqrt(squared) / l * 1.5);
        MeasuredSmoothness measured =
                TrainingNetwork.ofLfso(net).updaters().get(0).measured();
        double weight = 1 - MeasuredSmoothness.DECAY;
        assertThat(measured.slope()).isCloseTo(weight, within(1e-6)); // the cosine of g and g is 1
        assertThat(measured.curvature()).isCloseTo(weight * l, within(1e-6 * l));
    }

    static MultiLayerNetwork linear(Lfso updater, DataType type) {
        MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(TestNetworks.SEED)
                .dataType(type)
                .updater(updater)
                .list()
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(2)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        net.init();
        return net;
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    void aWrongFirstGuessDoesNotMatter(Direction direction) {
        double right = Double.NaN;
        for (double guess : new double[] {1e-3, 1e-7, 10}) {
            Model model = TestNetworks.DENSE.create(new Lfso(direction, null, guess, 0.5), DataType.FLOAT, PLAIN);
            model.setListeners(new LfsoListener());
            for (int step = 0; step < 60; step++) {
                fit(model, batch(TestNetworks.DENSE, step, DataType.FLOAT));
            }
            double loss = meanLoss(TestNetworks.DENSE, model, DataType.FLOAT);
            right = Double.isNaN(right) ? loss : right;
            assertThat(loss).as("guess %s, seed %d", guess, TestNetworks.SEED).isCloseTo(right, within(0.05 * right));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "DENSE, FLOAT, ADAM",
        "DENSE, DOUBLE, MOMENTUM",
        "CONVOLUTION, FLOAT, GRADIENT",
        "BATCH_NORM, FLOAT, ADAM",
        "GRAPH, FLOAT, ADAM"
    })
    void savedAndLoadedItGoesOnToTheLastBit(TestNetworks kind, DataType type, Direction direction) throws IOException {
        ISchedule schedule = new MapSchedule.Builder(ScheduleType.ITERATION)
                .add(0, 1)
                .add(21, 0.5)
                .build();
        int half = 19; // past the warm-up, between two trials
        Model straight = kind.create(new Lfso(direction, schedule), type, PLAIN);
        Model first = kind.create(new Lfso(direction, schedule), type, PLAIN);
        straight.setListeners(new LfsoListener());
        first.setListeners(new LfsoListener());
        for (int step = 0; step < half; step++) {
            fit(straight, batch(kind, step, type));
            fit(first, batch(kind, step, type));
        }
        File file = folder.resolve("model.zip").toFile();
        ModelSerializer.writeModel(first, file, true);
        Model loaded = kind == TestNetworks.GRAPH
                ? ModelSerializer.restoreComputationGraph(file, true)
                : ModelSerializer.restoreMultiLayerNetwork(file, true);
        loaded.setListeners(new LfsoListener());
        for (int step = half; step < 2 * half; step++) {
            fit(straight, batch(kind, step, type));
            fit(loaded, batch(kind, step, type));
        }
        assertThat(loaded.params()).as("seed %d", TestNetworks.SEED).isEqualTo(straight.params());
        assertThat(TestNetworks.updaterState(loaded)).isEqualTo(TestNetworks.updaterState(straight));
    }

    @Test
    void l2AndDropoutAreAllowed() {
        for (Options options : new Options[] {Options.network(b -> b.l2(1e-3)), Options.network(b -> b.dropOut(0.8))}) {
            Model model = TestNetworks.DENSE.create(new Lfso(), DataType.FLOAT, options);
            LfsoListener listener = new LfsoListener();
            model.setListeners(listener);
            double before = meanLoss(TestNetworks.DENSE, model, DataType.FLOAT);
            for (int step = 0; step < 80; step++) {
                fit(model, batch(TestNetworks.DENSE, step, DataType.FLOAT));
            }
            assertThat(meanLoss(TestNetworks.DENSE, model, DataType.FLOAT)).isLessThan(0.8 * before);
            assertThat(listener.statistics().rate()).isBetween(1e-5, 1.0);
        }
    }

    /** Whatever was tried and refused, other listeners see the score of the step's start and the update that was taken. */
    @ParameterizedTest
    @CsvSource({"DENSE, PLAIN", "DENSE, DROPOUT", "GRAPH, PLAIN"})
    void leavesScoreAndUpdateAsDeeplearning4jWould(TestNetworks kind, String options) {
        Options network = Options.network(b -> {
            b.l2(0.1);
            if (options.equals("DROPOUT")) {
                b.dropOut(0.5);
            }
        });
        Model model = kind.create(new Lfso(Direction.GRADIENT), DataType.DOUBLE, network);
        double[] atTheStart = new double[1];
        BaseTrainingListener early = new BaseTrainingListener() {
            @Override
            public void onGradientCalculation(Model current) {
                atTheStart[0] = current.score();
            }
        };
        LfsoListener listener = new LfsoListener();
        model.setListeners(early, listener);
        for (int step = 0; step < 30; step++) {
            INDArray before = model.params().dup();
            INDArray rate = TestNetworks.updaterState(model);
            rate = rate.reshape(rate.length());
            boolean tooLong = step == 9; // with l2 the loss certainly rises: refused
            if (tooLong) {
                rate.putScalar(0, 1e4 * rate.getDouble(0));
                TrainingNetwork.ofLfso(model); // takes up the state
            }
            fit(model, batch(kind, step, DataType.DOUBLE));
            if (tooLong) {
                assertThat(listener.statistics().refusedTrials()).isEqualTo(1);
                assertThat(kind == TestNetworks.GRAPH || model.params().equals(before))
                        .isTrue();
                rate.putScalar(0, 1e-4 * rate.getDouble(0));
                TrainingNetwork.ofLfso(model);
            }
            assertThat(model.score()).as("step %d", step).isEqualTo(atTheStart[0]);
            if (kind != TestNetworks.GRAPH) { // there DL4J also moves BatchNorm's statistics
                assertThat(before.sub(model.getGradientsViewArray())
                                .sub(model.params())
                                .amaxNumber()
                                .doubleValue())
                        .as("seed %d, step %d", TestNetworks.SEED, step)
                        .isLessThan(1e-12);
            }
        }
    }

    /**
     * A linear network has a quadratic loss for each mask of dropout, so L is at most 2 max |a|² of the rows a that a mask
     * leaves; and the slope that counts, which is divided by |g| |d| of the same mask, is a cosine.
     */
    @Test
    void dropoutHasTheSameMaskBeforeAndAfterATrial() {
        MultiLayerNetwork net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(TestNetworks.SEED)
                .dataType(DataType.DOUBLE)
                .updater(new Lfso(Direction.GRADIENT))
                .list()
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(4)
                        .nOut(1)
                        .dropOut(0.5)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        net.init();
        LfsoListener listener = new LfsoListener();
        net.setListeners(listener);
        INDArray x = Nd4j.linspace(-1, 1, 24, DataType.DOUBLE).reshape(6, 4);
        INDArray y = Nd4j.linspace(3, 5, 6, DataType.DOUBLE).reshape(6, 1);
        double bound = 2 * (1 + 4 * x.mul(x).sum(1).maxNumber().doubleValue());
        double slope = 0;
        for (int k = 0; k < 40; k++) {
            net.fit(new DataSet(x, y));
            assertThat(listener.statistics().smoothness())
                    .as("seed %d, step %d", TestNetworks.SEED, k)
                    .isBetween(0.0, bound);
            double before = slope;
            slope = TrainingNetwork.ofLfso(net).updaters().get(0).measured().slope();
            assertThat((slope - MeasuredSmoothness.DECAY * before) / (1 - MeasuredSmoothness.DECAY))
                    .as("seed %d, step %d", TestNetworks.SEED, k)
                    .isBetween(-1 - 1e-6, 1 + 1e-6);
        }
        LfsoStatistics statistics = listener.statistics();
        assertThat(statistics.gradientEvaluations() - statistics.steps())
                .as("each trial evaluates the start once more: 16, 20, 30")
                .isEqualTo(16 + 2);
    }
}
