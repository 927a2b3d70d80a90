package io.github.dl4jfuse.acceleration;

import static io.github.dl4jfuse.acceleration.AttachedFacility.assertDl4js;
import static io.github.dl4jfuse.acceleration.AttachedFacility.dense;
import static io.github.dl4jfuse.acceleration.AttachedFacility.images;
import static io.github.dl4jfuse.acceleration.AttachedFacility.results;
import static io.github.dl4jfuse.acceleration.AttachedFacility.settings;
import static io.github.dl4jfuse.acceleration.AttachedFacility.train;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.SEED;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.assumeThatThereAreAny;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.batch;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.builder;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.convolution;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.evaluate;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.network;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.pooling;
import static io.github.dl4jfuse.acceleration.AttachedNetworks.stack;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.transferlearning.TransferLearningHelper;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.listeners.CollectScoresIterationListener;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Each thing to do with a network of layers is, attached, as it was before. */
class AttachedFacilitiesTest {

    @BeforeAll
    static void onlyWhereTheyRun() {
        assumeThatThereAreAny();
    }

    static List<AttachedFacility> facilities() {
        return List.of(
                new AttachedFacility("attached and detached in turn", AttachedFacilitiesTest::inTurn),
                new AttachedFacility("restored with its updater", AttachedFacilitiesTest::restored),
                new AttachedFacility("another rate, other listeners", AttachedFacilitiesTest::changed),
                new AttachedFacility("early stopping", AttachedFacilitiesTest::earlyStopping),
                new AttachedFacility("transfer learning", AttachedFacilitiesTest::transferred),
                new AttachedFacility("features of a frozen part", AttachedFacilitiesTest::featurized),
                new AttachedFacility("ParallelWrapper", AttachedFacilitiesTest::inParallel),
                new AttachedFacility("gradients by request", AttachedFacilitiesTest::gradients),
                new AttachedFacility("external errors", AttachedFacilitiesTest::externalErrors),
                new AttachedFacility("what listeners see", AttachedFacilitiesTest::seen),
                new AttachedFacility("a listener that uses layers between passes", AttachedFacilitiesTest::used),
                new AttachedFacility("pretraining", AttachedFacilitiesTest::pretrained),
                new AttachedFacility("cleared in between", AttachedFacilitiesTest::cleared),
                new AttachedFacility("predictions of all kinds", AttachedFacilitiesTest::predicted),
                new AttachedFacility("features of other types and orders", AttachedFacilitiesTest::otherTypes));
    }

    @ParameterizedTest
    @MethodSource("facilities")
    void attachedItIsAsBefore(AttachedFacility facility) {
        facility.assertThatItIsAsBefore();
    }

    private static List<DataSet> batches() {
        return IntStream.range(0, 6).mapToObj(i -> batch(8, i)).toList();
    }

    private static List<INDArray> inTurn(Consumer<Model> attach) {
        MultiLayerNetwork network = train(network(images(builder(new Nesterovs(0.01, 0.9)))), 2);
        for (int turn = 0; turn < 2; turn++) {
            attach.accept(network);
            attach.accept(network);
            train(network, 3);
            Acceleration.detach(network);
            Acceleration.detach(network);
            train(network, 1);
            assertDl4js(network.getLayers());
        }
        return results(network);
    }

    private static List<INDArray> restored(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(builder(new Nesterovs(0.01, 0.9))));
        attach.accept(network);
        train(network, 3);
        try {
            ByteArrayOutputStream saved = new ByteArrayOutputStream();
            ModelSerializer.writeModel(network, saved, true);
            MultiLayerNetwork back =
                    ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(saved.toByteArray()), true);
            assertDl4js(back.getLayers());
            attach.accept(back);
            return results(train(back, 3));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<INDArray> changed(Consumer<Model> attach) {
        MultiLayerNetwork network = train(network(images(builder(new Nesterovs(0.01, 0.9)))), 2);
        attach.accept(network);
        CollectScoresIterationListener scores = new CollectScoresIterationListener(1);
        network.setListeners(scores);
        for (Layer layer : network.getLayers()) {
            assertThat(layer.getListeners()).containsExactly(scores);
        }
        train(network, 2);
        network.setLearningRate(0.002);
        network.setLearningRate(3, 0.02);
        train(network, 2);
        network.setParams(network.params().mul(0.9));
        train(network, 2);
        List<INDArray> results = new ArrayList<>(results(network));
        results.add(Nd4j.createFromArray(scores.getScoreVsIter().getEffectiveScores()));
        return results;
    }

