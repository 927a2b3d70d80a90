package io.github.dl4jfuse.contract;

import java.util.Objects;
import java.util.Optional;

/**
 * What came of a case.
 *
 * @param detail what is wrong, or the sentence of the refusal, or how Adam fares; may be empty
 * @param ratio the loss by Adam's, or NaN
 */
record Result(Case subject, Kind kind, String detail, double ratio) {

    /** How it went. */
    enum Kind {
        WORKS("works"),
        /** What is wrong is wrong with DL4J's Adam as well. */
        AS_ADAM("as Adam"),
        REFUSED("refused"),
        BROKEN("broken");

        final String word;

        Kind(String word) {
            this.word = word;
        }
    }

    private Result(Case subject, Kind kind, String detail) {
        this(subject, kind, detail.replaceAll("\\s+", " "), ratioOf(subject));
    }

    private static double ratioOf(Case subject) {
        Training.Losses losses = Companions.TRAINING.losses(subject);
        return losses == null || !subject.companion().name().equals(Companions.TRAINING.name())
                ? Double.NaN
                : losses.ratio();
    }

    /** Returns a line that {@link #read} understands. */
    String toLine() {
        return String.join("\t", subject.name(), kind.name(), String.valueOf(ratio), detail);
    }

    /** Reads a line, or nothing where the case is no longer in the catalogue. */
    static Optional<Result> read(String line) {
        String[] parts = line.split("\t", 4);
        try {
            return Optional.of(
                    new Result(Cases.named(parts[0]), Kind.valueOf(parts[1]), parts[3], Double.parseDouble(parts[2])));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Does what the case asks for. */
    static Result of(Case subject) {
        String problem;
        try {
            problem = subject.companion().check(subject).orElse(null);
        } catch (Exception | AssertionError | StackOverflowError e) {
            Throwable refusal = refusal(e);
            if (refusal != null) {
                return ofRefusal(subject, refusal.getMessage());
            }
            problem = describe(e);
        }
        if (problem == null) {
            return new Result(subject, Kind.WORKS, "");
        }
        boolean excused = subject.companion().adamExcuses() && subject.contestant() != Contestant.ADAM;
        Result adam = excused ? of(subject.withAdam()) : null;
        return adam != null && adam.kind() == Kind.BROKEN
                ? new Result(subject, Kind.AS_ADAM, adam.detail())
                : new Result(subject, Kind.BROKEN, problem);
    }

    private static Result ofRefusal(Case subject, String sentence) {
        if (subject.contestant().isAutomatic()) {
            return new Result(subject, Kind.BROKEN, "refused where Adam goes on: " + sentence);
        }
        if (sentence == null || !sentence.strip().endsWith(".")) {
            return new Result(subject, Kind.BROKEN, "refused without a sentence: " + sentence);
        }
        boolean known = subject.contestant().isSelective()
                || subject.network().causes().stream().anyMatch(cause -> sentence.contains(cause.words));
        return new Result(
                subject, known ? Kind.REFUSED : Kind.BROKEN, (known ? "" : "refused without a cause: ") + sentence);
    }

    /** Returns the exception of ours with a sentence among the causes, or null. */
    private static Throwable refusal(Throwable thrown) {
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            StackTraceElement[] trace = t.getStackTrace();
            boolean fits = t instanceof IllegalStateException
                    || t instanceof IllegalArgumentException
                    || t instanceof UnsupportedOperationException;
            if (fits
                    && trace.length > 0
                    && trace[0].getClassName().startsWith("io.github.dl4jfuse.")
                    && !trace[0].getClassName().startsWith("io.github.dl4jfuse.contract.")) {
                return t;
            }
        }
        return null;
    }

    private static String describe(Throwable thrown) {
        StackTraceElement[] trace = thrown.getStackTrace();
        String message =
                Objects.toString(thrown.getMessage(), "").lines().findFirst().orElse("");
        return thrown.getClass().getSimpleName() + ": " + message + (trace.length == 0 ? "" : " at " + trace[0]);
    }
}
