package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.Floats;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Forward and backward pass of an LSTM, for batches of one size n and sequences of any length.
 *
 * <p>Of x [n, nIn] at a time and the outputs h [n, u] of the time before, z = x W + h RW + b [n, 4u] has the columns i, f, o, g in DL4J's
 * order; cells c ← σ(f) c + σ(g) tanh(i), outputs σ(o) tanh(c). All arrays lie in f order, as DL4J has parameters and sequences [n, c, t], so
 * that each time is a matrix of its own without a copy: products are oneDNN's, one time after the other, the rest is Java's.
 */
final class LstmKernels {

    private static final int GATES = 4;

    private final int examples;
    private final int inputs;
    private final int units;
    private final int block; // numbers of a gate at a time
    private final FloatPointer biases; // of all examples, [n, 4u]
    private final FloatPointer gates; // at a time, [n, 4u]: z, or the gradient with respect to it
    private final FloatPointer outputs; // at a time, [n, u], or the gradient with respect to them
    private final FloatPointer ones; // [n]
    private final FloatBuffer gateNumbers;
    private final FloatBuffer outputNumbers;
    private final SmoothSteps functions;

    LstmKernels(long examples, long inputs, long units) {
        this.examples = (int) examples;
        this.inputs = (int) inputs;
        this.units = (int) units;
        block = Math.multiplyExact(this.examples, this.units);
        biases = new FloatPointer((long) GATES * block);
        gates = new FloatPointer((long) GATES * block);
        outputs = new FloatPointer(block);
        float[] each = new float[this.examples];
        Arrays.fill(each, 1);
        ones = new FloatPointer(each);
        gateNumbers = gates.asBuffer();
        outputNumbers = outputs.asBuffer();
        functions = new SmoothSteps(block);
    }

    /** What a time of a forward pass leaves for the backward pass: values of the gates, cells, and tanh of those. */
    record Moment(float[] i, float[] f, float[] o, float[] g, float[] cells, float[] squashed) {

        private static Moment of(int length) {
            return new Moment(
                    new float[length],
                    new float[length],
                    new float[length],
                    new float[length],
                    new float[length],
                    new float[length]);
        }
    }

    /**
     * Computes the outputs y [n, u, t] of x [n, nIn, t].
     *
     * @param keep whether all moments are needed
     * @return the moments; the last alone where not
     */
    Moment[] forward(INDArray x, INDArray w, INDArray rw, INDArray b, INDArray y, boolean keep) {
        int times = (int) x.size(2);
        Moment[] moments = new Moment[keep ? times : 1];
        FloatBuffer result = Floats.view(y);
        float[] numbers = new float[block];
        float[] cells = new float[block];
        spread(b);
        for (int t = 0; t < times; t++) {
            int at = t % moments.length;
            if (moments[at] == null) {
                moments[at] = Moment.of(block);
            }
            Pointer.memcpy(gates, biases, gates.capacity() * Float.BYTES);
            FloatPointer now = at(x, (long) t * examples * inputs);
            Products.multiply(now, at(w, 0), gates, examples, GATES * units, inputs, false, false, 1);
            if (t > 0) {
                FloatPointer before = at(y, (t - 1L) * block);
                Products.multiply(before, at(rw, 0), gates, examples, GATES * units, units, false, false, 1);
            }
            activate(moments[at], cells);
            outputs(moments[at], numbers);
            result.put(t * block, numbers);
        }
        return moments;
    }

    private static FloatPointer at(INDArray array, long from) {
        return new FloatPointer(array.data().pointer()).position(array.offset() + from);
    }

    /** Writes the biases of each example. */
    private void spread(INDArray b) {
        float[] values = new float[GATES * units];
        Floats.view(b).get(values);
        float[] all = new float[GATES * block];
        for (int j = 0; j < values.length; j++) {
            Arrays.fill(all, j * examples, (j + 1) * examples, values[j]);
        }
        biases.put(all);
    }

    /** Gates from z, and the cells of before from now on. */
    private void activate(Moment now, float[] cells) {
        float[][] each = {now.i, now.f, now.o, now.g};
        for (int gate = 0; gate < GATES; gate++) {
            gateNumbers.get(gate * block, each[gate]);
            if (gate == 0) {
                functions.tanh(now.i, now.i);
            } else {
                functions.logistic(each[gate]);
            }
        }
        turn(cells, now.f, now.g, now.i);
        System.arraycopy(cells, 0, now.cells, 0, block);
        functions.tanh(cells, now.squashed);
    }

