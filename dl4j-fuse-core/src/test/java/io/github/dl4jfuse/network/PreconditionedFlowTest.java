package io.github.dl4jfuse.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolution;
import io.github.dl4jfuse.optim.gaussnewton.GaussNewtonSolver;
import io.github.dl4jfuse.optim.gaussnewton.GramSpectrum;
import io.github.dl4jfuse.optim.gaussnewton.LossForecast;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.optim.gaussnewton.SoftmaxLoss;
import io.github.dl4jfuse.optim.gaussnewton.SquaredLoss;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The known rate of the adapted flow, on networks of 12 random examples with 2 outputs. */
class PreconditionedFlowTest {

    private static final int EXAMPLES = 12;
    private static final int OUTPUTS = 2;

    enum Architecture {
        DENSE,
        CONVOLUTION,
        RECURRENT;

        MultiLayerNetwork network(long seed, LossFunction loss) {
            OutputLayer.Builder last = new OutputLayer.Builder(loss)
                    .nOut(OUTPUTS)
                    .activation(loss == LossFunction.MCXENT ? Activation.SOFTMAX : Activation.IDENTITY);
            List<Layer> layers = switch (this) {
                case DENSE ->
                    List.of(
                            new DenseLayer.Builder().nOut(20).build(),
                            new DenseLayer.Builder().nOut(20).build());
                case CONVOLUTION ->
                    List.of(new ConvolutionLayer.Builder(3, 3).nOut(8).build());
                case RECURRENT ->
                    List.of(new LastTimeStep(new LSTM.Builder().nOut(10).build()));
            };
            var list = new NeuralNetConfiguration.Builder()
                    .seed(seed)
                    .dataType(DataType.DOUBLE)
                    .updater(new Sgd(1))
                    .activation(Activation.TANH)
                    .list();
            layers.forEach(list::layer);
            list.layer(last.build())
                    .setInputType(
                            switch (this) {
                                case DENSE -> InputType.feedForward(4);
                                case CONVOLUTION -> InputType.convolutional(5, 5, 1);
                                case RECURRENT -> InputType.recurrent(4, 3);
                            });
            MultiLayerNetwork network = new MultiLayerNetwork(list.build());
            network.init();
            return network;
        }

        DataSet data(long seed, LossFunction loss) {
            Random random = new Random(seed);
            INDArray features = switch (this) {
                case DENSE -> Nd4j.zeros(DataType.DOUBLE, EXAMPLES, 4);
                case CONVOLUTION -> Nd4j.zeros(DataType.DOUBLE, EXAMPLES, 1, 5, 5);
                case RECURRENT -> Nd4j.zeros(DataType.DOUBLE, EXAMPLES, 4, 3);
            };
            INDArray flat = features.reshape(features.length());
            for (long i = 0; i < flat.length(); i++) {
                flat.putScalar(i, random.nextGaussian());
            }
            INDArray labels = Nd4j.zeros(DataType.DOUBLE, EXAMPLES, OUTPUTS);
            for (int i = 0; i < EXAMPLES; i++) {
                if (loss == LossFunction.MCXENT) {
                    labels.putScalar(i, random.nextInt(OUTPUTS), 1);
                } else {
                    for (int c = 0; c < OUTPUTS; c++) {
                        labels.putScalar(i, c, random.nextGaussian());
                    }
                }
            }
            return new DataSet(features, labels);
        }

        NetworkOutputs outputs(long seed) {
            return new NetworkOutputs(network(seed, LossFunction.MSE), data(seed, LossFunction.MSE));
        }
    }

    /** The paper's loss, C = |x - y|² / 2N. */
    private static SquaredLoss squared(DataSet data) {
        return new SquaredLoss(data.getLabels().dup('c').data().asDouble(), EXAMPLES, OUTPUTS);
    }

    private static double start(NetworkOutputs outputs, OutputLoss loss) {
        return loss.at(outputs.outputs(outputs.start())).value();
    }

