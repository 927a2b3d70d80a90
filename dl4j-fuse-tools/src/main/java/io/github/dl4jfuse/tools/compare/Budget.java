package io.github.dl4jfuse.tools.compare;

/**
 * What one run may use: a number of gradient evaluations, or of seconds of training.
 *
 * @param amount how much, positive
 * @param seconds whether it counts seconds
 */
public record Budget(double amount, boolean seconds) {

    /** Checks the amount. */
    public Budget {
        if (!(amount > 0 && amount < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("A budget is a positive number, not " + amount + ".");
        }
    }

    /** Returns a budget of so many gradient evaluations. */
    public static Budget gradients(long count) {
        return new Budget(count, false);
    }

    /**
     * Reads "2000" (gradient evaluations) or "30s" (seconds).
     *
     * @throws IllegalArgumentException with a sentence for anything else
     */
    public static Budget parse(String text) {
        boolean seconds = text.endsWith("s");
        String number = seconds ? text.substring(0, text.length() - 1) : text;
        try {
            return seconds ? new Budget(Double.parseDouble(number), true) : gradients(Long.parseLong(number));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "A budget is a number of gradient evaluations, such as 2000, or of seconds, such as 30s, not '"
                            + text + "'.",
                    e);
        }
    }

    /** Returns the share of the budget that is used, 1 or more when it is spent. */
    double used(double gradientEvaluations, double secondsOfTraining) {
        return (seconds ? secondsOfTraining : gradientEvaluations) / amount;
    }

    /** Returns a part of the budget; at least one gradient evaluation. */
    Budget part(double share) {
        return seconds ? new Budget(amount * share, true) : gradients(Math.max(1, Math.round(amount * share)));
    }

    /** Returns the gradient evaluations of a budget that counts these. */
    long steps() {
        return (long) amount;
    }

    @Override
    public String toString() {
        return seconds ? amount + "s" : String.valueOf((long) amount);
    }
}
