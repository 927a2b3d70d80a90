package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Significance.Difference;
import io.github.dl4jfuse.tools.compare.Summary.Row;
import java.util.Locale;

/** What a comparison on a user's own network says: gain or no gain, what it costs, and the line to write. */
final class Advice {

    /** The contestant that is recommended or not. */
    static final String OURS = "preconditioned";

    /** A gain of less is not worth a change. */
    private static final double WORTH = 1.1;

    private static final double ERRORS = 2;

    private Advice() {}

    /** Returns the advice on a comparison of {@value #OURS} with the baseline. */
    static String of(Summary summary) {
        Row baseline = summary.baseline();
        Row ours = summary.rows().stream()
                .filter(row -> row.family().equals(OURS))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There are no runs of " + OURS + "."));
        Speedup speedup = Speedup.of(summary, ours);
        boolean sooner = speedup.missed() == 0 && speedup.mean() >= WORTH && speedup.low() > 1;
        String cost = String.format(
                Locale.ROOT,
                "A step takes %.2f times as long as AdamW's, and the optimiser keeps %s instead of %s.",
                ours.millisecondsPerStep() / baseline.millisecondsPerStep(),
                Cells.bytes(ours.extraBytes()),
                Cells.bytes(baseline.extraBytes()));
        if (sooner || isBetterAtTheEnd(summary, ours)) {
            return "A gain: Preconditioned, time to tuned AdamW's test metric: " + speedup.inWords() + ". " + cost
                    + "\nWrite: .updater(Preconditioned.adam().overEpochs(n)) for a training of n epochs, and after init()"
                    + " DL4JFuse.attach(net).";
        }
        return "No gain was found (time to tuned AdamW's test metric: " + speedup.inWords() + "): stay with Adam. "
                + cost + "\nThe best setting of AdamW found: " + baseline.contestant() + ".";
    }

    private static boolean isBetterAtTheEnd(Summary summary, Row ours) {
        double[] first = Summary.ends(ours);
        double[] second = Summary.ends(summary.baseline());
        if (first.length < 2 || !Summary.areFinite(first) || !Summary.areFinite(second)) {
            return false;
        }
        Difference difference = Significance.paired(first, second);
        return difference.mean() > ERRORS * difference.standardError() && difference.mean() > 0;
    }
}
