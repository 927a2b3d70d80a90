package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.contract.Contestant.Batches;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;

/** A training of a case's network, step by step; the random generator is set before each step, so that masks repeat. */
final class Course {

    private static final boolean ATTACHED = Boolean.getBoolean("contract.attached");

    private final Case subject;
    private final Model model;
    private final long seed;
    private int step;

    Course(Case subject, IUpdater updater, long seed) {
        this(subject, subject.network().build(updater, subject.form(), seed), seed, 0);
    }

    private Course(Case subject, Model model, long seed, int step) {
        this.subject = subject;
        this.model = model;
        this.seed = seed;
        this.step = step;
        if (ATTACHED) {
            Acceleration.attach(model);
        }
    }

    /** Goes on with another model, a copy or a restored one, at the step that this one has come to. */
    Course goOnWith(Model other) {
        return new Course(subject, other, seed, step);
    }

    Model model() {
        return model;
    }

    Course listening(Collection<TrainingListener> listeners) {
        model.setListeners(new ArrayList<>(listeners));
        return this;
    }

    Course listening(TrainingListener... listeners) {
        return listening(List.of(listeners));
    }

    /** Takes so many steps; {@value Data#BATCHES} are an epoch. */
    Course train(int steps) {
        for (int i = 0; i < steps; i++) {
            fit(next());
            if (step % Data.BATCHES == 0) {
                endEpoch();
            }
        }
        return this;
    }

    /** Returns the next batch, and sets the random generator for its step. */
    MultiDataSet next() {
        int index = subject.batches() == Batches.ONE ? 0 : step;
        Nd4j.getRandom().setSeed(1000 * seed + step);
        step++;
        return subject.network().batch(index, seed, subject.form().type());
    }

    /** Returns the batches of one epoch, and counts them as seen. */
    List<MultiDataSet> nextEpoch() {
        List<MultiDataSet> epoch = new ArrayList<>();
        for (int i = 0; i < Data.BATCHES; i++) {
            epoch.add(next());
        }
        return epoch;
    }

    void fit(MultiDataSet batch) {
        if (model instanceof MultiLayerNetwork network) {
            network.fit(single(batch));
        } else {
            ((ComputationGraph) model).fit(batch);
        }
    }

    private void endEpoch() {
        listeners().forEach(listener -> listener.onEpochEnd(model));
        if (model instanceof MultiLayerNetwork network) {
            network.incrementEpochCount();
        } else {
            ((ComputationGraph) model).incrementEpochCount();
        }
        listeners().forEach(listener -> listener.onEpochStart(model));
    }

    Collection<TrainingListener> listeners() {
        return model instanceof MultiLayerNetwork network
                ? List.copyOf(network.getListeners())
                : List.copyOf(((ComputationGraph) model).getListeners());
    }

    static DataSet single(MultiDataSet batch) {
        return new DataSet(
                batch.getFeatures(0),
                batch.getLabels(0),
                batch.getFeaturesMaskArrays() == null ? null : batch.getFeaturesMaskArray(0),
                batch.getLabelsMaskArrays() == null ? null : batch.getLabelsMaskArray(0));
    }

    /** Returns the mean loss of all batches of the training, without penalties, as in use: no dropout, running averages. */
    double loss() {
        double sum = 0;
        long examples = 0;
        for (int i = 0; i < (subject.batches() == Batches.ONE ? 1 : Data.BATCHES); i++) {
            MultiDataSet batch = subject.network().batch(i, seed, subject.form().type());
            long size = batch.getFeatures(0).size(0);
            double score = model instanceof MultiLayerNetwork network
                    ? network.score(single(batch), false)
                    : ((ComputationGraph) model).score(batch, false);
            sum += size * score;
            examples += size;
        }
        double penalty = 0;
        for (Layer layer : layers()) {
            penalty += layer.calcRegularizationScore(true);
        }
        return sum / examples - penalty;
    }

    Layer[] layers() {
        return model instanceof MultiLayerNetwork network
                ? network.getLayers()
                : ((ComputationGraph) model).getLayers();
    }

    double[] parameters() {
        return numbers(model.params());
    }

    double[] state() {
        INDArray state = model instanceof MultiLayerNetwork network
                ? network.getUpdater().getStateViewArray()
                : ((ComputationGraph) model).getUpdater().getUpdaterStateViewArray();
        return state == null ? new double[0] : numbers(state);
    }

    /** Returns the parameters that must not move. */
    Map<String, double[]> frozen() {
        Map<String, double[]> frozen = new TreeMap<>();
        for (Layer layer : layers()) {
            String name = layer.conf().getLayer().getLayerName();
            boolean still = subject.network().frozen().stream().anyMatch(number -> ("layer" + number).equals(name));
            if (still) {
                layer.paramTable().forEach((key, value) -> frozen.put(name + "_" + key, numbers(value)));
            }
        }
        return frozen;
    }

    static double[] numbers(INDArray array) {
        return array.dup('c').reshape(array.length()).toDoubleVector();
    }

    static boolean isFinite(double[] numbers) {
        for (double number : numbers) {
            if (!Double.isFinite(number)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the largest difference relative to the largest number, or NaN where one has none. */
    static double difference(double[] one, double[] other) {
        if (one.length != other.length) {
            return Double.NaN;
        }
        double largest = Double.MIN_NORMAL;
        for (double each : one) {
            largest = Math.max(largest, Math.abs(each));
        }
        return gap(one, other) / largest;
    }

    /** Returns the largest difference, or NaN where one has none. */
    static double gap(double[] one, double[] other) {
        double most = 0;
        for (int i = 0; i < one.length; i++) {
            if (Double.compare(one[i], other[i]) != 0) {
                double gap = Math.abs(one[i] - other[i]);
                most = Double.isNaN(gap) ? Double.NaN : Math.max(most, gap);
            }
        }
        return most;
    }
}
