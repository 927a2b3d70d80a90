package io.github.dl4jfuse.saddle;

/** What a point can be. */
public enum Verdict {
    /** The gradient is not zero: a slope, however flat. */
    NOT_CRITICAL("no critical point"),
    /** Zero gradient, a negative eigenvalue. */
    STRICT_SADDLE("a strict saddle"),
    /** Zero gradient, no negative eigenvalue, a third derivative on the null space of the Hessian. */
    THIRD_ORDER_SADDLE("a degenerate saddle of third order"),
    /** Zero gradient, no negative eigenvalue, singular Hessian, third-order test passed: minimum or saddle of higher order. */
    DEGENERATE("a degenerate point that passes the third-order test"),
    /** Zero gradient, all eigenvalues positive. */
    MINIMUM("a minimum");

    private final String words;

    Verdict(String words) {
        this.words = words;
    }

    /** Returns the verdict in words. */
    public String inWords() {
        return words;
    }
}