    private static void turn(float[] cells, float[] f, float[] g, float[] i) {
        for (int k = 0; k < cells.length; k++) {
            cells[k] = f[k] * cells[k] + g[k] * i[k];
        }
    }

    private static void outputs(Moment now, float[] to) {
        float[] o = now.o;
        float[] squashed = now.squashed;
        for (int k = 0; k < to.length; k++) {
            to[k] = o[k] * squashed[k];
        }
    }

    /** Gradients with respect to the parameters, which a backward pass writes. */
    record Gradients(INDArray w, INDArray rw, INDArray b) {}

    /**
     * Computes the gradients.
     *
     * @param moments of the forward pass, all of them
     * @param eps with respect to y; not changed
     * @param gradients null where nobody needs them
     * @param gx receives that with respect to x; null where nobody needs it
     */
    void backward(
            INDArray x, Moment[] moments, INDArray eps, INDArray w, INDArray rw, Gradients gradients, INDArray gx) {
        FloatBuffer given = Floats.view(eps);
        float[] delta = new float[block]; // with respect to the outputs
        float[] numbers = new float[block];
        float[] cells = new float[block]; // with respect to the cells, by later times
        float[][] each = new float[GATES][block];
        if (gradients != null && moments.length == 1) {
            FastLayer.clear(gradients.rw());
        }
        for (int t = moments.length - 1; t >= 0; t--) {
            boolean last = t == moments.length - 1;
            given.get(t * block, delta);
            if (!last) {
                Products.multiply(gates, at(rw, 0), outputs, examples, units, GATES * units, false, true, 0);
                outputNumbers.get(0, numbers);
                add(numbers, delta);
            }
            differentiate(moments[t], delta, cells, each);
            turnBack(moments[t], t == 0 ? new float[block] : moments[t - 1].cells, cells, each[1]);
            for (int gate = 0; gate < GATES; gate++) {
                gateNumbers.put(gate * block, each[gate]);
            }
            FloatPointer now = at(x, (long) t * examples * inputs);
            if (gradients != null) {
                learn(now, t == 0 ? null : moments[t - 1], numbers, gradients, last ? 0 : 1);
            }
            if (gx != null) {
                FloatPointer to = at(gx, (long) t * examples * inputs);
                Products.multiply(gates, at(w, 0), to, examples, inputs, GATES * units, false, true, 0);
            }
        }
    }

    private static void add(float[] numbers, float[] to) {
        for (int k = 0; k < to.length; k++) {
            to[k] += numbers[k];
        }
    }

    /** The gradients with respect to the cells, to those of later times, and to what goes into i, o and g. */
    private static void differentiate(Moment now, float[] delta, float[] cells, float[][] to) {
        throughOutputs(now.o, now.squashed, delta, cells, to[2]);
        throughInputs(now.i, now.g, cells, to[0], to[3]);
    }

    private static void throughOutputs(float[] o, float[] squashed, float[] delta, float[] cells, float[] to) {
        for (int k = 0; k < to.length; k++) {
            float product = delta[k] * o[k];
            to[k] = product * squashed[k] * (1 - o[k]);
            cells[k] += product * (1 - squashed[k] * squashed[k]);
        }
    }

    private static void throughInputs(float[] i, float[] g, float[] cells, float[] toI, float[] toG) {
        for (int k = 0; k < cells.length; k++) {
            float product = cells[k] * g[k];
            toI[k] = product * (1 - i[k] * i[k]);
            toG[k] = product * i[k] * (1 - g[k]);
        }
    }

    /** The gradient with respect to what goes into f, and that with respect to the cells of the time before. */
    private static void turnBack(Moment now, float[] before, float[] cells, float[] to) {
        float[] f = now.f;
        for (int k = 0; k < cells.length; k++) {
            float product = cells[k] * f[k];
            to[k] = product * before[k] * (1 - f[k]);
            cells[k] = product;
        }
    }

    /** Adds what a time says to the gradients, or begins with it. */
    private void learn(FloatPointer x, Moment before, float[] numbers, Gradients gradients, double beta) {
        Products.multiply(x, gates, at(gradients.w(), 0), inputs, GATES * units, examples, true, false, beta);
        Products.multiply(ones, gates, at(gradients.b(), 0), 1, GATES * units, examples, true, false, beta);
        if (before != null) {
            outputs(before, numbers);
            outputNumbers.put(0, numbers);
            Products.multiply(outputs, gates, at(gradients.rw(), 0), units, GATES * units, examples, true, false, beta);
        }
    }
}