    private static List<INDArray> earlyStopping(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        MultiLayerNetwork best = new EarlyStoppingTrainer(
                        new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                                .modelSaver(new InMemoryModelSaver<>())
                                .epochTerminationConditions(new MaxEpochsTerminationCondition(2))
                                .scoreCalculator(
                                        new DataSetLossCalculator(new ExistingDataSetIterator(batches()), true))
                                .build(),
                        network,
                        new ExistingDataSetIterator(batches()))
                .fit()
                .getBestModel();
        assertDl4js(best.getLayers());
        assertThat(best.params()).isEqualTo(network.params());
        List<INDArray> results = new ArrayList<>(results(network));
        results.addAll(results(best));
        return results;
    }

    private static List<INDArray> transferred(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        train(network, 3);
        MultiLayerNetwork other = new TransferLearning.Builder(network)
                .fineTuneConfiguration(new FineTuneConfiguration.Builder()
                        .updater(new Sgd(0.05))
                        .build())
                .setFeatureExtractor(1)
                .removeOutputLayer()
                .addLayer(between(7, 6))
                .addLayer(output(6))
                .build();
        assertDl4js(other.getLayers());
        INDArray frozen = other.getParam("0_W").dup();
        attach.accept(other);
        train(other, AttachedFacility.STEPS);
        assertThat(other.getParam("0_W")).isEqualTo(frozen);
        return results(other);
    }

    private static DenseLayer between(int inputs, int outputs) {
        return new DenseLayer.Builder()
                .nIn(inputs)
                .nOut(outputs)
                .activation(Activation.TANH)
                .build();
    }

    private static List<INDArray> featurized(Consumer<Model> attach) {
        MultiLayerNetwork network = network(settings()
                .list()
                .layer(between(144, 7))
                .layer(between(7, 6))
                .layer(between(6, 5))
                .layer(output(5))
                .build());
        attach.accept(network);
        TransferLearningHelper helper = new TransferLearningHelper(network, 1);
        List<INDArray> results = new ArrayList<>();
        attach.accept(helper.unfrozenMLN());
        for (DataSet data : batches()) {
            DataSet features = helper.featurize(new DataSet(data.getFeatures().reshape(8, 144), data.getLabels()));
            results.add(features.getFeatures());
            helper.fitFeaturized(features);
        }
        results.add(network.params());
        return results;
    }

