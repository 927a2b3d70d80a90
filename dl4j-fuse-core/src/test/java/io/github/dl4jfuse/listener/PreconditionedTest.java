package io.github.dl4jfuse.listener;

import static io.github.dl4jfuse.TestNetworks.fit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.LogLines;
import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.TestNetworks.Options;
import io.github.dl4jfuse.network.UpdaterReset;
import io.github.dl4jfuse.precondition.InputPreconditioner;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions;

class PreconditionedTest {

    private static final int STEPS = 30;
    private static final int BATCH = 24;

    private static void train(TestNetworks kind, Model model, int from, int to, DataType type) {
        for (int step = from; step < to; step++) {
            fit(model, kind.batch(step % 5, BATCH, type));
        }
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void withoutTheListenerItIsTheRuleBitForBit(TestNetworks kind) {
        for (IUpdater rule : new IUpdater[] {new Adam(1e-3), new Sgd(0.1), new Nesterovs(0.01), new AMSGrad(1e-3)}) {
            for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
                Options options = Options.layer(layer -> layer.l2(0.01));
                Model plain = kind.create(rule.clone(), type, options);
                Model adapted = kind.create(Preconditioned.of(rule.clone()), type, options);
                train(kind, plain, 0, 5, type);
                train(kind, adapted, 0, 5, type);
                assertThat(adapted.params()).as("%s in %s", rule, type).isEqualTo(plain.params());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TestNetworks.class)
    void withTheListenerItTrainsAllKindsAndResumesToTheSameBits(TestNetworks kind) throws IOException {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            Model straight = kind.create(Preconditioned.adam(), type, TestNetworks.PLAIN);
            straight.setListeners(new CurvatureListener());
            DataSet data = kind.batch(0, BATCH, type);
            fit(straight, data);
            double before = straight.score();
            train(kind, straight, 1, 2 * STEPS, type);
            fit(straight, data);
            assertThat(straight.score()).as("%s in %s", kind, type).isLessThan(0.7 * before);

            Model first = kind.create(Preconditioned.adam(), type, TestNetworks.PLAIN);
            first.setListeners(new CurvatureListener());
            fit(first, data);
            train(kind, first, 1, STEPS, type);
            ByteArrayOutputStream saved = new ByteArrayOutputStream();
            ModelSerializer.writeModel(first, saved, true);
            ByteArrayInputStream in = new ByteArrayInputStream(saved.toByteArray());
            Model second = first instanceof MultiLayerNetwork
                    ? ModelSerializer.restoreMultiLayerNetwork(in, true)
                    : ModelSerializer.restoreComputationGraph(in, true);
            second.setListeners(new CurvatureListener());
            train(kind, second, STEPS, 2 * STEPS, type);
            fit(second, data);
            assertThat(second.params()).isEqualTo(straight.params());
        }
    }

    /** Changes the inputs by an affine map, and starts at weights that undo it: the same function, in other coordinates. */
    @ParameterizedTest
    @CsvSource({"1,3,0.6", "0.1,0,0.25", "10,0,0.4"})
    void affineMapsOfTheInputsChangeTheCourseLessThanAdams(double scale, double offset, double share) {
        double adapted = change(Preconditioned.of(new Adam(5e-3)), scale, offset);
        double adam = change(new Adam(5e-3), scale, offset);
        assertThat(adapted)
                .as("mean relative change of the losses; Adam's is %s", adam)
                .isLessThan(share * adam);
    }

    private static double change(IUpdater updater, double scale, double offset) {
        double[] plain = losses(updater.clone(), 1, 0);
        double[] mapped = losses(updater.clone(), scale, offset);
        double sum = 0;
        for (int i = 0; i < plain.length; i++) {
            sum += Math.abs(Math.log(mapped[i] / plain[i]));
        }
        return sum / plain.length;
    }

    private static double[] losses(IUpdater updater, double scale, double offset) {
        MultiLayerNetwork network = TestNetworks.DENSE.network(updater, DataType.DOUBLE);
        if (updater instanceof Preconditioned) {
            network.setListeners(new CurvatureListener());
        }
        INDArray weights = network.getLayer(0).getParam("W");
        weights.divi(scale);
        network.getLayer(0).getParam("b").subi(weights.sum(0).mul(offset));
        double[] losses = new double[60];
        for (int step = 0; step < losses.length; step++) {
            DataSet data = TestNetworks.DENSE.batch(step % 8, BATCH, DataType.DOUBLE);
            data.getFeatures().muli(scale).addi(offset);
            fit(network, data);
            losses[step] = network.score();
        }
        return losses;
    }

    /** The input weights of a recurrent layer are met by each time step: many short steps of SGD, computed by hand. */
    @ParameterizedTest
    @EnumSource(RNNFormat.class)
    void theFirstStepOfARecurrentLayerIsTheMetricTwiceTimesTheGradient(RNNFormat format) {
        int inputs = 3;
        MultiLayerNetwork network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(TestNetworks.SEED)
                .dataType(DataType.DOUBLE)
                .updater(Preconditioned.of(new Sgd(1)))
                .list()
                .layer(new LSTM.Builder().nOut(4).dataFormat(format).build())
                .layer(new RnnOutputLayer.Builder(LossFunctions.LossFunction.MSE)
                        .activation(Activation.IDENTITY)
                        .nOut(2)
                        .dataFormat(format)
                        .build())
                .setInputType(InputType.recurrent(inputs, 5, format))
                .build());
        network.init();
        Nd4j.getRandom().setSeed(TestNetworks.SEED);
        INDArray sequences = Nd4j.randn(DataType.DOUBLE, 6, inputs, 5).muli(2).addi(1);
        INDArray labels = Nd4j.randn(DataType.DOUBLE, 6, 2, 5);
        boolean nwc = format == RNNFormat.NWC;
        DataSet data = new DataSet(
                nwc ? sequences.permute(0, 2, 1).dup('c') : sequences,
                nwc ? labels.permute(0, 2, 1).dup('c') : labels);
        network.setListeners(new BaseTrainingListener() {});
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore();
        INDArray weightGradient =
                network.gradient().getGradientFor("0_W").dup('f').divi(6);
        INDArray biasGradient = network.gradient()
                .getGradientFor("0_b")
                .dup()
                .reshape('f', 1, 16)
                .divi(6);
        InputPreconditioner metric = new InputPreconditioner(
                inputs,
                inputs,
                true,
                InputPreconditioner.DEFAULT_DAMPING,
                Nd4j.zeros(DataType.DOUBLE, InputPreconditioner.size(inputs, inputs)));
        metric.observe(sequences.permute(0, 2, 1).dup('c').reshape('c', 30, inputs));
        metric.apply(weightGradient, biasGradient);
        metric.apply(weightGradient, biasGradient);
        INDArray expected = network.getLayer(0)
                .getParam("W")
                .sub(weightGradient.div(Preconditioned.WARM_UP_STEPS)); // the first of the warm-up
        network.setListeners(new CurvatureListener());
        network.fit(data);
        assertThat(network.getLayer(0).getParam("W").equalsWithEps(expected, 1e-10))
                .isTrue();
    }

