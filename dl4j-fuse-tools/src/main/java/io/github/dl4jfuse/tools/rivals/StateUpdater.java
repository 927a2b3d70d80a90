package io.github.dl4jfuse.tools.rivals;

import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.ISchedule;

/** A published rule as an updater, all of whose memory lies in DL4J's array of updater state. Never saved as JSON. */
abstract class StateUpdater implements IUpdater {

    private static final String STATE_KEY = "STATE";
    private static final long serialVersionUID = 1;

    private ISchedule schedule;

    /**
     * An updater.
     *
     * @param schedule the learning rate or a factor of the step, or null for 1
     */
    StateUpdater(ISchedule schedule) {
        this.schedule = schedule;
    }

    /**
     * Replaces the gradient by the update that will be subtracted.
     *
     * @param gradient of a block of parameters, a vector
     * @param state the block's memory, a vector, zero at the start
     * @param rate the schedule's value, 1 without a schedule
     */
    abstract void step(INDArray gradient, INDArray state, double rate);

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
        return schedule == null ? 1 : schedule.valueAt(iteration, epoch);
    }

    @Override
    public boolean hasLearningRate() {
        return true;
    }

    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        schedule = lrSchedule == null ? new FixedSchedule(lr) : lrSchedule;
    }

    @Override
    public StateUpdater clone() {
        try {
            return (StateUpdater) super.clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StateUpdater that
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

    /** The memory of one block. */
    final class State implements GradientUpdater<StateUpdater> {

        private INDArray view;

        INDArray view() {
            return view;
        }

        @Override
        public StateUpdater getConfig() {
            return StateUpdater.this;
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
            double rate = schedule == null ? 1 : schedule.valueAt(iteration, epoch);
            step(gradient.reshape(gradient.length()), view, rate);
        }
    }
}
