package io.github.dl4jfuse.updater;

import java.io.Serializable;

/**
 * When {@code FusePv} goes from Adam to L-BFGS: {@link SwitchCriterion} has the published rules, and an own one is given to {@code
 * FusePv.builder().switchCriterion(..)}. It is part of a model's JSON and YAML, by class name and fields, so it needs {@code equals}
 * and what Jackson (as DL4J shades it) needs to write and read it; a record does.
 */
public interface SwitchRule extends Serializable {

    /** Returns whether L-BFGS is due; asked before each step. The averages are NaN before the first batch. */
    boolean isMet(TrainingProgress progress);

    /** Says the condition in words for the log, for example "epoch 5 was reached". */
    String describe();

    /** Returns whether it looks at averages of gradient norm and loss, which wait for the warm-up epochs; false unless said. */
    default boolean needsAverages() {
        return false;
    }
}
