package io.github.dl4jfuse.tools.compare;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.github.dl4jfuse.listener.OptimizerReport;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one training step consisted of. Steps of one kind cost the same, so that a run's time is the sum over its kinds of
 * number times cost. In text, such as "1", "1 look", "3", "1 2f" or "0 1g": gradient evaluations, then forward passes (f),
 * Gauss-Newton steps (g) and a look.
 *
 * @param gradients gradient evaluations
 * @param forwardPasses evaluations of the loss or the outputs alone
 * @param gaussNewtonSteps Gauss-Newton steps made without a gradient of DL4J's
 * @param looks 1 where the method looked closer, at the inputs of the layers for example
 */
public record StepKind(int gradients, int forwardPasses, int gaussNewtonSteps, int looks) {

    /** An ordinary step: one gradient. */
    static final StepKind PLAIN = new StepKind(1, 0, 0, 0);

    private static final double FORWARD_PART = 1 / 3.0;

    private static final Pattern TEXT = Pattern.compile("(\\d+)(?: (\\d+)f)?(?: (\\d+)g)?( look)?");

    /** Returns what the reports have counted in a step that evaluated so many gradients. */
    static StepKind between(List<long[]> before, List<long[]> after, long gradients) {
        long[] sums = new long[3];
        for (int i = 0; i < after.size(); i++) {
            for (int k = 0; k < sums.length; k++) {
                sums[k] += after.get(i)[k] - (i < before.size() ? before.get(i)[k] : 0);
            }
        }
        return new StepKind((int) gradients, (int) sums[0], (int) sums[1], (int) sums[2]);
    }

    /** Returns the counts of a report that tell a step's kind. */
    static long[] counts(OptimizerReport report) {
        return new long[] {report.forwardPasses(), report.gaussNewtonSteps(), report.looks()};
    }

    /** Returns the evaluations of gradients that the step is worth: a forward pass is a third of one, a Gauss-Newton step one. */
    double evaluations() {
        return gradients + gaussNewtonSteps + forwardPasses * FORWARD_PART;
    }

    /** Reads the text form. */
    @JsonCreator
    static StepKind parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no kind of step.");
        }
        return new StepKind(
                Integer.parseInt(matcher.group(1)),
                number(matcher.group(2)),
                number(matcher.group(3)),
                matcher.group(4) == null ? 0 : 1);
    }

    private static int number(String group) {
        return group == null ? 0 : Integer.parseInt(group);
    }

    @JsonValue
    @Override
    public String toString() {
        return gradients
                + (forwardPasses > 0 ? " " + forwardPasses + "f" : "")
                + (gaussNewtonSteps > 0 ? " " + gaussNewtonSteps + "g" : "")
                + (looks > 0 ? " look" : "");
    }
}
