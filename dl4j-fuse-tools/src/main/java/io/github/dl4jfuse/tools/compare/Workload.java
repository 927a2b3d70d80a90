package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.datasets.Preprocessed;
import io.github.dl4jfuse.datasets.Standardiser;
import io.github.dl4jfuse.tools.networks.Architecture;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;

/**
 * A network and its data, on which optimisers are compared.
 *
 * @param name on the command line
 * @param description network and data in one line
 * @param example the shape of an example's inputs, without the batch
 * @param batch the number of examples in a batch; the size of the training set where each batch is all of it
 * @param fastGradients gradient evaluations of one run unless the user says otherwise, in the fast form, which takes minutes
 * @param fullGradients the same on the whole data set
 * @param checkpoints how often a run is measured; fewer where measuring is dear
 * @param classifies whether labels are classes, so that there is an accuracy
 * @param hasVariants whether batch size and scale of the inputs are a choice: true where inputs are images in [0, 1]
 * @param reader reads the data; true asks for the whole data set
 * @param network makes the network from the seed of its weights; the comparison sets the updater of every layer
 */
public record Workload(
        String name,
        String description,
        long[] example,
        int batch,
        long fastGradients,
        long fullGradients,
        int checkpoints,
        boolean classifies,
        boolean hasVariants,
        Function<Boolean, Split> reader,
        LongFunction<Architecture> network) {

    /** How often a run is measured where nothing speaks against it. */
    static final int CHECKPOINTS = 20;

    private static final double LARGE_TUNING_SHARE = 0.2;

    /** Reads the data, in the fast form or whole. */
    public Split data(boolean full) {
        return reader.apply(full);
    }

    /** Returns what one run may use unless the user says otherwise. */
    public Budget budget(boolean full) {
        return Budget.gradients(full ? fullGradients : fastGradients);
    }

    /** Returns the part of the budget that the longest runs of the tuning use: a fifth where steps are dear. */
    double tuningShare() {
        return Workloads.LARGE.contains(name) ? LARGE_TUNING_SHARE : 1;
    }

    /** Returns whether time counts: a split of a table is over too soon, and is judged by its end only. */
    boolean timed() {
        return !Tables.isSplit(name);
    }

    /** Returns the number of seeds unless the user says otherwise. */
    int seeds() {
        return timed() ? Comparison.DEFAULT_SEEDS : Tables.SEEDS;
    }

    /** Returns the network whose weights have this seed. */
    public Architecture architecture(long seed) {
        return network.apply(seed);
    }

    /**
     * Returns the same as a configuration, for what takes no other.
     *
     * @throws IllegalStateException if the network is a ComputationGraph
     */
    public MultiLayerConfiguration configuration(long seed) {
        return architecture(seed).rowOfLayers();
    }

    /**
     * Returns the workload with another batch size, or with inputs that go through a {@link Standardiser}, in which all
     * contestants compete anew. Its budget is that of this one for as many examples.
     */
    Workload variant(int size, boolean standardised) {
        return new Workload(
                name + (size == batch ? "" : "@" + size) + (standardised ? "+std" : ""),
                description + "; here batch " + size + (standardised ? ", standardised inputs" : ""),
                example,
                size,
                scaled(fastGradients, size),
                scaled(fullGradients, size),
                checkpoints,
                classifies,
                false,
                standardised ? full -> data(full).standardised() : reader,
                network);
    }

    private long scaled(long gradients, int size) {
        return Math.max(1, Math.round((double) gradients * batch / size));
    }

    /**
     * Training, validation and test set. Sweeps choose by the validation set; the test set chooses nothing.
     */
    public record Split(DataSource train, DataSource validation, DataSource test) {

        /** Returns the sets, each changed in the same way. */
        Split map(Function<DataSource, DataSource> change) {
            return new Split(change.apply(train), change.apply(validation), change.apply(test));
        }

        private Split standardised() {
            Standardiser standardiser = Standardiser.of(train);
            return map(source -> new Preprocessed(source, standardiser));
        }

        /** Returns name and sizes. */
        String inWords() {
            String name = train.name().isEmpty() ? "" : train.name() + ": ";
            return String.format(
                    Locale.ROOT,
                    "%s%,d training, %,d validation, %,d test examples",
                    name,
                    train.size(),
                    validation.size(),
                    test.size());
        }
    }
}
