package io.github.dl4jfuse.acceleration.onednn;

import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.api.Layer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer of ours in the place of DL4J's; it shares configuration, parameters and gradient views with the one it stands for. */
interface FastLayer extends Layer {

    /** Returns what belongs to the exchange. */
    Exchanged<?, ?> exchanged();

    /** Returns whether images [n, c, h, w] may come and go with their channels last. */
    default boolean takesImages() {
        return false;
    }

    /** Applies an activation function of DL4J's in place, which leaves NaN what it is. */
    static void activate(INDArray array, IActivation function, boolean training) {
        INDArray ordered = Finite.inMemoryOrder(array);
        INDArray activated = function.getActivation(ordered, training);
        if (activated != ordered) {
            ordered.assign(activated);
        }
    }

    /** Returns weights [nIn, nOut] that lie in f order, as parameters do; with noise they need not. */
    static INDArray denseWeights(INDArray weights) {
        return weights.stride(0) == 1 && weights.stride(1) == weights.size(0) ? weights : weights.dup('f');
    }

    /** Returns sequences [n, c, t] as images of one row, in FLOAT. */
    static INDArray row(INDArray sequences) {
        return sequences
                .castTo(DataType.FLOAT)
                .reshape('c', sequences.size(0), sequences.size(1), 1, sequences.size(2));
    }

    /** Returns images of one row, in c order, as sequences. */
    static INDArray sequences(INDArray row) {
        return row.reshape('c', row.size(0), row.size(1), row.size(3));
    }

    /** Sets an array of ours to 0. */
    static void clear(INDArray array) {
        Pointer memory = new Pointer(array.data().pointer());
        Pointer.memset(memory.position(array.offset() * Float.BYTES), 0, array.length() * Float.BYTES);
    }
}
