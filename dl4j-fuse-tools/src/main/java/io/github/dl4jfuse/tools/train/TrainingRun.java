package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.tools.report.CurvePoint;
import io.github.dl4jfuse.tools.report.RunResult;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** One network in training, measured after each epoch. The clock stands still while it is measured. */
final class TrainingRun {

    private static final int MEASURING_BATCH = 500;

    private final String name;
    private final String configuration;
    private final MultiLayerNetwork network;
    private final DataSetIterator batches;
    private final ImageData train;
    private final ImageData test;
    private final List<CurvePoint> curve = new ArrayList<>();
    private long gradientEvaluations;
    private double seconds;

    /**
     * Prepares a run.
     *
     * @param network with its weights set; its listeners are replaced
     * @param onStep called after each step of the optimiser
     * @param listeners further listeners that the optimiser needs
     */
    TrainingRun(
            String name,
            String configuration,
            MultiLayerNetwork network,
            DataSetIterator batches,
            ImageData train,
            ImageData test,
            Runnable onStep,
            TrainingListener... listeners) {
        this.name = name;
        this.configuration = configuration;
        this.network = network;
        this.batches = batches;
        this.train = train;
        this.test = test;
        List<TrainingListener> all = new ArrayList<>(List.of(listeners));
        all.add(new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
                gradientEvaluations++; // every evaluation of a gradient passes here, extra ones too
            }

            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
                onStep.run();
            }
        });
        network.setListeners(all);
        measure();
    }

    void epoch() {
        long begin = System.nanoTime();
        network.fit(batches);
        Nd4j.getExecutioner().commit();
        seconds += (System.nanoTime() - begin) / 1e9;
        measure();
    }

    private void measure() {
        double loss = 0;
        DataSetIterator all = train.iterator(MEASURING_BATCH);
        while (all.hasNext()) {
            DataSet batch = all.next();
            loss += network.score(batch, false) * batch.numExamples();
        }
        Evaluation evaluation = network.evaluate(test.iterator(MEASURING_BATCH));
        curve.add(new CurvePoint(
                network.getEpochCount(), gradientEvaluations, seconds, loss / train.size(), evaluation.accuracy()));
    }

    long gradientEvaluations() {
        return gradientEvaluations;
    }

    RunResult result(String event) {
        return new RunResult(name, configuration, List.copyOf(curve), event);
    }
}
