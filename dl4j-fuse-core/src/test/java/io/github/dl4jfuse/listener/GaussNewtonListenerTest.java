package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.SEED;
import static io.github.dl4jfuse.TestNetworks.builder;
import static io.github.dl4jfuse.TestNetworks.dense;
import static io.github.dl4jfuse.TestNetworks.meanSquares;
import static io.github.dl4jfuse.TestNetworks.stack;
import static io.github.dl4jfuse.TestNetworks.surface;
import static io.github.dl4jfuse.TestNetworks.surfaceFit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.listener.GaussNewtonListener.Layers;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolution;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonStep;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.step.GaussNewtonDescent;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.ejml.simple.SimpleMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** Which steps are made, kept and undone. */
class GaussNewtonListenerTest {

    /** In the same number of steps, on the same batches, against the best of four rates of Adam. */
    @Test
    void smoothRegressionOnMiniBatchesEndsFarBelowAdam() {
        int steps = 100;
        DataSet all = surface(400, SEED);
        double adam = Double.POSITIVE_INFINITY;
        for (double rate : new double[] {1e-3, 3e-3, 1e-2, 3e-2}) {
            MultiLayerNetwork network = surfaceFit(new Adam(rate), Activation.TANH, 0);
            adam = Math.min(adam, train(network, all, steps));
        }
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
        network.setListeners(new GaussNewtonListener());
        assertThat(train(network, all, steps))
                .as("Adam %s, seed %d", adam, SEED)
                .isLessThan(adam / 30);
    }

    private static double train(MultiLayerNetwork network, DataSet all, int steps) {
        List<DataSet> batches = all.batchBy(80);
        for (int i = 0; i < steps; i++) {
            network.fit(batches.get(i % batches.size()));
        }
        return network.score(all, false);
    }

