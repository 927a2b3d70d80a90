package io.github.dl4jfuse.faults;

/** What happens to the training itself. */
enum Event {
    NONE,
    /** Another listener throws in the second evaluation of a step, or in DL4J's own where there is no second. */
    EXCEPTION_IN_EVALUATION,
    /** Another listener throws when the step is done. */
    EXCEPTION_AFTER_STEP,
    LISTENER_REMOVED,
    SAVED_AND_LOADED,
    RATE_SET
}