    /** The same examples again and again have the same gradient and the same metric. */
    @ParameterizedTest
    @CsvSource({"1, 1", "2, 1", "50, 5", "200, 10"})
    void largerBatchesHaveAShorterWarmUp(int copies, double longer) {
        assertThat(firstStep(copies).equalsWithEps(firstStep(1).mul(longer), 1e-9))
                .as("the first step of %d times 64 examples", copies)
                .isTrue();
    }

    private static INDArray firstStep(int copies) {
        Model model = TestNetworks.DENSE.create(Preconditioned.of(new Sgd(1)), DataType.DOUBLE, TestNetworks.PLAIN);
        model.setListeners(new CurvatureListener());
        INDArray start = model.params().dup();
        DataSet examples = TestNetworks.DENSE.batch(0, 64, DataType.DOUBLE);
        fit(model, DataSet.merge(Collections.nCopies(copies, examples)));
        return model.params().sub(start);
    }

    @Test
    void aBatchWithNotANumberTakesNoStepAndTrainingGoesOn() {
        Model model = TestNetworks.DENSE.create(Preconditioned.adam(), DataType.FLOAT, TestNetworks.PLAIN);
        model.setListeners(new CurvatureListener());
        train(TestNetworks.DENSE, model, 0, 7, DataType.FLOAT);
        INDArray before = model.params().dup();
        DataSet bad = TestNetworks.DENSE.batch(7, BATCH, DataType.FLOAT); // the eighth step looks at the inputs
        bad.getFeatures().putScalar(0, Float.NaN);
        fit(model, bad);
        assertThat(model.params()).isEqualTo(before);
        train(TestNetworks.DENSE, model, 8, STEPS, DataType.FLOAT);
        assertThat(model.score()).isFinite();
        assertThat(model.params()).isNotEqualTo(before);
    }

