package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Curve.Point;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * When a contestant is at the target for good: on the median curve over its seeds, at the budget at which that is soonest.
 * Reached by under half of the seeds counts as not reached, and then at most the whole budget's time is known.
 *
 * @param reached whether it was
 * @param share the budget at which it was soonest, as a part of the whole one; 1 where it was not reached
 * @param seconds seconds until then; those of the whole budget where it was not reached
 * @param steps training steps until then
 * @param gradients gradient evaluations until then
 * @param perSeed seconds of each seed's own curve at that budget, infinite where it did not get there
 */
public record TimeToTarget(
        boolean reached, double share, double seconds, double steps, double gradients, List<Double> perSeed) {

    /** Finds it on curves of all budgets. */
    static TimeToTarget of(List<Curve> curves, double target) {
        TimeToTarget best = null;
        for (Curve curve : curves) {
            Point first = Curve.firstAt(curve.medians(), target);
            List<Double> perSeed = perSeed(curve, target);
            long got = perSeed.stream().filter(Double::isFinite).count();
            if (first != null && 2 * got >= perSeed.size() && (best == null || first.seconds() < best.seconds)) {
                best = new TimeToTarget(
                        true, curve.share(), first.seconds(), first.steps(), first.gradients(), perSeed);
            }
        }
        return best != null ? best : missed(curves.get(0), target);
    }

    private static TimeToTarget missed(Curve whole, double target) {
        return new TimeToTarget(
                false,
                whole.share(),
                Summary.wholeSeconds(whole),
                Double.POSITIVE_INFINITY,
                Double.POSITIVE_INFINITY,
                perSeed(whole, target));
    }

    private static List<Double> perSeed(Curve curve, double target) {
        return IntStream.range(0, curve.runs().size())
                .mapToObj(i -> Curve.firstAt(curve.points(i), target))
                .map(point -> Objects.isNull(point) ? Double.POSITIVE_INFINITY : point.seconds())
                .toList();
    }
}
