package io.github.dl4jfuse.examples.compare;

import io.github.dl4jfuse.examples.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.examples.data.DataSource;
import io.github.dl4jfuse.listener.FuseListener;
import io.github.dl4jfuse.updater.FusePv;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Trains one network within a budget and measures it at evenly spaced points. For one seed all contestants start at the
 * same weights and see the same batches. The clock stands still while the network is measured; the last point is the end
 * of the run, not its best moment.
 */
final class Runner {

    /** Number of measurements after the start. */
    static final int CHECKPOINTS = 20;

    private static final int MEASURING_BATCH = 1_000;

    private final Workload workload;
    private final Workload.Split data;
    private final Budget budget;
    private long gradients;
    private double seconds;

    Runner(Workload workload, Workload.Split data, Budget budget) {
        this.workload = workload;
        this.data = data;
        this.budget = budget;
    }

    /** The course of a run: its settings in full, why it failed (or empty), and its checkpoints. */
    record Course(String settings, String failure, List<Checkpoint> checkpoints) {}

    Course run(Contestant contestant, long seed) {
        gradients = 0;
        seconds = 0;
        IUpdater updater = contestant.updater().apply(() -> budget.used(gradients, seconds));
        MultiLayerNetwork network = network(contestant, updater, seed);
        List<Checkpoint> checkpoints = new ArrayList<>();
        checkpoints.add(measure(network));
        try {
            DataSetIterator batches = data.train().iterator(workload.batch(), seed);
            while (budget.used(gradients, seconds) < 1) {
                if (!batches.hasNext()) {
                    network.incrementEpochCount();
                    batches.reset();
                }
                step(network, batches.next());
                if (budget.used(gradients, seconds) >= checkpoints.size() / (double) CHECKPOINTS) {
                    checkpoints.add(measure(network));
                    if (!Double.isFinite(checkpoints.get(checkpoints.size() - 1).trainingLoss())) {
                        return new Course(updater.toString(), "the loss is not finite", checkpoints);
                    }
                }
            }
        } catch (RuntimeException e) {
            return new Course(updater.toString(), e.toString(), checkpoints);
        }
        return new Course(updater.toString(), "", checkpoints);
    }

    private MultiLayerNetwork network(Contestant contestant, IUpdater updater, long seed) {
        MultiLayerNetwork network = new MultiLayerNetwork(workload.configuration(new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(updater)
                .optimizationAlgo(contestant.algorithm())));
        network.init();
        List<TrainingListener> listeners = new ArrayList<>();
        if (updater instanceof FusePv) {
            listeners.add(new FuseListener());
        }
        listeners.add(new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
                gradients++; // every evaluation of a gradient passes here, those of line searches too
            }
        });
        network.setListeners(listeners);
        return network;
    }

    private void step(MultiLayerNetwork network, DataSet batch) {
        long begin = System.nanoTime();
        network.fit(batch);
        Nd4j.getExecutioner().commit();
        seconds += (System.nanoTime() - begin) / 1e9;
    }

    private Checkpoint measure(MultiLayerNetwork network) {
        double accuracy = workload.classifies()
                ? network.evaluate(data.test().iterator(MEASURING_BATCH)).accuracy()
                : Double.NaN;
        return new Checkpoint(
                gradients,
                seconds,
                loss(network, data.train()),
                loss(network, data.validation()),
                loss(network, data.test()),
                accuracy);
    }

    private static double loss(MultiLayerNetwork network, DataSource source) {
        double sum = 0;
        DataSetIterator all = source.iterator(MEASURING_BATCH);
        while (all.hasNext()) {
            DataSet batch = all.next();
            sum += network.score(batch, false) * batch.numExamples();
        }
        return sum / source.size();
    }
}