    private static Model after(IUpdater updater, int badStep, double huge, int steps) {
        Model model = TestNetworks.DENSE.create(updater, DataType.FLOAT, TestNetworks.PLAIN);
        if (updater instanceof Preconditioned) {
            model.setListeners(new CurvatureListener());
        }
        for (int step = 1; step <= steps; step++) {
            DataSet data = TestNetworks.DENSE.batch(step % 5, BATCH, DataType.FLOAT);
            if (step == badStep) {
                data.getFeatures().muli(huge);
            }
            fit(model, data);
        }
        return model;
    }

    /** At a step that looks at the inputs, the first and a later one. */
    @ParameterizedTest
    @CsvSource({"1,255", "16,255", "16,1e6", "1,1e12", "32,1e12"})
    void oneBatchOfUnscaledInputsDoesNotStopIt(int badStep, double huge) {
        for (IUpdater rule : new IUpdater[] {new Adam(3e-3), FusePv.ofRate(3e-3)}) {
            int steps = badStep + 100;
            double clean = loss(after(Preconditioned.of(rule), 0, 1, steps));
            Model model = after(Preconditioned.of(rule), badStep, huge, steps);
            double plain = loss(after(new Adam(3e-3), badStep, huge, steps));
            assertThat(loss(model))
                    .as("%s; without the bad batch %s, Adam with it %s", rule, clean, plain)
                    .isLessThan(Math.max(1.1 * plain, 2 * clean));
            assertThat(TestNetworks.updaterState(model).sumNumber().doubleValue())
                    .isFinite();
            CurvatureListener listener = (CurvatureListener)
                    ((MultiLayerNetwork) model).getListeners().iterator().next();
            assertThat(listener.statistics().rollBacks()).isZero();
            assertThat(listener.statistics().skippedBatches()).isZero();
        }
    }

    @Test
    void inputsScaledOnceAreWarnedOfAndInputsScaledForGoodAreFollowed() {
        String once = "as before and after; they were not taken into its metric";
        String forGood = "its metric begins anew";
        try (LogLines log = new LogLines()) {
            after(Preconditioned.adam(), 16, 255, 20);
            assertThat(log.with(once)).singleElement().asString().contains("layer0", "just before step 17");
            assertThat(log.with(forGood)).isEmpty();
        }
        try (LogLines log = new LogLines()) {
            Model model = after(Preconditioned.adam(), 0, 1, 15);
            for (int step = 16; step <= 20; step++) {
                DataSet data = TestNetworks.DENSE.batch(step % 5, BATCH, DataType.FLOAT);
                data.getFeatures().muli(255);
                fit(model, data);
            }
            assertThat(log.with(forGood)).singleElement().asString().contains("layer0", "by step 18");
            assertThat(log.with(once)).isEmpty();
        }
    }

