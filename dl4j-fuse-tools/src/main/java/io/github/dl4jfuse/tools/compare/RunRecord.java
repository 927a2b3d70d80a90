package io.github.dl4jfuse.tools.compare;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A finished run: a line of the results file, with all that is needed to repeat it.
 *
 * @param workload name of the workload
 * @param full whether in its full form
 * @param description of network and data
 * @param contestant name of the contestant
 * @param family its family
 * @param settings its updater in full
 * @param seed of weights and batch order; {@value #TUNING_SEED} is the one that sweeps are tuned with
 * @param budget as on the command line
 * @param commit of the source, or "unknown"
 * @param machine versions, backend, device, threads and setting
 * @param failure empty, or why the run counts as failed
 * @param steps training steps done
 * @param extraBytes what the optimiser keeps: the updater state, and the vectors of its listener if it has one; {@value
 *     #UNKNOWN} for DL4J's own line search methods
 * @param fingerprint what it was made with; null in lines of versions that did not note it
 * @param checkpoints where it stood, the start first
 */
public record RunRecord(
        String workload,
        boolean full,
        String description,
        String contestant,
        String family,
        String settings,
        long seed,
        String budget,
        String commit,
        String machine,
        String failure,
        long steps,
        long extraBytes,
        Fingerprint fingerprint,
        List<Checkpoint> checkpoints) {

    /** The seed that only tunes; its runs are no part of any figure. Not 0, which ND4J takes for no seed. */
    static final long TUNING_SEED = 1_000;

    /** Says that {@link #extraBytes} is not known. */
    static final long UNKNOWN = -1;

    /**
     * Where a run stood.
     *
     * @param gradients gradient evaluations so far; an evaluation of the loss alone counts as a third
     * @param seconds seconds of training so far
     * @param trainingLoss mean loss over the whole training set, evaluation mode
     * @param validationLoss the same over the validation set
     * @param testLoss the same over the whole test set
     * @param testAccuracy share of the test set classified correctly, NaN without classes
     * @param measured what the optimiser's listener measured last, by name; empty where it measures nothing
     */
    public record Checkpoint(
            long gradients,
            double seconds,
            double trainingLoss,
            double validationLoss,
            double testLoss,
            double testAccuracy,
            Map<String, Double> measured) {

        /** Takes lines without measurements too. */
        public Checkpoint {
            measured = measured == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(measured));
        }
    }

    /** What tells one run from another in one results file. */
    record Key(String workload, boolean full, String contestant, long seed, String budget) {}

    @JsonIgnore
    Key key() {
        return new Key(workload, full, contestant, seed, budget);
    }

    /** Returns where the run ended. */
    @JsonIgnore
    public Checkpoint end() {
        return checkpoints.get(checkpoints.size() - 1);
    }

    /** Returns where the run stood last within so many seconds of training; its end if it was shorter. */
    Checkpoint after(double seconds) {
        return checkpoints.stream()
                .takeWhile(checkpoint -> checkpoint.seconds() <= seconds)
                .reduce(checkpoints.get(0), (earlier, later) -> later);
    }

    /** Returns whether the run failed. */
    @JsonIgnore
    public boolean failed() {
        return !failure.isEmpty();
    }

    /** Returns the validation loss at the end, infinite for a failed run. */
    @JsonIgnore
    double validation() {
        double loss = end().validationLoss();
        return failed() || Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss;
    }
}
