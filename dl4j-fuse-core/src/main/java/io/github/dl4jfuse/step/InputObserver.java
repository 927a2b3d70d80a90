package io.github.dl4jfuse.step;

import io.github.dl4jfuse.network.LayerInputs;
import io.github.dl4jfuse.precondition.InputPreconditioner;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows the layers' inputs to the metrics of {@code Preconditioned}, at the first step, whenever the number of steps has doubled, and
 * every {@value #EVERY} steps at the latest, and where a metric wants to; and tells its warm-up how large the batches are.
 */
public final class InputObserver {

    /** Most steps between two looks. */
    static final int EVERY = 200;

    private static final long FACTOR = Math.round(Math.sqrt(InputPreconditioner.OUTLIER));

    private static final Logger log = LoggerFactory.getLogger(InputObserver.class);

    private final LayerInputs inputs;
    private int examples;
    private List<INDArray> seen; // in the backward pass; taken in once it is known to be one of fit
    private boolean saidBadInputs;
    private boolean saidUnlikeOthers;
    private boolean saidChanged;
    private boolean blind;

    /** Begins to watch; what has no metric is said if asked for. */
    public InputObserver(LayerInputs inputs, boolean saysWhatIsLeftAlone) {
        this.inputs = inputs;
        if (saysWhatIsLeftAlone && !inputs.leftAlone().isEmpty()) {
            log.info(
                    "Layers, or some of their parameters, whose inputs have no metric, trained by the plain rule: {}",
                    String.join(", ", inputs.leftAlone()));
        }
    }

    /** See {@link LayerInputs#isCurrent}. */
    public boolean isCurrent() {
        return inputs.isCurrent();
    }

    /** See {@link LayerInputs#holdBrokenStatistics}. */
    public boolean holdBrokenStatistics() {
        return inputs.holdBrokenStatistics();
    }

    /** Tells the updaters that their inputs are looked after in the step that follows. */
    public void conductNextStep() {
        inputs.conductNextStep();
    }

    /** Looks if it is time to, at the end of a backward pass, which may be one that the user asked for between two steps. */
    public void look() {
        examples = inputs.examples();
        int step = step();
        boolean due = Integer.bitCount(step) == 1 || step % EVERY == 0;
        try {
            seen = !blind && (due || inputs.isWanted()) ? inputs.copy(due) : null;
        } catch (RuntimeException e) {
            stopLooking(e);
        }
    }

    private void stopLooking(RuntimeException e) {
        blind = true;
        seen = null;
        log.warn(
                "The metrics stay as they are from step {} on, since a look at the layers' inputs failed: {}",
                step(),
                e.toString());
    }

    private int step() {
        return inputs.iteration() + 1; // saved with the model, so that a resumed training looks at the same steps
    }

    /** Takes up metrics that somebody has put into the state. */
    public void followState() {
        inputs.followState();
    }

    /** Shows the metrics what was seen in the backward pass of this step, and returns whether that was anything. */
    public boolean take() {
        inputs.setExamples(examples);
        if (seen == null) {
            return false;
        }
        int step = step();
        LayerInputs.Unusual unusual;
        try {
            unusual = inputs.observe(seen);
        } catch (RuntimeException e) {
            stopLooking(e);
            return false;
        } finally {
            seen = null;
        }
        if (!unusual.notFinite().isEmpty() && !saidBadInputs) {
            saidBadInputs = true;
            log.warn(
                    "Inputs of layer {} are not finite (NaN, infinite or too large to be squared) at step {}; they were not taken"
                            + " into its metric. Look for bad values in the data or a learning rate that is too high. Said"
                            + " once.",
                    String.join(", ", unusual.notFinite()),
                    step);
        }
        if (!unusual.unlikeOthers().isEmpty() && !saidUnlikeOthers) {
            saidUnlikeOthers = true;
            log.info(
                    "Inputs of layer {} were more than {} times as long or as short just before step {} as before and after;"
                            + " they were not taken into its metric. Were its data scaled in another way, or was a step too long?"
                            + " Said once.",
                    String.join(", ", unusual.unlikeOthers()),
                    FACTOR,
                    step);
        }
        if (!unusual.changed().isEmpty() && !saidChanged) {
            saidChanged = true;
            log.info(
                    "Inputs of layer {} have become more than {} times as long or as short by step {}: its metric begins anew."
                            + " Said once.",
                    String.join(", ", unusual.changed()),
                    FACTOR,
                    step);
        }
        return true;
    }
}