    private static OutputLayer output(int inputs) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(inputs)
                .nOut(3)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** Replicas are of DL4J's layers; they wait for each other, as DL4J copies a network that another worker may be training. */
    private static List<INDArray> inParallel(Consumer<Model> attach) {
        CyclicBarrier both = new CyclicBarrier(2);
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        network.setListeners(new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
                try {
                    both.await(1, TimeUnit.MINUTES);
                } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
                    throw new IllegalStateException(e);
                }
                if (model != network) {
                    assertDl4js(((MultiLayerNetwork) model).getLayers());
                }
            }
        });
        new ParallelWrapper.Builder<>(network)
                .workers(2)
                .prefetchBuffer(0)
                .averagingFrequency(1)
                .trainingMode(ParallelWrapper.TrainingMode.AVERAGING)
                .build()
                .fit(new ExistingDataSetIterator(batches()));
        network.setListeners();
        return results(train(network, 2));
    }

    private static List<INDArray> gradients(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        List<INDArray> results = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            DataSet data = batch(4 + i, i);
            var asked = network.calculateGradients(data.getFeatures(), data.getLabels(), null, null);
            results.add(asked.getFirst().gradient().dup());
            results.add(asked.getSecond().dup());
            evaluate(network, data);
            results.add(network.gradient().gradient().dup());
            network.fit(data);
        }
        return results;
    }

    private static List<INDArray> externalErrors(Consumer<Model> attach) {
        MultiLayerNetwork network = network(settings()
                .list()
                .layer(convolution(3, 5, Activation.TANH).build())
                .layer(pooling(PoolingType.AVG, 2, 2, 0))
                .layer(dense(3))
                .setInputType(InputType.convolutional(9, 8, 2))
                .build());
        attach.accept(network);
        List<INDArray> results = new ArrayList<>();
        for (int step = 0; step < 4; step++) {
            DataSet data = batch(8, step);
            network.setInput(data.getFeatures());
            INDArray out = network.feedForward(true, false).get(3);
            var back = network.backpropGradient(out.sub(data.getLabels()), LayerWorkspaceMgr.noWorkspaces());
            Gradient gradient = back.getFirst();
            results.add(back.getSecond().dup());
            network.getUpdater().update(network, gradient, step, 0, 8, LayerWorkspaceMgr.noWorkspaces());
            network.params().subi(gradient.gradient());
        }
        results.addAll(results(network));
        return results;
    }

    /** Activations between forward and backward pass, and each layer's input when the backward pass is over. */
    private static List<INDArray> seen(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        List<INDArray> results = new ArrayList<>();
        network.setListeners(new BaseTrainingListener() {
            @Override
            public void onForwardPass(Model model, List<INDArray> activations) {
                activations.forEach(each -> results.add(each.dup().detach()));
            }

            @Override
            public void onBackwardPass(Model model) {
                for (Layer layer : network.getLayers()) {
                    results.add(layer.input().dup().detach());
                }
            }

            @Override
            public void onGradientCalculation(Model model) {
                results.add(model.gradient().gradient().dup());
            }
        });
        train(network, 3);
        return results;
    }

    /** DL4J refuses output() and score() here, but a layer may be given another input, which its gradient is then of. */
    private static List<INDArray> used(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        network.setListeners(new BaseTrainingListener() {
            private int steps;

            @Override
            public void onForwardPass(Model model, List<INDArray> activations) {
                for (int i = 0; i < 4; i++) {
                    Layer layer = network.getLayer(i);
                    try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                        layer.setInput(layer.input().dup('c').muli(-0.5), LayerWorkspaceMgr.noWorkspaces());
                        if (steps % 3 > 0) {
                            layer.activate(steps % 3 == 1, LayerWorkspaceMgr.noWorkspaces());
                        }
                    }
                }
                steps++;
            }
        });
        return results(train(network, 3));
    }

    private static List<INDArray> pretrained(Consumer<Model> attach) {
        MultiLayerNetwork network = network(stack(
                settings(),
                new AutoEncoder.Builder()
                        .nOut(6)
                        .corruptionLevel(0)
                        .activation(Activation.TANH)
                        .build(),
                dense(5)));
        attach.accept(network);
        network.pretrain(new ExistingDataSetIterator(batches()));
        List<INDArray> results = new ArrayList<>(List.of(network.params().dup()));
        results.addAll(results(train(network, 2)));
        return results;
    }

    private static List<INDArray> cleared(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        train(network, 2);
        network.clear();
        train(network, 2);
        network.clearLayersStates();
        INDArray images = batch(4, SEED).getFeatures();
        Layer layer = network.getLayer(0);
        INDArray first = layer.activate(images, true, LayerWorkspaceMgr.noWorkspaces());
        layer.clear();
        assertThat(layer.input()).isNull();
        INDArray again = layer.activate(images, false, LayerWorkspaceMgr.noWorkspaces());
        List<INDArray> results = new ArrayList<>(List.of(first, again));
        results.addAll(results(train(network, 2)));
        return results;
    }

    private static List<INDArray> predicted(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        network.fit(new ExistingDataSetIterator(batches()), 2);
        DataSet data = batch(7, SEED);
        List<INDArray> results = new ArrayList<>(results(network));
        for (boolean training : new boolean[] {false, true}) {
            results.add(network.output(data.getFeatures(), training));
            results.add(network.scoreExamples(data, training));
            results.addAll(network.feedForwardToLayer(2, data.getFeatures(), training));
            results.add(network.activateSelectedLayers(0, 2, data.getFeatures()));
            results.add(Nd4j.scalar(network.score(data, training)));
        }
        results.add(network.output(new ExistingDataSetIterator(batches())));
        results.add(Nd4j.scalar(
                network.evaluate(new ExistingDataSetIterator(batches())).accuracy()));
        try (var workspace = Nd4j.getWorkspaceManager().getAndActivateWorkspace("PREDICTIONS")) {
            INDArray out = network.output(data.getFeatures(), false, workspace);
            assertThat(out.isAttached()).isTrue();
            results.add(out.detach());
        }
        return results;
    }

    private static List<INDArray> otherTypes(Consumer<Model> attach) {
        MultiLayerNetwork network = network(images(settings()));
        attach.accept(network);
        DataSet data = batch(6, SEED);
        INDArray whole = data.getFeatures().mul(10).castTo(DataType.INT32);
        for (INDArray features : List.of(
                data.getFeatures().castTo(DataType.DOUBLE),
                whole.castTo(DataType.FLOAT).dup('f'),
                whole.castTo(DataType.BFLOAT16))) {
            network.fit(new DataSet(features, data.getLabels()));
        }
        return results(network);
    }
}
