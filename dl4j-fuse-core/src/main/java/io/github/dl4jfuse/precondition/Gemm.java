package io.github.dl4jfuse.precondition;

import io.github.dl4jfuse.acceleration.onednn.Products;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Products of matrices in f order: ND4J's, or the module dl4j-fuse-acceleration's where that is on the class path and can. */
interface Gemm {

    /** C ← α op(A) op(B) + β C; op transposes or not. */
    void multiply(
            INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB, double alpha, double beta);

    /** Returns whether a call costs little besides its arithmetic. */
    default boolean isFast() {
        return false;
    }

    /** Returns the best for matrices of a type. */
    static Gemm of(DataType type) {
        try {
            return Products.isFor(type) ? new Fast() : Nd4j::gemm;
        } catch (NoClassDefFoundError e) {
            return Nd4j::gemm; // the module is not there
        }
    }

    /** The module's. */
    final class Fast implements Gemm {

        @Override
        public void multiply(
                INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB, double alpha, double beta) {
            Products.multiply(a, b, c, transposeA, transposeB, alpha, beta);
        }

        @Override
        public boolean isFast() {
            return true;
        }
    }
}
