package io.github.dl4jfuse.tools.compare;

import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * A published rule without a learning rate, as a baseline for {@code Lfso}: an updater that keeps some vectors and some numbers
 * for each block of parameters.
 */
abstract class TuningFree implements IUpdater {

    /** Numbers kept for each variable of a block; those of the first are used. */
    static final int NUMBERS = 8;

    private static final String STATE_KEY = "TUNING_FREE";
    private static final long serialVersionUID = 1;

    private ISchedule schedule;

    TuningFree(ISchedule schedule) {
        this.schedule = schedule;
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
    public GradientUpdater<?> instantiate(INDArray viewArray, boolean initializeViewArray) {
        State state = new State();
        if (viewArray != null) {
            state.setStateViewArray(viewArray, viewArray.shape(), viewArray.ordering(), initializeViewArray);
        }
        return state;
    }

    @Override
    public GradientUpdater<?> instantiate(Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        State state = new State();
        state.setState(updaterState, initializeStateArrays);
        return state;
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
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        schedule = lrSchedule;
    }

    @Override
    public final TuningFree clone() {
        try {
            return (TuningFree) super.clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TuningFree that
                && getClass() == that.getClass()
                && Objects.equals(schedule, that.schedule);
    }

    @Override
    public int hashCode() {
        return Objects.hash(getClass().getName(), schedule);
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + "(schedule=" + schedule + ")";
    }

    private final class State implements GradientUpdater<TuningFree> {

        private INDArray view;

        @Override
        public TuningFree getConfig() {
            return TuningFree.this;
        }

        @Override
        public void setStateViewArray(INDArray viewArray, long[] shape, char order, boolean initialize) {
            if (initialize) {
                viewArray.assign(0);
            }
            view = viewArray.reshape(viewArray.length());
        }

        @Override
        public void setState(Map<String, INDArray> stateMap, boolean initialize) {
            view = stateMap.get(STATE_KEY);
        }

        @Override
        public Map<String, INDArray> getState() {
            return Map.of(STATE_KEY, view);
        }

        @Override
        public void applyUpdater(INDArray gradient, int iteration, int epoch) {
            INDArray flat = gradient.reshape(gradient.length());
            long n = flat.length();
            long numbers = view.length() - vectors() * n;
            INDArray[] vectors = new INDArray[vectors()];
            for (int k = 0; k < vectors.length; k++) {
                vectors[k] = view.get(NDArrayIndex.interval(numbers + k * n, numbers + (k + 1) * n));
            }
            double factor = schedule == null ? 1 : schedule.valueAt(iteration, epoch);
            step(flat, vectors, view.get(NDArrayIndex.interval(0, NUMBERS)), factor);
        }
    }
}