    private static double loss(Model model) {
        double sum = 0;
        for (int batch = 0; batch < 5; batch++) {
            sum += ((MultiLayerNetwork) model).score(TestNetworks.DENSE.batch(batch, BATCH, DataType.FLOAT));
        }
        return sum / 5;
    }

    /** T makes gradients up to 12.6 times longer, which must not overflow Adam's second moment. */
    @Test
    void aGradientThatTheMetricWouldMakeTooLargeTakesNoStep() {
        Preconditioned config = Preconditioned.of(new Adam(1e-3));
        INDArray state = Nd4j.zeros(DataType.FLOAT, config.stateSize(20));
        GradientUpdater<Preconditioned> updater = config.instantiate(state, true);
        long[] shape = TestNetworks.readsModelsOfM2() ? new long[] {20} : new long[] {1, 20};
        updater.applyUpdater(Nd4j.ones(DataType.FLOAT, shape).muli(1e17), 0, 0);
        assertThat(state.sumNumber().doubleValue()).isPositive().isFinite();
        INDArray before = state.dup();
        INDArray huge = Nd4j.ones(DataType.FLOAT, shape).muli(3e18); // its squares alone would not overflow
        updater.applyUpdater(huge, 1, 0);
        assertThat(huge.amaxNumber().doubleValue()).isZero();
        assertThat(state).isEqualTo(before);
    }

    @Test
    void copiesShareNothing() {
        Adam rule = new Adam(1e-3);
        Preconditioned adapted = Preconditioned.of(rule);
        Preconditioned damped = adapted.withDamping(30);
        Preconditioned copy = adapted.clone();
        damped.setLrAndSchedule(0.5, null);
        assertThat(adapted.getLearningRate(0, 0)).isEqualTo(1e-3);
        adapted.setLrAndSchedule(0.25, null);
        assertThat(rule.getLearningRate()).isEqualTo(1e-3);
        assertThat(copy.getLearningRate(0, 0)).isEqualTo(1e-3);
        assertThat(damped.getLearningRate(0, 0)).isEqualTo(0.5);
        rule.setLearningRate(7);
        assertThat(adapted.getLearningRate(0, 0)).isEqualTo(0.25);
    }

    @Test
    void aResetForgetsMomentsAndMetricAndTheNextBatchIsLookedAt() {
        for (IUpdater rule : new IUpdater[] {new Adam(3e-3), FusePv.ofRate(3e-3), new Nesterovs(0.01), new Sgd(0.1)}) {
            Model model = after(Preconditioned.of(rule), 0, 1, 20);
            UpdaterReset.reset(model);
            // What is left: three metrics that want a batch, and the size of the largest batch.
            assertThat(TestNetworks.updaterState(model)
                            .gt(0)
                            .castTo(DataType.INT)
                            .sumNumber()
                            .intValue())
                    .as("%s", rule)
                    .isBetween(3, 4);
            fit(model, TestNetworks.DENSE.batch(1, BATCH, DataType.FLOAT)); // step 21, at which nothing is due
            assertThat(TestNetworks.updaterState(model)
                            .gt(0)
                            .castTo(DataType.INT)
                            .sumNumber()
                            .intValue())
                    .as("%s", rule)
                    .isGreaterThan(100);
        }
    }

