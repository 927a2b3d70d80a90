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
 * @param seed of weights and batch order; {@value #TUNING_SEED} is the one that families are tuned with
 * @param budget of this run, as on the command line
 * @param share which part of the whole budget that is; the schedule ends where this budget ends
 * @param commit of the source, or "unknown"
 * @param machine versions, backend, device, threads and setting
 * @param failure empty, or why the run counts as failed
 * @param steps training steps done
 * @param extraBytes what the optimiser keeps: the updater state, and the vectors of its listener if it has one; {@value
 *     #UNKNOWN} for DL4J's own line search methods
 * @param fingerprint what it was made with
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
        double share,
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

    private static final double TIE = 1e-6; // less than one example of a validation set is worth

    /**
     * Where a run stood. Runs that only tune read the validation set at their end and nothing else.
     *
     * @param gradients gradient evaluations so far; an evaluation of the loss alone counts as a third
     * @param seconds seconds of training so far, on this run's own clock
     * @param steps steps so far by kind, whose costs are measured apart ({@link StepCosts})
     * @param trainingLoss mean loss over the first examples of the training set, evaluation mode, without penalties
     * @param validationLoss the same over the validation set
     * @param validationAccuracy share of the validation set classified correctly, NaN without classes
     * @param testLoss mean loss over the whole test set
     * @param testAccuracy share of the test set classified correctly, NaN without classes
     * @param measured what the optimiser's listener measured last, by name; empty where it measures nothing
     */
    public record Checkpoint(
            long gradients,
            double seconds,
            Map<StepKind, Long> steps,
            double trainingLoss,
            double validationLoss,
            double validationAccuracy,
            double testLoss,
            double testAccuracy,
            Map<String, Double> measured) {

        /** Takes lines without counts or measurements too. */
        public Checkpoint {
            steps = steps == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(steps));
            measured = measured == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(measured));
        }

        /** Returns the test metric so that higher is better: the accuracy, or minus the loss where there are no classes. */
        @JsonIgnore
        double test() {
            return Double.isNaN(testAccuracy) ? -testLoss : testAccuracy;
        }
    }

    /** What tells one run from another in one results file. */
    record Key(String workload, boolean full, String contestant, long seed, String budget, double share) {}

    @JsonIgnore
    Key key() {
        return new Key(workload, full, contestant, seed, budget, share);
    }

    /** Returns where the run ended. */
    @JsonIgnore
    public Checkpoint end() {
        return checkpoints.get(checkpoints.size() - 1);
    }

    /** Returns whether the run failed. */
    @JsonIgnore
    public boolean failed() {
        return !failure.isEmpty();
    }

    /**
     * Returns what settings are chosen by, higher is better: the validation metric at the end, in which a loss decides
     * between equal accuracies; minus infinity for a failed run.
     */
    @JsonIgnore
    double validation() {
        Checkpoint end = end();
        if (failed() || Double.isNaN(end.validationLoss())) {
            return Double.NEGATIVE_INFINITY;
        }
        double loss = end.validationLoss();
        return Double.isNaN(end.validationAccuracy())
                ? -loss
                : end.validationAccuracy() - TIE * loss / (1 + Math.abs(loss));
    }
}
