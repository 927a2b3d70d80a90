package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.listener.CurvatureListener;
import io.github.dl4jfuse.listener.CurvatureStatistics;
import io.github.dl4jfuse.tools.report.RunResult;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.PhaseChange;
import io.github.dl4jfuse.updater.Preconditioned;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Trains one network with Adam, Preconditioned and FUSE-PV, from the same initial weights on the same batches in the same
 * order. Adam then goes on, epoch by epoch, until it has used as many gradient evaluations as FUSE-PV: an L-BFGS step
 * costs two or more, so equal epochs alone would flatter FUSE-PV.
 */
final class SideBySide {

    private static final int WARM_UP_STEPS = 20;

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
        MultiLayerNetwork first = new MultiLayerNetwork(model.configuration(train, new Adam(), seed));
        first.init();
        initialWeights = first.params().dup();
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
        TrainingRun adamRun = start("Adam", adam, onStep);
        for (int epoch = 0; epoch < epochs; epoch++) {
            adamRun.epoch();
        }
        RunResult adamResult = adamRun.result("-");

        TrainingRun adaptedRun =
                start("Preconditioned", Preconditioned.adam().overEpochs(epochs), onStep, new CurvatureListener());
        for (int epoch = 0; epoch < epochs; epoch++) {
            adaptedRun.epoch();
        }

        CurvatureListener listener = new CurvatureListener();
        TrainingRun fuseRun = start("FUSE-PV", fuse, onStep, listener);
        for (int epoch = 0; epoch < epochs; epoch++) {
            fuseRun.epoch();
        }
        RunResult fuseResult = fuseRun.result(describe(fuse, listener));

        List<RunResult> results = new ArrayList<>(List.of(adamResult, adaptedRun.result("-"), fuseResult));
        while (adamRun.gradientEvaluations() < fuseRun.gradientEvaluations()) {
            adamRun.epoch();
        }
        RunResult longer = adamRun.result("-");
        if (longer.curve().size() > adamResult.curve().size()) {
            results.add(new RunResult("Adam, continued", longer.configuration(), longer.curve(), longer.event()));
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
        MultiLayerNetwork network = new MultiLayerNetwork(model.configuration(train, updater, seed));
        network.init();
        network.setParams(initialWeights.dup());
        return network;
    }

    private TrainingRun start(String name, IUpdater updater, Runnable onStep, TrainingListener... listeners) {
        return new TrainingRun(
                name,
                updater.toString(),
                network(updater),
                train.iterator(batch, seed),
                train,
                test,
                onStep,
                listeners);
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
}
