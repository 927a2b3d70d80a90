package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.DataSource;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;

/** A network and its data, on which optimisers are compared. A small class each, to copy for a net of one's own. */
public interface Workload {

    /** Returns the name on the command line. */
    String name();

    /** Returns network and data in one line. */
    String description();

    /**
     * Reads the data.
     *
     * @param full false: the fast form, which takes minutes; true: the whole data set
     */
    Split data(boolean full);

    /** Returns the number of examples in a batch; the size of the training set where each batch is all of it. */
    int batch();

    /** Returns what one run may use unless the user says otherwise. */
    Budget budget(boolean full);

    /**
     * Returns the network; the comparison sets the updater of every layer.
     *
     * @param seed of the weights
     */
    MultiLayerConfiguration configuration(long seed);

    /** Returns whether labels are classes, so that there is an accuracy. */
    boolean classifies();

    /** Returns whether batch size and scale of the inputs are a choice: true where inputs are images in [0, 1]. */
    default boolean hasVariants() {
        return false;
    }

    /** Returns how often a run is measured; fewer where measuring is dear. */
    default int checkpoints() {
        return 20;
    }

    /**
     * Training, validation and test set. Sweeps choose by the validation set; the test set chooses nothing.
     */
    record Split(DataSource train, DataSource validation, DataSource test) {

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

    /** All workloads that come with the examples. */
    List<Workload> ALL = List.of(
            new FashionMlp(),
            new FashionCnn(),
            new CifarCnn(),
            new FashionAutoencoder(),
            new Regression(),
            new Physics(),
            new IrisMlp());
}
