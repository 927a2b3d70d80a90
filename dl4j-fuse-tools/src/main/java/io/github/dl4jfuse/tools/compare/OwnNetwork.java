package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.FixedBatches;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Architecture;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.SplitTestAndTrain;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** A user's network and data as a workload. */
final class OwnNetwork {

    /** How many epochs a run lasts unless a budget is given. */
    static final int EPOCHS = 10;

    /** One example of so many is for validation, at least. */
    private static final int VALIDATION_PART = 10;

    private OwnNetwork() {}

    static Workload of(Architecture network, DataSetIterator train, DataSetIterator test) {
        if (network.inputs() != 1 || network.outputs() != 1) {
            throw new IllegalArgumentException("The network has " + network.inputs() + " inputs and "
                    + network.outputs() + " outputs; a comparison takes one of each.");
        }
        List<DataSet> batches = read(train, "training");
        int examples = batches.stream().mapToInt(DataSet::numExamples).sum();
        if (examples < 2) {
            throw new IllegalArgumentException("The training data are one example; at least two are needed, since"
                    + " some are kept apart for validation.");
        }
        int missing = (examples + VALIDATION_PART - 1) / VALIDATION_PART;
        List<DataSet> training = new ArrayList<>(batches);
        List<DataSet> validation = new ArrayList<>();
        while (missing > 0) {
            DataSet last = training.remove(training.size() - 1);
            if (training.isEmpty()) { // a last batch that is small gives too few, so the first one is split
                SplitTestAndTrain both = last.splitTestAndTrain(last.numExamples() - missing);
                training.add(both.getTrain());
                last = both.getTest();
            }
            validation.add(0, last);
            missing -= last.numExamples();
        }
        Split split = new Split(
                new FixedBatches(training), new FixedBatches(validation), new FixedBatches(read(test, "test")));
        int batch = training.get(0).numExamples();
        long gradients = (long) EPOCHS * training.size();
        return new Workload(
                "own-network",
                "own network of " + network.layers().size() + " layers, batch " + batch,
                example(training.get(0)),
                batch,
                gradients,
                gradients,
                Workload.CHECKPOINTS,
                classifies(network),
                false,
                full -> split,
                network::withSeed);
    }

    private static long[] example(DataSet batch) {
        long[] shape = batch.getFeatures().shape();
        return Arrays.copyOfRange(shape, 1, shape.length);
    }

    private static List<DataSet> read(DataSetIterator iterator, String which) {
        List<DataSet> batches = new ArrayList<>();
        if (iterator.resetSupported()) {
            iterator.reset();
        }
        iterator.forEachRemaining(batches::add);
        if (batches.isEmpty()) {
            throw new IllegalArgumentException("The " + which + " data are empty.");
        }
        return batches;
    }

    /** Softmax at the end says that labels are classes. */
    static boolean classifies(Architecture network) {
        List<Layer> layers = network.layers();
        Layer last = layers.get(layers.size() - 1);
        return last instanceof BaseOutputLayer output && output.getActivationFn() instanceof ActivationSoftmax;
    }
}