    @Test
    void aDamagedConfigurationOrStateIsRefusedWithASentence() {
        MultiLayerConfiguration configuration = TestNetworks.DENSE
                .network(Preconditioned.adam(), DataType.FLOAT)
                .getLayerWiseConfigurations();
        for (String damping : new String[] {"-1.0", "\"NaN\"", "0.0"}) {
            String json = configuration.toJson().replace("\"damping\" : 1.0", "\"damping\" : " + damping);
            assertThatThrownBy(() -> new MultiLayerNetwork(MultiLayerConfiguration.fromJson(json))
                            .fit(TestNetworks.DENSE.batch(0, BATCH, DataType.FLOAT)))
                    .as(damping)
                    .hasMessageContaining("The damping of the metric is a positive number");
        }
        for (IUpdater updater :
                new IUpdater[] {Preconditioned.adam(), Preconditioned.of(new Adam(1e-3)), new FusePv(), new Lfso()}) {
            INDArray state = Nd4j.zeros(DataType.FLOAT, 1, updater.stateSize(20));
            state.putScalar(4, Float.NaN);
            GradientUpdater<?> loaded = updater.instantiate(state, false);
            assertThatThrownBy(() -> loaded.applyUpdater(Nd4j.ones(DataType.FLOAT, 20), 0, 0))
                    .as("%s", updater)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("saved updater state has numbers that are NaN or infinite")
                    .hasMessageContaining("Load it without its updater state");
        }
    }

    /** Versions that let one batch spoil the metric have saved such models. */
    @Test
    void aDamagedMetricStartsAnew() {
        Model model = after(Preconditioned.of(new Adam(3e-3)), 0, 1, 5);
        INDArray state = TestNetworks.updaterState(model);
        state.reshape(state.length()).putScalar(2 * model.numParams() + 5, Float.NaN);
        ((MultiLayerNetwork) model).getUpdater().setStateViewArray((MultiLayerNetwork) model, state.dup(), false);
        Model loaded = ((MultiLayerNetwork) model).clone();
        loaded.setListeners(new CurvatureListener());
        train(TestNetworks.DENSE, loaded, 5, 40, DataType.FLOAT);
        assertThat(TestNetworks.updaterState(loaded).sumNumber().doubleValue()).isFinite();
        assertThat(loaded.params().sumNumber().doubleValue()).isFinite();
        assertThat(loss(loaded)).isLessThan(0.8 * loss(model));
    }

    @Test
    void survivesJsonAndYamlAndClone() {
        Preconditioned adapted = Preconditioned.of(new Nesterovs(0.01, 0.8)).withDamping(10);
        MultiLayerConfiguration configuration =
                TestNetworks.DENSE.network(adapted, DataType.FLOAT).getLayerWiseConfigurations();
        assertThat(MultiLayerConfiguration.fromJson(configuration.toJson())).isEqualTo(configuration);
        assertThat(MultiLayerConfiguration.fromYaml(configuration.toYaml())).isEqualTo(configuration);
        assertThat(adapted.clone()).isEqualTo(adapted).isNotSameAs(adapted).hasSameHashCodeAs(adapted);
        assertThat(adapted.clone().rule()).isNotSameAs(adapted.rule());
        assertThat(Preconditioned.adam()).isNotEqualTo(adapted);
        assertThat(adapted).isNotEqualTo(Preconditioned.of(new Nesterovs(0.01, 0.8)));
        assertThat(adapted.toString()).contains("Nesterovs", "damping=10.0");
    }

    @Test
    void theDampingReachesTheMetric() {
        INDArray[] ends = new INDArray[3];
        for (int i = 0; i < ends.length; i++) {
            Preconditioned adapted =
                    i == 0 ? Preconditioned.adam() : Preconditioned.adam().withDamping(i == 1 ? 1 : 30);
            Model model = TestNetworks.DENSE.create(adapted, DataType.DOUBLE, TestNetworks.PLAIN);
            model.setListeners(new CurvatureListener());
            train(TestNetworks.DENSE, model, 0, 10, DataType.DOUBLE);
            ends[i] = model.params();
        }
        assertThat(ends[1]).isEqualTo(ends[0]);
        assertThat(ends[2]).isNotEqualTo(ends[0]);
    }

