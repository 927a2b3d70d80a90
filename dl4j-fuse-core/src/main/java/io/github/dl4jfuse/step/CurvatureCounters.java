package io.github.dl4jfuse.step;

import io.github.dl4jfuse.optim.lbfgs.LbfgsHistory;

/** What the steps of one listener count, while it grows. */
public final class CurvatureCounters {
    public long adamSteps;
    public long curvatureSteps;
    public long gaussNewtonSteps;
    public long evaluations;
    public long cutBacks;
    public long rejectedSteps;
    public long pairsKept;
    public long pairsDamped;
    public long pairsSkipped;
    public long historiesCleared;
    public long skippedBatches;
    public long smallBatches;
    public long outliers;
    public long rollBacks;
    public long looks;

    void pair(LbfgsHistory.Outcome outcome) {
        switch (outcome) {
            case KEPT -> pairsKept++;
            case DAMPED -> pairsDamped++;
            case SKIPPED -> pairsSkipped++;
        }
    }
}
