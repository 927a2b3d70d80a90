package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** In which order the numbers of an array lie in memory. */
enum Layout {
    /** c order. */
    PLAIN,
    /** Images [n, c, h, w] whose channels are neighbours: c order of [n, h, w, c]. */
    CHANNELS_LAST,
    /** Anything else: such arrays are copied first. */
    OTHER;

    static Layout of(INDArray array) {
        long[] shape = array.shape();
        if (isOrderedBy(array, PLAIN.strides(shape))) {
            return PLAIN;
        }
        return shape.length == 4 && isOrderedBy(array, CHANNELS_LAST.strides(shape)) ? CHANNELS_LAST : OTHER;
    }

    /** Returns whether an array lies so; where all but one dimension are 1, more than one order is true. */
    boolean isOf(INDArray array) {
        return isOrderedBy(array, strides(array.shape()));
    }

    /** Returns an array that lies in one of the two known orders: itself, or a copy. */
    static INDArray known(INDArray array) {
        return of(array) == OTHER ? array.dup('c') : array;
    }

    /** Strides of dimensions of length 1 say nothing. */
    private static boolean isOrderedBy(INDArray array, long[] strides) {
        for (int i = 0; i < strides.length; i++) {
            if (array.size(i) != 1 && array.stride(i) != strides[i]) {
                return false;
            }
        }
        return true;
    }

    /** Returns the strides of an array of this layout. */
    long[] strides(long... shape) {
        if (this == OTHER) {
            throw new IllegalArgumentException("No strides are known of an array in another order.");
        }
        long[] strides = new long[shape.length];
        if (this == CHANNELS_LAST) {
            strides[1] = 1;
            strides[3] = shape[1];
            strides[2] = shape[3] * shape[1];
            strides[0] = shape[2] * strides[2];
            return strides;
        }
        Arrays.fill(strides, 1);
        for (int i = shape.length - 2; i >= 0; i--) {
            strides[i] = strides[i + 1] * shape[i + 1];
        }
        return strides;
    }

    /** Makes images with their channels last. */
    static INDArray images(ArrayType type, long[] shape, LayerWorkspaceMgr workspaces) {
        return workspaces
                .createUninitialized(type, DataType.FLOAT, new long[] {shape[0], shape[2], shape[3], shape[1]}, 'c')
                .permute(0, 3, 1, 2);
    }
}