    @ParameterizedTest
    @CsvSource({"0", "0.5"})
    void onOneBatchTheLossNeverRisesAndFallsToNothing(double momentum) {
        DataSet data = surface(60, SEED);
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, momentum);
        network.setListeners(listener);
        double before = network.score(data, false);
        double start = before;
        for (int i = 0; i < 60; i++) {
            network.fit(data);
            double now = network.score(data, false);
            assertThat(now).as("step %d", i).isLessThanOrEqualTo(before);
            before = now;
        }
        assertThat(before).isLessThan(1e-4 * start);
        GaussNewtonListener.Statistics statistics = listener.statistics();
        assertThat(statistics.steps() + statistics.undone()).isEqualTo(60);
        assertThat(statistics.steps()).isGreaterThan(20);
        assertThat(statistics.extraBytes()).isPositive();
    }

    /** On one batch the steps that are kept are those of the solver, which tries again where the listener waits for a fit. */
    @Test
    void onOneBatchItWalksThePathOfTheSolver() {
        DataSet data = surface(60, SEED);
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, 0);
        network.setListeners(listener);
        for (int i = 0; i < 40; i++) {
            network.fit(data);
        }
        NetworkOutputs outputs = new NetworkOutputs(surfaceFit(new Sgd(1), Activation.TANH, 0), data);
        GaussNewtonSolution end = GaussNewtonSolver.builder()
                .damping(1e-2)
                .maxIterations((int) listener.statistics().steps())
                .build()
                .run(outputs, outputs.loss());
        assertThat(listener.statistics().undone()).as("steps taken back").isPositive();
        assertThat(network.score(data, false) / end.value()).as("seed %d", SEED).isCloseTo(1, within(1e-4));
    }

    /** Hidden layer frozen: one step goes to the damped least-squares fit. */
    @ParameterizedTest
    @CsvSource({"100", "12"})
    void theLastLayerAloneIsFittedInOneStep(int examples) {
        double lambda = 1e-3;
        DataSet data = surface(examples, SEED);
        MultiLayerNetwork network = stack(
                builder(new Sgd(1), DataType.DOUBLE),
                new FrozenLayer.Builder().layer(dense(2, 20)).build(),
                meanSquares(20, 1));
        network.setListeners(new GaussNewtonListener(Layers.OUTPUT_LAYER, lambda, 0));
        INDArray hidden = network.feedForward(data.getFeatures()).get(1);
        SimpleMatrix a = new SimpleMatrix(examples, 21);
        SimpleMatrix residual = new SimpleMatrix(examples, 1);
        INDArray outputs = network.output(data.getFeatures());
        for (int i = 0; i < examples; i++) {
            for (int j = 0; j < 20; j++) {
                a.set(i, j, hidden.getDouble(i, j));
            }
            a.set(i, 20, 1);
            residual.set(i, 0, outputs.getDouble(i) - data.getLabels().getDouble(i, 0));
        }
        double mu = lambda * a.elementPower(2).elementSum() / examples;
        SimpleMatrix normal =
                a.transpose().mult(a).plus(SimpleMatrix.identity(21).scale(mu));
        SimpleMatrix left = residual.minus(a.mult(normal.solve(a.transpose().mult(residual))));
        network.fit(data);
        assertThat(network.score(data, false))
                .as("seed %d", SEED)
                .isCloseTo(left.normF() * left.normF() / examples, within(1e-10));
    }

    /** The same points with opposite labels: what the first batch gains, the second loses three times over. */
    @ParameterizedTest
    @CsvSource({"0", "0.5"})
    void aStepThatTwoBatchesTogetherLoseByIsUndone(double momentum) {
        DataSet first = surface(GaussNewtonDescent.ENOUGH_EXAMPLES, SEED);
        first.getLabels().assign(1);
        DataSet second = surface(GaussNewtonDescent.ENOUGH_EXAMPLES, SEED);
        second.getLabels().assign(-1);
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1e-2, momentum);
        network.setListeners(listener);
        network.fit(first);
        assertThat(listener.statistics().undone()).isZero();
        network.fit(second);
        assertThat(listener.statistics().undone()).isEqualTo(1);
        assertThat(listener.statistics().steps()).isEqualTo(1);
        MultiLayerNetwork fresh = surfaceFit(new Sgd(1), Activation.TANH, 0);
        fresh.setListeners(new GaussNewtonListener(Layers.ALL_LAYERS, 4e-2, momentum));
        fresh.fit(second);
        assertThat(network.params().equalsWithEps(fresh.params(), 1e-12))
                .as("as if the first batch had only raised the damping, seed %d", SEED)
                .isTrue();
    }

    @Test
    void aStepOfTheLastLayerThatExplodesIsUndone() {
        DataSet data = surface(30, SEED);
        MultiLayerNetwork network = surfaceFit(new Sgd(10), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.OUTPUT_LAYER);
        network.setListeners(listener);
        INDArray start = network.params().dup();
        network.fit(data);
        assertThat(network.params()).isEqualTo(start);
        assertThat(listener.statistics().undone()).isEqualTo(1);
    }

    /** A full batch of 400 points, 40 of them for each step: as far as on mini-batches. */
    @Test
    void onSomeExamplesOfTheFullBatchTheWholeLossFalls() {
        DataSet all = surface(400, SEED);
        double[] ends = new double[3];
        for (int i = 0; i < 3; i++) {
            MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
            GaussNewtonListener listener = new GaussNewtonListener().examplesPerStep(40, i < 2 ? SEED : SEED + 1);
            network.setListeners(listener);
            double start = network.score(all, false);
            for (int k = 0; k < 60; k++) {
                network.fit(all);
            }
            ends[i] = network.score(all, false);
            assertThat(ends[i]).as("run %d, seed %d", i, SEED).isLessThan(5e-3 * start);
            assertThat(listener.statistics().extraBytes())
                    .as("a matrix of 40 rows, not of 400")
                    .isLessThan(400 * 400 * Double.BYTES);
        }
        assertThat(ends[1]).as("the same draws").isEqualTo(ends[0]);
        assertThat(ends[2]).as("other draws").isNotEqualTo(ends[0]);
    }

    /** The step of a batch of some examples is the step of the batch that has only them. */
    @Test
    void drawnExamplesAreSolvedAsABatchOfTheirOwn() {
        DataSet all = surface(30, SEED);
        MultiLayerNetwork drawn = surfaceFit(new Sgd(1), Activation.TANH, 0);
        drawn.setListeners(new GaussNewtonListener().examplesPerStep(12, SEED));
        int[] rows = new Random(SEED).ints(0, 30).distinct().limit(12).toArray();
        DataSet some = new DataSet(Nd4j.pullRows(all.getFeatures(), 1, rows), Nd4j.pullRows(all.getLabels(), 1, rows));
        MultiLayerNetwork own = surfaceFit(new Sgd(1), Activation.TANH, 0);
        own.setListeners(new GaussNewtonListener());
        INDArray start = own.params().dup();
        drawn.fit(all);
        own.fit(some);
        assertThat(own.params().equalsWithEps(start, 1e-6)).isFalse();
        assertThat(drawn.params().equalsWithEps(own.params(), 1e-12))
                .as("seed %d", SEED)
                .isTrue();
    }

    /** The prediction is made for the step as long as the updater made it, here one or half a direction. */
    @ParameterizedTest
    @CsvSource({"1", "0.5"})
    void theDampingFollowsTheLengthThatTheUpdaterMade(double rate) {
        DataSet data = surface(40, SEED);
        MultiLayerNetwork network = surfaceFit(new Sgd(rate), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1, 0);
        network.setListeners(listener);
        network.fit(data);
        network.fit(data);
        assertThat(listener.statistics().damping())
                .as("nearly linear, so the actual reduction is about the predicted one")
                .isEqualTo(0.25);
    }

    /** Adam's steps are tiny and not along the direction: the prediction is made for them as they are. */
    @Test
    void theDampingFollowsTheStepThatTheUpdaterMade() {
        DataSet data = surface(40, SEED);
        MultiLayerNetwork network = surfaceFit(new Adam(1e-5), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 1, 0);
        network.setListeners(listener);
        network.fit(data);
        network.fit(data);
        assertThat(listener.statistics().damping())
                .as("nearly linear, so the actual reduction is about the predicted one, seed %d", SEED)
                .isEqualTo(0.25);
    }

    /** The second step is that of the damped problem around the first direction times the momentum. */
    @Test
    void momentumIsThatOfTheLastDirection() {
        DataSet data = surface(30, SEED);
        MultiLayerNetwork network = surfaceFit(new Sgd(1), Activation.TANH, 0);
        GaussNewtonListener listener = new GaussNewtonListener(Layers.ALL_LAYERS, 10, 0.5);
        network.setListeners(listener);
        INDArray first = network.params().dup();
        network.fit(data);
        INDArray second = network.params().dup();
        network.fit(data);
        assertThat(listener.statistics().undone()).isZero();
        NetworkOutputs outputs = new NetworkOutputs(surfaceFit(new Sgd(1), Activation.TANH, 0), data);
        INDArray start = second.reshape(second.length());
        OutputLoss.Local local = outputs.loss().at(outputs.outputs(start));
        GaussNewtonStep step = new GaussNewtonStep(outputs.linearise(start), local, outputs.parameters());
        INDArray earlier = first.sub(second).reshape(start.length());
        INDArray expected = step.damped(listener.statistics().damping() * step.meanEigenvalue(), earlier.mul(0.5))
                .direction();
        INDArray made = start.sub(network.params().reshape(start.length()));
        assertThat(made.equalsWithEps(expected, 1e-10)).as("seed %d", SEED).isTrue();
    }
}
