package io.github.dl4jfuse.updater;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A few numbers in an updater's state, mirrored in Java. On a GPU, to read or put a single element brings all the memory that
 * it is part of to the host or back: here the state of the whole network, in every step.
 */
final class StateScalars {

    private final INDArray memory;
    private final INDArray[] slots;
    private final boolean onCpu = Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU;
    private double[] values;

    /** Takes up the numbers that stand in the memory, a view of the state. */
    StateScalars(INDArray memory) {
        INDArray flat = memory.reshape(memory.length());
        this.memory = flat;
        slots = new INDArray[(int) flat.length()];
        Arrays.setAll(slots, i -> flat.get(interval(i, i + 1)));
        read();
    }

    /** Takes up what has been written into the memory by others. */
    void read() {
        values = memory.dup().castTo(DataType.DOUBLE).toDoubleVector();
    }

    /** Takes up what has been written into the memory by others; returns whether there was anything. Costs a transfer on a GPU. */
    boolean follow() {
        double[] now = values.clone();
        if (onCpu) {
            DataBuffer data = memory.data();
            Arrays.setAll(now, data::getDouble);
        } else {
            now = memory.dup().castTo(DataType.DOUBLE).toDoubleVector();
        }
        boolean same = Arrays.equals(now, values);
        values = now;
        return !same;
    }

    double get(int slot) {
        return values[slot];
    }

    /** Sets a number, rounded to the type of the state. */
    void set(int slot, double value) {
        double rounded = round(value);
        if (Double.compare(values[slot], rounded) != 0) {
            values[slot] = rounded;
            slots[slot].assign(rounded);
        }
    }

    private double round(double value) {
        return switch (memory.dataType()) {
            case DOUBLE -> value;
            case FLOAT -> (float) value;
            default -> Nd4j.scalar(memory.dataType(), value).getDouble(0);
        };
    }
}
