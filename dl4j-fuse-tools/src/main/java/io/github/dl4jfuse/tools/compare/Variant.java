package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.Preprocessed;
import io.github.dl4jfuse.datasets.Standardiser;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;

/**
 * A workload with another batch size, or with standardised inputs, in which all contestants compete anew. Its budget of
 * gradient evaluations is that of the workload for as many examples.
 *
 * @param workload with {@link Workload#hasVariants()}
 * @param batch examples in a batch
 * @param standardised whether inputs go through a {@link Standardiser}
 */
record Variant(Workload workload, int batch, boolean standardised) implements Workload {

    @Override
    public String name() {
        return workload.name() + (batch == workload.batch() ? "" : "@" + batch) + (standardised ? "+std" : "");
    }

    @Override
    public String description() {
        return workload.description() + "; here batch " + batch + (standardised ? ", standardised inputs" : "");
    }

    @Override
    public Split data(boolean full) {
        Split data = workload.data(full);
        if (!standardised) {
            return data;
        }
        Standardiser standardiser = Standardiser.of(data.train());
        return new Split(
                new Preprocessed(data.train(), standardiser),
                new Preprocessed(data.validation(), standardiser),
                new Preprocessed(data.test(), standardiser));
    }

    @Override
    public Budget budget(boolean full) {
        Budget budget = workload.budget(full);
        return Budget.gradients(Math.max(1, Math.round(budget.amount() * workload.batch() / batch)));
    }

    @Override
    public MultiLayerConfiguration configuration(long seed) {
        return workload.configuration(seed);
    }

    @Override
    public boolean classifies() {
        return workload.classifies();
    }

    @Override
    public int checkpoints() {
        return workload.checkpoints();
    }
}
