package io.github.dl4jfuse.tools.doctor;

import java.util.ArrayList;
import java.util.List;

/** Times of two things that are done in turn, so that whatever else the machine does, it does to both. */
public final class PairedTimes {

    private final List<Double> first = new ArrayList<>();
    private final List<Double> second = new ArrayList<>();
    private final List<Double> ratios = new ArrayList<>();

    /** Times both, and which one comes first changes from pair to pair; pairs before the warm-up is over do not count. */
    public void run(Runnable one, Runnable other, int warmUp, int pairs) {
        for (int i = 0; i < warmUp + pairs; i++) {
            boolean inOrder = i % 2 == 0;
            double before = milliseconds(inOrder ? one : other);
            double after = milliseconds(inOrder ? other : one);
            if (i >= warmUp) {
                first.add(inOrder ? before : after);
                second.add(inOrder ? after : before);
                ratios.add(inOrder ? after / before : before / after);
            }
        }
    }

    /** Returns how long a task takes, in milliseconds. */
    static double milliseconds(Runnable task) {
        long begin = System.nanoTime();
        task.run();
        return (System.nanoTime() - begin) / 1e6;
    }

    /** Returns how many pairs count. */
    public int pairs() {
        return ratios.size();
    }

    /** Returns the median of the first's times, in milliseconds. */
    public double first() {
        return ranked(first, 0);
    }

    /** Returns the median of the second's times, in milliseconds. */
    public double second() {
        return ranked(second, 0);
    }

    /** Returns the median of the second's time by the first's, pair by pair. */
    public double ratio() {
        return ranked(ratios, 0);
    }

    /** Returns an end of the interval that holds that median with 95 % confidence. */
    public double ratioAt(boolean upper) {
        int half = (int) Math.ceil(0.98 * Math.sqrt(ratios.size())); // 1.96 standard deviations of the median's rank
        return ranked(ratios, upper ? half : -half);
    }

    /** The element so many ranks above the median. */
    private static double ranked(List<Double> values, int above) {
        int rank = Math.max(0, Math.min(values.size() - 1, values.size() / 2 + above));
        return values.stream().sorted().toList().get(rank);
    }
}
