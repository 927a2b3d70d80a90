package io.github.dl4jfuse.faults;

/** How a case ended. All from {@link #NOT_FINITE} on are failures. */
public enum Verdict {
    PASSED,
    /** An exception of ours that says what to do instead. */
    REFUSED,
    /** It ends behind Adam, or Adam throws the same, with no fault as well: nothing that the fault has done. */
    AS_WITHOUT_A_FAULT,
    /** Only BatchNorm's running statistics are not finite, as under Adam, where there is no listener of ours to hold them. */
    STATISTICS_AS_UNDER_ADAM,
    NOT_FINITE,
    STAYS_ABOVE,
    HANGS,
    EXCEPTION,
    BEHIND_ADAM;

    boolean failed() {
        return ordinal() >= NOT_FINITE.ordinal();
    }
}
