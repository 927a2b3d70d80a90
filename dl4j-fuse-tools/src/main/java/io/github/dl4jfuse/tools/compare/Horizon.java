package io.github.dl4jfuse.tools.compare;

import java.util.function.DoubleSupplier;

/**
 * What an optimiser may know of its run beforehand.
 *
 * @param used share of the budget that is used, for schedules
 * @param steps gradient evaluations of the budget, or an estimate of them where it counts seconds
 */
public record Horizon(DoubleSupplier used, long steps) {

    /** Returns the schedule of a setting over this run. */
    BudgetSchedule schedule(Setting setting) {
        return new BudgetSchedule(setting.rate(), setting.shape(), used);
    }
}
