package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.LayerInputs;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows the layers' inputs to the metrics of {@code Adapted}, at the first step, whenever the number of steps has doubled, and
 * every {@value #EVERY} steps at the latest; and tells its warm-up how large the batches are.
 */
final class MetricWatch {

    /** Most steps between two looks. */
    static final int EVERY = 200;

    private static final Logger log = LoggerFactory.getLogger(FuseListener.class);

    private final LayerInputs inputs;
    private boolean saidBadInputs;

    MetricWatch(LayerInputs inputs) {
        this.inputs = inputs;
        if (!inputs.leftAlone().isEmpty()) {
            log.info(
                    "Layers whose inputs have no metric, trained by the plain rule: {}",
                    String.join(", ", inputs.leftAlone()));
        }
    }

    boolean isCurrent() {
        return inputs.isCurrent();
    }

    /** Looks if it is time to, at the end of a backward pass. */
    void look() {
        inputs.countExamples();
        int step = inputs.iteration() + 1; // saved with the model, so that a resumed training looks at the same steps
        if (Integer.bitCount(step) != 1 && step % EVERY != 0) {
            return;
        }
        boolean finite = inputs.observe();
        if (!finite && !saidBadInputs) {
            saidBadInputs = true;
            log.warn(
                    "Inputs of a layer are not finite (NaN or infinite) at step {}; they were not taken into its metric."
                            + " Look for bad values in the data or a learning rate that is too high. Said once.",
                    step);
        }
    }
}
