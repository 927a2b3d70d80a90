package io.github.dl4jfuse.acceleration.onednn;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Whether numbers are finite, and so small that products of such arrays are, by Cauchy and Schwarz. oneDNN's activation functions and
 * its max pooling make ordinary numbers of NaN, so what is not so goes another way, by DL4J's operations.
 */
final class Finite {

    private Finite() {}

    /** Returns whether the squares of each array add up to a finite number; arrays that are null do not count. */
    static boolean areAll(INDArray... arrays) {
        for (INDArray array : arrays) {
            if (array != null && !Double.isFinite(squares(array))) {
                return false;
            }
        }
        return true;
    }

    private static double squares(INDArray array) {
        INDArray flat =
                array.elementWiseStride() == 1 ? array : inMemoryOrder(array).reshape(array.length());
        return Nd4j.getBlasWrapper().level1().dot(flat.length(), 1, flat, flat);
    }

    /** Returns a view in c order where there is one: of images with their channels last [n, h, w, c], of weights in f order [nOut, nIn]. */
    static INDArray inMemoryOrder(INDArray array) {
        if (Layout.of(array) == Layout.CHANNELS_LAST) {
            return array.permute(0, 2, 3, 1);
        }
        return array.rank() == 2 && Layout.of(array) == Layout.OTHER ? array.transpose() : array;
    }
}