    private static int steps(double t, double eta) {
        return (int) Math.round(t / -Math.log1p(-eta));
    }

    /** Ten initialisations and data sets: C(t) = e^(-2t) C(0), whatever they are; published check value e^-8 at t = 4. */
    @Test
    void theRateIsTheSameForAllInitialisations() {
        double eta = 0.03;
        for (long seed = 1; seed <= 10; seed++) {
            NetworkOutputs outputs = Architecture.DENSE.outputs(seed);
            SquaredLoss loss = squared(Architecture.DENSE.data(seed, LossFunction.MSE));
            double start = start(outputs, loss);
            GaussNewtonSolution end = GaussNewtonSolver.flow(eta)
                    .maxIterations(steps(4, eta))
                    .build()
                    .run(outputs, loss);
            assertThat(end.smallestRank()).as("seed %d", seed).isEqualTo(EXAMPLES * OUTPUTS);
            assertThat(end.value() / start).as("seed %d", seed).isCloseTo(3.355e-4, within(0.15 * 3.355e-4));
            assertThat(Math.log(start / end.value()) / (2 * end.time()))
                    .as("rate, seed %d", seed)
                    .isCloseTo(1, within(0.02));
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void theRateIsTheSameForAllArchitectures(Architecture architecture) {
        double eta = 0.02;
        NetworkOutputs outputs = architecture.outputs(1);
        SquaredLoss loss = squared(architecture.data(1, LossFunction.MSE));
        double start = start(outputs, loss);
        GaussNewtonSolution end =
                GaussNewtonSolver.flow(eta).maxIterations(steps(2, eta)).build().run(outputs, loss);
        assertThat(end.smallestRank()).isEqualTo(EXAMPLES * OUTPUTS);
        assertThat(Math.log(start / end.value()) / (2 * end.time())).isCloseTo(1, within(0.02));
    }

    @ParameterizedTest
    @CsvSource("1")
    void theStoppingTimeIsKnownInAdvanceAndThePathIsStraight(long seed) {
        double eta = 0.01;
        double target = 1e-6;
        NetworkOutputs outputs = Architecture.DENSE.outputs(seed);
        SquaredLoss loss = squared(Architecture.DENSE.data(seed, LossFunction.MSE));
        OutputLoss.Local local = loss.at(outputs.outputs(outputs.start()));
        LossForecast forecast = new LossForecast(loss, local, 0);
        int steps = (int) forecast.stepsTo(target, eta);
        double[] atPredictedStep = {Double.NaN};
        GaussNewtonSolution end = GaussNewtonSolver.flow(eta)
                .maxIterations(2 * steps)
                .targetLoss(0.9 * target)
                .progress(progress -> {
                    if (progress.iteration() == steps) {
                        atPredictedStep[0] = progress.value();
                    }
                })
                .build()
                .run(outputs, loss);
        assertThat(end.status()).isEqualTo(GaussNewtonSolution.Status.TARGET_REACHED);
        assertThat(atPredictedStep[0])
                .as("loss after %d steps, seed %d", steps, seed)
                .isCloseTo(target, within(0.1 * target));
        assertThat(end.deviation()).as("distance from the line, seed %d", seed).isLessThan(0.01);
    }

    /** The two examples can only have the mean of their labels, so |y₀ - y₁|² / 4N remains. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void conflictingLabelsEndAtTheIrreducibleFloor(boolean pseudoInverse) {
        DataSet data = Architecture.DENSE.data(1, LossFunction.MSE);
        data.getFeatures().putRow(1, data.getFeatures().getRow(0));
        NetworkOutputs outputs = new NetworkOutputs(Architecture.DENSE.network(1, LossFunction.MSE), data);
        SquaredLoss loss = squared(data);
        double squares = 0;
        for (int c = 0; c < OUTPUTS; c++) {
            double gap = data.getLabels().getDouble(0, c) - data.getLabels().getDouble(1, c);
            squares += gap * gap;
        }
        double floor = squares / (4 * EXAMPLES);
        OutputLoss.Local local = loss.at(outputs.outputs(outputs.start()));
        GramSpectrum spectrum =
                GramSpectrum.of(outputs.linearise(outputs.start()), local, outputs.parameters(), Math.ulp(0.5), 1e-9);
        assertThat(spectrum.rank()).isEqualTo(EXAMPLES * OUTPUTS - OUTPUTS);
        assertThat(spectrum.meetsRankCondition()).isFalse();
        assertThat(spectrum.irreducible() * local.value()).isCloseTo(floor, within(1e-9));
        var solver = pseudoInverse ? GaussNewtonSolver.flow(0.2) : GaussNewtonSolver.builder();
        GaussNewtonSolution end = solver.build().run(outputs, loss);
        assertThat(end.value()).isCloseTo(floor, within(1e-8)).isGreaterThan(floor - 1e-12);
        assertThat(end.smallestRank()).isEqualTo(pseudoInverse ? EXAMPLES * OUTPUTS - OUTPUTS : -1);
    }

    @Test
    void moreEquationsThanParametersEndAtALeastSquaresPoint() {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(2)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(2)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        DataSet data = Architecture.DENSE.data(1, LossFunction.MSE);
        NetworkOutputs outputs = new NetworkOutputs(network, data);
        assertThat(outputs.parameters()).isEqualTo(16);
        SquaredLoss loss = squared(data);
        double before = Math.sqrt(gradientSquares(outputs, loss, outputs.start()));
        double start = start(outputs, loss);
        GaussNewtonSolution end =
                GaussNewtonSolver.flow(0.1).maxIterations(400).build().run(outputs, loss);
        assertThat(end.value()).isLessThan(0.9 * start).isGreaterThan(0.01 * start);
        assertThat(Math.sqrt(gradientSquares(outputs, loss, end.point()))).isLessThan(1e-3 * before);
    }

    private static double gradientSquares(NetworkOutputs outputs, OutputLoss loss, INDArray point) {
        OutputLoss.Local local = loss.at(outputs.outputs(point));
        INDArray gradient = outputs.linearise(point).pull(local.root(local.whitened()));
        return Nd4j.getBlasWrapper().dot(gradient, gradient);
    }

    @Test
    void theDefaultFitsAllDataInAFewSteps() {
        for (long seed = 1; seed <= 3; seed++) {
            NetworkOutputs outputs = Architecture.DENSE.outputs(seed);
            SquaredLoss loss = squared(Architecture.DENSE.data(seed, LossFunction.MSE));
            GaussNewtonSolution end =
                    GaussNewtonSolver.builder().targetLoss(1e-20).build().run(outputs, loss);
            assertThat(end.value()).as("seed %d", seed).isLessThan(1e-20);
            assertThat(end.iterations()).as("seed %d", seed).isLessThan(40);
            assertThat(outputs.start()).as("the network is left there").isEqualTo(end.point());
        }
    }

    /** In the softmax's metric the probabilities go straight to the labels, which gives the loss in closed form. */
    @ParameterizedTest
    @CsvSource({"0", "0.1"})
    void crossEntropyFollowsItsForecast(double smoothing) {
        double eta = 0.02;
        DataSet data = Architecture.DENSE.data(1, LossFunction.MCXENT);
        NetworkOutputs outputs = new NetworkOutputs(Architecture.DENSE.network(1, LossFunction.MCXENT), data);
        OutputLoss loss = outputs.loss(smoothing, SoftmaxLoss.Metric.SOFTMAX);
        LossForecast forecast = new LossForecast(loss, loss.at(outputs.outputs(outputs.start())), 0);
        int[] checked = {0};
        GaussNewtonSolution end = GaussNewtonSolver.flow(eta)
                .maxIterations(steps(3, eta))
                .progress(progress -> {
                    double predicted = forecast.lossAt(progress.time()) - loss.minimum();
                    assertThat(progress.value() - loss.minimum())
                            .as("step %d", progress.iteration())
                            .isCloseTo(predicted, within(0.05 * predicted));
                    checked[0]++;
                })
                .build()
                .run(outputs, loss);
        assertThat(checked[0]).isEqualTo(end.iterations()).isGreaterThan(100);
        assertThat(end.deviation()).isLessThan(0.03);
    }

    /**
     * What the limits above allow for is the error of Euler's steps, which is proportional to η: half the step, half the distance
     * from the line. A wrong metric would stay.
     */
    @ParameterizedTest
    @EnumSource(
            value = LossFunction.class,
            names = {"MSE", "MCXENT"})
    void theDistanceFromTheLineShrinksWithTheStep(LossFunction kind) {
        double[] deviations = new double[2];
        for (int i = 0; i < 2; i++) {
            double eta = 0.02 / (1 + i);
            NetworkOutputs outputs =
                    new NetworkOutputs(Architecture.DENSE.network(1, kind), Architecture.DENSE.data(1, kind));
            deviations[i] = GaussNewtonSolver.flow(eta)
                    .maxIterations(steps(2, eta))
                    .build()
                    .run(outputs, outputs.loss())
                    .deviation();
        }
        assertThat(deviations[1] / deviations[0])
                .as("%s at eta .02, %s at eta .01", deviations[0], deviations[1])
                .isBetween(0.45, 0.55);
    }

    /** With the Euclidean metric Σ_c x_ic is conserved, so x tends to log y - mean(log y) + mean(x(0)). */
    @Test
    void crossEntropyInTheEuclideanMetricConservesTheMeanLogit() {
        DataSet data = Architecture.DENSE.data(1, LossFunction.MCXENT);
        NetworkOutputs outputs = new NetworkOutputs(Architecture.DENSE.network(1, LossFunction.MCXENT), data);
        OutputLoss loss = outputs.loss(0.2, SoftmaxLoss.Metric.EUCLIDEAN);
        double[] before = outputs.outputs(outputs.start());
        GaussNewtonSolution end = GaussNewtonSolver.flow(0.1)
                .maxIterations(400)
                .decreaseTolerance(1e-15)
                .build()
                .run(outputs, loss);
        double[] after = outputs.outputs(end.point());
        double gap = Math.log(0.9) - Math.log(0.1);
        for (int i = 0; i < EXAMPLES; i++) {
            double mean = (before[2 * i] + before[2 * i + 1]) / 2;
            double up = data.getLabels().getDouble(i, 0) == 1 ? gap / 2 : -gap / 2;
            assertThat(after[2 * i]).as("example %d", i).isCloseTo(mean + up, within(0.05));
            assertThat(after[2 * i + 1]).as("example %d", i).isCloseTo(mean - up, within(0.05));
        }
    }

    /** All hidden units dead: D has only the columns of the output biases left, which fit the mean label. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void deadUnitsLeaveTheBiasesAndNoNan(boolean pseudoInverse) {
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(1))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(30)
                        .biasInit(-1e3)
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(30)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
        network.init();
        DataSet data = Architecture.DENSE.data(1, LossFunction.MSE);
        NetworkOutputs outputs = new NetworkOutputs(network, data);
        SquaredLoss loss = squared(data);
        INDArray mean = data.getLabels().mean(0);
        double floor = 0;
        for (int i = 0; i < EXAMPLES * OUTPUTS; i++) {
            double gap = data.getLabels().getDouble(i / OUTPUTS, i % OUTPUTS) - mean.getDouble(i % OUTPUTS);
            floor += gap * gap / (2 * EXAMPLES);
        }
        GaussNewtonSolution end = (pseudoInverse ? GaussNewtonSolver.flow(1) : GaussNewtonSolver.builder())
                .build()
                .run(outputs, loss);
        assertThat(end.value()).isCloseTo(floor, within(1e-9));
        assertThat(end.smallestRank()).isEqualTo(pseudoInverse ? 2 : -1);
    }
}
