package io.github.dl4jfuse.tools.rivals;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * A published rule that finds its learning rate or its schedule by itself: an updater that keeps some vectors and some numbers for
 * each block of parameters.
 */
abstract class TuningFree extends StateUpdater {

    /** Numbers kept for each variable of a block; those of the first are used. */
    static final int NUMBERS = 8;

    private static final long serialVersionUID = 1;

    TuningFree(ISchedule schedule) {
        super(schedule);
    }

    /** Returns how many vectors are kept. */
    abstract int vectors();

    /**
     * Replaces the gradient by the update that will be subtracted.
     *
     * @param vectors as many as {@link #vectors}, zero at the start
     * @param numbers {@link #NUMBERS} of them, zero at the start
     * @param factor the schedule's value, 1 without a schedule
     */
    abstract void step(INDArray gradient, INDArray[] vectors, INDArray numbers, double factor);

    static double norm(INDArray x) {
        return Math.sqrt(Nd4j.getBlasWrapper().dot(x, x));
    }

    @Override
    public long stateSize(long numParams) {
        return vectors() * numParams + NUMBERS;
    }

    @Override
    public double getLearningRate(int iteration, int epoch) {
        return Double.NaN;
    }

    @Override
    public boolean hasLearningRate() {
        return false;
    }

    @Override
    final void step(INDArray gradient, INDArray state, double rate) {
        INDArray[] vectors = new INDArray[vectors()];
        for (int k = 0; k < vectors.length; k++) {
            vectors[k] = vector(state, k, gradient.length());
        }
        step(gradient, vectors, state.get(NDArrayIndex.interval(0, NUMBERS)), rate);
    }

    /** Returns a vector out of the memory of a block with n parameters. */
    final INDArray vector(INDArray state, int k, long n) {
        long numbers = state.length() - vectors() * n;
        return state.get(NDArrayIndex.interval(numbers + k * n, numbers + (k + 1) * n));
    }
}
