package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
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

    /** Makes images with their channels last. */
    static INDArray images(ArrayType type, long[] shape, LayerWorkspaceMgr workspaces) {
        return workspaces
                .createUninitialized(type, DataType.FLOAT, new long[] {shape[0], shape[2], shape[3], shape[1]}, 'c')
                .permute(0, 3, 1, 2);
    }
}
