package io.github.dl4jfuse.faults;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/**
 * Trains small networks that are struck by drawn faults, and judges each against Adam under the same fault. A case is its
 * seed: the same seed gives the same case.
 *
 * <p>Failed is: a parameter that is not finite; a loss that stays more than {@value #BEHIND} times above the one before the
 * fault, and above Adam's; no end within {@value #PATIENCE_SECONDS} seconds; an exception that is no refusal of ours; an end more
 * than {@value #BEHIND} times behind Adam with no log line that names the fault, where it would not end so without the fault.
 */
public final class Campaign {

    /** How far behind is behind. */
    public static final double BEHIND = 1.1;

    private static final int PATIENCE_SECONDS = 300;

    /** So many trainings without the fault, of other weights and data but for the first, show how far it may end behind anyhow. */
    private static final int OTHERS = 8;

    /** Losses below this differ by nothing that matters. */
    private static final double NEGLIGIBLE = 1e-3;

    /**
     * A case and how it ended.
     *
     * @param detail what was seen
     */
    public record Outcome(Case drawn, Verdict verdict, String detail) {

        /** Returns whether something is wrong. */
        public boolean failed() {
            return verdict.failed();
        }

        /** Returns updater, fault and event, by which failures are counted. */
        public String kind() {
            return drawn.trainee() + " | " + drawn.fault() + " | " + drawn.event();
        }

        @Override
        public String toString() {
            return "seed " + drawn.seed() + ": " + verdict + " (" + detail + ") " + drawn;
        }
    }

    private static final Map<String, List<String>> LINES = new ConcurrentHashMap<>(); // by thread

    private Campaign() {}

    /**
     * Runs cases.
     *
     * @param firstSeed the seed of the first; the others count on from it
     * @param each is told how each ended, as it happens
     */
    public static void run(long firstSeed, int cases, Consumer<Outcome> each) {
        Logger logger = (Logger) LoggerFactory.getLogger("io.github.dl4jfuse");
        Capture capture = new Capture();
        capture.start();
        logger.addAppender(capture);
        boolean additive = logger.isAdditive();
        logger.setAdditive(false);
        try {
            for (long seed = firstSeed; seed < firstSeed + cases; seed++) {
                each.accept(judgeInTime(Case.draw(seed)));
            }
        } finally {
            logger.setAdditive(additive);
            logger.detachAppender(capture);
        }
    }

    private static Outcome judgeInTime(Case drawn) {
        Outcome[] outcome = {new Outcome(drawn, Verdict.HANGS, "no end within " + PATIENCE_SECONDS + " s")};
        Thread thread = new Thread(() -> outcome[0] = judge(drawn), "case " + drawn.seed());
        thread.setDaemon(true);
        thread.start();
        try {
            thread.join(1000L * PATIENCE_SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        LINES.remove(thread.getName());
        return outcome[0];
    }

    /** Judges a case in this thread. */
    static Outcome judge(Case drawn) {
        List<String> lines = LINES.computeIfAbsent(Thread.currentThread().getName(), name -> new ArrayList<>());
        lines.clear();
        Run.Result ours = new Run(drawn, drawn.trainee(), true).train();
        List<String> said = List.copyOf(lines);
        if (ours.thrown() != null) {
            return ofException(drawn, ours.thrown());
        }
        Run.Result adam = new Run(drawn, Trainee.ADAM, true).train();
        if (!ours.finite()) {
            boolean alone = drawn.trainee().listeners().isEmpty() || drawn.event() == Event.LISTENER_REMOVED;
            boolean asAdam = ours.trained() && alone && !adam.finite();
            return new Outcome(
                    drawn,
                    asAdam ? Verdict.STATISTICS_AS_UNDER_ADAM : Verdict.NOT_FINITE,
                    "Adam's parameters are finite: " + adam.finite() + ", said " + said);
        }
        boolean named = said.stream().anyMatch(drawn.fault()::isNamedBy);
        boolean behind = isBehind(ours.after(), adam.after());
        String detail = String.format(
                Locale.ROOT, "loss %.4g before, %.4g after, Adam %.4g", ours.before(), ours.after(), adam.after());
        boolean above = behind && isBehind(ours.after(), ours.before());
        if (!behind || (named && !above)) {
            return new Outcome(drawn, Verdict.PASSED, detail);
        }
        double without = 0; // the largest of Adam's loss that it ends at with no fault
        for (int i = 0; i < OTHERS; i++) {
            Case other = drawn.withSeed(drawn.seed() + i * (1L << 32));
            double ofOurs = new Run(other, drawn.trainee(), false).train().after();
            double ofAdam = new Run(other, Trainee.ADAM, false).train().after();
            without = Math.max(without, ofOurs / ofAdam);
        }
        detail += String.format(Locale.ROOT, ", without the fault up to %.3g times Adam's, said %s", without, said);
        return new Outcome(
                drawn,
                ours.after() / adam.after() <= BEHIND * without
                        ? Verdict.AS_WITHOUT_A_FAULT
                        : above ? Verdict.STAYS_ABOVE : Verdict.BEHIND_ADAM,
                detail);
    }

    private static boolean isBehind(double loss, double other) {
        return !(loss <= BEHIND * other + NEGLIGIBLE) && !Double.isNaN(other);
    }

    private static Outcome ofException(Case drawn, Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        StackTraceElement[] trace = root.getStackTrace();
        boolean refusal = (root instanceof IllegalStateException
                        || root instanceof IllegalArgumentException
                        || root instanceof UnsupportedOperationException)
                && trace.length > 0
                && trace[0].getClassName().startsWith("io.github.dl4jfuse")
                && !trace[0].getClassName().startsWith("io.github.dl4jfuse.faults");
        String detail = root + " at " + (trace.length == 0 ? "?" : trace[0]);
        if (refusal) {
            return new Outcome(drawn, Verdict.REFUSED, detail);
        }
        Run.Result adam = new Run(drawn, Trainee.ADAM, true).train();
        boolean same = adam.thrown() != null && adam.thrown().getClass() == thrown.getClass();
        return new Outcome(drawn, same ? Verdict.AS_WITHOUT_A_FAULT : Verdict.EXCEPTION, detail);
    }

    /** Keeps the lines of each thread. */
    private static final class Capture extends AppenderBase<ILoggingEvent> {
        @Override
        protected void append(ILoggingEvent event) {
            List<String> lines = LINES.get(event.getThreadName());
            if (lines != null) {
                lines.add(event.getFormattedMessage());
            }
        }
    }
}
