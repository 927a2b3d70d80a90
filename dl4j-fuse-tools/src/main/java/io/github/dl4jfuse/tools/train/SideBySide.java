package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.CurvatureStatistics;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.tools.report.CurvePoint;
import io.github.dl4jfuse.tools.report.RunResult;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.PhaseChange;
import io.github.dl4jfuse.updater.Preconditioned;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Trains one network with Adam, Preconditioned and FUSE-PV, from the same initial weights on the same batches in the same
 * order. Adam then goes on, epoch by epoch, until it has used as many gradient evaluations as FUSE-PV: an L-BFGS step
 * costs two or more, so equal epochs alone would flatter FUSE-PV.
 */
final class SideBySide {

    private static final int WARM_UP_STEPS = 20;
    private static final int MEASURING_BATCH = 500;

    private final ModelKind model;
    private final ImageData train;
    private final ImageData test;
    private final int batch;
    private final long seed;
    private final INDArray initialWeights;

    SideBySide(ModelKind model, ImageData train, ImageData test, int batch, long seed) {
        this.model = model;
        this.train = train;
        this.test = test;
        this.batch = batch;
        this.seed = seed;
        initialWeights = Networks.network(model.configuration(train, seed), new Adam())
                .params()
                .dup();
    }

    long parameters() {
        return initialWeights.length();
    }

    /** Returns the number of steps that all runs take together, Adam's extra epochs not counted. */
    long steps(int epochs) {
        return 3L * epochs * ((train.size() + batch - 1) / batch);
    }

    /** Runs all and returns Adam, Preconditioned, FUSE-PV and, where that takes further epochs, Adam continued to as many gradients. */
    List<RunResult> run(Adam adam, FusePv fuse, int epochs, Runnable onStep) {
        warmUp(adam, fuse);
        Training adamRun = new Training(adam, onStep).epochs(epochs);
        RunResult adamResult = adamRun.result("Adam", "-");
        RunResult preconditioned = new Training(
                        Preconditioned.adam().overEpochs(epochs), onStep, new CurvatureListener())
                .epochs(epochs)
                .result("Preconditioned", "-");
        CurvatureListener listener = new CurvatureListener();
        Training fuseRun = new Training(fuse, onStep, listener).epochs(epochs);
        RunResult fuseResult = fuseRun.result("FUSE-PV", describe(fuse, listener));
        List<RunResult> results = new ArrayList<>(List.of(adamResult, preconditioned, fuseResult));
        while (adamRun.gradientEvaluations < fuseRun.gradientEvaluations) {
            adamRun.epochs(1);
        }
        if (adamRun.curve.size() > adamResult.curve().size()) {
            results.add(adamRun.result("Adam, continued", "-"));
        }
        return results;
    }

    /** Whoever runs first would pay for loading and compiling the code. */
    private void warmUp(Adam adam, FusePv fuse) {
        MultiLayerNetwork withAdam = network(adam);
        MultiLayerNetwork withFuse = network(fuse);
        withFuse.setListeners(new CurvatureListener());
        DataSetIterator batches = train.iterator(batch, seed);
        for (int step = 0; step < WARM_UP_STEPS && batches.hasNext(); step++) {
            DataSet data = batches.next();
            withAdam.fit(data);
            withFuse.fit(data);
        }
    }

    private MultiLayerNetwork network(IUpdater updater) {
        MultiLayerNetwork network = Networks.network(model.configuration(train, seed), updater);
        Acceleration.attach(network);
        network.setParams(initialWeights.dup());
        return network;
    }

    private static String describe(FusePv fuse, CurvatureListener listener) {
        if (listener.phaseChanges().isEmpty()) {
            return "never (" + fuse.switchCriterion() + " was not met)";
        }
        PhaseChange change = listener.phaseChanges().get(0);
        CurvatureStatistics counts = listener.statistics();
        return String.format(
                Locale.ROOT,
                "iteration %,d: %s; %,d L-BFGS steps, %,d cut back, %,d rejected; pairs %,d kept, %,d damped, %,d skipped",
                change.iteration(),
                change.reason(),
                counts.curvatureSteps(),
                counts.cutBacks(),
                counts.rejectedSteps(),
                counts.pairsKept(),
                counts.pairsDamped(),
                counts.pairsSkipped());
    }

    /** One network in training, measured after each epoch. The clock stands still while it is measured. */
    private final class Training {

        private final String settings;
        private final MultiLayerNetwork network;
        private final DataSetIterator batches = train.iterator(batch, seed);
        private final List<CurvePoint> curve = new ArrayList<>();
        private long gradientEvaluations;
        private double seconds;

        /**
         * Prepares a run.
         *
         * @param onStep called after each step of the optimiser
         * @param listeners further listeners that the optimiser needs
         */
        Training(IUpdater updater, Runnable onStep, TrainingListener... listeners) {
            settings = updater.toString();
            network = network(updater);
            network.setListeners(listeners);
            network.addListeners(new BaseTrainingListener() {
                @Override
                public void onBackwardPass(Model model) {
                    gradientEvaluations++; // every evaluation of a gradient passes here, extra ones too
                }

                @Override
                public void iterationDone(Model model, int iteration, int epoch) {
                    onStep.run();
                }
            });
            measure();
        }

        Training epochs(int count) {
            for (int epoch = 0; epoch < count; epoch++) {
                long begin = System.nanoTime();
                network.fit(batches);
                Nd4j.getExecutioner().commit();
                seconds += (System.nanoTime() - begin) / 1e9;
                measure();
            }
            return this;
        }

        private void measure() {
            curve.add(new CurvePoint(
                    network.getEpochCount(),
                    gradientEvaluations,
                    seconds,
                    Networks.loss(network, train, MEASURING_BATCH),
                    network.evaluate(test.iterator(MEASURING_BATCH)).accuracy()));
        }

        RunResult result(String name, String event) {
            return new RunResult(name, settings, List.copyOf(curve), event);
        }
    }
}