    @Test
    void theRateFallsToZeroOverTheEpochs() {
        Preconditioned adapted = Preconditioned.adam().overEpochs(4);
        double[] shares = {1, 0.75, 0.5, 0.25, 0, 0};
        for (int epoch = 0; epoch < shares.length; epoch++) {
            assertThat(adapted.getLearningRate(100 * epoch, epoch))
                    .as("epoch %d", epoch)
                    .isEqualTo(shares[epoch] * 2 * Preconditioned.DEFAULT_RATE);
        }
        MultiLayerConfiguration configuration =
                TestNetworks.DENSE.network(adapted, DataType.FLOAT).getLayerWiseConfigurations();
        assertThat(MultiLayerConfiguration.fromJson(configuration.toJson())).isEqualTo(configuration);
    }

    @Test
    void anyRuleWithARateMayFall() {
        Preconditioned falling = Preconditioned.of(new Nesterovs(0.1, 0.9)).overEpochs(2);
        assertThat(falling.getLearningRate(0, 0)).isEqualTo(0.2);
        assertThat(falling.getLearningRate(0, 1)).isEqualTo(0.1);
        assertThat(falling.getLearningRate(0, 2)).isZero();
        assertThat(Preconditioned.adam(1e-2).overEpochs(2).getLearningRate(0, 0))
                .isEqualTo(2e-2);
        assertThatThrownBy(() -> Preconditioned.of(new AdaDelta()).overEpochs(2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no learning rate");
    }

    /** SameDiff saves a state by its key, and a configuration by the name of its class. */
    @Test
    void sameDiffModelsOfTheFirstNameAreRead() {
        Preconditioned expected = Preconditioned.adam().withDamping(3);
        String json = new TrainingConfig(expected, List.of(), "x", "y")
                .toJson()
                .replace(Preconditioned.class.getName(), "io.github.dl4jfuse.updater.Adapted");
        assertThat(json).contains("updater.Adapted");
        IUpdater read = TrainingConfig.fromJson(json).getUpdater();
        assertThat(read).isEqualTo(expected);
        INDArray state = Nd4j.zeros(DataType.FLOAT, 1, read.stateSize(4));
        assertThat(read.instantiate(Map.of("ADAPTED", state), false).getState()).containsOnlyKeys("ADAPTED");
    }

    @Test
    void refusesWhatCannotBePreconditioned() {
        assertThatThrownBy(() -> Preconditioned.of(Preconditioned.adam()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Preconditioned has a metric already");
        assertThatThrownBy(() -> Preconditioned.of(new Lfso()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("take it without Preconditioned");
        assertThatThrownBy(() -> Preconditioned.adam().overEpochs(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least one epoch");
        assertThatThrownBy(() -> Preconditioned.of(null)).hasMessageContaining("must not be null");
        for (double damping : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> Preconditioned.adam().withDamping(damping))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("is a positive number, not " + damping);
        }
        Model adam = TestNetworks.DENSE.create(new Adam(1e-3), DataType.FLOAT, TestNetworks.PLAIN);
        adam.setListeners(new CurvatureListener());
        assertThatThrownBy(() -> fit(adam, TestNetworks.DENSE.batch(0, BATCH, DataType.FLOAT)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("configure .updater(Preconditioned.adam())");
        CurvatureListener one = new CurvatureListener();
        Model first = TestNetworks.DENSE.create(Preconditioned.adam(), DataType.FLOAT, TestNetworks.PLAIN);
        Model second = TestNetworks.DENSE.create(Preconditioned.adam(), DataType.FLOAT, TestNetworks.PLAIN);
        first.setListeners(one);
        second.setListeners(one);
        fit(first, TestNetworks.DENSE.batch(0, BATCH, DataType.FLOAT));
        assertThatThrownBy(() -> fit(second, TestNetworks.DENSE.batch(0, BATCH, DataType.FLOAT)))
                .hasMessageContaining("belongs to one network");
    }
}
