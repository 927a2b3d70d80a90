package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.acceleration.Acceleration.Attachment;
import io.github.dl4jfuse.tools.doctor.LayerClock.Timed;
import io.github.dl4jfuse.tools.doctor.LayerClock.Times;
import io.github.dl4jfuse.tools.doctor.StepTable.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Layer;

/** Measures the layers of an attached network in its own steps, and the attached network beside the same one with DL4J's layers. */
final class LayerDoctor {

    /** Share of the time that goes into steps before those that count. */
    private static final double WARM_UP = 0.3;

    private static final int FEWEST_PAIRS = 5;
    private static final int MOST_PAIRS = 2_000;
    private static final int FIRST_STEPS = 3;

    /** How much of the time each of the three measurements of limits takes. */
    private static final double LIMITS = 0.1;

    private final Subject subject;
    private final double seconds;
    private final Model attached;
    private final Attachment attachment;

    /**
     * Attaches a copy of a network.
     *
     * @param seconds for the steps of the table, and again for those beside DL4J's; more where {@value #FEWEST_PAIRS} pairs take longer
     */
    LayerDoctor(Subject subject, double seconds) {
        this.subject = subject;
        this.seconds = seconds;
        attached = subject.copy();
        attachment = Acceleration.attach(attached);
    }

    /** Returns about how long all takes, in seconds, with the start. */
    static long patience(double seconds, boolean against) {
        return Math.round(5 + seconds * (1 + 3 * LIMITS + (against ? 1 : 0)));
    }

    /** Returns the table; to be called once, as a listener stays with the attached network. */
    StepTable table() {
        Limit limit = Limit.measure(attached.params().dataType(), LIMITS * seconds);
        LayerClock clock = new LayerClock(attached);
        List<Times> times = new ArrayList<>();
        Runnable step = () -> Subject.step(attached, subject.batch());
        PairedTimes pairs = inTurn(step, () -> times.add(clock.time(step)));
        List<Times> counted = times.subList(times.size() - pairs.pairs(), times.size());
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < clock.layers().size(); i++) {
            int index = i;
            rows.add(row(
                    clock.layers().get(i),
                    median(counted, each -> each.forward()[index]),
                    median(counted, each -> each.backward()[index])));
        }
        for (Row row : rows) {
            limit = limit.orProducts(row.gflops());
        }
        boolean tried = !attachment.layers().isEmpty() || !attachment.left().isEmpty();
        return new StepTable(
                rows,
                median(counted, Times::updater),
                median(counted, Times::rest),
                pairs.first(),
                pairs.ratio(),
                limit,
                tried ? "" : attachment.reason());
    }

    private Row row(Timed timed, double forward, double backward) {
        Layer conf = timed.holder().conf().getLayer();
        String known = conf.getLayerName();
        return new Row(
                timed.name(),
                conf.getClass().getSimpleName(),
                conf instanceof ConvolutionLayer convolution ? convolution.getNIn() : 0,
                attachment.layers().contains(known),
                attachment.left().getOrDefault(known, ""),
                forward,
                backward,
                timed.work());
    }

    /** Returns times of steps with DL4J's layers (the first) and attached (the second), from equal networks if it comes before the table. */
    PairedTimes against() {
        Model plain = subject.copy();
        return inTurn(() -> Subject.step(plain, subject.batch()), () -> Subject.step(attached, subject.batch()));
    }

    /** Returns the pairs in a sentence. */
    static String inWords(PairedTimes pairs) {
        return String.format(
                Locale.ROOT,
                "Against DL4J's layers, %d pairs of steps in turn: DL4J %.2f ms, attached %.2f ms, ratio of a pair %.3f"
                        + " (95 %% interval %.3f to %.3f).",
                pairs.pairs(),
                pairs.first(),
                pairs.second(),
                pairs.ratio(),
                pairs.ratioAt(false),
                pairs.ratioAt(true));
    }

    /** Takes both in turn for about the time that there is. */
    private PairedTimes inTurn(Runnable one, Runnable other) {
        double pair = Double.POSITIVE_INFINITY;
        for (int i = 0; i < FIRST_STEPS; i++) {
            pair = Math.min(pair, PairedTimes.milliseconds(one) + PairedTimes.milliseconds(other));
        }
        double all = Math.min(MOST_PAIRS, 1e3 * seconds / pair);
        PairedTimes pairs = new PairedTimes();
        pairs.run(one, other, (int) (WARM_UP * all), Math.max(FEWEST_PAIRS, (int) ((1 - WARM_UP) * all)));
        return pairs;
    }

    private static double median(List<Times> times, ToLongFunction<Times> nanoseconds) {
        long[] sorted = times.stream().mapToLong(nanoseconds).sorted().toArray();
        return sorted[sorted.length / 2] / 1e6;
    }
}
