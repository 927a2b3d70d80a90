package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.BudgetSchedule.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Where the settings of a family are searched: random points (Bergstra, Bengio 2012), the same relative ones for every
 * family, so that none has luckier trials than another. The first trial is the family's standard setting.
 *
 * @param standard the setting that is recommended, or used most
 * @param lowestRate lower end of the rates, which are drawn on a logarithmic scale
 * @param highestRate upper end
 * @param shapes schedules to choose from
 * @param own values of the method's own number to choose from; empty where it has none
 */
record SearchSpace(Setting standard, double lowestRate, double highestRate, List<Shape> shapes, List<Double> own) {

    /** Coefficients of decoupled weight decay. */
    static final List<Double> DECAYS = List.of(0.0, 0.01, 0.03, 0.1, 0.3);

    /** Shares of dropped inputs; none in half of the trials. */
    static final List<Double> DROPOUTS = List.of(0.0, 0.0, 0.2, 0.4);

    private static final long SEED = 2012;

    /** A space with all schedules, whose standard rate falls to 0 along a line. */
    static SearchSpace of(double standardRate, double lowestRate, double highestRate) {
        return of(standardRate, lowestRate, highestRate, List.of(Shape.values()), List.of());
    }

    /** A space whose standard setting has the first of the method's own values, and neither decay nor dropout. */
    static SearchSpace of(
            double standardRate, double lowestRate, double highestRate, List<Shape> shapes, List<Double> own) {
        Shape shape = shapes.contains(Shape.LINEAR) ? Shape.LINEAR : shapes.get(0);
        Setting standard = new Setting(standardRate, shape, 0, 0, own.isEmpty() ? Double.NaN : own.get(0));
        return new SearchSpace(standard, lowestRate, highestRate, shapes, own);
    }

    /** Returns so many trials; the first ones of a longer list are those of a shorter one. */
    List<Setting> trials(int count) {
        List<Setting> trials = new ArrayList<>();
        trials.add(standard);
        Random random = new Random(SEED);
        while (trials.size() < count) {
            double rate = twoDigits(lowestRate * Math.pow(highestRate / lowestRate, random.nextDouble()));
            Shape shape = pick(shapes, random);
            double decay = pick(DECAYS, random);
            double dropout = pick(DROPOUTS, random);
            double drawn = random.nextDouble();
            Setting setting = new Setting(
                    rate, shape, decay, dropout, own.isEmpty() ? Double.NaN : own.get((int) (drawn * own.size())));
            if (!trials.contains(setting)) {
                trials.add(setting);
            }
        }
        return trials;
    }

    private static double twoDigits(double rate) {
        return Double.parseDouble(String.format(Locale.ROOT, "%.1e", rate));
    }

    private static <T> T pick(List<T> values, Random random) {
        return values.get((int) (random.nextDouble() * values.size()));
    }
}
