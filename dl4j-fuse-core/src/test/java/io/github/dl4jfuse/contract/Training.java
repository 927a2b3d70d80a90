package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.contract.Contestant.Batches;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Training and nothing else: finite where Adam is, frozen parameters unmoved, equal to DL4J's Adam where that is promised,
 * the log says what has a cause and nothing else, and the default ends at most {@value #LIMIT} times as high as Adam.
 */
final class Training implements Companion {

    static final int STEPS = 90;

    /** Enough for thirty steps of the L-BFGS phase that comes by itself. */
    static final int STEPS_ON_ONE = 40;

    /** How much higher the default's loss may be than Adam's. */
    static final double LIMIT = 1.1;

    /** A difference of so small a share of the loss before training is none. */
    static final double NOISE = 1e-3;

    private static final int SEEDS = Integer.getInteger("contract.seeds", 3);

    /** The loss before training, after Adam's, and after ours. */
    record Losses(double start, double adam, double ours) {

        /** Ours by Adam's; losses may be negative, so it is the gap by Adam's size plus one. */
        double ratio() {
            double gap = ours - adam;
            double size = Math.max(Math.abs(adam), NOISE * Math.abs(start));
            return 1 + (Math.abs(gap) < NOISE * Math.abs(start) ? 0 : gap) / size;
        }
    }

    private final ConcurrentMap<String, double[]> adams = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Losses> losses = new ConcurrentHashMap<>();

    /** The median run of a case that has been checked, or null. */
    Losses losses(Case subject) {
        return losses.get(subject.name());
    }

    @Override
    public String name() {
        return "training";
    }

    @Override
    public String title() {
        return "training";
    }

    @Override
    public boolean adamExcuses() {
        return false;
    }

    @Override
    public Optional<String> check(Case subject) {
        boolean strict = subject.contestant() == Contestant.DEFAULT
                && subject.form().equals(subject.network().forms().get(0));
        Losses[] runs = new Losses[strict ? SEEDS : 1];
        Optional<String> problem = Optional.empty();
        for (int i = 0; i < runs.length; i++) {
            long seed = Case.SEED + i;
            double[] adam = adams.computeIfAbsent(
                    subject.network() + "/" + subject.batches() + "/" + subject.form() + "/" + seed,
                    key -> adam(subject, seed));
            if (!Double.isFinite(adam[1])) {
                return Optional.of("no network for the catalogue: Adam's loss is " + adam[1]);
            }
            Course course = subject.start(seed);
            try (LogLines log = new LogLines()) {
                Optional<String> found = train(subject, course, seed).or(() -> Sentences.wrong(subject, course, log));
                problem = problem.isPresent() ? problem : found;
            }
            runs[i] = new Losses(adam[0], adam[1], course.loss());
        }
        Arrays.sort(runs, Comparator.comparingDouble(Losses::ratio));
        Losses median = runs[runs.length / 2];
        losses.put(subject.name(), median);
        return problem.or(() -> tooHigh(median, strict));
    }

    private static Optional<String> tooHigh(Losses median, boolean strict) {
        if (!Double.isFinite(median.ours())) {
            return Optional.of("the loss is " + median.ours());
        }
        return strict && median.ratio() > LIMIT
                ? Optional.of(String.format(
                        Locale.ROOT,
                        "%.2f times Adam's loss (%.4g, Adam %.4g, before training %.4g)",
                        median.ratio(),
                        median.ours(),
                        median.adam(),
                        median.start()))
                : Optional.empty();
    }

    private static int steps(Case subject) {
        return subject.batches() == Batches.ONE ? STEPS_ON_ONE : STEPS;
    }

    private static double[] adam(Case subject, long seed) {
        Course course = new Course(subject, Contestant.ADAM.updater(), seed);
        double start = course.loss();
        return new double[] {start, course.train(steps(subject)).loss()};
    }

    private static Optional<String> train(Case subject, Course course, long seed) {
        double[] before = course.parameters();
        Map<String, double[]> frozen = course.frozen();
        try {
            course.train(steps(subject));
        } catch (IllegalStateException e) {
            if (!Arrays.equals(before, course.parameters())) {
                return Optional.of("refused after parameters had moved: " + e.getMessage());
            }
            throw e;
        }
        if (!Course.isFinite(course.parameters())) {
            return Optional.of("parameters that are not finite, where Adam's are");
        }
        double largest = Arrays.stream(before).map(Math::abs).max().orElse(0);
        List<String> moved = course.frozen().entrySet().stream()
                .filter(entry -> !(Course.gap(entry.getValue(), frozen.get(entry.getKey()))
                        <= subject.network().stillness() * largest))
                .map(Map.Entry::getKey)
                .toList();
        if (!moved.isEmpty()) {
            return Optional.of("frozen parameters moved: " + moved);
        }
        IUpdater twin = subject.contestant().equalTo(subject.batches());
        if (twin != null) {
            double gap = Course.difference(
                    new Course(subject, twin, seed).train(steps(subject)).parameters(), course.parameters());
            return gap == 0 ? Optional.empty() : Optional.of("differs from " + twin + " by " + gap);
        }
        return Optional.empty();
    }
}
