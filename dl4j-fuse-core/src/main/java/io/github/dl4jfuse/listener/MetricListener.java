package io.github.dl4jfuse.listener;

import io.github.dl4jfuse.network.LayerInputs;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes {@code Adapted}: shows the layers' inputs to their metrics, at the first step, whenever the number of steps has
 * doubled, and every {@value #EVERY} steps at the latest. One for each network. Not thread-safe.
 */
public final class MetricListener extends BaseTrainingListener {

    /** Most steps between two looks. */
    public static final int EVERY = 200;

    private static final Logger log = LoggerFactory.getLogger(MetricListener.class);

    private Model model;
    private LayerInputs inputs;
    private boolean saidBadInputs;

    @Override
    public void onBackwardPass(Model current) {
        attach(current);
        int step = inputs.iteration() + 1; // saved with the model, so that a resumed training looks at the same steps
        if (Integer.bitCount(step) == 1 || step % EVERY == 0) {
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

    private void attach(Model current) {
        if (model == null) {
            model = current;
        } else if (model != current) {
            throw new IllegalStateException(
                    "A MetricListener belongs to one network, and this one has seen another: give"
                            + " each network its own new MetricListener().");
        }
        if (inputs == null || !inputs.isCurrent()) {
            inputs = new LayerInputs(current);
            if (!inputs.leftAlone().isEmpty()) {
                log.info(
                        "Layers whose inputs have no metric, trained by the plain rule: {}",
                        String.join(", ", inputs.leftAlone()));
            }
        }
    }
}
